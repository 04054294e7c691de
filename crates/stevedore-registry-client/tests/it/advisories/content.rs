//! Advisories about what registries answer: digests, and lists without end.

use super::*;

fn app(server: &Server) -> stevedore_registry_client::Repository {
    let client = client().build().expect("a client");
    client.repository(&server.registry(), &"team/app".parse().expect("a name"))
}

fn latest() -> Selector {
    Selector::Name("latest".parse().expect("a name"))
}

async fn referrers_fail(server: &Server) -> stevedore_core::Error {
    let app = app(server);
    let mut referrers = app.referrers(&Algorithm::Sha256.digest(b"x"), ReferrerFilter::all());
    let answer = stevedore_core::stream::next(&mut referrers).await;
    answer.expect("an answer").expect_err("it is not a list")
}

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

#[tokio::test]
async fn cve_2024_3727_a_digest_is_one_before_it_stands_in_a_path() {
    let evil = "sha256:../../../../v2/other/blobs/x";
    // In a header: the document itself has to tell.
    let body = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    let server = Server::plain(move |_| {
        Reply::ok(body)
            .header("content-type", INDEX)
            .header("docker-content-digest", evil)
    })
    .await;
    let found = app(&server).resolve(&latest()).await.expect("a document");
    assert_eq!(found.digest, Algorithm::Sha256.digest(body.as_bytes()));
    assert!(server.paths().iter().all(|path| !path.contains("..")));
    // In a document: it is none.
    let body = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{INDEX}","digest":"{evil}","size":2}}]}}"#
    );
    let server = Server::plain(move |_| Reply::ok(body.clone()).header("content-type", INDEX)).await;
    let error = app(&server).root(&latest()).await.expect_err("no digest");
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
    let error = referrers_fail(&server).await;
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
}

#[tokio::test]
async fn cve_2024_29903_a_page_of_referrers_is_bounded() {
    // By what it claims, and by what comes where nothing is claimed.
    let server = Server::plain(|_| {
        Reply::ok("{")
            .header("content-type", INDEX)
            .header("content-length", "1000000000000")
            .pause(Duration::from_secs(30))
    })
    .await;
    assert_eq!(referrers_fail(&server).await.kind(), ErrorKind::TooLarge);
    let server = Server::plain(|_| {
        let blank = vec![b' '; 1024 * 1024];
        let start = Reply::ok("{").header("content-type", INDEX).pause(Duration::ZERO);
        (0..40).fold(start, |reply, _| reply.body(blank.clone()))
    })
    .await;
    assert_eq!(referrers_fail(&server).await.kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn cve_2023_46737_a_list_that_goes_in_a_circle_ends() {
    let server = Server::plain(|seen| {
        let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, "p=0"));
        let other = u8::from(query != "p=1");
        Reply::ok(r#"{"schemaVersion":2,"manifests":[],"tags":[]}"#)
            .header("content-type", INDEX)
            .header("link", format!("<{path}?p={other}>; rel=\"next\""))
    })
    .await;
    assert_eq!(referrers_fail(&server).await.kind(), ErrorKind::Invalid);
    assert!(server.seen().len() <= 3, "{:?}", server.paths());
    let app = app(&server);
    let tags = stevedore_core::stream::next(&mut app.names()).await;
    let error = tags.expect("an answer").expect_err("it is not a list");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(server.seen().len() <= 6, "{:?}", server.paths());
}
