//! Tags and documents that are put and removed.

use super::*;

#[tokio::test]
async fn tags_are_written_once_each_and_not_taken_over_unasked() {
    let server = FaultServer::start(Profile::spec()).await;
    let app = repository(&server);
    let (one, two) = (Sample::image(&["one"]), Sample::image(&["two"]));
    one.put(&app, &["a", "b"]).await.expect("written");
    two.put(&app, &["c"]).await.expect("written");
    let root = |tag: &str, replace| Role::Root {
        names: vec![tag.parse().expect("a name")],
        replace,
    };
    app.put_document(one.document(), root("a", false))
        .await
        .expect("the same");
    let error = app
        .put_document(two.document(), root("a", false))
        .await
        .expect_err("another one");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(app.resolve(&name("a")).await.expect("a tag"), one.descriptor());
    app.put_document(two.document(), root("new", false))
        .await
        .expect("nobody has it");
    app.put_document(two.document(), root("a", true))
        .await
        .expect("taken over");
    assert_eq!(app.resolve(&name("a")).await.expect("a tag"), two.descriptor());
    for bad in ["../../other", "a/b", "", "a b", "-x"] {
        let error = app
            .root(&Selector::Name(stevedore_core::RefName::verbatim(bad)))
            .await
            .expect_err("no tag");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{bad}");
    }
}

#[tokio::test]
async fn names_and_documents_are_removed() {
    let server = FaultServer::start(Profile::spec()).await;
    let app = repository(&server);
    let sample = Sample::image(&["one"]);
    sample.put(&app, &["a", "b"]).await.expect("written");
    app.remove(&name("a")).await.expect("removed");
    assert!(app.resolve(&name("a")).await.expect_err("gone").is_not_found());
    app.resolve(&name("b")).await.expect("still there");
    app.remove(&Selector::Digest(sample.document().digest()))
        .await
        .expect("removed");
    assert!(app.resolve(&name("b")).await.expect_err("gone").is_not_found());
    assert!(app.remove(&name("b")).await.expect_err("gone").is_not_found());
    let (descriptor, _) = &sample.blobs()[1];
    app.delete_blob(&descriptor.known_digest().expect("sha256"))
        .await
        .expect("removed");
    assert!(!app.has(descriptor).await.expect("an answer"));
}
