//! Where images are by `registries.conf`: we name the places that skopeo tries, in its order. Nobody listens at any of
//! them, so that its complaint has them all.

use std::fs;

use serde_json::Value;

use super::tools::Tool;
use super::{Bench, Checked, Tally};

/// The file, with the location of the longest prefix last, and a mirror for each: without one skopeo names no image.
const CONF: &str = r#"
[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "127.0.0.1:1/hub"
[[registry]]
prefix = "*.example"
location = "127.0.0.1:2/under"
[[registry.mirror]]
location = "127.0.0.1:3"
[[registry]]
prefix = "r.example/team"
location = "127.0.0.1:4/x"
[[registry.mirror]]
location = "127.0.0.1:5/digests"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "127.0.0.1:6/tags"
pull-from-mirror = "tag-only"
[[registry.mirror]]
location = "127.0.0.1:7"
[[registry]]
location = "127.0.0.1:8"
mirror-by-digest-only = true
[[registry.mirror]]
location = "127.0.0.1:9/copies"
"#;

const IMAGES: [&str; 5] = [
    "r.example/team/app:v1",
    "r.example/team/app@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "r.example/teams/app:v1",
    "a.b.example/x:1",
    "127.0.0.1:8/x@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
];

const FILE: &str = "mirrors.conf";

pub(super) fn check(bench: &Bench, tally: &mut Tally) {
    for skopeo in &bench.skopeos {
        let name = format!("{}: it tries the places that we name", skopeo.name());
        tally.check(&name, &[skopeo], || same_places(bench, skopeo));
    }
}

fn same_places(bench: &Bench, skopeo: &Tool) -> Checked {
    fs::write(bench.dir.join(FILE), CONF)?;
    let env = Tool::at("/usr/bin/env".into(), &bench.dir);
    let variable = format!("CONTAINERS_REGISTRIES_CONF={FILE}");
    let stevedore = bench.stevedore.path().to_string_lossy();
    for image in IMAGES {
        let image = format!("docker://{image}");
        let explained = env.json(&[&variable, &*stevedore, "explain", "--json", &image])?;
        let places = explained["places"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let names: Vec<&str> = places
            .iter()
            .filter_map(|place| place["reference"].as_str())
            .collect();
        if names.len() < 2
            || !places
                .iter()
                .all(|place| place["host"].as_str().is_some_and(is_closed))
        {
            return Err(format!("{image} would be read from {}", Value::from(places)).into());
        }
        let conf = ["--registries-conf", FILE, "inspect", "--no-tags", &image];
        let (_, said) = skopeo.refused(&conf)?;
        // As it has them, one after the other and none in between.
        let mut tried: Vec<&str> = said.split([' ', '[', '(', ']', ')', '"']).collect();
        tried.retain(|word| word.starts_with("127.0.0.1:") && word.contains('/') && word.ends_with(':'));
        let tried: Vec<&str> = tried.iter().map(|word| word.trim_end_matches(':')).collect();
        super::same(&image, names, tried)?;
    }
    Ok(())
}

/// Whether it is one of the places above.
fn is_closed(host: &str) -> bool {
    host.strip_prefix("127.0.0.1:")
        .is_some_and(|port| port.len() == 1)
}
