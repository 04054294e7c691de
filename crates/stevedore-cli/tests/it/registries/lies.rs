//! Answers that are not what they pose as.

use http::{Method, StatusCode};
use stevedore_core::samples::Sample;
use stevedore_fault_server::{Fault, Profile};

use crate::registry::Registry;
use crate::stevedore::World;

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
