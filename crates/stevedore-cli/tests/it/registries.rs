//! Registries as places.

use std::fs;

use http::{Method, StatusCode};
use stevedore_core::samples::Sample;
use stevedore_core::{Digest, Platform};
use stevedore_fault_server::profile::Deletes;
use stevedore_fault_server::{Fault, Origin, Profile, RetryAfter};

use crate::registry::Registry;
use crate::stevedore::World;

fn digest_of(sample: &Sample) -> String {
    sample.document().digest().to_string()
}

/// An index of two images, with a signature on it and an SBOM on one of the images.
fn family() -> Sample {
    let image = |text: &'static str, arch: &str| {
        Sample::image_of(
            [bytes::Bytes::from_static(text.as_bytes())],
            &Platform::new("linux", arch),
        )
    };
    let child = image("amd64", "amd64").with_referrer("application/vnd.example.sbom", "an SBOM");
    Sample::index(vec![child, image("arm64", "arm64")])
        .with_referrer("application/vnd.example.signature", "signed")
}

#[test]
fn an_image_goes_there_and_comes_back() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
    let sample = family();
    world.put("src", &sample, &["v1"]);
    let there = registry.at("team/app:v1");
    let digest = world.result(&["copy", "--all", "--referrers", "oci:src:v1", &there]);
    assert_eq!(digest, format!("{}\n", digest_of(&sample)));
    assert_eq!(registry.tags("team/app"), ["v1"]);
    for part in sample.all() {
        let reference = digest_of(part);
        let (media_type, bytes) = registry
            .manifest("team/app", &reference)
            .expect("each document is there");
        assert_eq!(media_type, part.document().media_type().as_str());
        assert_eq!(bytes, part.document().bytes());
    }
    let back = world.result(&["copy", "--all", "--referrers", &there, "oci:back:v1"]);
    assert_eq!(back, digest);
    for part in sample.all() {
        world.result(&["manifest", "get", &format!("oci:back@{}", digest_of(part))]);
    }
    // One of two platforms, and what is there already is not sent again.
    registry.clear_log();
    let arguments = [
        "copy",
        "--json",
        "--platform",
        "linux/arm64",
        "oci:src:v1",
        &registry.at("team/app:arm64"),
    ];
    let report = world.json(&arguments);
    assert_eq!(report["digest"], digest_of(&sample.children()[1]));
    assert_eq!(report["blobs"]["written"], 0);
    assert_eq!(
        registry.log().count(&Method::POST, "/v2/**"),
        0,
        "nothing is uploaded"
    );
}

#[test]
fn one_goes_from_registry_to_registry_and_is_mounted_within_one() {
    let (world, from, to) = (
        World::new(),
        Registry::start(Profile::spec()),
        Registry::start(Profile::ghcr()),
    );
    let sample = Sample::image(&["a layer", "another"]);
    from.put("a/app", &sample, &["v1"]);
    let creds = ["--dest-creds", "user:password"];
    let copied = world.result(&[&["copy", &from.at("a/app:v1"), &to.at("b/app:v2")][..], &creds].concat());
    assert_eq!(copied.trim(), digest_of(&sample));
    assert_eq!(to.tags("b/app"), ["v2"]);
    let report = world.json(&["copy", "--json", &from.at("a/app:v1"), &from.at("c/app:v1")]);
    assert_eq!(report["blobs"]["mounted"], 3, "{report}");
    assert_eq!(report["blobs"]["written"], 0);
}

#[test]
fn a_destination_with_a_digest_gets_that_and_nothing_else() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
    let (sample, other) = (Sample::image(&["a"]), Sample::image(&["b"]));
    world.put("src", &sample, &["v1"]);
    let wrong = registry.at(&format!("app@{}", digest_of(&other)));
    let message = format!(
        "error: the image is {}, and its destination says {}\n",
        digest_of(&sample),
        digest_of(&other)
    );
    world.fails(&["copy", "--progress=none", "oci:src:v1", &wrong], 5, &message);
    assert_eq!(
        registry.log().count(&Method::POST, "/v2/**"),
        0,
        "nothing was written"
    );
    let right = registry.at(&format!("app@{}", digest_of(&sample)));
    world.result(&["copy", "oci:src:v1", &right]);
    assert!(registry.tags("app").is_empty(), "a digest is no tag");
    assert!(registry.manifest("app", &digest_of(&sample)).is_some());
    // Without either it is the tag that everybody takes.
    world.result(&["copy", "oci:src:v1", &registry.at("app")]);
    assert_eq!(registry.tags("app"), ["latest"]);
}

#[test]
fn an_image_is_looked_at() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
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
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
    registry.put("app", &Sample::image(&["a"]), &["v1"]);
    registry.fail(
        Fault::status(StatusCode::FORBIDDEN)
            .on(Method::GET, "/v2/app/tags/list")
            .always(),
    );
    let ended = world.run(&["inspect", &registry.at("app:v1")]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stderr.starts_with("the registry does not list the tags: "),
        "{}",
        ended.stderr
    );
    assert!(ended.stdout.contains(r#""RepoTags": []"#), "{}", ended.stdout);
}

#[test]
fn a_tag_is_given_and_taken_away() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
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
fn a_list_is_of_a_whole_repository() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
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

#[test]
fn what_cannot_be_a_tag_is_a_wrong_use_and_no_request() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
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
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
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
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
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
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
    let (sample, other) = (Sample::image(&["a"]), Sample::image(&["b"]));
    registry.put("app", &sample, &["v1", "v2", "v3"]);
    registry.put("app", &other, &["v4"]);
    let report = world.json(&["delete", "--manifest", "--json", &registry.at("app:v1")]);
    assert_eq!(report["names"], serde_json::json!(["v1", "v2", "v3"]));
    assert_eq!(registry.tags("app"), ["v4"]);
    // What the registry does not tell is no reason to keep the document.
    let denied = Fault::respond(StatusCode::FORBIDDEN, "application/json", "{}");
    registry.fail(denied.on(Method::GET, "/v2/app/tags/list"));
    let ended = world.run(&["delete", "--manifest", "--json", &registry.at("app:v4")]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(report["names"], serde_json::json!(["v4"]));
    let says = "its other names are not known: ";
    assert!(ended.stderr.starts_with(says), "{}", ended.stderr);
    assert!(registry.tags("app").is_empty());
}

#[test]
fn where_tags_cannot_be_deleted_the_document_goes_if_that_loses_no_other() {
    let mut profile = Profile::spec();
    profile.manifests.deletes = Deletes::ByDigest;
    let (world, registry) = (World::new(), Registry::start(profile));
    let sample = Sample::image(&["a"]);
    registry.put("app", &sample, &["v1", "v2"]);
    registry.put("app", &Sample::image(&["other"]), &["other"]);
    // As docker-registry 2 has it: it takes the tag for a digest.
    let body = r#"{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match"}]}"#;
    let odd = Fault::respond(StatusCode::BAD_REQUEST, "application/json", body);
    registry.fail(odd.on(Method::DELETE, "/v2/app/manifests/v1").times(1));
    let ended = world.run(&["delete", &registry.at("app:v1")]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let ended = world.run(&["delete", &registry.at("app:v1")]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let says = format!(
        "error: this registry cannot remove a tag alone, and {} has others: v2\n",
        digest_of(&sample)
    );
    assert!(ended.stderr.starts_with(&says), "{}", ended.stderr);
    assert!(ended.stderr.contains("try: --manifest"), "{}", ended.stderr);
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
    let mut profile = Profile::spec();
    profile.manifests.deletes = Deletes::None;
    let (world, registry) = (World::new(), Registry::start(profile));
    registry.put("app", &Sample::image(&["a"]), &["v1"]);
    let ended = world.run(&["delete", &registry.at("app:v1")]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("try: whoever runs the registry has to allow it"),
        "{}",
        ended.stderr
    );
}

#[test]
fn what_is_not_there_and_whom_nobody_answers() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
    for (arguments, code) in [
        (
            ["copy".to_owned(), registry.at("nothing:v1"), "oci:out".to_owned()],
            2,
        ),
        (["ls".to_owned(), registry.at("nothing"), "-q".to_owned()], 2),
    ] {
        let ended = world.run(&arguments.each_ref().map(String::as_str));
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("nothing"), "it is named: {}", ended.stderr);
    }
    registry.refuse_connections();
    let settings = "STEVEDORE_RETRY_TIMES";
    let mut command = world.command(&["digest", &registry.at("app:v1")]);
    let ended = crate::stevedore::Ended::from(command.env(settings, "0").output().expect("it runs"));
    assert_eq!(ended.code, Some(6), "{}", ended.stderr);
    assert!(ended.stderr.contains(&registry.host()), "{}", ended.stderr);
}

#[test]
fn a_limit_is_told_with_what_and_when() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
    registry.put("app", &Sample::image(&["a"]), &["v1"]);
    registry.fail(
        Fault::too_many_requests(RetryAfter::Seconds(3600))
            .on_path("/v2/app/**")
            .always(),
    );
    let ended = world.run(&["copy", "--progress=none", &registry.at("app:v1"), "oci:out"]);
    assert_eq!(ended.code, Some(6), "{}", ended.stderr);
    assert!(ended.stderr.contains("429"), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("3600") || ended.stderr.contains("1 h") || ended.stderr.contains("60 min"),
        "{}",
        ended.stderr
    );
    assert!(!world.path("out/index.json").exists() || world.result(&["ls", "oci:out"]).is_empty());
}

#[test]
fn a_warning_is_shown_once_and_not_to_the_quiet() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
    registry.put("app", &Sample::image(&["a", "b"]), &["v1"]);
    registry.fail(Fault::header("warning", r#"299 - "this registry closes""#).always());
    let shown = format!("{} warns: this registry closes\n", registry.host());
    let ended = world.run(&["copy", "--progress=none", &registry.at("app:v1"), "oci:out:v1"]);
    assert_eq!(ended.stderr.matches(&shown).count(), 1, "{}", ended.stderr);
    let ended = world.run(&["digest", "--quiet", &registry.at("app:v1")]);
    assert_eq!(ended.stderr, "");
}

#[test]
fn what_is_damaged_on_the_way_is_refused() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
    let sample = Sample::image(&["a layer of some bytes"]);
    registry.put("app", &sample, &["v1"]);
    let layer: Digest = sample.blobs()[1].0.known_digest().expect("of ours");
    registry.fail(
        Fault::flip_byte(3)
            .on(Method::GET, &format!("/v2/app/blobs/{layer}"))
            .always(),
    );
    let ended = world.run(&[
        "copy",
        "--progress=none",
        "--retry-times=0",
        &registry.at("app:v1"),
        "oci:out:v1",
    ]);
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
    assert!(ended.stderr.contains(&layer.to_string()), "{}", ended.stderr);
    assert_eq!(world.result(&["ls", "oci:out"]), "", "no name without its image");
    assert!(!crate::stevedore::blob(&world.path("out"), &layer).exists());
}

#[test]
fn who_one_is_comes_from_flags_stdin_or_files() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec().with_basic()));
    registry.put("app", &Sample::image(&["a"]), &["v1"]);
    let at = registry.at("app:v1");
    let fails = |arguments: &[&str], code| {
        let ended = world.run(&[&["digest", &at][..], arguments].concat());
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.stderr);
        ended.stderr
    };
    fails(&[], 4);
    fails(&["--creds", "user:wrong"], 4);
    world.result(&["digest", "--creds", "user:password", &at]);
    world.result(&["digest", "-u", "user", "-p", "password", &at]);
    fs::write(world.path("password"), "password\n").expect("a file");
    let with_stdin = |arguments: &[&str]| {
        let mut command = world.command(&[&["digest", &at][..], arguments].concat());
        command.stdin(fs::File::open(world.path("password")).expect("a file"));
        crate::stevedore::Ended::from(command.output().expect("it runs"))
    };
    assert_eq!(with_stdin(&["-u", "user", "--password-stdin"]).code, Some(0));
    assert_eq!(with_stdin(&["--creds", "user", "--password-stdin"]).code, Some(0));
    let ended = with_stdin(&["--password-stdin"]);
    assert_eq!(
        (ended.code, ended.stderr.contains("--username")),
        (Some(3), true),
        "{}",
        ended.stderr
    );
    assert!(
        fails(&["--creds", "user"], 3).contains("--password-stdin"),
        "nobody can be asked"
    );

    let auth = format!(
        r#"{{"auths":{{"{}":{{"auth":"dXNlcjpwYXNzd29yZA=="}}}}}}"#,
        registry.host()
    );
    fs::write(world.path("auth.json"), auth).expect("a file");
    world.result(&["digest", "--authfile", "auth.json", &at]);
    fails(&["--authfile", "auth.json", "--no-creds"], 4);
    assert!(fails(&["--authfile", "none.json"], 3).contains("none.json"));
    let mut command = world.command(&["digest", &at]);
    let status = command
        .env("REGISTRY_AUTH_FILE", "auth.json")
        .output()
        .expect("it runs")
        .status;
    assert!(status.success());
}

#[test]
fn each_side_has_its_own_and_no_registry_hears_of_the_other_s() {
    let (world, from, to) = (
        World::new(),
        Registry::start(Profile::spec().with_basic()),
        Registry::start(Profile::spec().with_basic()),
    );
    let sample = Sample::image(&["a"]);
    from.put("app", &sample, &["v1"]);
    to.rotate_password("user", "another");
    let (source, destination) = (from.at("app:v1"), to.at("app:v1"));
    let copy = ["copy", &source, &destination];
    let ended = world.run(&[&copy[..], &["--creds", "user:password"]].concat());
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("--src-creds"), "{}", ended.stderr);
    assert!(
        from.requests().is_empty() && to.requests().is_empty(),
        "nobody was told"
    );
    let sides = [
        "--src-creds",
        "user:password",
        "--dest-username",
        "user",
        "--dest-password",
        "another",
    ];
    world.result(&[&copy[..], &sides].concat());
    assert_eq!(to.tags("app"), ["v1"]);
    let sides = ["--from-creds", "user:password", "--to-creds", "user:another"];
    world.result(&[&copy[..], &sides].concat());
    let sides = ["--src-creds", "user:password", "--creds", "user:another"];
    world.result(&[&copy[..], &sides].concat());
    // What is said for one side holds where the other is told something else.
    let sides = ["--src-creds", "user:password", "--dest-no-creds", "--no-clobber"];
    assert_eq!(world.run(&[&copy[..], &sides].concat()).code, Some(4));
}

#[test]
fn a_certificate_is_believed_if_its_authority_is_named() {
    let (world, registry) = (World::new(), Registry::start_tls(Profile::spec()));
    registry.put("app", &Sample::image(&["a"]), &["v1"]);
    let at = registry.at("app:v1");
    let ended = world.run(&["digest", &at]);
    assert_eq!(ended.code, Some(6), "{}", ended.stderr);
    let host = registry.host();
    let (host, _) = host.rsplit_once(':').expect("a port");
    for part in [
        &format!("the certificate of {host} is from an unknown issuer"),
        "try: --ca-file FILE",
        "--tls-verify=false",
    ] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    let ca = registry.ca_pem().expect("it has one").to_owned();
    fs::write(world.path("ca.pem"), &ca).expect("a file");
    world.result(&["digest", "--ca-file", "ca.pem", &at]);
    world.result(&["digest", "--tls-verify=false", &at]);
    world.result(&["digest", "--insecure", &at]);
    fs::create_dir(world.path("certs.d")).expect("a directory");
    fs::write(world.path("certs.d/ca.crt"), &ca).expect("a file");
    world.result(&["digest", "--cert-dir", "certs.d", &at]);
    world.result(&["copy", "--src-ca-file", "ca.pem", &at, "oci:out:v1"]);
    let mut command = world.command(&["digest", &at]);
    let status = command
        .env("SSL_CERT_FILE", "ca.pem")
        .output()
        .expect("it runs")
        .status;
    assert!(status.success());
    let config = format!("[registries.\"{}\"]\nca-file = \"ca.pem\"\n", registry.host());
    fs::write(world.path("config.toml"), config).expect("a file");
    world.result(&["digest", "--config-file", "config.toml", &at]);
    fs::write(world.path("config.toml"), "[registries.\"no/registry\"]\n").expect("a file");
    let ended = world.run(&["digest", "--config-file", "config.toml", &at]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    fs::write(world.path("empty.pem"), "").expect("a file");
    for (flag, path) in [
        ("--ca-file", "empty.pem"),
        ("--ca-file", "none.pem"),
        ("--cert-dir", "none.d"),
    ] {
        let ended = world.run(&["digest", flag, path, &at]);
        assert_eq!(ended.code, Some(3), "{}", ended.stderr);
        assert!(ended.stderr.contains(path), "{}", ended.stderr);
    }
}

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

#[test]
fn a_document_that_is_bad_is_told_with_what_it_is_and_where() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
    let host = registry.host();
    let oci = stevedore_core::MediaType::OCI_MANIFEST;
    for (number, (media_type, body)) in [
        (oci.as_str(), "{"),
        (oci.as_str(), "[]"),
        (oci.as_str(), r#"{"schemaVersion":2,"layers":[],"manifests":[]}"#),
        (oci.as_str(), r#"{"schemaVersion":3}"#),
        (
            "application/vnd.docker.distribution.manifest.v1+json",
            r#"{"schemaVersion":1}"#,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let tag = format!("v{number}");
        registry.put_manifest("team/app", &[&tag], media_type, body);
        let digest = stevedore_core::Algorithm::Sha256.digest(body.as_bytes());
        for (name, at) in [
            (tag.clone(), registry.at(&format!("team/app:{tag}"))),
            (digest.to_string(), registry.at(&format!("team/app@{digest}"))),
        ] {
            let which = format!("error: cannot read {name} of {host}/team/app\n  because: ");
            for verb in [
                &["inspect", &at][..],
                &["manifest", "get", &at],
                &["copy", "--progress=none", &at, "oci:out"],
            ] {
                let ended = world.run(verb);
                assert_eq!(
                    (ended.code, ended.stdout.as_str()),
                    (Some(1), ""),
                    "{verb:?} {body}"
                );
                assert!(
                    ended.stderr.starts_with(&which),
                    "{verb:?} {body}: {}",
                    ended.stderr
                );
            }
        }
    }
}

#[test]
fn a_web_page_is_no_removal() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
    let sample = Sample::image(&["a"]);
    registry.put("app", &sample, &["v1"]);
    let page = || {
        Fault::respond(StatusCode::OK, "text/html", "<html>Please sign in</html>")
            .on(Method::DELETE, "/v2/app/manifests/**")
            .times(1)
    };
    for verb in [&["delete"][..], &["delete", "--manifest"]] {
        registry.fail(page());
        let ended = world.run(&[verb, &[&registry.at("app:v1")]].concat());
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(1), ""),
            "{}",
            ended.stderr
        );
        let says = "it says 200 OK, and what was to be removed is still there: is it a registry?";
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
        assert_eq!(registry.tags("app"), ["v1"]);
    }
}

#[test]
fn what_a_registry_lost_of_an_image_is_sent_again_if_it_is_asked_for() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
    let sample = family();
    world.put("src", &sample, &["v1"]);
    let copy = ["copy", "--all", "oci:src:v1", &registry.at("app:v1")];
    world.result(&copy);
    let mut images = sample
        .all()
        .into_iter()
        .map(digest_of)
        .filter(|digest| *digest != digest_of(&sample));
    // Its referrers were not asked for.
    let child = images.find(|digest| registry.manifest("app", digest).is_some());
    let child = child.expect("an image of the index");
    world.result(&["delete", "--manifest", &registry.at(&format!("app@{child}"))]);
    // A tag that is right is believed; to write another one shows what is gone.
    let ended = world.run(&["copy", "--all", "oci:src:v1", &registry.at("app:v2")]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("MANIFEST_BLOB_UNKNOWN"), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("\n  try: --force, which"),
        "{}",
        ended.stderr
    );
    world.result(&[&copy[..], &["--force"]].concat());
    assert!(registry.manifest("app", &child).is_some());
}
