//! What is tried again is told.

use http::{Method, StatusCode};
use stevedore_core::samples::Sample;
use stevedore_fault_server::{Fault, Origin, Profile};

use crate::registry::Registry;
use crate::stevedore::World;

/// An event a line.
fn events(stderr: &str) -> Vec<serde_json::Value> {
    let event = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {stderr}"));
    stderr.lines().map(event).collect()
}

#[test]
fn whoever_waits_is_told_that_it_is_tried_again() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
    registry.put("team/app", &Sample::image(&["a layer"]), &["v1"]);
    let (tags, at) = ("/v2/*/tags/list", registry.at("team/app"));
    let run = |more: &[&str]| {
        registry.fail(
            Fault::status(StatusCode::SERVICE_UNAVAILABLE)
                .on(Method::GET, tags)
                .times(1),
        );
        let ended = world.run(&[&["list-tags", &at][..], more].concat());
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stderr
    };
    for more in [&[][..], &["--progress=plain"], &["--progress=bars"]] {
        let told = run(more);
        let again = told.contains("503 Service Unavailable") && told.contains("; again in 0.");
        assert!(again && told.lines().count() == 1, "{more:?}: {told}");
    }
    for more in ["--quiet", "--progress=none"] {
        assert_eq!(run(&[more]), "", "{more}");
    }
    let told = events(&run(&["--progress=json"]));
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["event"], "retrying");
    let error = told[0]["error"].as_str().expect("a text");
    assert!(error.ends_with("was answered 503 Service Unavailable"), "{error}");
    assert!(
        told[0]["after"].as_f64().is_some_and(|after| after < 1.0),
        "{told:?}"
    );
    assert_eq!(told[0].get("digest"), None);
}

#[test]
fn what_is_tried_again_is_told_with_its_cause_and_without_secrets() {
    let (world, registry) = (World::new(), Registry::start(Profile::docker_hub()));
    registry.put("team/app", &Sample::image(&["a layer"]), &["v1"]);
    registry.fail(Fault::close().on(Method::GET, "/v2/*/manifests/*").times(1));
    registry.fail(Fault::cut_body_after(3).at(Origin::Storage));
    let copy = [
        "copy",
        "--progress=json",
        "--creds=user:password",
        &registry.at("team/app:v1"),
        "oci:out:v1",
    ];
    let ended = world.run(&copy);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let told = events(&ended.stderr);
    let again: Vec<_> = told.iter().filter(|event| event["event"] == "retrying").collect();
    assert_eq!(again.len(), 2, "{told:?}");
    let storage = registry.address(Origin::Storage).to_string();
    for (event, path) in again.iter().zip(["/manifests/", storage.as_str()]) {
        let error = event["error"].as_str().expect("a text");
        assert!(error.starts_with("the connection broke: GET "), "{error}");
        assert!(
            error
                .rsplit_once(path)
                .is_some_and(|(_, rest)| rest.contains(": ")),
            "{error}"
        );
    }
    assert!(!ended.stderr.contains("password"), "{}", ended.stderr);
    let mut secrets = 0;
    for request in registry.requests() {
        let token = request.authorization().and_then(|header| header.split_once(' '));
        // A URL of the storage is signed.
        let signature = request.query().split('&').filter_map(|pair| pair.split_once('='));
        let signature = signature.filter(|_| request.origin == Origin::Storage);
        for (_, secret) in token.into_iter().chain(signature) {
            secrets += 1;
            assert!(!ended.stderr.contains(secret), "{secret}: {}", ended.stderr);
        }
    }
    assert!(secrets > 2, "{:?}", registry.requests());
}
