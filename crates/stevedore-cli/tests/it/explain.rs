//! How registries are reached by `registries.conf`, certs.d and proxies, and what `explain` says of it.

use std::fs;

use serde_json::json;
use stevedore_core::samples::Sample;
use stevedore_fault_server::Profile;

use crate::registry::Registry;
use crate::stevedore::{Ended, World};

/// Runs the program with a `registries.conf` of this text and further variables.
fn run(world: &World, conf: &str, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
    fs::write(world.path("r.conf"), conf).expect("a file");
    let mut command = world.command(arguments);
    command
        .env("CONTAINERS_REGISTRIES_CONF", "r.conf")
        .envs(variables.iter().copied());
    command.output().expect("the program runs").into()
}

#[track_caller]
fn result(ended: &Ended) -> &str {
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    &ended.stdout
}

/// A table with a mirror.
fn mirrored(location: &str, mirror: &str) -> String {
    format!(
        "[[registry]]\nprefix = 'r.example'\nlocation = '{location}'\n[[registry.mirror]]\nlocation = '{mirror}'\n"
    )
}

#[test]
fn images_are_read_through_mirrors_and_written_where_they_belong() {
    let world = World::new();
    let (mirror, primary) = (Registry::start(Profile::spec()), Registry::start(Profile::spec()));
    let (here, there) = (Sample::image(&["here"]), Sample::image(&["there"]));
    mirror.put("copies/app", &here, &["v1"]);
    primary.put("app", &there, &["v1", "v2"]);
    let conf = mirrored(&primary.host(), &format!("{}/copies", mirror.host()));
    let digest = |image: &str| {
        result(&run(&world, &conf, &[], &["digest", image]))
            .trim()
            .to_owned()
    };
    assert_eq!(
        digest("docker://r.example/app:v1"),
        here.document().digest().to_string()
    );
    assert_eq!(digest("r.example/app:v2"), there.document().digest().to_string());

    world.put("src", &Sample::image(&["new"]), &["v1"]);
    let copy = ["copy", "oci:src:v1", "docker://r.example/app:v3"];
    result(&run(&world, &conf, &[], &copy));
    assert!(primary.manifest("app", "v3").is_some());
    assert!(mirror.manifest("copies/app", "v3").is_none());
    result(&run(
        &world,
        &conf,
        &[],
        &["copy", "docker://r.example/app:v1", "oci:out:v1"],
    ));
}

#[test]
fn insecure_is_as_the_file_says_for_each_place() {
    let world = World::new();
    let (mirror, primary) = (
        Registry::start_tls(Profile::spec()),
        Registry::start_tls(Profile::spec()),
    );
    primary.put("app", &Sample::image(&["a"]), &["v1"]);
    mirror.put("app", &Sample::image(&["a"]), &["v1"]);
    let secure = mirrored(&primary.host(), &mirror.host());
    let image = "docker://r.example/app:v1";
    let refused = run(&world, &secure, &[], &["digest", image]);
    assert_eq!(refused.code, Some(6), "{}", refused.stderr);
    // What is typed is about r.example, and it is elsewhere.
    let refused = run(&world, &secure, &[], &["digest", "--tls-verify=false", image]);
    assert_eq!(refused.code, Some(6), "{}", refused.stderr);
    let insecure = format!("{secure}insecure = true\n");
    result(&run(&world, &insecure, &[], &["digest", image]));
    assert!(primary.requests().is_empty());
}

#[test]
fn one_place_at_a_registry_does_not_make_another_insecure() {
    let (world, registry) = (World::new(), Registry::start_tls(Profile::spec()));
    registry.put("app", &Sample::image(&["a"]), &["v1"]);
    let host = registry.host();
    let conf = format!("{}insecure = true\n", mirrored(&host, &format!("{host}/copies")));
    let image = "docker://r.example/app:v1";
    let ended = run(&world, &conf, &[], &["digest", image]);
    assert_eq!(ended.code, Some(6), "{}", ended.stderr);
    let ended = run(&world, &conf, &[], &["explain", image, "--json"]);
    let explained: serde_json::Value = serde_json::from_str(result(&ended)).expect("JSON");
    let protocol = &explained["places"][0]["protocol"];
    assert_eq!(protocol["verified"], true);
    assert_eq!(
        protocol["verifiedBecause"],
        "another place at this registry is not insecure"
    );
    let both = conf.replace("[[registry.mirror]]", "insecure = true\n[[registry.mirror]]");
    result(&run(&world, &both, &[], &["digest", image]));
}

#[test]
fn a_login_goes_by_what_the_file_says_of_the_registry() {
    let mut profile = Profile::spec().with_basic();
    profile.users = vec![("me".to_owned(), "secret".to_owned())];
    let (world, registry) = (World::new(), Registry::start_tls(profile));
    let host = registry.host();
    let login = ["login", "--username=me", "--password=secret", &host];
    let table = format!("[[registry]]\nlocation = '{host}'\n");
    let ended = run(&world, &table, &[], &login);
    assert_eq!(ended.code, Some(6), "{}", ended.stderr);
    let ended = run(&world, &format!("{table}blocked = true\n"), &[], &login);
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
    result(&run(&world, &format!("{table}insecure = true\n"), &[], &login));
}

#[test]
fn what_is_blocked_is_refused() {
    let (world, conf) = (
        World::new(),
        "[[registry]]\nprefix = '*.example'\nblocked = true\n",
    );
    world.put("src", &Sample::image(&["a"]), &["v1"]);
    for arguments in [
        &["digest", "docker://r.example/app:v1"][..],
        &["copy", "oci:src:v1", "r.example/app:v1"],
        &["explain", "r.example/app:v1"],
    ] {
        let ended = run(&world, conf, &[], arguments);
        assert_eq!(ended.code, Some(5), "{}", ended.stderr);
        let says = "r.example/app:v1 is blocked by [[registry]] *.example in r.conf";
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
    }
}

#[test]
fn a_file_that_is_not_understood_is_a_wrong_use_where_a_registry_is_named() {
    let (world, old) = (World::new(), "[registries.search]\nregistries = ['a.example']\n");
    world.put("src", &Sample::image(&["a"]), &["v1"]);
    let ended = run(&world, old, &[], &["digest", "docker://r.example/app:v1"]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("r.conf is of version 1"),
        "{}",
        ended.stderr
    );
    result(&run(&world, old, &[], &["digest", "oci:src:v1"]));
}

#[test]
fn short_names_are_for_bare_names_only() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
    registry.put("os/debian", &Sample::image(&["a"]), &["12"]);
    let conf = format!("[aliases]\ndebian = '{}/os/debian'\n", registry.host());
    result(&run(&world, &conf, &[], &["digest", "debian:12"]));
    let first = |arguments: &[&str], conf: &str| {
        let ended = run(&world, conf, &[], arguments);
        result(&ended).lines().next().expect("a line").to_owned()
    };
    assert_eq!(
        first(&["explain", "debian:12"], &conf),
        format!("{}/os/debian:12 (an alias in r.conf)", registry.host())
    );
    assert_eq!(
        first(&["explain", "docker://debian:12"], &conf),
        "docker.io/library/debian:12 (as it was typed)"
    );
    assert_eq!(
        first(&["explain", "debian:12"], ""),
        "docker.io/library/debian:12 (as it was typed)"
    );
    let several = "unqualified-search-registries = ['a.example', 'b.example']";
    for arguments in [["explain", "debian"], ["digest", "debian"]] {
        let ended = run(&world, several, &[], &arguments);
        assert_eq!(ended.code, Some(3), "{}", ended.stderr);
        let says = "debian may be any of a.example/debian, b.example/debian";
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
    }
    let ended = run(&world, several, &[], &["explain", "oci:debian"]);
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(3), ""),
        "{}",
        ended.stderr
    );
}

#[test]
fn explain_says_where_everything_is_from_and_no_secret() {
    let world = World::new();
    // "me:secret" and "you:secret".
    let auths = json!({
        "auths": {"r.example:5000/team": {"auth": "bWU6c2VjcmV0"}, "m.example": {"auth": "eW91OnNlY3JldA=="}},
        "credHelpers": {"m.example": "keeper"},
    });
    fs::create_dir_all(world.path(".docker/certs.d/m.example")).expect("a directory");
    fs::write(world.path(".docker/config.json"), auths.to_string()).expect("a file");
    for name in ["ca.crt", "me.cert", "me.key"] {
        fs::write(world.path(".docker/certs.d/m.example").join(name), "").expect("a file");
    }
    let conf = "[[registry]]\nlocation = 'r.example:5000'\ninsecure = true\n[[registry.mirror]]\nlocation = 'm.example/x'\n";
    let variables = [
        ("https_proxy", "http://me:secret@p.example:3128"),
        ("NO_PROXY", "r.example"),
    ];
    let arguments = ["explain", "r.example:5000/team/app:v1"];
    let ended = run(&world, conf, &variables, &arguments);
    let home = world.path("");
    let home = home.to_str().expect("UTF-8").trim_end_matches('/');
    let expected = "\
r.example:5000/team/app:v1 (as it was typed)
1. m.example/x/team/app:v1
   because: a mirror of [[registry]] r.example:5000 in r.conf
   host: m.example
   protocol: HTTPS (nothing says otherwise)
   credentials: docker-credential-keeper, if it has some, which HOME/.docker/config.json names
   credentials: m.example in HOME/.docker/config.json (user you)
   authorities: those of the system
   authorities: HOME/.docker/certs.d/m.example/ca.crt
   certificates: HOME/.docker/certs.d/m.example (it is the first certs.d that has one)
   client certificate: HOME/.docker/certs.d/m.example/me.cert, with the key HOME/.docker/certs.d/m.example/me.key
   proxy: http://p.example:3128 (the variable https_proxy)
2. r.example:5000/team/app:v1
   because: the location of [[registry]] r.example:5000 in r.conf
   host: r.example:5000
   protocol: HTTPS with any certificate, or plain HTTP if it has no TLS (the location of [[registry]] r.example:5000 in r.conf)
   credentials: r.example:5000/team in HOME/.docker/config.json (user me)
   authorities: those of the system
   proxy: none (the variable NO_PROXY)
";
    assert_eq!(result(&ended).replace(home, "HOME"), expected);

    let ended = run(&world, conf, &variables, &["explain", arguments[1], "--json"]);
    let explained: serde_json::Value = serde_json::from_str(result(&ended)).expect("JSON");
    assert_eq!(explained["registriesConf"], json!(["r.conf"]));
    assert_eq!(explained["places"][0]["isMirror"], true);
    assert_eq!(
        explained["places"][0]["proxy"],
        json!({"url": "http://p.example:3128", "because": "the variable https_proxy"})
    );
    assert_eq!(explained["places"][1]["protocol"]["scheme"], "https-or-http");
    for text in [&ended.stdout, &ended.stderr] {
        assert!(!text.contains("secret") && !text.contains("c2VjcmV0"), "{text}");
    }
}

#[test]
fn explain_tells_flags_and_the_file_of_settings_apart() {
    let world = World::new();
    let line = |arguments: &[&str], name: &str| {
        let ended = run(
            &world,
            "",
            &[],
            &[&["explain", "docker://r.example/app"], arguments].concat(),
        );
        let lines = result(&ended).lines();
        let mut found = lines.filter_map(|line| line.trim().strip_prefix(name));
        found
            .next()
            .unwrap_or_default()
            .trim_start_matches(": ")
            .to_owned()
    };
    assert_eq!(line(&[], "protocol"), "HTTPS (nothing says otherwise)");
    assert_eq!(line(&["--plain-http"], "protocol"), "plain HTTP (--plain-http)");
    assert_eq!(
        line(&["--insecure"], "protocol"),
        "HTTPS with any certificate, or plain HTTP if it has no TLS (--tls-verify=false)"
    );
    assert_eq!(
        line(&["--creds", "me:secret"], "credentials"),
        "what was typed (user me)"
    );
    assert_eq!(line(&["--no-creds"], "credentials"), "none");
    fs::create_dir(world.path("own")).expect("a directory");
    assert_eq!(line(&["--cert-dir", "own"], "certificates"), "own (--cert-dir)");
    let text = "[registries.\"r.example\"]\nplain-http = true\ncert-dir = \"own\"\n";
    fs::write(world.path("c.toml"), text).expect("a file");
    let config = ["--config-file", "c.toml"];
    assert_eq!(line(&config, "protocol"), "plain HTTP (plain-http in c.toml)");
    assert_eq!(line(&config, "certificates"), "own (cert-dir in c.toml)");
}

#[test]
fn a_proxy_that_is_not_there_is_named_when_it_is_used() {
    let world = World::new();
    let variables = [("HTTPS_PROXY", "http://me:secret@127.0.0.1:1")];
    let config = world.path("c.toml");
    fs::write(&config, "retry-times = 0\n").expect("a file");
    let arguments = ["--config-file", "c.toml", "digest", "docker://r.example/app:v1"];
    let ended = run(&world, "", &variables, &arguments);
    assert_eq!(ended.code, Some(6), "{}", ended.stderr);
    let says = "the proxy http://127.0.0.1:1 does not lead to https://r.example";
    assert!(ended.stderr.contains(says), "{}", ended.stderr);
    assert!(!ended.stderr.contains("secret"), "{}", ended.stderr);
}
