//! What is sent when.

use http::Method;

use super::*;

#[tokio::test]
async fn the_largest_blob_goes_first() {
    let source = memory();
    let layers: Vec<String> = [100, 300_000, 5, 200_000, 0]
        .iter()
        .map(|length| "x".repeat(*length))
        .collect();
    let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
    let sample = Sample::image(&layers);
    sample.put(&*source, &["latest"]).await.expect("written");
    let server = start(Profile::spec()).await;
    let engine = Engine::with(std::num::NonZeroUsize::MIN, 0, Arc::new(()));
    let copied = engine.copy(job(source, open(&server))).await.expect("a copy");
    assert!(copied.written > 0, "{copied:?}");
    let mut sizes: Vec<(String, u64)> = sample
        .blobs()
        .iter()
        .map(|(descriptor, _)| (descriptor.digest.to_string(), descriptor.size))
        .collect();
    sizes.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let asked: Vec<String> = server
        .requests()
        .iter()
        .filter(|request| request.method == Method::HEAD && request.target.contains("/blobs/"))
        .filter_map(|request| request.target.rsplit('/').next().map(str::to_owned))
        .collect();
    let expected: Vec<String> = sizes.into_iter().map(|(digest, _)| digest).collect();
    assert_eq!(asked, expected);
}

/// The requests since a place, each with the last part of what it is about.
fn asked(server: &FaultServer, since: usize) -> Vec<(Method, String)> {
    let last = |target: &str| target.rsplit('/').next().unwrap_or_default().to_owned();
    let requests = &server.requests()[since..];
    requests
        .iter()
        .map(|request| (request.method.clone(), last(&request.target)))
        .collect()
}

/// A copy without referrers, into a repository that is looked at before.
fn looking(source: &Arc<Repository>, server: &FaultServer, names: &[&str]) -> Job {
    let sink = open(server);
    let mut job = job(
        Arc::clone(source) as Arc<dyn Source>,
        Arc::clone(&sink) as Arc<dyn stevedore_core::Sink>,
    );
    job.destination = Some(sink);
    job.referrers = false;
    job.names = names.iter().map(|name| name.parse().expect("a name")).collect();
    job
}

/// A sample in memory, and a registry to which it was copied under these names.
async fn copied_before(sample: &Sample, names: &[&str]) -> (Arc<Repository>, FaultServer) {
    let source = memory();
    sample.put(&*source, &["latest"]).await.expect("written");
    let server = start(Profile::spec()).await;
    copy(looking(&source, &server, names)).await.expect("a copy");
    (source, server)
}

#[tokio::test]
async fn an_image_that_stands_under_its_tag_costs_one_request() {
    let sample = Sample::image(&["layer"]);
    let (source, server) = copied_before(&sample, &["a"]).await;
    let since = server.requests().len();
    let copied = copy(looking(&source, &server, &["a"])).await.expect("a copy");
    assert_eq!(asked(&server, since), [(Method::HEAD, "a".to_owned())]);
    assert_eq!((copied.present, copied.written, copied.documents), (2, 0, 0));
}

#[tokio::test]
async fn a_tag_that_is_right_is_left_alone_beside_one_that_is_missing() {
    let sample = Sample::image(&["layer"]);
    let (source, server) = copied_before(&sample, &["a"]).await;
    let since = server.requests().len();
    copy(looking(&source, &server, &["a", "b"]))
        .await
        .expect("a copy");
    let digest = digest(&sample);
    let expected = [
        (Method::HEAD, "a"),
        (Method::HEAD, "b"),
        (Method::HEAD, &*digest),
        (Method::PUT, "b"),
    ];
    assert_eq!(
        asked(&server, since),
        expected.map(|(method, last)| (method, last.to_owned()))
    );
}

#[tokio::test]
async fn a_tag_that_names_something_else_is_moved() {
    let (old, new) = (Sample::image(&["old"]), Sample::image(&["new"]));
    let (source, server) = copied_before(&old, &["latest"]).await;
    new.put(&*source, &["latest"]).await.expect("written");
    copy(looking(&source, &server, &["latest"]))
        .await
        .expect("a copy");
    has_all(&*open(&server), &new, "moved").await;
}

#[tokio::test]
async fn referrers_of_an_image_that_stands_are_copied() {
    let bare = Sample::image(&["layer"]);
    let (source, server) = copied_before(&bare, &["latest"]).await;
    let signed = bare.with_referrer("application/vnd.example.signature", "of the image");
    signed.put(&*source, &["latest"]).await.expect("written");
    let mut job = looking(&source, &server, &["latest"]);
    job.referrers = true;
    copy(job).await.expect("a copy");
    has_all(&*open(&server), &signed, "signed").await;
}

#[tokio::test]
async fn force_mends_a_document_that_its_tag_names_already() {
    let sample = Sample::image(&["layer"]);
    let (source, server) = copied_before(&sample, &["latest"]).await;
    assert!(server.damage(APP, &sample.document().digest()));
    let mut forced = looking(&source, &server, &["latest"]);
    forced.force = true;
    copy(forced).await.expect("a copy");
    has_all(&*open(&server), &sample, "mended").await;
}
