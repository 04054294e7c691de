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

#[tokio::test]
async fn a_digest_that_is_not_understood_is_none() {
    let image = Sample::image(&["one"]);
    let bytes = image.document().bytes().clone();
    let media_type = image.document().media_type().to_string();
    for told in ["md5:abc", "sha256:abc", "blake3:abababababababababababababababab"] {
        let (bytes, media_type) = (bytes.clone(), media_type.clone());
        let server = Server::plain(move |_| {
            let reply = Reply::ok(bytes.clone()).header("content-type", &media_type);
            reply.header("docker-content-digest", told)
        })
        .await;
        let found = app_at(&server).resolve(&name("latest")).await;
        let found = found.unwrap_or_else(|error| panic!("{told}: {}", chain(&error)));
        assert_eq!(found.digest, image.descriptor().digest, "{told}");
    }
}

/// A registry that answers to a `DELETE` so, and has what was there, or not any more.
async fn removes(status: u16, page: &'static str, still_there: bool) -> Server {
    let image = Sample::image(&["one"]);
    let (bytes, digest) = (
        image.document().bytes().clone(),
        image.document().digest().to_string(),
    );
    let media_type = image.document().media_type().to_string();
    Server::plain(move |seen: &Seen| match seen.method.as_str() {
        "DELETE" => Reply::new(status)
            .header("content-type", "text/html; charset=utf-8")
            .body(page),
        _ if still_there => Reply::ok(bytes.clone())
            .header("content-type", &media_type)
            .header("docker-content-digest", &digest),
        _ => Reply::new(404),
    })
    .await
}

#[tokio::test]
async fn a_removal_is_one_where_what_was_there_is_gone() {
    let page = "<html>Please sign in</html>";
    for (status, body, still_there, removed, asked) in [
        // As the specification has it; Quay's framework says that the empty body is a page.
        (202, "", true, true, false),
        (202, page, true, false, true),
        (202, page, false, true, true),
        (200, "", true, false, true),
        (200, "", false, true, true),
        (204, "", false, true, true),
        (204, "", true, false, true),
        (200, page, true, false, true),
    ] {
        let server = removes(status, body, still_there).await;
        let case = format!("{status} {body:?}, still there: {still_there}");
        let result = app_at(&server).remove(&name("latest")).await;
        assert_eq!(result.is_ok(), removed, "{case}");
        if let Err(error) = result {
            assert_eq!(error.kind(), ErrorKind::Invalid, "{case}: {}", chain(&error));
            let says = "and what was to be removed is still there: is it a registry?";
            assert!(chain(&error).contains(says), "{case}: {}", chain(&error));
        }
        let heads = server
            .paths()
            .iter()
            .filter(|asked| asked.starts_with("HEAD"))
            .count();
        assert_eq!(heads > 0, asked, "{case}: {:?}", server.paths());
    }
    let server = portal().await;
    let app = app_at(&server);
    let digest = Algorithm::Sha256.digest(b"a");
    for error in [
        app.remove(&name("latest")).await.expect_err("a page"),
        app.remove(&Selector::Digest(digest)).await.expect_err("a page"),
        app.delete_blob(&digest).await.expect_err("a page"),
    ] {
        assert_eq!(error.kind(), ErrorKind::Invalid, "{}", chain(&error));
        assert!(chain(&error).contains("is it a registry?"), "{}", chain(&error));
    }
}

#[tokio::test]
async fn a_login_needs_something_of_a_registry() {
    let header = ("docker-distribution-api-version", "registry/2.0");
    let page = ("content-type", "text/html; charset=utf-8");
    let json = ("content-type", "application/json");
    let large: &'static str = "x".repeat(100_000).leak();
    for (headers, body, is_one) in [
        (vec![header], "<html>anything</html>", true),
        (vec![json], "{}", true),
        (vec![], "", true),
        (vec![page], "", true),
        // The framework of Quay says that everything is a page.
        (vec![page], "true", true),
        (vec![page], "<html>Please sign in</html>", false),
        (vec![], "<html>Please sign in</html>", false),
        (vec![("content-type", "text/plain")], "It works!", false),
        (vec![json], large, false),
    ] {
        let shown: String = format!("{headers:?} {body}").chars().take(100).collect();
        let server = Server::plain(move |_| {
            let reply = Reply::ok(body);
            headers
                .iter()
                .fold(reply, |reply, (name, value)| reply.header(name, value))
        })
        .await;
        let client = client().retry(RetryPolicy::never()).build().expect("a client");
        let known = client.ping(&server.registry()).await;
        assert_eq!(known.is_ok(), is_one, "{shown}");
        if let Err(error) = known {
            assert!(error.to_string().ends_with(": is it a registry?"), "{error}");
        }
    }
}
