//! Locations opened.

use std::sync::Arc;

use stevedore_core::samples::Sample;
use stevedore_core::{ErrorKind, Opener, Selector};
use stevedore_transport::{Location, Places};

fn location(text: &str) -> Location {
    text.parse().expect("a location")
}

#[tokio::test]
async fn a_shelf_keeps_what_was_put_and_others_do_not_have_it() {
    let places = Places::new();
    let sample = Sample::image(&["a layer"]);
    let shelf = places.destination(&location("memory:shelf:v1")).expect("memory");
    sample.put(&*shelf.sink, &["v1"]).await.expect("it is put");
    let again = places.clone().source(&location("memory:shelf")).expect("memory");
    let found = again
        .resolve(&Selector::Name("v1".parse().expect("a name")))
        .await
        .expect("it is there");
    assert_eq!(found.digest, sample.document().digest());
    let other = places.source(&location("memory:other")).expect("memory");
    assert!(
        other
            .resolve(&Selector::Only)
            .await
            .expect_err("nothing is there")
            .is_not_found()
    );
}

#[tokio::test]
async fn what_is_not_there_and_what_nobody_said_how_to_reach() {
    let dir = tempfile::tempdir().expect("a directory");
    let places = Places::new();
    let layout = location(&format!("oci:{}", dir.path().join("none").display()));
    assert!(places.source(&layout).expect_err("no layout").is_not_found());
    assert!(places.existing(&layout).expect_err("no layout").is_not_found());
    let error = places
        .source(&location("docker://registry.example/app"))
        .expect_err("no client");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(
        error.to_string().contains("docker://registry.example/app"),
        "{error}"
    );
}

#[tokio::test]
async fn others_are_opened_by_their_strings() {
    let opener: Arc<dyn Opener> = Arc::new(Places::new());
    opener.source("memory:shelf").await.expect("memory");
    let error = opener.source("oci:").await.expect_err("no location");
    assert_eq!(error.kind(), ErrorKind::Invalid);
}
