//! Repositories of registries under the suite for sources and sinks.

use std::sync::Arc;

use async_trait::async_trait;
use stevedore_core::suite::{Ability, Neighbour, TransportFixture};
use stevedore_core::{Digest, Result, Sink, Source};
use stevedore_fault_server::{FaultServer, Profile};
use stevedore_registry_client::RegistriesConf;
use tokio::sync::OnceCell;

use crate::repository::{builder, open};

/// A repository of a registry that every call opens by a client of its own, as another process does.
struct Remote {
    profile: Profile,
    /// Whether it is read through a mirror that has nothing.
    mirrored: bool,
    /// Started by the first who asks, for only then is there a runtime.
    server: OnceCell<FaultServer>,
}

impl Remote {
    fn new(profile: Profile) -> Self {
        Self {
            profile,
            mirrored: false,
            server: OnceCell::new(),
        }
    }

    fn mirrored(profile: Profile) -> Self {
        Self {
            mirrored: true,
            ..Self::new(profile)
        }
    }

    async fn server(&self) -> &FaultServer {
        self.server
            .get_or_init(|| FaultServer::start(self.profile.clone()))
            .await
    }
}

#[async_trait]
impl TransportFixture for Remote {
    async fn sink(&self) -> Result<Arc<dyn Sink>> {
        let server = self.server().await;
        Ok(Arc::new(open(server, builder(server), "team/app")))
    }

    async fn source(&self) -> Result<Arc<dyn Source>> {
        let server = self.server().await;
        if self.mirrored {
            let host = server.host();
            server.create_repository("team/empty");
            let text = format!(
                "[[registry]]\nprefix = 'r.example/app'\nlocation = '{host}/team/app'\n\
                 [[registry.mirror]]\nlocation = '{host}/team/empty'"
            );
            let conf = RegistriesConf::default().with_file("r.conf".as_ref(), &text);
            let client = builder(server).registries(conf.expect("a configuration"));
            let image = "r.example/app".parse().expect("a reference");
            return Ok(client.build().expect("a client").source(&image)?);
        }
        Ok(Arc::new(open(server, builder(server), "team/app")))
    }

    async fn neighbour(&self) -> Result<Option<Neighbour>> {
        let server = self.server().await;
        let base = Arc::new(open(server, builder(server), "team/base"));
        Ok(Some(Neighbour::new(Arc::clone(&base) as _, base)))
    }

    fn can(&self, ability: Ability) -> bool {
        match ability {
            // Of tags there is no order and nothing that is not a tag, and of documents the registry knows the types.
            // An upload outlives its client only if somebody writes its URL down.
            Ability::RefNames | Ability::Nth | Ability::Only | Ability::OtherDocuments | Ability::Resume => {
                false
            }
            // Who comes first with a name is the registry's to decide, and not each does.
            Ability::Isolation => self.profile.manifests.conditional,
            _ => true,
        }
    }

    async fn damage(&self, digest: &Digest) -> Result<bool> {
        Ok(self.server().await.damage("team/app", digest))
    }

    async fn settle(&self) {
        self.server().await.settle().await;
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// As the specification has it.
mod spec {
    use super::{Profile, Remote, runtime};

    stevedore_core::transport_suite!(Remote::new(Profile::spec()), |case| runtime().block_on(case));
}

/// Read through a mirror that has nothing.
mod mirrored {
    use super::{Profile, Remote, runtime};

    stevedore_core::transport_suite!(Remote::mirrored(Profile::spec()), |case| runtime().block_on(case));
}

/// With tokens, blobs on another host, upload URLs that change, no conditional requests and nothing of what came to
/// the specification after its version 1.1.
mod harbor {
    use super::{Profile, Remote, runtime};

    stevedore_core::transport_suite!(Remote::new(Profile::harbor()), |case| runtime().block_on(case));
}

/// Without a list of referrers: the cases about them, and no others, for a fallback tag is a name that they do not know.
mod fallback {
    use stevedore_core::suite::transport;
    use stevedore_fault_server::profile::ReferrersApi;

    use super::{Profile, Remote, runtime};

    fn profile() -> Profile {
        let mut profile = Profile::spec();
        profile.referrers.api = ReferrersApi::NotFound;
        profile.referrers.subject_header = false;
        profile
    }

    macro_rules! cases {
        ($($case:ident)*) => {$(
            #[test]
            fn $case() {
                let fixture = Remote::new(profile());
                if let Err(failure) = runtime().block_on(transport::$case(&fixture)) {
                    panic!("{failure}");
                }
            }
        )*};
    }

    cases! {
        referrers_are_listed referrers_of_a_type referrers_are_described others_have_no_referrers
        referrers_in_a_chain referrer_is_removed removed_comes_again
    }
}
