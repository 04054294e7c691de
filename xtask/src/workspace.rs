//! The workspace as `cargo metadata` describes it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{Failure, cargo};

/// Our packages, and the resolved graph around them with every feature on.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// The members, in cargo's order.
    pub(crate) members: Vec<Package>,
    /// Names of packages, each with the names of those that its normal and build dependencies lead to.
    pub(crate) graph: BTreeMap<String, Vec<String>>,
}

/// One member; paths are relative to the workspace's root.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest: PathBuf,
    pub(crate) manifest_text: String,
    pub(crate) description: String,
    pub(crate) license: String,
    /// False for `publish = false`.
    pub(crate) publishable: bool,
    /// The library's root file, else the first binary's.
    pub(crate) root_source: Option<PathBuf>,
    pub(crate) features: Vec<String>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One dependency as a manifest declares it: optional ones and those of other platforms too.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// The key it stands under in the manifest.
    pub(crate) key: String,
    pub(crate) kind: Kind,
    /// The version requirement; `*` when the manifest has none.
    pub(crate) requirement: String,
    /// Whether it comes from this disk.
    pub(crate) local: bool,
}

/// Which of the three tables a dependency is in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Normal,
    Build,
    Dev,
}

impl Workspace {
    /// Asks cargo; needs the dependencies' manifests at hand or a network.
    pub(crate) fn load() -> Result<Self, Failure> {
        let here = std::env::current_dir()?;
        let json = cargo::output(
            &here,
            &["metadata", "--format-version", "1", "--all-features", "--locked"],
        )?;
        Self::parse(&json, |manifest| Ok(std::fs::read_to_string(manifest)?))
    }

    /// Reads the output of `cargo metadata --format-version 1`; `read` gives a manifest's text.
    pub(crate) fn parse(
        json: &str,
        read: impl Fn(&Path) -> Result<String, Failure>,
    ) -> Result<Self, Failure> {
        let metadata: Value = serde_json::from_str(json)?;
        let root = PathBuf::from(text(&metadata, "workspace_root")?);
        let ours: Vec<&str> = list(&metadata, "workspace_members")
            .filter_map(Value::as_str)
            .collect();
        let mut names = BTreeMap::new();
        let mut members = Vec::new();
        for package in list(&metadata, "packages") {
            let id = text(package, "id")?;
            names.insert(id, text(package, "name")?);
            if ours.contains(&id) {
                members.push(Package::from_metadata(package, &root, &read)?);
            }
        }
        let mut graph = BTreeMap::<String, Vec<String>>::new();
        for node in list(&metadata["resolve"], "nodes") {
            let from = names
                .get(text(node, "id")?)
                .ok_or("a resolved package is not in the list of packages")?;
            let reached = graph.entry((*from).to_owned()).or_default();
            for dependency in list(node, "deps").filter(|dependency| ships(dependency)) {
                let to = names
                    .get(text(dependency, "pkg")?)
                    .ok_or("a dependency is not in the list of packages")?;
                reached.push((*to).to_owned());
            }
        }
        Ok(Self { root, members, graph })
    }
}

impl Package {
    fn from_metadata(
        package: &Value,
        root: &Path,
        read: impl Fn(&Path) -> Result<String, Failure>,
    ) -> Result<Self, Failure> {
        let manifest = Path::new(text(package, "manifest_path")?);
        let root_source = ["lib", "bin"].iter().find_map(|kind| {
            list(package, "targets")
                .find(|target| list(target, "kind").any(|each| each == kind))
                .and_then(|target| target["src_path"].as_str())
        });
        Ok(Self {
            name: text(package, "name")?.to_owned(),
            manifest: relative(manifest, root),
            manifest_text: read(manifest)?,
            description: package["description"].as_str().unwrap_or_default().to_owned(),
            license: package["license"].as_str().unwrap_or_default().to_owned(),
            publishable: package["publish"]
                .as_array()
                .is_none_or(|registries| !registries.is_empty()),
            root_source: root_source.map(|path| relative(Path::new(path), root)),
            features: package["features"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| name.clone())
                .collect(),
            dependencies: list(package, "dependencies")
                .map(Dependency::from_metadata)
                .collect::<Result<_, Failure>>()?,
        })
    }

    /// The folder that holds the manifest.
    pub(crate) fn folder(&self) -> &Path {
        self.manifest.parent().unwrap_or(Path::new(""))
    }

    /// The first line of the manifest that begins with `key`, else 1.
    pub(crate) fn line_of(&self, key: &str) -> usize {
        let found = self.manifest_text.lines().position(|line| names_key(line, key));
        found.map_or(1, |index| index + 1)
    }

    /// The line on which the manifest declares the dependency, else 1.
    pub(crate) fn line_of_dependency(&self, dependency: &Dependency) -> usize {
        let table = match dependency.kind {
            Kind::Normal => "dependencies",
            Kind::Build => "build-dependencies",
            Kind::Dev => "dev-dependencies",
        };
        let own_table = format!("{table}.{}", dependency.key);
        let ends_with = |header: &str, tail: &str| {
            header
                .strip_suffix(tail)
                .is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        let mut inside = false;
        for (index, line) in self.manifest_text.lines().enumerate() {
            if let Some(header) = line
                .trim()
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
            {
                inside = ends_with(header, table);
                if ends_with(header, &own_table) {
                    return index + 1;
                }
            } else if inside && names_key(line, &dependency.key) {
                return index + 1;
            }
        }
        1
    }
}

impl Dependency {
    fn from_metadata(dependency: &Value) -> Result<Self, Failure> {
        let name = text(dependency, "name")?;
        Ok(Self {
            name: name.to_owned(),
            key: dependency["rename"].as_str().unwrap_or(name).to_owned(),
            kind: match dependency["kind"].as_str() {
                None => Kind::Normal,
                Some("build") => Kind::Build,
                Some("dev") => Kind::Dev,
                Some(other) => return Err(format!("unknown kind of dependency: {other}").into()),
            },
            requirement: text(dependency, "req")?.to_owned(),
            local: dependency["path"].is_string(),
        })
    }
}

/// Whether a resolved dependency is more than a dev-dependency.
fn ships(dependency: &Value) -> bool {
    list(dependency, "dep_kinds").any(|each| each["kind"] != "dev")
}

fn names_key(line: &str, key: &str) -> bool {
    let rest = line.trim_start().strip_prefix(key);
    rest.is_some_and(|rest| rest.starts_with([' ', '.', '=']))
}

fn relative(path: &Path, root: &Path) -> PathBuf {
    path.strip_prefix(root).unwrap_or(path).to_owned()
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, Failure> {
    value[key]
        .as_str()
        .ok_or_else(|| format!("cargo metadata has no text under `{key}`").into())
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// A publishable library that would pass every check; its manifest has one line a dependency.
    pub(crate) fn package(name: &str, dependencies: &[(&str, Kind)]) -> Package {
        let mut manifest_text = format!("[package]\nname = \"{name}\"\n");
        for (dependency, kind) in dependencies {
            let table = match kind {
                Kind::Normal => "dependencies",
                Kind::Build => "build-dependencies",
                Kind::Dev => "dev-dependencies",
            };
            write!(manifest_text, "[{table}]\n{dependency}.workspace = true\n").unwrap();
        }
        let folder = Path::new("crates").join(name);
        Package {
            name: name.to_owned(),
            manifest: folder.join("Cargo.toml"),
            manifest_text,
            description: "what it is".to_owned(),
            license: "Apache-2.0".to_owned(),
            publishable: true,
            root_source: Some(folder.join("src/lib.rs")),
            features: Vec::new(),
            dependencies: dependencies
                .iter()
                .map(|(name, kind)| dependency(name, *kind))
                .collect(),
        }
    }

    pub(crate) fn dependency(name: &str, kind: Kind) -> Dependency {
        Dependency {
            name: name.to_owned(),
            key: name.to_owned(),
            kind,
            requirement: "^0.1.0".to_owned(),
            local: true,
        }
    }

    #[test]
    fn reads_members_their_dependencies_and_the_graph() {
        let json = r#"{
            "workspace_root": "/w", "workspace_members": ["path+a"],
            "packages": [
                {"id": "path+a", "name": "a", "manifest_path": "/w/crates/a/Cargo.toml", "publish": [],
                 "description": null, "license": "Apache-2.0", "features": {"x": [], "default": ["x"]},
                 "targets": [{"kind": ["test"], "src_path": "/w/t.rs"}, {"kind": ["lib"], "src_path": "/w/crates/a/src/lib.rs"}],
                 "dependencies": [{"name": "b", "rename": "bee", "kind": "dev", "req": "*", "path": "/w/b"}]},
                {"id": "reg+b", "name": "b"}, {"id": "reg+c", "name": "c"}],
            "resolve": {"nodes": [
                {"id": "path+a", "deps": [{"pkg": "reg+b", "dep_kinds": [{"kind": "dev"}]},
                                          {"pkg": "reg+c", "dep_kinds": [{"kind": "dev"}, {"kind": null}]}]},
                {"id": "reg+b", "deps": []}]}}"#;
        let workspace = Workspace::parse(json, |_| Ok("[dev-dependencies]\nbee = 1\n".to_owned())).unwrap();
        let [package] = &workspace.members[..] else {
            panic!("one member")
        };
        assert_eq!(package.manifest, Path::new("crates/a/Cargo.toml"));
        assert_eq!(
            package.root_source.as_deref(),
            Some(Path::new("crates/a/src/lib.rs"))
        );
        assert!(!package.publishable);
        assert_eq!(package.features, ["default", "x"]);
        let [dependency] = &package.dependencies[..] else {
            panic!("one dependency")
        };
        assert_eq!(
            (dependency.name.as_str(), dependency.kind, dependency.local),
            ("b", Kind::Dev, true)
        );
        assert_eq!(package.line_of_dependency(dependency), 2);
        assert_eq!(workspace.graph["a"], ["c"]);
    }

    #[test]
    fn refuses_metadata_without_the_fields_it_needs() {
        let failure = Workspace::parse("{}", |_| Ok(String::new())).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "cargo metadata has no text under `workspace_root`"
        );
    }

    #[test]
    fn finds_a_dependency_in_the_table_of_its_kind() {
        let mut package = package("a", &[]);
        package.manifest_text = "[dependencies]\nbee.workspace = true\nbe = \"1\"\n\
            [target.'cfg(unix)'.dev-dependencies]\nbe = \"1\"\n[build-dependencies.be]\nversion = \"1\"\n"
            .to_owned();
        let line = |kind| package.line_of_dependency(&dependency("be", kind));
        assert_eq!(
            [line(Kind::Normal), line(Kind::Dev), line(Kind::Build)],
            [3, 5, 6]
        );
    }
}
