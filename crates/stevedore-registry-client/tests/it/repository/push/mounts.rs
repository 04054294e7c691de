//! Blobs that another repository has.

use stevedore_fault_server::profile::Mount;

use super::*;

#[tokio::test]
async fn blobs_are_mounted_where_that_is_possible() {
    let bytes = noise(500_000);
    let descriptor = layer(&bytes);
    let server = FaultServer::start(Profile::spec().with_tokens()).await;
    server.put_blob("team/base", bytes.clone());
    let held_at = |repository: &str| Place::Repository {
        registry: server.host(),
        repository: repository.to_owned(),
    };
    let app = repository(&server);
    let put = app
        .put_blob(&descriptor, &[held_at("team/base")], &bytes)
        .await
        .expect("mounted");
    assert_eq!(put, Put::Mounted);
    assert_eq!(server.log().blob_bytes_received(), 0);

    // A 202 goes on in the session that it opened.
    let other = layer(&noise(400_000));
    let app = open(&server, builder(&server), "team/other");
    let put = app
        .put_blob(
            &other,
            &[held_at("team/base"), held_at("team/other")],
            &noise(400_000),
        )
        .await
        .expect("written");
    assert_eq!(put, Put::Written);
    let posts = server
        .log()
        .matching(&Method::POST, "/v2/team/other/blobs/uploads/")
        .len();
    assert_eq!(posts, 1, "{}", server.log().summary());
}

#[tokio::test]
async fn a_mount_from_anywhere_is_granted_or_its_session_gone_on_with() {
    let bytes = noise(200_000);
    for (mount, put) in [(Mount::Anonymous, Put::Mounted), (Mount::From, Put::Written)] {
        let mut profile = Profile::spec();
        profile.push.mount = mount;
        let server = FaultServer::start(profile).await;
        server.put_blob("team/base", bytes.clone());
        let app = repository(&server);
        let came = app.put_blob(&layer(&bytes), &[], &bytes).await.expect("a blob");
        assert_eq!(came, put);
        let log = server.log();
        let posts = log.matching(&Method::POST, BEGINNINGS);
        let queries: Vec<_> = posts.iter().map(|post| post.query()).collect();
        assert!(
            matches!(queries[..], [query] if query.starts_with("mount=") && !query.contains("from=")),
            "{queries:?}"
        );
        let sent = if put == Put::Mounted {
            0
        } else {
            bytes.len() as u64
        };
        assert_eq!(log.blob_bytes_received(), sent);
    }
}
