//! Which of our crates may depend on which.

use std::collections::BTreeSet;

use crate::finding::Finding;
use crate::workspace::{Dependency, Kind, Package, Workspace};

const CHECK: &str = "directions";

/// A crate of ours and those of ours that it may use in normal and build dependencies.
#[derive(Debug)]
struct Row {
    name: &'static str,
    may_use: &'static [&'static str],
}

/// The directions, in the order in which the crates are published: a row uses rows above it only.
///
/// Dev-dependencies are held to that order alone: a crate's tests may use any crate above it, whatever its own
/// row says, so that no cycle stands in the way of publishing and tests of the client may start the server.
const TABLE: &[Row] = &[
    Row {
        name: "stevedore-core",
        may_use: &[],
    },
    // For tests alone: no other row may name it.
    Row {
        name: "stevedore-fault-server",
        may_use: &["stevedore-core"],
    },
    Row {
        name: "stevedore-archive",
        may_use: &["stevedore-core"],
    },
    Row {
        name: "stevedore-image",
        may_use: &["stevedore-core", "stevedore-archive"],
    },
    Row {
        name: "stevedore-server",
        may_use: &["stevedore-core"],
    },
    Row {
        name: "stevedore-registry-client",
        may_use: &["stevedore-core"],
    },
    Row {
        name: "stevedore-transport",
        may_use: &[
            "stevedore-core",
            "stevedore-archive",
            "stevedore-image",
            "stevedore-registry-client",
        ],
    },
    Row {
        name: "stevedore-sigstore",
        may_use: &["stevedore-core"],
    },
    Row {
        name: "stevedore-sbom",
        may_use: &["stevedore-core", "stevedore-archive"],
    },
    Row {
        name: "stevedore-cli",
        may_use: &[
            "stevedore-core",
            "stevedore-archive",
            "stevedore-image",
            "stevedore-server",
            "stevedore-registry-client",
            "stevedore-transport",
            "stevedore-sigstore",
            "stevedore-sbom",
        ],
    },
    Row {
        name: "xtask",
        may_use: &[],
    },
];

/// Pairs that must not meet over any number of steps either, whatever the table comes to say.
const NEVER_REACHES: &[(&str, &str)] = &[("stevedore-registry-client", "stevedore-archive")];

/// Compares the members' manifests and the resolved graph with the table.
pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings: Vec<Finding> = workspace
        .members
        .iter()
        .flat_map(|package| check_package(package, workspace))
        .collect();
    for (from, to) in NEVER_REACHES {
        let Some(package) = workspace.members.iter().find(|package| package.name == *from) else {
            continue;
        };
        if let Some(path) = path_between(workspace, from, to) {
            let message = format!("{from} must never reach {to}, but {}", path.join(" -> "));
            findings.push(Finding::error(
                CHECK,
                &package.manifest,
                package.line_of("name"),
                message,
            ));
        }
    }
    findings
}

fn check_package(package: &Package, workspace: &Workspace) -> Vec<Finding> {
    let Some(place) = TABLE.iter().position(|row| row.name == package.name) else {
        let message = format!(
            "{} is not in the table of directions (xtask/src/checks/directions.rs)",
            package.name
        );
        return vec![Finding::error(
            CHECK,
            &package.manifest,
            package.line_of("name"),
            message,
        )];
    };
    let is_ours = |dependency: &&Dependency| {
        dependency.local
            || workspace
                .members
                .iter()
                .any(|member| member.name == dependency.name)
    };
    package
        .dependencies
        .iter()
        .filter(is_ours)
        .filter_map(|dependency| {
            let message = complaint(place, dependency)?;
            Some(Finding::error(
                CHECK,
                &package.manifest,
                package.line_of_dependency(dependency),
                message,
            ))
        })
        .collect()
}

/// Why the row at `place` may not have the dependency, if it may not.
fn complaint(place: usize, dependency: &Dependency) -> Option<String> {
    let Row { name, may_use } = &TABLE[place];
    let to = dependency.name.as_str();
    match dependency.kind {
        Kind::Normal | Kind::Build if may_use.contains(&to) => None,
        Kind::Normal | Kind::Build => {
            let allowed = if may_use.is_empty() {
                "none of our crates".to_owned()
            } else {
                may_use.join(", ")
            };
            Some(format!("{name} must not depend on {to}; it may use {allowed}"))
        }
        // With a version the crate would have to be published before itself.
        Kind::Dev if to == *name && dependency.requirement == "*" => None,
        Kind::Dev if to == *name => Some(format!(
            "{name} names itself as a dev-dependency with a version; give the path alone"
        )),
        Kind::Dev if TABLE[..place].iter().any(|row| row.name == to) => None,
        Kind::Dev => Some(format!(
            "{name} must not depend on {to} in tests: it is published before {to}"
        )),
    }
}

/// The steps from one package to another in the resolved graph, both included.
fn path_between<'a>(workspace: &'a Workspace, from: &'a str, to: &str) -> Option<Vec<&'a str>> {
    let mut seen = BTreeSet::from([from]);
    let mut paths = vec![vec![from]];
    while let Some(path) = paths.pop() {
        let last = path.last()?;
        if *last == to {
            return Some(path);
        }
        for next in workspace.graph.get(*last).into_iter().flatten() {
            if seen.insert(next) {
                paths.push(path.iter().copied().chain([next.as_str()]).collect());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::workspace::tests::{dependency, package};

    fn workspace(members: Vec<Package>) -> Workspace {
        Workspace {
            members,
            ..Workspace::default()
        }
    }

    fn messages(package: Package) -> Vec<String> {
        check(&workspace(vec![package]))
            .into_iter()
            .map(|finding| finding.message)
            .collect()
    }

    #[test]
    fn the_table_is_in_the_order_of_publication() {
        for (place, row) in TABLE.iter().enumerate() {
            for used in row.may_use {
                assert!(
                    TABLE[..place].iter().any(|above| above.name == *used),
                    "{} uses {used}",
                    row.name
                );
            }
        }
    }

    #[test]
    fn passes_what_the_table_allows() {
        let transport = package(
            "stevedore-transport",
            &[("stevedore-image", Kind::Normal), ("stevedore-core", Kind::Build)],
        );
        assert_eq!(messages(transport), [""; 0]);
    }

    #[test]
    fn refuses_a_direction_with_file_and_line() {
        let client = package(
            "stevedore-registry-client",
            &[
                ("stevedore-core", Kind::Normal),
                ("stevedore-archive", Kind::Normal),
            ],
        );
        let findings = check(&workspace(vec![client]));
        let [finding] = &findings[..] else {
            panic!("one finding, not {findings:?}")
        };
        assert_eq!(
            finding.file,
            Path::new("crates/stevedore-registry-client/Cargo.toml")
        );
        assert_eq!(finding.line, 6);
        assert_eq!(
            finding.message,
            "stevedore-registry-client must not depend on stevedore-archive; it may use stevedore-core"
        );
    }

    #[test]
    fn refuses_a_build_dependency_as_it_would_a_normal_one() {
        let core = package("stevedore-core", &[("stevedore-archive", Kind::Build)]);
        assert_eq!(
            messages(core),
            ["stevedore-core must not depend on stevedore-archive; it may use none of our crates"]
        );
    }

    #[test]
    fn refuses_crates_of_ours_that_the_table_does_not_know() {
        assert!(messages(package("stevedore-extra", &[]))[0].contains("is not in the table"));
        let archive = package("stevedore-archive", &[("local-helper", Kind::Normal)]);
        assert_eq!(
            messages(archive),
            ["stevedore-archive must not depend on local-helper; it may use stevedore-core"]
        );
    }

    #[test]
    fn lets_crates_of_others_pass() {
        let mut core = package("stevedore-core", &[("bytes", Kind::Normal)]);
        core.dependencies[0].local = false;
        assert_eq!(messages(core), [""; 0]);
    }

    #[test]
    fn holds_tests_to_the_order_of_publication() {
        let client = package("stevedore-registry-client", &[("stevedore-server", Kind::Dev)]);
        assert_eq!(messages(client), [""; 0]);
        let server = package("stevedore-server", &[("stevedore-registry-client", Kind::Dev)]);
        assert!(messages(server)[0].contains("must not depend on stevedore-registry-client in tests"));
    }

    #[test]
    fn lets_a_crate_test_itself_by_path_alone() {
        let mut core = package("stevedore-core", &[("stevedore-core", Kind::Dev)]);
        assert!(messages(core)[0].contains("give the path alone"));
        core = package("stevedore-core", &[]);
        core.dependencies = vec![Dependency {
            requirement: "*".to_owned(),
            ..dependency("stevedore-core", Kind::Dev)
        }];
        assert_eq!(messages(core), [""; 0]);
    }

    #[test]
    fn finds_what_must_never_be_reached_behind_other_crates() {
        let edge = |from: &str, to: &str| (from.to_owned(), vec![to.to_owned()]);
        let mut tree = workspace(vec![package("stevedore-registry-client", &[])]);
        tree.graph = BTreeMap::from([
            edge("stevedore-registry-client", "middle"),
            edge("middle", "stevedore-archive"),
        ]);
        let findings = check(&tree);
        assert_eq!(findings.len(), 1);
        assert!(
            findings[0]
                .message
                .ends_with("stevedore-registry-client -> middle -> stevedore-archive")
        );
    }
}
