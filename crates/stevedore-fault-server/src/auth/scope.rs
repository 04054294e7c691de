//! Token scopes: `repository:<name>:<action>,…`.

/// What a request needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) action: &'static str,
}

impl Need {
    pub(crate) fn repository(name: impl Into<String>, action: &'static str) -> Self {
        Self {
            kind: "repository",
            name: name.into(),
            action,
        }
    }

    pub(crate) fn catalog() -> Self {
        Self {
            kind: "registry",
            name: "catalog".to_owned(),
            action: "*",
        }
    }

    /// The scope to ask for. Who pushes also wants to look what is there.
    pub(crate) fn as_scope(&self, only_pull: bool) -> String {
        let actions = match self.action {
            "push" if only_pull => "pull",
            "push" => "pull,push",
            action => action,
        };
        format!("{}:{}:{actions}", self.kind, self.name)
    }
}

/// What a token grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    kind: String,
    name: String,
    actions: Vec<String>,
}

impl Scope {
    /// Reads a scope; the name may hold colons, as a host with a port does.
    pub(crate) fn parse(scope: &str) -> Option<Self> {
        let (kind, rest) = scope.split_once(':')?;
        let (name, actions) = rest.rsplit_once(':')?;
        let actions = actions
            .split(',')
            .filter(|a| !a.is_empty())
            .map(str::to_owned)
            .collect();
        Some(Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            actions,
        })
    }

    /// What is left for somebody who may only pull.
    pub(crate) fn only_pull(mut self) -> Self {
        self.actions.retain(|action| action == "pull");
        self
    }

    pub(crate) fn grants(&self, need: &Need) -> bool {
        self.kind == need.kind
            && self.name == need.name
            && self
                .actions
                .iter()
                .any(|action| action == need.action || action == "*")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_grants_what_it_names() {
        let scope = Scope::parse("repository:a/b:pull,push").expect("a scope");
        assert!(scope.grants(&Need::repository("a/b", "push")));
        assert!(!scope.grants(&Need::repository("a/b", "delete")));
        assert!(!scope.grants(&Need::repository("a", "pull")));
        assert!(!scope.clone().only_pull().grants(&Need::repository("a/b", "push")));
        assert!(
            Scope::parse("repository:host:5000/a:*")
                .expect("a scope")
                .grants(&Need::repository("host:5000/a", "pull"))
        );
        assert_eq!(Scope::parse("repository"), None);
    }
}
