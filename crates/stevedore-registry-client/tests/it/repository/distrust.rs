//! Answers that prove nothing: those of proxies, and those of registries that are only sparing with words.

use super::*;

fn app_at(server: &Server) -> Repository {
    let client = client().retry(RetryPolicy::never()).build().expect("a client");
    app(&client, &server.registry())
}

/// A server whose answer to everything is a page.
async fn portal() -> Server {
    Server::plain(|_| {
        Reply::ok("<html>Please sign in</html>").header("content-type", "text/html; charset=utf-8")
    })
    .await
}

fn root(tag: &str) -> Role {
    Role::Root {
        names: vec![tag.parse().expect("a name")],
        replace: true,
    }
}

#[tokio::test]
async fn a_web_page_is_no_manifest() {
    let server = portal().await;
    let app = app_at(&server);
    for error in [
        app.root(&name("latest")).await.expect_err("a page"),
        app.resolve(&name("latest")).await.expect_err("a page"),
    ] {
        assert_eq!(error.kind(), ErrorKind::Invalid, "{}", chain(&error));
        says(&error, "something of type text/html");
    }
    let other =
        Server::plain(|_| Reply::ok(r#"{"status":"up"}"#).header("content-type", "application/health+json"))
            .await;
    let error = app_at(&other)
        .root(&name("latest"))
        .await
        .expect_err("no manifest");
    assert_eq!(error.kind(), ErrorKind::Invalid, "{}", chain(&error));
}

#[tokio::test]
async fn nothing_is_there_because_a_web_page_is() {
    let server = portal().await;
    let app = app_at(&server);
    let page = Bytes::from("<html>Please sign in</html>");
    // As long as the page, so that its length proves nothing.
    let blob = layer(&noise(page.len()));
    assert!(!app.has(&blob).await.expect("an answer"));
    assert!(
        !app.has(&Sample::image(&["one"]).descriptor())
            .await
            .expect("an answer")
    );
    let digest = blob.known_digest().expect("sha256");
    let error = app.find_blob(&digest).await.expect_err("a page");
    assert_eq!(error.kind(), ErrorKind::Invalid, "{}", chain(&error));
}

#[tokio::test]
async fn a_push_to_a_web_page_fails() {
    let server = portal().await;
    let app = app_at(&server);
    let bytes = noise(100);
    let error = app
        .put_blob(&layer(&bytes), &[], &bytes)
        .await
        .expect_err("not taken");
    assert!(!error.is_not_found(), "{}", chain(&error));
    let image = Sample::image(&["one"]);
    for role in [root("latest"), Role::Child] {
        let error = app
            .put_document(image.document(), role)
            .await
            .expect_err("not taken");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{}", chain(&error));
        says(&error, "it says 200 OK");
    }
}

/// A registry that takes uploads and manifests with an odd success and no digest, and gives `kept` for what it took.
async fn sparing(status: u16, kept: Bytes) -> Server {
    Server::plain(move |seen: &Seen| match seen.method.as_str() {
        "POST" => Reply::new(202).header("location", "/v2/team/app/blobs/uploads/1"),
        "PUT" => Reply::new(status),
        "HEAD" if seen.path.contains("/blobs/") && kept.is_empty() => Reply::new(404),
        _ => Reply::ok(kept.clone()).header("content-type", "application/octet-stream"),
    })
    .await
}

#[tokio::test]
async fn an_odd_success_is_one_where_what_was_sent_is_there() {
    let bytes = noise(100_000);
    let image = Sample::image(&["one"]);
    for status in [200, 202] {
        // By a session, for before it nothing is asked.
        let server = sparing(status, bytes.clone()).await;
        let app = app_at(&server);
        let mut ingest = begin(&app).await;
        ingest.append(Blob::from(bytes.clone())).await.expect("taken");
        ingest
            .commit(Expected::anything())
            .await
            .unwrap_or_else(|error| panic!("{status}: {}", chain(&error)));

        let server = sparing(status, image.document().bytes().clone()).await;
        let put = app_at(&server)
            .put_document(image.document(), root("latest"))
            .await;
        put.unwrap_or_else(|error| panic!("{status}: {}", chain(&error)));

        let server = sparing(status, Bytes::new()).await;
        let error = app_at(&server)
            .put_blob(&layer(&bytes), &[], &bytes)
            .await
            .expect_err("lost");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{}", chain(&error));
        let error = app_at(&server)
            .put_document(image.document(), root("latest"))
            .await
            .expect_err("lost");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{}", chain(&error));
    }
}

#[tokio::test]
async fn a_document_is_there_by_its_digest_and_not_by_its_size() {
    let image = Sample::image(&["one"]);
    let length = image.document().bytes().len();
    let media_type = image.document().media_type().to_string();
    // Says nothing of a digest on HEAD, as ECR does; once with the document, once with another one of its length.
    for (bytes, there) in [(image.document().bytes().clone(), true), (noise(length), false)] {
        let media_type = media_type.clone();
        let server =
            Server::plain(move |_| Reply::ok(bytes.clone()).header("content-type", &media_type)).await;
        let has = app_at(&server).has(&image.descriptor()).await;
        assert_eq!(has.unwrap_or_else(|error| panic!("{}", chain(&error))), there);
    }
    let told = Algorithm::Sha256.digest(b"another").to_string();
    let bytes = image.document().bytes().clone();
    let server = Server::plain(move |_| {
        let reply = Reply::ok(bytes.clone()).header("content-type", &media_type);
        reply.header("docker-content-digest", &told)
    })
    .await;
    assert!(!app_at(&server).has(&image.descriptor()).await.expect("an answer"));
}
