//! Who one is there, and who they are.

use std::fs;

use stevedore_core::samples::Sample;
use stevedore_fault_server::Profile;

use super::places_of;
use crate::registry::Registry;
use crate::stevedore::{Ended, World};

#[test]
fn who_one_is_comes_from_flags_stdin_or_files() {
    let (world, registry) = places_of(Profile::spec().with_basic());
    registry.put("app", &Sample::image(&["a"]), &["v1"]);
    let at = registry.at("app:v1");
    let fails = |arguments: &[&str], code| world.ends(&[&["digest", &at][..], arguments].concat(), code);
    fails(&[], 4);
    fails(&["--creds", "user:wrong"], 4);
    world.result(&["digest", "--creds", "user:password", &at]);
    world.result(&["digest", "-u", "user", "-p", "password", &at]);
    fs::write(world.path("password"), "password\n").expect("a file");
    let with_stdin = |arguments: &[&str]| {
        let mut command = world.command(&[&["digest", &at][..], arguments].concat());
        command.stdin(fs::File::open(world.path("password")).expect("a file"));
        Ended::of(&mut command)
    };
    assert_eq!(with_stdin(&["-u", "user", "--password-stdin"]).code, Some(0));
    assert_eq!(with_stdin(&["--creds", "user", "--password-stdin"]).code, Some(0));
    let ended = with_stdin(&["--password-stdin"]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    ended.says("--username");
    // Nobody can be asked.
    fails(&["--creds", "user"], 3).says("--password-stdin");

    let auth = format!(
        r#"{{"auths":{{"{}":{{"auth":"dXNlcjpwYXNzd29yZA=="}}}}}}"#,
        registry.host()
    );
    fs::write(world.path("auth.json"), auth).expect("a file");
    world.result(&["digest", "--authfile", "auth.json", &at]);
    fails(&["--authfile", "auth.json", "--no-creds"], 4);
    fails(&["--authfile", "none.json"], 3).says("none.json");
    let mut command = world.command(&["digest", &at]);
    let ended = Ended::of(command.env("REGISTRY_AUTH_FILE", "auth.json"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn each_side_has_its_own_and_no_registry_hears_of_the_other_s() {
    let (world, from) = places_of(Profile::spec().with_basic());
    let to = Registry::start(Profile::spec().with_basic());
    let sample = Sample::image(&["a"]);
    from.put("app", &sample, &["v1"]);
    to.rotate_password("user", "another");
    let (source, destination) = (from.at("app:v1"), to.at("app:v1"));
    let copy = ["copy", &source, &destination];
    world
        .ends(&[&copy[..], &["--creds", "user:password"]].concat(), 3)
        .says("--src-creds");
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
    world.ends(&[&copy[..], &sides].concat(), 4);
}

#[test]
fn a_certificate_is_believed_if_its_authority_is_named() {
    let (world, registry) = (World::new(), Registry::start_tls(Profile::spec()));
    registry.put("app", &Sample::image(&["a"]), &["v1"]);
    let at = registry.at("app:v1");
    let ended = world.ends(&["digest", &at], 6);
    let host = registry.host();
    let (host, _) = host.rsplit_once(':').expect("a port");
    for part in [
        &format!("the certificate of {host} is from an unknown issuer"),
        "try: --ca-file FILE",
        "--tls-verify=false",
    ] {
        ended.says(part);
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
    let own = world.path(".config/containers/certs.d").join(registry.host());
    fs::create_dir_all(&own).expect("a directory");
    fs::write(own.join("ca.crt"), &ca).expect("a file");
    world.result(&["digest", &at]);
    fs::write(own.join("me.cert"), &ca).expect("a file");
    world.ends(&["digest", &at], 1).says("me.key, its key");
    fs::remove_dir_all(own).expect("it is there");
    let mut command = world.command(&["digest", &at]);
    let ended = Ended::of(command.env("SSL_CERT_FILE", "ca.pem"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let config = format!("[registries.\"{}\"]\nca-file = \"ca.pem\"\n", registry.host());
    fs::write(world.path("config.toml"), config).expect("a file");
    world.result(&["digest", "--config-file", "config.toml", &at]);
    fs::write(world.path("config.toml"), "[registries.\"no/registry\"]\n").expect("a file");
    world.ends(&["digest", "--config-file", "config.toml", &at], 3);
    fs::write(world.path("empty.pem"), "").expect("a file");
    for (flag, path) in [
        ("--ca-file", "empty.pem"),
        ("--ca-file", "none.pem"),
        ("--cert-dir", "none.d"),
    ] {
        world.ends(&["digest", flag, path, &at], 3).says(path);
    }
    for (certificate, key, named) in [
        ("none.pem", "ca.pem", "none.pem"),
        ("ca.pem", "none.pem", "none.pem"),
        ("ca.pem", "ca.pem", "ca.pem"),
    ] {
        let pair = ["digest", "--cert", certificate, "--key", key, &at];
        world.ends(&pair, 3).says(named);
    }
    world.ends(&["digest", "--cert=ca.pem", &at], 3).says("--key");
}
