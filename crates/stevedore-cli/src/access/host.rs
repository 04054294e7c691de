//! Registries that are spoken to, each with what was said about it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use stevedore_core::Reference;
use stevedore_core::reference::Registry;
use stevedore_registry_client::Endpoint;

use crate::args::Access;

/// A registry that is spoken to.
pub(crate) struct Host {
    pub(crate) registry: Registry,
    /// What was typed, where that is about this registry.
    pub(crate) access: Access,
    /// Whether `registries.conf` calls it insecure, where it leads there.
    pub(crate) insecure: Option<bool>,
}

impl Host {
    /// A registry that was typed, and is spoken to about no image.
    pub(super) fn whole(registry: &Registry, access: &Access, insecure: bool) -> Self {
        Self {
            insecure: Some(insecure),
            ..Self::typed(registry, access)
        }
    }

    /// A registry that was typed.
    fn typed(registry: &Registry, access: &Access) -> Self {
        Self {
            registry: registry.clone(),
            access: access.clone(),
            insecure: None,
        }
    }

    /// The registry of an image, and those where it may be.
    pub(crate) fn all(image: &Reference, endpoints: &[Endpoint], access: &Access) -> Vec<Self> {
        let elsewhere = endpoints.iter().map(|endpoint| Self::of(endpoint, image, access));
        std::iter::once(Self::typed(image.registry(), access))
            .chain(elsewhere)
            .collect()
    }

    /// What holds for each registry, by its name.
    pub(crate) fn merged(hosts: Vec<Self>) -> BTreeMap<String, Self> {
        let mut merged: BTreeMap<String, Self> = BTreeMap::new();
        for host in hosts {
            match merged.entry(host.registry.as_str().to_owned()) {
                Entry::Vacant(vacant) => drop(vacant.insert(host)),
                Entry::Occupied(mut known) => known.get_mut().merge(host),
            }
        }
        merged
    }

    /// A place where an image may be. What was typed is about the registry that was typed, not about another one where
    /// a file says that its images are.
    fn of(endpoint: &Endpoint, image: &Reference, access: &Access) -> Self {
        let registry = endpoint.reference.registry();
        let is_typed = registry == image.registry();
        Self {
            registry: registry.clone(),
            access: if is_typed {
                access.clone()
            } else {
                Access::default()
            },
            insecure: Some(endpoint.insecure),
        }
    }

    /// The same registry twice: what was typed holds, and it is insecure only where each place in it is.
    fn merge(&mut self, other: Self) {
        if self.access == Access::default() {
            self.access = other.access;
        }
        self.insecure = match (self.insecure, other.insecure) {
            (Some(one), Some(two)) => Some(one && two),
            (one, two) => one.or(two),
        };
    }
}
