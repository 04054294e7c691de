//! Names that are given and taken away.

use http::{Method, StatusCode};
use stevedore_core::samples::Sample;
use stevedore_fault_server::profile::Deletes;
use stevedore_fault_server::{Fault, Profile};

use super::{digest_of, family, places, places_of};
use crate::registry::Registry;
use crate::stevedore::World;

/// Layouts, and a registry that deletes no more than this.
fn places_that_delete(deletes: Deletes) -> (World, Registry) {
    let mut profile = Profile::spec();
    profile.manifests.deletes = deletes;
    places_of(profile)
}

#[test]
fn a_tag_is_given_and_taken_away() {
    let (world, registry) = places();
    let sample = Sample::image(&["a"]);
    registry.put("app", &sample, &["v1"]);
    assert_eq!(
        world.result(&["tag", &registry.at("app:v1"), "v2", "v3"]).trim(),
        digest_of(&sample)
    );
    assert_eq!(registry.tags("app"), ["v1", "v2", "v3"]);
    assert_eq!(
        world.result(&["delete", &registry.at("app:v2")]).trim(),
        digest_of(&sample)
    );
    assert_eq!(registry.tags("app"), ["v1", "v3"]);
    assert!(
        registry.manifest("app", &digest_of(&sample)).is_some(),
        "only the tag"
    );
    let by_digest = registry.at(&format!("app@{}", digest_of(&sample)));
    let message = format!(
        "error: {} has names: v1, v3\n  try: say which name, or --manifest to remove the document with all of them\n",
        digest_of(&sample)
    );
    world.fails(&["delete", &by_digest], 3, &message);
    world.result(&["delete", "--manifest", &by_digest]);
    assert!(registry.manifest("app", &digest_of(&sample)).is_none());
}

#[test]
fn what_cannot_be_a_tag_is_a_wrong_use_and_no_request() {
    let (world, registry) = places();
    registry.put("app", &Sample::image(&["a"]), &["v1"]);
    let image = registry.at("app:v1");
    let before = registry.requests().len();
    for name in ["", "two words", "sha256:abc", "other:v1", "team/app"] {
        let message = format!(
            "error: {name:?} is not a tag of 1 to 128 letters, digits, '_', '.' and '-', beginning with none of the last two\n"
        );
        world.fails(&["tag", &image, "v2", name], 3, &message);
    }
    assert_eq!(registry.requests().len(), before);
    assert_eq!(registry.tags("app"), ["v1"]);
}

#[test]
fn a_child_that_is_named_by_its_digest_alone_stays_with_its_index() {
    let (world, registry) = places();
    let index = family();
    registry.put("app", &index, &["v1"]);
    world.put("src", &index, &["v1"]);
    let child = digest_of(&index.children()[0]);
    let message = format!(
        "error: {child} has no name that could be removed\n  try: --manifest to remove the document, also where an index names it\n"
    );
    for place in [registry.at(&format!("app@{child}")), format!("oci:src@{child}")] {
        world.fails(&["delete", &place], 3, &message);
        world.result(&["manifest", "get", &place]);
    }
    world.result(&["delete", "--manifest", &registry.at(&format!("app@{child}"))]);
    assert!(registry.manifest("app", &child).is_none());
}

#[test]
fn a_name_and_a_digest_at_once_remove_nothing() {
    let (world, registry) = places();
    let sample = Sample::image(&["a"]);
    registry.put("app", &sample, &["v1", "v2"]);
    let both = registry.at(&format!("app:v1@{}", digest_of(&sample)));
    let message = format!(
        "error: {both} has both a name and a digest\n  try: the name alone, or the digest alone with --manifest\n"
    );
    world.fails(&["delete", &both], 3, &message);
    world.fails(&["delete", "--manifest", &both], 3, &message);
    assert_eq!(registry.tags("app"), ["v1", "v2"]);
}

#[test]
fn the_names_that_go_with_a_document_are_reported() {
    let (world, registry) = places();
    let (sample, other) = (Sample::image(&["a"]), Sample::image(&["b"]));
    registry.put("app", &sample, &["v1", "v2", "v3"]);
    registry.put("app", &other, &["v4"]);
    let report = world.json(&["delete", "--manifest", "--json", &registry.at("app:v1")]);
    assert_eq!(report["names"], serde_json::json!(["v1", "v2", "v3"]));
    assert_eq!(registry.tags("app"), ["v4"]);
    // What the registry does not tell is no reason to keep the document.
    let denied = Fault::respond(StatusCode::FORBIDDEN, "application/json", "{}");
    registry.fail(denied.on(Method::GET, "/v2/app/tags/list"));
    let ended = world.ends(&["delete", "--manifest", "--json", &registry.at("app:v4")], 0);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(report["names"], serde_json::json!(["v4"]));
    ended.begins("its other names are not known: ");
    assert!(registry.tags("app").is_empty());
}

#[test]
fn where_tags_cannot_be_deleted_the_document_goes_if_that_loses_no_other() {
    let (world, registry) = places_that_delete(Deletes::ByDigest);
    let sample = Sample::image(&["a"]);
    registry.put("app", &sample, &["v1", "v2"]);
    registry.put("app", &Sample::image(&["other"]), &["other"]);
    // As docker-registry 2 has it: it takes the tag for a digest.
    let body = r#"{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match"}]}"#;
    let odd = Fault::respond(StatusCode::BAD_REQUEST, "application/json", body);
    registry.fail(odd.on(Method::DELETE, "/v2/app/manifests/v1").times(1));
    world.ends(&["delete", &registry.at("app:v1")], 1);
    let ended = world.ends(&["delete", &registry.at("app:v1")], 1);
    let says = format!(
        "error: this registry cannot remove a tag alone, and {} has others: v2\n",
        digest_of(&sample)
    );
    ended.begins(&says);
    ended.says("try: --manifest");
    assert_eq!(registry.tags("app"), ["other", "v1", "v2"]);
    // With the only name the document may go.
    assert_eq!(
        world
            .result(&["delete", &registry.at("app:other")])
            .lines()
            .count(),
        1
    );
    assert_eq!(registry.tags("app"), ["v1", "v2"]);
    world.result(&["delete", "--manifest", &registry.at("app:v1")]);
    assert!(registry.tags("app").is_empty());
}

#[test]
fn where_nothing_can_be_deleted_that_is_said() {
    let (world, registry) = places_that_delete(Deletes::None);
    registry.put("app", &Sample::image(&["a"]), &["v1"]);
    let ended = world.ends(&["delete", &registry.at("app:v1")], 1);
    ended.says("try: whoever runs the registry has to allow it");
}
