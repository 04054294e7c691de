//! What a token is to be good for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A set of token scopes, normalised: one entry a resource, resources and actions sorted
/// (the `scope` of the token protocol that registries share: `type:name:action,action`).
///
/// Two sets that mean the same are equal, and are asked for in the same words.
///
/// ```
/// use stevedore_registry_client::auth::Scopes;
///
/// let scopes = Scopes::parse("repository:b:pull repository:a:push,pull repository:b:pull");
/// assert_eq!(scopes.to_string(), "repository:a:pull,push repository:b:pull");
/// assert_eq!(scopes, Scopes::push("a").union(&Scopes::pull("b")));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scopes {
    resources: BTreeMap<(String, String), BTreeSet<String>>,
    /// What is not of the usual form, kept as it came.
    opaque: BTreeSet<String>,
}

impl Scopes {
    /// No scope: what a login asks for.
    pub fn none() -> Self {
        Self::default()
    }

    /// To read a repository.
    pub fn pull(repository: &str) -> Self {
        Self::repository(repository, &["pull"])
    }

    /// To read and write a repository.
    pub fn push(repository: &str) -> Self {
        Self::repository(repository, &["pull", "push"])
    }

    /// To read, write and delete in a repository.
    pub fn delete(repository: &str) -> Self {
        Self::repository(repository, &["pull", "push", "delete"])
    }

    /// To list the repositories of a registry.
    pub fn catalog() -> Self {
        Self::resource("registry", "catalog", &["*"])
    }

    /// Reads scopes separated by spaces. What is not of the usual form is kept as it is.
    pub fn parse(text: &str) -> Self {
        let mut scopes = Self::default();
        for scope in text.split_ascii_whitespace() {
            let parts = scope.split_once(':').and_then(|(kind, rest)| {
                // The name of a repository may hold a colon, its actions do not.
                rest.rsplit_once(':').map(|(name, actions)| (kind, name, actions))
            });
            match parts {
                Some((kind, name, actions)) if !kind.is_empty() && !name.is_empty() => {
                    let known = scopes
                        .resources
                        .entry((kind.to_owned(), name.to_owned()))
                        .or_default();
                    known.extend(
                        actions
                            .split(',')
                            .filter(|action| !action.is_empty())
                            .map(str::to_owned),
                    );
                }
                _ => {
                    scopes.opaque.insert(scope.to_owned());
                }
            }
        }
        scopes
    }

    /// Both sets together.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for (resource, actions) in &other.resources {
            both.resources
                .entry(resource.clone())
                .or_default()
                .extend(actions.iter().cloned());
        }
        both.opaque.extend(other.opaque.iter().cloned());
        both
    }

    /// Whether there is no scope in it.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.opaque.is_empty()
    }

    /// Each scope as it goes onto the wire, in order.
    pub fn iter(&self) -> impl Iterator<Item = String> {
        let resources = self.resources.iter().map(|((kind, name), actions)| {
            let actions: Vec<_> = actions.iter().map(String::as_str).collect();
            format!("{kind}:{name}:{}", actions.join(","))
        });
        resources.chain(self.opaque.iter().cloned())
    }

    fn repository(name: &str, actions: &[&str]) -> Self {
        Self::resource("repository", name, actions)
    }

    fn resource(kind: &str, name: &str, actions: &[&str]) -> Self {
        let actions = actions.iter().map(|action| (*action).to_owned()).collect();
        Self {
            resources: BTreeMap::from([((kind.to_owned(), name.to_owned()), actions)]),
            opaque: BTreeSet::new(),
        }
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scopes: Vec<_> = self.iter().collect();
        f.write_str(&scopes.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keeps_names_with_colons_and_unknown_forms() {
        let scopes = Scopes::parse("repository:host:5000/a:pull openid repository(plugin):x:pull");
        assert_eq!(
            scopes.to_string(),
            "repository:host:5000/a:pull repository(plugin):x:pull openid"
        );
        assert!(Scopes::parse("  ").is_empty());
    }

    proptest! {
        #[test]
        fn reads_its_own_output(text in "[a-c:, ]{0,40}") {
            let scopes = Scopes::parse(&text);
            prop_assert_eq!(Scopes::parse(&scopes.to_string()), scopes);
        }
    }
}
