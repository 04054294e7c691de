//! Image configs: as the image-spec has them, as Docker writes them, and what is refused.

use bytes::Bytes;
use proptest::prelude::*;
use stevedore_core::raw::{CONFIG_LIMIT, ParseError};
use stevedore_core::samples::describe;
use stevedore_core::{
    Algorithm, ErrorKind, ImageConfig, MediaType, Platform, Raw, Repositories, Sink as _, config,
};

fn parse(text: &str) -> Result<Raw<ImageConfig>, ParseError> {
    Raw::parse(
        text.to_owned().into(),
        MediaType::OCI_CONFIG,
        Algorithm::Sha256,
        CONFIG_LIMIT,
    )
}

/// Every modelled key, in the order in which they are written.
const FULL: &str = concat!(
    r#"{"created":"2015-10-31T22:22:56.015925234Z","author":"Alyssa P. Hacker","#,
    r#""architecture":"amd64","os":"windows","os.version":"10.0.17763","os.features":["win32k"],"variant":"v2","#,
    r#""config":{"User":"alice:users","ExposedPorts":{"53/udp":{},"8080/tcp":{}},"Env":["PATH=/bin"],"#,
    r#""Entrypoint":["/bin/app"],"Cmd":["--flag"],"Volumes":{"/var/data":{}},"WorkingDir":"/home","#,
    r#""Labels":{"a":"1","b":"2"},"StopSignal":"SIGKILL","ArgsEscaped":true,"#,
    r#""Healthcheck":{"Test":["CMD-SHELL","true"],"Interval":30000000000,"Timeout":1,"StartPeriod":2,"#,
    r#""StartInterval":3,"Retries":4},"OnBuild":["RUN x"],"Shell":["/bin/sh","-c"]},"#,
    r#""rootfs":{"type":"layers","diff_ids":["#,
    r#""sha256:c6f988f4874bb0add23a778f753c65efe992244e148a1d2ec2a8b664fb66bbd1","blake9:abc"]},"#,
    r#""history":[{"created":"2015-10-31T22:22:54Z","created_by":"/bin/sh","author":"A","comment":"C","empty_layer":true}]}"#,
);

#[test]
fn every_modelled_key_is_read_and_written_in_order() {
    let config = parse(FULL).unwrap();
    assert_eq!(
        config.config.exposed_ports.iter().collect::<Vec<_>>(),
        ["53/udp", "8080/tcp"]
    );
    assert_eq!(
        config.config.healthcheck.as_ref().unwrap().interval,
        Some(30_000_000_000)
    );
    assert_eq!(config.rootfs.diff_ids[1].algorithm(), "blake9");
    let written = Raw::encode(config.value(), MediaType::OCI_CONFIG, Algorithm::Sha256).unwrap();
    assert_eq!(written.bytes(), FULL);
    assert_eq!(written.value(), config.value());
}

#[test]
fn every_null_counts_as_absent() {
    // Each value of the full config in turn.
    let full: serde_json::Value = serde_json::from_str(FULL).unwrap();
    let mut pointers = Vec::new();
    for (key, value) in full.as_object().unwrap() {
        pointers.push(format!("/{key}"));
        for inner in value.as_object().into_iter().flatten() {
            pointers.push(format!("/{key}/{}", inner.0));
        }
    }
    for key in [
        "Test",
        "Interval",
        "Timeout",
        "StartPeriod",
        "StartInterval",
        "Retries",
    ] {
        pointers.push(format!("/config/Healthcheck/{key}"));
    }
    for key in ["created", "created_by", "author", "comment", "empty_layer"] {
        pointers.push(format!("/history/0/{key}"));
    }
    assert_eq!(pointers.len(), 10 + 13 + 2 + 6 + 5);
    for pointer in pointers {
        let mut null = full.clone();
        *null.pointer_mut(&pointer).unwrap() = serde_json::Value::Null;
        let config = parse(&null.to_string()).unwrap_or_else(|error| panic!("{pointer}: {error}"));
        assert_ne!(config.value(), parse(FULL).unwrap().value(), "{pointer}");
    }
}

#[test]
fn an_empty_entrypoint_differs_from_none() {
    let config = parse(r#"{"config":{"Entrypoint":[],"Cmd":null}}"#).unwrap();
    assert_eq!(
        (&config.config.entrypoint, &config.config.cmd),
        (&Some(vec![]), &None)
    );
}

#[test]
fn a_config_of_docker_is_read() {
    let config = parse(
        r##"{"architecture":"amd64","config":{"Hostname":"","Domainname":"","User":"","AttachStdin":false,"Tty":false,"Env":["PATH=/usr/bin"],"Cmd":["sh"],"Image":"sha256:6e2f","Volumes":null,"WorkingDir":"","Entrypoint":null,"OnBuild":null,"Labels":null},"container":"0c8a","container_config":{"Cmd":["/bin/sh","-c","#(nop) "]},"created":"2019-04-11T00:20:27Z","docker_version":"18.06.1-ce","history":[{"created":"2019-04-11T00:20:27Z","created_by":"/bin/sh"}],"os":"linux","rootfs":{"type":"layers","diff_ids":null}}"##,
    )
    .unwrap();
    assert_eq!(config.platform(), Platform::new("linux", "amd64"));
    assert_eq!(
        (config.config.cmd.as_deref(), &config.config.entrypoint),
        (Some(&["sh".to_owned()][..]), &None)
    );
    assert!(config.rootfs.diff_ids.is_empty() && config.config.volumes.is_empty());
}

#[test]
fn configs_are_refused_for_a_reason() {
    let cases = [
        ("[]", "the document is an array, not an object"),
        (
            r#"{"os":7}"#,
            "bad value at byte 6, in `os`: expected a string, found integer `7`",
        ),
        (
            r#"{"os":"a","os":"b"}"#,
            "key `os` is there twice, again at byte 10",
        ),
        (
            r#"{"config":{"Env":"a"}}"#,
            "bad value at byte 17, in `config.Env`: expected a sequence, found string \"a\"",
        ),
        (
            r#"{"config":{"Volumes":["a"]}}"#,
            "bad value at byte 21, in `config.Volumes`: expected an object whose keys are a set, found an array",
        ),
        (
            r#"{"config":{"Healthcheck":{"Interval":1.5}}}"#,
            "bad value at byte 37, in `config.Healthcheck.Interval`: expected i64, found floating point `1.5`",
        ),
        (
            r#"{"rootfs":{"diff_ids":["sha256:"]}}"#,
            "bad value at byte 23, in `rootfs.diff_ids[0]`: \"sha256:\" is not a digest of the form <algorithm>:<encoded>",
        ),
        (
            r#"{"history":[["2015"]]}"#,
            "bad value at byte 12, in `history[0]`: expected an object, found an array",
        ),
        (
            r#"{"history":{}}"#,
            "bad value at byte 11, in `history`: expected an array of at most 65536 history entries, found an object",
        ),
    ];
    for (text, reason) in cases {
        assert_eq!(parse(text).expect_err(text).to_string(), reason, "{text}");
    }
}

#[test]
fn a_history_is_bounded() {
    let history = |entries: usize| parse(&format!(r#"{{"history":[{}{{}}]}}"#, "{},".repeat(entries - 1)));
    assert_eq!(history(65_536).unwrap().history.len(), 65_536);
    let error = history(65_537).unwrap_err().to_string();
    assert_eq!(
        error,
        "bad value at byte 11, in `history`: invalid length 65537, expected an array of at most 65536 history entries"
    );
}

#[test]
fn a_new_config_is_of_its_platform() {
    let platform: Platform = "windows(10.0.17763+win32k)/arm/v7".parse().unwrap();
    let config = ImageConfig::new(&platform);
    assert_eq!(config.platform(), platform);
    let raw = Raw::encode(
        &ImageConfig::new(&Platform::new("linux", "amd64")),
        MediaType::OCI_CONFIG,
        Algorithm::Sha256,
    );
    assert_eq!(
        raw.unwrap().bytes(),
        r#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#
    );
}

#[tokio::test]
async fn a_config_is_read_whole_and_verified_and_within_bounds() {
    let repository = Repositories::in_memory().open("app").unwrap();
    let held = async |bytes: &Bytes| {
        let descriptor = describe(MediaType::OCI_CONFIG, bytes);
        repository.put_blob(&descriptor, &[], bytes).await.unwrap();
        descriptor
    };
    let fails = async |descriptor| config::read(&repository, descriptor).await.unwrap_err().kind();
    let bytes = Bytes::from_static(b"{\"x\": 1E2}");
    let mut descriptor = held(&bytes).await;
    assert_eq!(config::read(&repository, &descriptor).await.unwrap(), bytes);
    descriptor.size += 1;
    assert_eq!(fails(&descriptor).await, ErrorKind::Mismatch);
    let most = held(&vec![b' '; CONFIG_LIMIT].into()).await;
    config::read(&repository, &most).await.unwrap();
    let more = held(&vec![b' '; CONFIG_LIMIT + 1].into()).await;
    assert_eq!(fails(&more).await, ErrorKind::TooLarge);
}

proptest! {
    #[test]
    fn strings_are_unescaped_as_serde_json_does(
        pieces in prop::collection::vec(
            prop_oneof![
                prop::sample::select(vec![r"\b", r"\f", r"\n", r"\r", r"\t", r"\/", r"\\", r#"\""#, r"\u0000", r"\uD83D\ude00"])
                    .prop_map(str::to_owned),
                r"\\u[0-9a-cA-C][0-9a-fA-F]{3}",
                "[a-zé😀]{1,3}",
            ],
            0..8,
        )
    ) {
        let text = format!(r#""{}""#, pieces.concat());
        let expected: String = serde_json::from_str(&text).unwrap();
        let config = parse(&format!(r#"{{"author":{text},"config":{{"Volumes":{{{text}:{{}}}}}}}}"#)).unwrap();
        prop_assert_eq!(config.author.as_deref(), Some(&*expected));
        prop_assert_eq!(config.config.volumes.first(), Some(&expected));
    }
}
