//! Lists and referrers go as the spec has it.

use http::StatusCode;
use serde_json::{Value, json};
use stevedore_fault_server::{FaultServer, Profile};

use crate::client::{digest_of, get};
use crate::manifests::{IMAGE, INDEX, image, put};

/// The target of `Link: <…>; rel="next"`.
pub(crate) fn next(reply: &crate::client::Reply) -> Option<String> {
    let link = reply.header("link")?;
    let (url, rest) = link.strip_prefix('<')?.split_once('>')?;
    assert_eq!(rest, "; rel=\"next\"");
    Some(url.to_owned())
}

/// All entries under a key, page by page, and how many pages there were.
pub(crate) async fn walk(server: &FaultServer, first: &str, key: &str) -> (Vec<Value>, usize) {
    let (mut all, mut pages, mut target) = (Vec::new(), 0, Some(first.to_owned()));
    while let Some(at) = target {
        let reply = get(&server.url(), &at).send().await;
        assert_eq!(reply.status, StatusCode::OK, "{at}");
        all.extend(reply.json()[key].as_array().expect("a list").clone());
        pages += 1;
        target = next(&reply);
    }
    (all, pages)
}

fn tagged(server: &FaultServer, repository: &str, tags: &[&str]) {
    server.put_manifest(repository, tags, IMAGE, image("x", None));
}

#[tokio::test]
async fn tags_are_sorted_and_paged() {
    let server = FaultServer::start(Profile::spec()).await;
    tagged(&server, "a", &["c", "a", "B", "b", "d"]);
    let (all, pages) = walk(&server, "/v2/a/tags/list", "tags").await;
    assert_eq!((json!(all), pages), (json!(["B", "a", "b", "c", "d"]), 1));
    let (all, pages) = walk(&server, "/v2/a/tags/list?n=2", "tags").await;
    assert_eq!((json!(all), pages), (json!(["B", "a", "b", "c", "d"]), 3));
    let rest = get(&server.url(), "/v2/a/tags/list?last=b").send().await;
    assert_eq!(rest.json(), json!({ "name": "a", "tags": ["c", "d"] }));
    let none = get(&server.url(), "/v2/a/tags/list?n=0").send().await;
    assert_eq!((none.json()["tags"].clone(), next(&none)), (json!([]), None));
    assert_eq!(
        get(&server.url(), "/v2/a/tags/list?n=x").send().await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        get(&server.url(), "/v2/b/tags/list").send().await.code(),
        "NAME_UNKNOWN"
    );
}

#[tokio::test]
async fn the_catalog_is_paged_too() {
    let server = FaultServer::start(Profile::spec()).await;
    for name in ["b/c", "a", "d"] {
        server.create_repository(name);
    }
    let (all, pages) = walk(&server, "/v2/_catalog?n=2", "repositories").await;
    assert_eq!((json!(all), pages), (json!(["a", "b/c", "d"]), 2));
}

#[tokio::test]
async fn referrers_are_told_filtered_and_paged() {
    let mut profile = Profile::spec();
    profile.referrers.page = Some(2);
    let server = FaultServer::start(profile).await;
    server.put_blob("a", "{}");
    let subject = digest_of(b"a subject that is not there");
    for note in ["1", "2", "3"] {
        let pushed = put(&server, note, IMAGE, &image(note, Some(&subject)))
            .send()
            .await;
        assert_eq!(pushed.header("oci-subject"), Some(subject.as_str()));
    }
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [],
        "artifactType": "application/vnd.example+type", "subject": { "digest": subject } });
    put(&server, "4", INDEX, &index.to_string()).send().await;

    let target = format!("/v2/a/referrers/{subject}");
    let (all, pages) = walk(&server, &target, "manifests").await;
    assert_eq!((all.len(), pages), (4, 2));
    let notes = all
        .iter()
        .filter(|d| d["artifactType"] == "application/vnd.example.config");
    assert_eq!(notes.filter(|d| d["annotations"]["note"].is_string()).count(), 3);

    let filtered = get(
        &server.url(),
        &format!("{target}?artifactType=application/vnd.example%2Btype"),
    )
    .send()
    .await;
    assert_eq!(filtered.header("content-type"), Some(INDEX));
    assert_eq!(filtered.header("oci-filters-applied"), Some("artifactType"));
    assert_eq!(filtered.json()["manifests"].as_array().map(Vec::len), Some(1));
    assert_eq!(filtered.json()["manifests"][0]["mediaType"], INDEX);

    let empty = get(&server.url(), &format!("/v2/nowhere/referrers/{subject}"))
        .send()
        .await;
    assert_eq!(
        (empty.status, empty.json()["manifests"].clone()),
        (StatusCode::OK, json!([]))
    );
    assert_eq!(
        get(&server.url(), "/v2/a/referrers/x").send().await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn a_registry_that_cannot_filter_sends_all_and_says_nothing() {
    let mut profile = Profile::spec();
    profile.referrers.filter = false;
    let server = FaultServer::start(profile).await;
    let subject = digest_of(b"subject");
    server.put_manifest("a", &[], IMAGE, image("x", Some(&subject)));
    let reply = get(
        &server.url(),
        &format!("/v2/a/referrers/{subject}?artifactType=other"),
    )
    .send()
    .await;
    assert_eq!(reply.header("oci-filters-applied"), None);
    assert_eq!(reply.json()["manifests"].as_array().map(Vec::len), Some(1));
}
