//! `cargo xtask features`: every feature of every crate compiles alone, and so does every crate without any.

use crate::finding::Finding;
use crate::workspace::{Package, Workspace};
use crate::{Failure, cargo};

const CHECK: &str = "features";

/// Checks one combination after the other; those that do not compile are findings.
pub(crate) fn run(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for package in &workspace.members {
        for feature in combinations(package) {
            let arguments = arguments(package, feature);
            println!("cargo {}", arguments.join(" "));
            if !cargo::succeeds(&workspace.root, &arguments)? {
                findings.push(finding(package, feature));
            }
        }
    }
    Ok(findings)
}

/// No feature, then each one.
fn combinations(package: &Package) -> impl Iterator<Item = Option<&str>> {
    std::iter::once(None).chain(package.features.iter().map(|feature| Some(feature.as_str())))
}

fn arguments<'a>(package: &'a Package, feature: Option<&'a str>) -> Vec<&'a str> {
    let mut arguments = vec![
        "check",
        "--quiet",
        "--locked",
        "-p",
        &package.name,
        "--no-default-features",
    ];
    if let Some(feature) = feature {
        arguments.extend(["--features", feature]);
    }
    arguments
}

fn finding(package: &Package, feature: Option<&str>) -> Finding {
    let (key, with) = match feature {
        Some(feature) => (feature, format!("with `{feature}` as its only feature")),
        None => ("name", "without features".to_owned()),
    };
    let message = format!("{} does not compile {with}", package.name);
    Finding::error(CHECK, &package.manifest, package.line_of(key), message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::tests::package;

    #[test]
    fn tries_no_feature_and_then_each_alone() {
        let mut package = package("a", &[]);
        package.features = vec!["fs".to_owned(), "suite".to_owned()];
        let tried: Vec<String> = combinations(&package)
            .map(|each| arguments(&package, each).join(" "))
            .collect();
        let base = "check --quiet --locked -p a --no-default-features";
        assert_eq!(
            tried,
            [
                base.to_owned(),
                format!("{base} --features fs"),
                format!("{base} --features suite")
            ]
        );
    }

    #[test]
    fn names_the_feature_and_its_line() {
        let mut package = package("a", &[]);
        package.manifest_text += "[features]\nfsx = []\nfs = []\n";
        assert_eq!(
            finding(&package, Some("fs")).to_string(),
            "error[features]: crates/a/Cargo.toml:5: a does not compile with `fs` as its only feature"
        );
        assert_eq!(
            finding(&package, None).to_string(),
            "error[features]: crates/a/Cargo.toml:2: a does not compile without features"
        );
    }
}
