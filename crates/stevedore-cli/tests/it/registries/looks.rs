//! Looks at what is there.

use http::{Method, StatusCode};
use stevedore_core::samples::Sample;
use stevedore_fault_server::Fault;

use super::{digest_of, places};

#[test]
fn an_image_is_looked_at() {
    let (world, registry) = places();
    let sample = Sample::image(&["a layer"]);
    registry.put("team/app", &sample, &["v1", "v2"]);
    let at = registry.at("team/app:v1");
    let report = world.json(&["inspect", &at]);
    assert_eq!(report["Name"], format!("{}/team/app", registry.host()));
    assert_eq!(report["Digest"], digest_of(&sample));
    assert_eq!(report["RepoTags"], serde_json::json!(["v1", "v2"]));
    assert_eq!(
        world.json(&["inspect", "--no-tags", &at])["RepoTags"],
        serde_json::json!([])
    );
    assert_eq!(world.result(&["digest", &at]).trim(), digest_of(&sample));
    assert_eq!(
        world.result(&["manifest", "get", &at]).as_bytes(),
        sample.document().bytes()
    );
    let head = world.json(&["manifest", "head", "--json", &at]);
    assert_eq!(head["digest"], digest_of(&sample), "{head}");
    assert_eq!(world.result(&["ls", &registry.at("team/app")]), "v1\nv2\n");
    let tags = world.json(&["list-tags", &registry.at("team/app")]);
    let expected =
        serde_json::json!({"Repository": format!("{}/team/app", registry.host()), "Tags": ["v1", "v2"]});
    assert_eq!(tags, expected);
    world.json(&["config", &at]);
    let (layer, bytes) = &sample.blobs()[1];
    let blob = registry.at(&format!("team/app@{}", layer.digest));
    assert_eq!(
        world.result(&["blob", "head", &blob]),
        format!("{} {}\n", layer.digest, layer.size)
    );
    assert_eq!(world.result(&["blob", "get", &blob]).as_bytes(), bytes);
}

#[test]
fn a_list_that_is_refused_is_no_reason_to_show_nothing() {
    let (world, registry) = places();
    registry.put("app", &Sample::image(&["a"]), &["v1"]);
    registry.fail(
        Fault::status(StatusCode::FORBIDDEN)
            .on(Method::GET, "/v2/app/tags/list")
            .always(),
    );
    let ended = world.ends(&["inspect", &registry.at("app:v1")], 0);
    ended.begins("the registry does not list the tags: ");
    assert!(ended.stdout.contains(r#""RepoTags": []"#), "{}", ended.stdout);
}

#[test]
fn a_list_is_of_a_whole_repository() {
    let (world, registry) = places();
    let sample = Sample::image(&["a"]);
    registry.put("app", &sample, &["v1"]);
    world.put("src", &sample, &["v1"]);
    for verb in ["ls", "list-tags"] {
        for place in [registry.at("app"), "oci:src".to_owned()] {
            for image in [":v1", ":bogus", &format!("@{}", digest_of(&sample))] {
                let message = format!(
                    "error: {place}{image} names an image, and a list is of all there are\n  try: {place}\n"
                );
                world.fails(&[verb, &format!("{place}{image}")], 3, &message);
            }
            world.result(&[verb, &place]);
        }
        world.fails(
            &[verb, "oci:src:@0"],
            3,
            "error: oci:src:@0 names an image, and a list is of all there are\n  try: oci:src\n",
        );
    }
}
