//! What refers to an image travels with it, whatever the registry does about referrers.

use http::{Method, StatusCode};
use stevedore_fault_server::Fault;

use super::*;

const SIGNATURE: &str = "application/vnd.example.signature";
const NOTE: &str = "application/vnd.example.note";

/// An index of two images with referrers at each level, and one that refers to a referrer.
fn family() -> Sample {
    let child = Sample::image(&["base", "one"]).with_referrer(SIGNATURE, "of the child");
    let index = Sample::index(vec![child, Sample::image(&["base", "two"])]);
    let signature =
        Sample::artifact(&index.descriptor(), SIGNATURE, "of the index").with_referrer(NOTE, "of that");
    index
        .with_referring(signature)
        .with_referrer(NOTE, "of the index")
}

/// The manifests that were put, in their order, each by what it was put under.
fn puts(server: &FaultServer) -> Vec<String> {
    let log = server.log();
    let puts = log.matching(&Method::PUT, "/v2/team/app/manifests/*");
    let names = puts.iter().filter_map(|put| put.path().rsplit('/').next());
    names.map(str::to_owned).collect()
}

#[tokio::test]
async fn referrers_refused_for_want_of_their_subject_come_once_it_stands() {
    let server = start(Profile::docker_hub_2024()).await;
    let (sample, source) = (family(), memory());
    sample.put(&*source, &["latest"]).await.expect("memory takes all");
    let copied = copy(job(source, open(&server))).await;
    let copied = copied.unwrap_or_else(|error| panic!("{}\n{}", chain(&error), server.log().summary()));
    has_all(&*open(&server), &sample, "docker-hub-2024").await;
    assert_eq!(copied.documents, sample.all().len() as u64, "each counts once");
    // Nobody sees the name before all that belongs to it is there.
    let puts = puts(&server);
    assert_eq!(puts.last().map(String::as_str), Some("latest"), "{puts:?}");
    assert_eq!(
        puts.iter().filter(|name| *name == "latest").count(),
        1,
        "{puts:?}"
    );
}

#[tokio::test]
async fn a_registry_that_takes_referrers_first_gets_each_document_once() {
    let server = start(Profile::docker_hub()).await;
    let (sample, source) = (family(), memory());
    sample.put(&*source, &["latest"]).await.expect("memory takes all");
    copy(job(source, open(&server))).await.expect("a copy");
    assert_eq!(
        puts(&server).len(),
        sample.all().len(),
        "{}",
        server.log().summary()
    );
}

#[tokio::test]
async fn a_referrer_that_is_refused_for_good_keeps_the_name_from_being_put() {
    let server = start(Profile::docker_hub_2024()).await;
    let (sample, source) = (family(), memory());
    sample.put(&*source, &["latest"]).await.expect("memory takes all");
    let refused = format!("/v2/team/app/manifests/{}", digest(&sample.referrers()[1]));
    server.fail(
        Fault::status(StatusCode::NOT_FOUND)
            .on(Method::PUT, &refused)
            .always(),
    );
    let error = copy(job(source, open(&server)))
        .await
        .expect_err("one is never taken");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{}", chain(&error));
    assert!(
        server.manifest(APP, "latest").is_none(),
        "{}",
        server.log().summary()
    );
    // A referrer of what is there, refused all the same, is not tried twice.
    server.heal();
    server.clear_log();
    let refused = format!(
        "/v2/team/app/manifests/{}",
        digest(&sample.children()[0].referrers()[0])
    );
    server.fail(
        Fault::status(StatusCode::NOT_FOUND)
            .on(Method::PUT, &refused)
            .always(),
    );
    let source = memory();
    sample.put(&*source, &["latest"]).await.expect("memory takes all");
    copy(job(source, open(&server)))
        .await
        .expect_err("one is never taken");
    assert_eq!(
        server.log().count(&Method::PUT, &refused),
        1,
        "{}",
        server.log().summary()
    );
}

#[tokio::test]
async fn referrers_travel_to_and_from_every_profile() {
    let mut profiles = Profile::all();
    profiles.extend([
        Profile::docker_hub_2024(),
        Profile::ghcr_2024(),
        Profile::ecr_public(),
        Profile::quay_2022(),
        Profile::harbor_2_7(),
        Profile::harbor_2_8(),
    ]);
    for profile in profiles {
        let label = profile.name;
        let (sample, source) = (family(), memory());
        sample.put(&*source, &["latest"]).await.expect("memory takes all");
        let server = start(profile).await;
        let pushed = copy(job(source, open(&server))).await;
        pushed.unwrap_or_else(|error| panic!("{label}: {}\n{}", chain(&error), server.log().summary()));
        has_all(&*open(&server), &sample, label).await;
        let memory = memory();
        let pulled = copy(job(open(&server), Arc::clone(&memory) as _)).await;
        pulled.unwrap_or_else(|error| panic!("{label}: {}\n{}", chain(&error), server.log().summary()));
        has_all(&*memory, &sample, label).await;
    }
}
