//! What a publishable crate has to bring along.

use crate::finding::Finding;
use crate::workspace::{Kind, Package};

const CHECK: &str = "packaging";
const LICENSE: &str = "Apache-2.0";
/// How a crate's root takes its README into rustdoc, so that the README's examples run as tests.
const README_IN_RUSTDOC: &str = "#![doc = include_str!(\"../README.md\")]";

/// A publishable crate and what stands in its folder.
#[derive(Debug)]
pub(crate) struct Packed<'a> {
    pub(crate) package: &'a Package,
    /// What `cargo package --list` would pack.
    pub(crate) files: Vec<String>,
    pub(crate) license: Option<String>,
    pub(crate) readme: Option<String>,
    /// The text of the library's root file, else of the binary's.
    pub(crate) root_source: String,
}

/// Checks one crate against the text of the workspace's licence.
pub(crate) fn check(packed: &Packed<'_>, license: &str) -> Vec<Finding> {
    let package = packed.package;
    let mut findings = Vec::new();
    let mut manifest = |key: &str, message: String| {
        findings.push(Finding::error(
            CHECK,
            &package.manifest,
            package.line_of(key),
            message,
        ));
    };
    if package.description.trim().is_empty() {
        manifest("[package]", "has no description".to_owned());
    }
    if package.license != LICENSE {
        manifest(
            "license",
            format!("has the licence `{}`, not `{LICENSE}`", package.license),
        );
    }
    for file in ["LICENSE", "README.md"] {
        if !packed.files.iter().any(|packed| packed == file) {
            manifest("include", format!("packs no {file}"));
        }
    }
    for dependency in &package.dependencies {
        if dependency.kind != Kind::Dev && dependency.local && dependency.requirement == "*" {
            let line = package.line_of_dependency(dependency);
            let message = format!(
                "{} has a path and no version, so the crate can't be published",
                dependency.name
            );
            findings.push(Finding::error(CHECK, &package.manifest, line, message));
        }
    }
    findings.extend(check_texts(packed, license));
    findings
}

fn check_texts(packed: &Packed<'_>, license: &str) -> Vec<Finding> {
    let folder = packed.package.folder();
    let mut findings = Vec::new();
    match packed.license.as_deref() {
        Some(text) if text == license => {}
        Some(text) => {
            let line = text
                .lines()
                .zip(license.lines())
                .take_while(|(ours, root)| ours == root)
                .count()
                + 1;
            findings.push(Finding::error(
                CHECK,
                &folder.join("LICENSE"),
                line,
                "differs from the workspace's LICENSE",
            ));
        }
        None => findings.push(Finding::error(CHECK, &folder.join("LICENSE"), 1, "is missing")),
    }
    match packed.readme.as_deref() {
        Some(text) if text.lines().any(opens_tested_example) => {}
        Some(_) => {
            let message = "has no ```rust example for rustdoc to run";
            findings.push(Finding::warning(CHECK, &folder.join("README.md"), 1, message));
        }
        None => findings.push(Finding::error(CHECK, &folder.join("README.md"), 1, "is missing")),
    }
    if !packed
        .root_source
        .lines()
        .any(|line| line.trim() == README_IN_RUSTDOC)
    {
        let file = packed
            .package
            .root_source
            .as_deref()
            .unwrap_or(&packed.package.manifest);
        findings.push(Finding::error(
            CHECK,
            file,
            1,
            format!("does not have `{README_IN_RUSTDOC}`"),
        ));
    }
    findings
}

/// Whether the line opens a block that says it is Rust, so that rustdoc compiles it.
fn opens_tested_example(line: &str) -> bool {
    line.trim_end() == "```rust" || line.starts_with("```rust,") && !line.contains("ignore")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Severity;
    use crate::workspace::tests::package;

    const ROOT: &str = "line one\nline two\n";

    fn good(package: &Package) -> Packed<'_> {
        Packed {
            package,
            files: ["Cargo.toml", "LICENSE", "README.md", "src/lib.rs"]
                .map(str::to_owned)
                .to_vec(),
            license: Some(ROOT.to_owned()),
            readme: Some("# it\n```rust\nassert!(true);\n```\n".to_owned()),
            root_source: format!("{README_IN_RUSTDOC}\n"),
        }
    }

    fn messages(packed: &Packed<'_>) -> Vec<String> {
        check(packed, ROOT)
            .into_iter()
            .map(|finding| finding.to_string())
            .collect()
    }

    #[test]
    fn passes_a_crate_with_everything() {
        let package = package("a", &[("b", Kind::Normal)]);
        assert_eq!(messages(&good(&package)), [""; 0]);
    }

    #[test]
    fn refuses_an_empty_description_and_another_licence() {
        let mut package = package("a", &[]);
        package.description = " ".to_owned();
        package.license = "MIT".to_owned();
        let found = messages(&good(&package));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].contains("no description") && found[1].contains("licence `MIT`"),
            "{found:?}"
        );
    }

    #[test]
    fn refuses_a_package_that_leaves_out_licence_or_readme() {
        let package = package("a", &[]);
        let found = messages(&Packed {
            files: vec!["src/lib.rs".to_owned()],
            ..good(&package)
        });
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].contains("packs no LICENSE") && found[1].contains("packs no README.md"),
            "{found:?}"
        );
    }

    #[test]
    fn names_the_line_from_which_a_licence_differs() {
        let package = package("a", &[]);
        let found = messages(&Packed {
            license: Some("line one\nline 2\n".to_owned()),
            ..good(&package)
        });
        assert_eq!(
            found,
            ["error[packaging]: crates/a/LICENSE:2: differs from the workspace's LICENSE"]
        );
    }

    #[test]
    fn refuses_missing_texts() {
        let package = package("a", &[]);
        let found = messages(&Packed {
            license: None,
            readme: None,
            root_source: String::new(),
            ..good(&package)
        });
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found[2].starts_with("error[packaging]: crates/a/src/lib.rs:1: does not have"),
            "{found:?}"
        );
    }

    #[test]
    fn warns_of_a_readme_without_an_example() {
        let package = package("a", &[]);
        let packed = Packed {
            readme: Some("# it\n```text\nx\n```\n".to_owned()),
            ..good(&package)
        };
        let found = check(&packed, ROOT);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Warning);
    }

    #[test]
    fn refuses_a_path_without_a_version_outside_tests() {
        let mut package = package("a", &[("b", Kind::Normal), ("c", Kind::Dev)]);
        for dependency in &mut package.dependencies {
            dependency.requirement = "*".to_owned();
        }
        assert_eq!(
            messages(&good(&package)),
            [
                "error[packaging]: crates/a/Cargo.toml:4: b has a path and no version, so the crate can't be published"
            ]
        );
    }
}
