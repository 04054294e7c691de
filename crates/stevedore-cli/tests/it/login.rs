//! `login`, `logout`, `whoami`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use http::{Method, StatusCode};
use stevedore_core::samples::Sample;
use stevedore_fault_server::{Fault, Profile};

use crate::registry::Registry;
use crate::stevedore::{Ended, World};
use crate::terminal::converse;

fn login(world: &World, registry: &Registry, password: &str, arguments: &[&str]) -> Ended {
    fs::write(world.path("password"), password).expect("a file");
    let host = registry.host();
    let mut command =
        world.command(&[&["login", "-u", "user", "--password-stdin", &host][..], arguments].concat());
    command.stdin(fs::File::open(world.path("password")).expect("a file"));
    Ended::from(command.output().expect("it runs"))
}

#[test]
fn who_logs_in_is_known_until_the_logout() {
    for profile in [Profile::spec().with_basic(), Profile::spec().with_tokens()] {
        let (world, registry) = (World::new(), Registry::start(profile));
        registry.put("app", &Sample::image(&["a"]), &["v1"]);
        let at = registry.at("app:v1");
        let file = world.path(".docker/config.json");

        let refused = login(&world, &registry, "wrong", &[]);
        assert_eq!(refused.code, Some(4), "{}", refused.stderr);
        assert!(!file.exists(), "what is refused is not stored");

        let done = login(&world, &registry, "password", &[]);
        assert_eq!(
            (done.code, done.stdout.as_str()),
            (Some(0), "Login Succeeded!\n"),
            "{}",
            done.stderr
        );
        assert_eq!(done.stderr, format!("stored in {}\n", file.display()));
        assert_eq!(
            fs::metadata(&file).expect("a file").permissions().mode() & 0o777,
            0o600
        );
        world.result(&["digest", &at]);
        assert_eq!(world.result(&["whoami", &registry.host()]), "user\n");
        assert_eq!(world.result(&["whoami"]), format!("{}\tuser\n", registry.host()));
        let me = world.json(&["whoami", "--json", &registry.host()]);
        assert_eq!(
            (&me["username"], &me["from"]),
            (&"user".into(), &file.display().to_string().into())
        );

        let out = world.result(&["logout", &registry.host()]);
        assert_eq!(
            out,
            format!("Removed login credentials for {}\n", registry.host())
        );
        assert_eq!(world.result(&["whoami"]), "");
        let message = format!("error: there are no credentials for {}\n", registry.host());
        world.fails(&["whoami", &registry.host()], 2, &message);
        world.fails(&["logout", &registry.host()], 2, &message);
        assert_eq!(world.run(&["digest", &at]).code, Some(4));
    }
}

#[test]
fn nobody_logs_in_to_a_web_page() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
    let page = Fault::respond(StatusCode::OK, "text/html", "<html>Please sign in</html>");
    registry.fail(page.on(Method::GET, "/v2/").always());
    let refused = login(&world, &registry, "password", &[]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    let host = registry.host();
    let says = format!(
        "error: cannot log in to {host}\n  because: the answer to GET http://{host}/v2/ cannot be used: it is something of \
         type text/html: is it a registry?\n"
    );
    assert_eq!(refused.stderr, says);
    assert!(!world.path(".docker/config.json").exists());
}

#[test]
fn it_goes_into_the_file_that_is_named_and_touches_nothing_else_there() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec().with_basic()));
    let before = r#"{"auths": {"other.example": {"auth": "eDp5"}}, "unknown": 1.50}"#;
    fs::write(world.path("auth.json"), before).expect("a file");
    let done = login(
        &world,
        &registry,
        "password\r\n",
        &["--authfile", "auth.json", "--json"],
    );
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let report: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
    assert_eq!(report["storedIn"], "auth.json");
    let after = fs::read_to_string(world.path("auth.json")).expect("a file");
    assert!(
        after.contains(r#""unknown": 1.50"#) && after.contains(r#""other.example": {"auth": "eDp5"}"#),
        "{after}"
    );
    let known = world.result(&["whoami", "--authfile", "auth.json"]);
    assert_eq!(known, format!("{}\tuser\nother.example\tx\n", registry.host()));
    let all = world.json(&["logout", "--all", "--json", "--authfile", "auth.json"]);
    assert_eq!(all.as_array().expect("a list").len(), 2);
    assert_eq!(world.result(&["whoami", "--authfile", "auth.json"]), "");
}

#[test]
fn a_part_of_a_registry_has_a_user_of_its_own() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec().with_basic()));
    registry.put("team/app", &Sample::image(&["a"]), &["v1"]);
    registry.put("else/app", &Sample::image(&["a"]), &["v1"]);
    let part = format!("{}/team", registry.host());
    world.result(&["login", "-u", "user", "-p", "password", &part]);
    world.result(&["digest", &registry.at("team/app:v1")]);
    assert_eq!(world.run(&["digest", &registry.at("else/app:v1")]).code, Some(4));
    assert_eq!(world.result(&["whoami", &part]), "user\n");
    assert_eq!(world.run(&["whoami", &registry.host()]).code, Some(2));
}

#[test]
fn a_person_is_asked_and_the_password_not_shown() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec().with_basic()));
    let host = registry.host();
    let questions = [
        format!("user at {host}: "),
        format!("password of user at {host}: "),
    ];
    let answers = [
        (questions[0].as_str(), "user"),
        (questions[1].as_str(), "password"),
    ];
    let (shown, succeeded) = converse(world.command(&["login", &host]), true, true, &answers);
    let shown = shown.replace('\r', "");
    if cfg!(stevedore_portable) {
        let refusal = "error: this system cannot keep a terminal from showing what is typed\n  \
                       try: --password-stdin, and the password there\n";
        assert_eq!(
            (shown, succeeded),
            (format!("{}user\n{refusal}", questions[0]), false)
        );
        return;
    }
    assert!(succeeded, "{shown}");
    let file = world.path(".docker/config.json");
    let expected = format!(
        "{}user\n{}\nstored in {}\nLogin Succeeded!\n",
        questions[0],
        questions[1],
        file.display()
    );
    assert_eq!(shown, expected);
    assert_eq!(world.result(&["whoami", &host]), "user\n");
}

#[test]
fn what_cannot_be_logged_in_to_is_said() {
    let world = World::new();
    world.fails(
        &["login", "-u", "user", "registry.example"],
        3,
        "error: there is no password\n  try: --password-stdin, and the password there\n",
    );
    world.fails(
        &["login", "registry.example"],
        3,
        "error: who to be was not said\n  try: --username USER with --password-stdin\n",
    );
    let ended = world.run(&["login", "-u", "user", "-p", "x", "not a registry"]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("not a registry"), "{}", ended.stderr);
    let ended = world.run(&["login", "-u", "a:b", "-p", "x", "--no-creds", "registry.example"]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
}

#[test]
fn a_file_that_is_named_and_not_there_is_a_wrong_use_of_every_verb() {
    let (world, registry) = (World::new(), Registry::start(Profile::spec()));
    registry.put("app", &Sample::image(&["a"]), &["v1"]);
    let (at, host) = (registry.at("app:v1"), registry.host());
    let verbs: [&[&str]; 6] = [
        &["digest", &at],
        &["inspect", &at],
        &["whoami"],
        &["whoami", &host],
        &["logout", &host],
        &["logout", "--all"],
    ];
    for verb in verbs {
        let named = [verb, &["--authfile", "none.json"]].concat();
        world.fails(&named, 3, "error: there is no file none.json\n");
    }
    assert!(!world.path("none.json").exists());
}
