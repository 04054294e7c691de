//! One test an advisory of other tools that is about copies.

use http::Method;
use stevedore_core::samples::describe;
use stevedore_core::{MediaType, Platform, Sink as _};

use super::*;

#[tokio::test]
async fn cve_2023_47630_a_tag_is_resolved_once_and_all_else_is_its_digests() {
    let server = start(Profile::spec()).await;
    let sample = Sample::index(vec![Sample::image(&["one"]), Sample::image(&["two"])]);
    sample
        .put(&*open(&server), &["latest"])
        .await
        .expect("nothing goes wrong");
    server.clear_log();
    let memory = memory();
    copy(job(open(&server), Arc::clone(&memory) as _))
        .await
        .expect("a copy");
    has_all(&*memory, &sample, "spec").await;
    let log = server.log();
    let tag = "/v2/team/app/manifests/latest";
    let asked = log.count(&Method::GET, tag) + log.count(&Method::HEAD, tag);
    assert_eq!(asked, 1, "what it names may change: {}", log.summary());
}

#[tokio::test]
async fn ollama_15485_a_digest_that_is_named_twice_is_verified_each_time() {
    let server = start(Profile::spec()).await;
    let twice = bytes::Bytes::from_static(b"the same layer, twice");
    let image = Sample::image_of([twice.clone(), twice.clone()], &Platform::new("linux", "amd64"));
    image
        .put(&*open(&server), &["latest"])
        .await
        .expect("nothing goes wrong yet");
    let layer = describe(MediaType::OCI_LAYER, &twice);
    assert!(server.damage(APP, &layer.known_digest().expect("sha256")));
    let memory = memory();
    let error = copy(job(open(&server), Arc::clone(&memory) as _)).await;
    assert_eq!(
        error.expect_err("it is another layer").kind(),
        ErrorKind::Mismatch
    );
    assert!(!memory.has(&layer).await.expect("an answer"));
    assert!(
        memory
            .root(&Selector::Name(latest()))
            .await
            .expect_err("no name")
            .is_not_found()
    );
}
