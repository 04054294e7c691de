//! A client that a profile lets in.

use http::{Method, StatusCode};
use stevedore_fault_server::{FaultServer, PASSWORD, Profile, USER};

use crate::auth::{basic, token};
use crate::client::{Ask, Reply, ask, get};
use crate::lists::next;
use crate::manifests::{IMAGE, image};

/// A client that is let in to do all to the repository `a`.
pub(crate) struct Known {
    pub(crate) server: FaultServer,
    pub(crate) authorization: String,
}

impl Known {
    pub(crate) async fn start(profile: Profile) -> Self {
        let server = FaultServer::start(profile).await;
        let authorization =
            if server.profile().name.starts_with("ecr") && !server.profile().name.ends_with("public") {
                basic("AWS", PASSWORD)
            } else {
                token(&server, Some(&basic(USER, PASSWORD)), &["repository:a:*"]).await
            };
        server.clear_log();
        Self {
            server,
            authorization,
        }
    }

    pub(crate) fn ask(&self, method: Method, target: &str) -> Ask {
        ask(method, &self.server.url(), target).header("authorization", &self.authorization)
    }

    pub(crate) async fn get(&self, target: &str) -> Reply {
        self.ask(Method::GET, target).send().await
    }

    pub(crate) async fn start_upload(&self) -> Reply {
        self.ask(Method::POST, "/v2/a/blobs/uploads/").send().await
    }

    pub(crate) async fn chunk(&self, location: &str, first: usize, bytes: &[u8]) -> Reply {
        self.ask(Method::PATCH, location)
            .header("content-range", &format!("{first}-{}", first + bytes.len() - 1))
            .body(bytes.to_vec())
            .send()
            .await
    }

    pub(crate) async fn put(&self, location: &str, digest: &str, bytes: &[u8]) -> Reply {
        let separator = if location.contains('?') { '&' } else { '?' };
        let target = format!("{location}{separator}digest={digest}");
        self.ask(Method::PUT, &target).body(bytes.to_vec()).send().await
    }

    /// The blob by the redirect, without and with credentials for the storage.
    pub(crate) async fn redirected(&self, blob: &'static str) -> (Reply, Reply) {
        let digest = self.server.put_blob("a", blob);
        let redirect = self.get(&format!("/v2/a/blobs/{digest}")).await;
        assert_eq!(redirect.status, StatusCode::TEMPORARY_REDIRECT);
        let without = get(&self.server.url(), redirect.location()).send().await;
        assert_eq!(
            (without.status, without.body.as_ref()),
            (StatusCode::OK, blob.as_bytes())
        );
        assert_eq!(without.header("docker-content-digest"), None);
        let with = self.get(redirect.location()).await;
        (redirect, with)
    }

    pub(crate) fn tag(&self, count: usize) {
        let tags: Vec<String> = (0..count).map(|number| format!("t{number:05}")).collect();
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        self.server.put_manifest("a", &tags, IMAGE, image("x", None));
    }

    /// Sizes of the pages of the tags, following the links.
    pub(crate) async fn pages(&self, first: &str) -> Vec<usize> {
        let (mut sizes, mut target) = (Vec::new(), Some(first.to_owned()));
        while let Some(at) = target {
            let reply = self.get(&at).await;
            sizes.push(reply.json()["tags"].as_array().expect("tags").len());
            target = next(&reply);
        }
        sizes
    }
}

/// Whether a PUT of a referrer was answered with `OCI-Subject`, and what the API then knows. The subject is there.
pub(crate) async fn refer(known: &Known) -> (bool, Reply) {
    known.server.put_blob("a", "{}");
    let subject = known
        .server
        .put_manifest("a", &[], IMAGE, image("subject", None))
        .to_string();
    let put = known
        .ask(Method::PUT, "/v2/a/manifests/referrer")
        .header("content-type", IMAGE);
    let put = put.body(image("x", Some(&subject))).send().await;
    assert_eq!(put.status, StatusCode::CREATED);
    let told = put.header("oci-subject");
    assert!(told.is_none_or(|told| told == subject));
    (
        told.is_some(),
        known.get(&format!("/v2/a/referrers/{subject}")).await,
    )
}
