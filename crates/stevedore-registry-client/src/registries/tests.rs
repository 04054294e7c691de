use std::fs;

use proptest::prelude::*;

use super::*;
use crate::Environment;

fn conf(text: &str) -> RegistriesConf {
    RegistriesConf::default()
        .with_file("r.conf".as_ref(), text)
        .expect("a configuration")
}

fn wrong(text: &str) -> String {
    RegistriesConf::default()
        .with_file("r.conf".as_ref(), text)
        .expect_err(text)
        .to_string()
}

fn image(text: &str) -> Reference {
    text.parse().expect("a reference")
}

/// The places of an image, an insecure one with a `!`.
fn places(conf: &RegistriesConf, text: &str) -> Vec<String> {
    let endpoints = conf.endpoints(&image(text)).expect("endpoints");
    let shown = |endpoint: &Endpoint| {
        let mark = if endpoint.insecure { "!" } else { "" };
        format!("{mark}{}", endpoint.reference)
    };
    endpoints.iter().map(shown).collect()
}

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn the_longest_prefix_wins_by_whole_components() {
    let conf = conf(
        r#"
        [[registry]]
        location = "a.example"
        [[registry]]
        prefix = "a.example/team"
        location = "b.example/other"
        [[registry]]
        prefix = "a.example/team/app"
        location = "c.example"
        [[registry]]
        prefix = "a.example:5000"
        location = "d.example"
        "#,
    );
    assert_eq!(places(&conf, "a.example/x:1"), ["a.example/x:1"]);
    assert_eq!(places(&conf, "a.example/team/x:1"), ["b.example/other/x:1"]);
    assert_eq!(places(&conf, "a.example/teams/x"), ["a.example/teams/x"]);
    assert_eq!(places(&conf, "a.example/team/app/x"), ["c.example/x"]);
    // A port makes another registry.
    assert_eq!(places(&conf, "a.example:5000/team/x"), ["d.example/team/x"]);
    assert_eq!(places(&conf, "a.example:5001/team/x"), ["a.example:5001/team/x"]);
    let because = |text: &str| conf.primary(&image(text)).expect("a place").because;
    assert_eq!(
        because("a.example/team/x"),
        "the location of [[registry]] a.example/team in r.conf"
    );
    assert_eq!(because("z.example/x"), "no [[registry]] table has a prefix of it");
    // A name with nothing left of it is none.
    let error = conf
        .endpoints(&image("a.example/team/app:1"))
        .expect_err("no repository");
    assert_eq!(
        error.to_string(),
        "a.example/team/app:1 would be c.example by [[registry]] a.example/team/app in r.conf, which is no name of an image"
    );
}

#[test]
fn a_star_is_any_host_under_a_domain() {
    let conf = conf(
        r#"
        [[registry]]
        prefix = "*.example"
        blocked = true
        [[registry]]
        prefix = "*.lan.example"
        location = "inside.example/all"
        [[registry]]
        prefix = "*.org"
        insecure = true
        "#,
    );
    assert_eq!(places(&conf, "a.lan.example/x:1"), ["inside.example/all/x:1"]);
    assert_eq!(places(&conf, "a.org:5000/x"), ["!a.org:5000/x"]);
    assert_eq!(places(&conf, "org.net/x"), ["org.net/x"]);
    let error = conf.endpoints(&image("b.example:5000/x")).expect_err("blocked");
    assert_eq!(
        error.to_string(),
        "b.example:5000/x is blocked by [[registry]] *.example in r.conf"
    );
    assert_eq!(error.kind(), stevedore_core::ErrorKind::Denied);
    for prefix in ["*.", "*example", "*.a:5000", "*.a/b", "a.*.b", "*"] {
        let text = format!("[[registry]]\nprefix = \"{prefix}\"\nlocation = \"l.example\"");
        assert!(wrong(&text).starts_with("r.conf: "), "{prefix}");
    }
}

#[test]
fn mirrors_come_first_and_take_what_they_are_for() {
    let conf = conf(
        r#"
        [[registry]]
        location = "docker.io"
        [[registry.mirror]]
        location = "all.example/hub"
        [[registry.mirror]]
        location = "digests.example"
        pull-from-mirror = "digest-only"
        insecure = true
        [[registry.mirror]]
        location = "tags.example"
        pull-from-mirror = "tag-only"
        [[registry]]
        location = "b.example"
        mirror-by-digest-only = true
        [[registry.mirror]]
        location = "m.example"
        "#,
    );
    assert_eq!(
        places(&conf, "debian:12"),
        [
            "all.example/hub/library/debian:12",
            "tags.example/library/debian:12",
            "docker.io/library/debian:12"
        ]
    );
    let by_digest = format!("debian:12@{DIGEST}");
    assert_eq!(
        places(&conf, &by_digest),
        [
            format!("all.example/hub/library/{by_digest}"),
            format!("!digests.example/library/{by_digest}"),
            format!("docker.io/library/{by_digest}"),
        ]
    );
    assert_eq!(places(&conf, "b.example/x:1"), ["b.example/x:1"]);
    assert_eq!(places(&conf, &format!("b.example/x@{DIGEST}")).len(), 2);
    let primary = conf.primary(&image("debian:12")).expect("a place");
    assert!(!primary.is_mirror);
    assert_eq!(primary.reference, image("debian:12"));
}

#[test]
fn a_registry_as_a_whole_may_be_insecure_or_blocked() {
    let conf = conf(
        r#"
        [[registry]]
        location = "a.example:5000"
        insecure = true
        [[registry]]
        location = "b.example/part"
        insecure = true
        [[registry]]
        prefix = "c.example"
        location = "d.example"
        insecure = true
        [[registry]]
        prefix = "*.org"
        blocked = true
        "#,
    );
    let insecure = |name: &str| conf.is_insecure(&name.parse().expect("a registry"));
    for (name, expected) in [
        ("a.example:5000", true),
        ("a.example", false),
        ("b.example", false),
        ("c.example", false),
        ("z.example", false),
    ] {
        assert_eq!(insecure(name).expect("not blocked"), expected, "{name}");
    }
    let error = insecure("x.org").expect_err("blocked").to_string();
    assert_eq!(error, "x.org is blocked by [[registry]] *.org in r.conf");
}

#[test]
fn what_makes_no_sense_is_told_with_the_file() {
    for (text, says) in [
        (
            "[[registry]]",
            "r.conf: a [[registry]] table has neither prefix nor location",
        ),
        (
            "[[registry]]\nprefix = 'a.example'",
            "r.conf: the [[registry]] table with the prefix a.example has no location",
        ),
        (
            "[[registry]]\nlocation = 'https://a.example'",
            "r.conf: \"https://a.example\" has a scheme; insecure = true says that a registry has no TLS",
        ),
        (
            "[[registry]]\nlocation = 'a.example'\n[[registry.mirror]]\ninsecure = true",
            "r.conf: a [[registry.mirror]] of a.example has no location",
        ),
        (
            "[[registry]]\nlocation = 'a.example'\n[[registry.mirror]]\nlocation = 'b.example'\npull-from-mirror = 'x'",
            "r.conf: pull-from-mirror is all, digest-only or tag-only, and not \"x\"",
        ),
        (
            "[[registry]]\nlocation = 'a.example'\nmirror-by-digest-only = true\n[[registry.mirror]]\n\
             location = 'b.example'\npull-from-mirror = 'all'",
            "r.conf: a.example has both mirror-by-digest-only and a mirror with pull-from-mirror",
        ),
        (
            "[[registry]]\nlocation = 'a.example'\n[[registry]]\nprefix = 'b.example'\nlocation = 'a.example'\nblocked = true",
            "r.conf: of several [[registry]] tables about a.example only some have blocked = true",
        ),
        (
            "short-name-mode = 'x'",
            "r.conf: short-name-mode is enforcing, permissive or disabled, and not \"x\"",
        ),
        (
            "[aliases]\n'a.example/x' = 'b.example/x'",
            "r.conf: the alias \"a.example/x\" is no name without registry, tag and digest",
        ),
        (
            "[aliases]\nx = 'y'",
            "r.conf: the alias \"x\" stands for \"y\", which is no registry and repository alone",
        ),
        ("x = 1\n\n[[registry", "r.conf, line 3: "),
        (
            "[registries.search]\nregistries = ['a.example']",
            "r.conf is of version 1 of its format",
        ),
    ] {
        let error = wrong(text);
        assert!(error.starts_with(says), "{error}");
    }
    for location in ["mirror", "a.example/x:1", "a.example/X", "/a", "a.example//b"] {
        wrong(&format!("[[registry]]\nlocation = '{location}'"));
    }
    // For other programs, or of no consequence.
    conf("credential-helpers = ['x']\n[registries.search]\nregistries = []\n[other]\nx = 1");
    assert_eq!(
        places(&conf("[[registry]]\nlocation = 'a.example/'"), "a.example/x"),
        ["a.example/x"]
    );
}

#[test]
fn later_files_replace_whole_tables() {
    let both = conf(
        "[[registry]]\nlocation = 'a.example'\ninsecure = true\n[[registry.mirror]]\nlocation = 'm.example'\n\
         [[registry]]\nlocation = 'b.example'\n[[registry.mirror]]\nlocation = 'm.example'",
    );
    let both = both
        .with_file("later.conf".as_ref(), "[[registry]]\nlocation = 'a.example'")
        .expect("a configuration");
    assert_eq!(places(&both, "a.example/x"), ["a.example/x"]);
    assert_eq!(places(&both, "b.example/x"), ["m.example/x", "b.example/x"]);
    // In one file the first one counts.
    let twice = conf(
        "[[registry]]\nprefix = 'p.example'\nlocation = 'a.example'\n[[registry]]\nprefix = 'p.example'\nlocation = 'b.example'",
    );
    assert_eq!(places(&twice, "p.example/x"), ["a.example/x"]);
}

fn short(conf: &RegistriesConf, text: &str) -> Option<String> {
    let found = conf.short_name(text).expect("no choice");
    found.map(|found| format!("{} ({})", found.reference, found.because))
}

#[test]
fn short_names_stand_for_aliases_before_anything_is_searched() {
    let conf = conf(
        "unqualified-search-registries = ['s.example']\nshort-name-mode = 'enforcing'\n\
         [aliases]\ndebian = 'a.example/os/debian'\n'team/app' = 'docker.io/app'\ngone = ''",
    );
    let alias = "(an alias in r.conf)";
    assert_eq!(
        short(&conf, "debian"),
        Some(format!("a.example/os/debian {alias}"))
    );
    assert_eq!(
        short(&conf, "debian:12"),
        Some(format!("a.example/os/debian:12 {alias}"))
    );
    assert_eq!(
        short(&conf, &format!("debian:12@{DIGEST}")),
        Some(format!("a.example/os/debian:12@{DIGEST} {alias}"))
    );
    assert_eq!(
        short(&conf, "team/app:1"),
        Some(format!("docker.io/library/app:1 {alias}"))
    );
    let searched = "(unqualified-search-registries in r.conf)";
    assert_eq!(
        short(&conf, "team/other:1"),
        Some(format!("s.example/team/other:1 {searched}"))
    );
    assert_eq!(short(&conf, "gone"), Some(format!("s.example/gone {searched}")));
    for full in [
        "b.example/debian",
        "localhost/debian",
        "b:5000/debian",
        "Debian",
        "",
    ] {
        assert_eq!(short(&conf, full), None, "{full}");
    }
}

#[test]
fn of_several_registries_none_is_chosen() {
    let several = conf("unqualified-search-registries = ['s.example', 'docker.io']");
    let error = several.short_name("debian:12").expect_err("a choice");
    assert_eq!(
        error.to_string(),
        "debian:12 may be any of s.example/debian:12, docker.io/library/debian:12 by unqualified-search-registries in \
         r.conf; write the one that is meant, or docker://debian:12 for Docker Hub"
    );
    // A later file has the last word, also with none.
    let none = several
        .with_file("later.conf".as_ref(), "unqualified-search-registries = []")
        .expect("a configuration");
    assert_eq!(short(&none, "debian"), None);
    let back = conf("[aliases]\nx = 'a.example/x'").with_file("later.conf".as_ref(), "[aliases]\nx = ''");
    assert_eq!(short(&back.expect("a configuration"), "x"), None);
    assert_eq!(short(&RegistriesConf::default(), "debian"), None);
}

#[test]
fn files_are_read_in_their_order() {
    let root = tempfile::tempdir().expect("a directory");
    let put = |path: &str, location: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        let text = format!("[[registry]]\nprefix = 'p.example'\nlocation = '{location}.example'");
        fs::write(path, text).expect("a file");
    };
    let mut environment = Environment::empty();
    environment.home = Some(root.path().join("home"));
    environment.system_config = Some(root.path().join("etc"));
    environment.vendor_config = Some(root.path().join("usr"));
    let now = |environment: &Environment| {
        let conf = RegistriesConf::load(environment).expect("a configuration");
        places(&conf, "p.example/x")[0]
            .split('.')
            .next()
            .expect("a word")
            .to_owned()
    };
    assert_eq!(now(&environment), "p");
    // Of the files only the first one that exists.
    for (path, name) in [
        ("usr/containers/registries.conf", "vendor"),
        ("etc/containers/registries.conf", "system"),
        ("home/.config/containers/registries.conf", "user"),
    ] {
        put(path, name);
        assert_eq!(now(&environment), name);
        assert_eq!(RegistriesConf::load(&environment).expect("it").files().len(), 1);
    }
    // Drop-ins on top, in the order of their names; of one name the last one alone.
    put("home/.config/containers/registries.conf.d/10.conf", "user10");
    assert_eq!(now(&environment), "user10");
    put("usr/containers/registries.conf.d/20.conf", "vendor20");
    assert_eq!(now(&environment), "vendor20");
    put("etc/containers/registries.conf.d/20.conf", "system20");
    assert_eq!(now(&environment), "system20");
    put("etc/containers/registries.conf.d/30.ignored", "ignored");
    assert_eq!(now(&environment), "system20");
    assert_eq!(RegistriesConf::load(&environment).expect("it").files().len(), 3);
    put("over.conf", "over");
    environment.registries_conf_override = Some(root.path().join("over.conf"));
    assert_eq!(now(&environment), "over");
    environment.registries_conf_override = None;
    // A file that is named comes without drop-ins, but for those of a directory that is named, too.
    put("own.conf", "own");
    environment.registries_conf = Some(root.path().join("own.conf"));
    assert_eq!(now(&environment), "own");
    put("own.d/1.conf", "dropped");
    environment.registries_conf_dir = Some(root.path().join("own.d"));
    assert_eq!(now(&environment), "dropped");
    environment.registries_conf = Some(root.path().join("none.conf"));
    let error = RegistriesConf::load(&environment)
        .expect_err("it was named")
        .to_string();
    assert!(error.ends_with("none.conf"), "{error}");
}

proptest! {
    #[test]
    fn no_file_and_no_name_breaks_it(text in "\\PC*", name in "\\PC*") {
        let conf = RegistriesConf::default().with_file("r.conf".as_ref(), &text).unwrap_or_default();
        drop(conf.short_name(&name));
        if let Ok(reference) = name.parse() {
            drop(conf.endpoints(&reference));
        }
    }

    #[test]
    fn no_value_breaks_it(
        prefix in "(\\*\\.)?[a-zA-Z0-9./:@*_-]{0,24}",
        location in "[a-zA-Z0-9./:@*_-]{0,24}",
        name in "[a-z]{1,4}\\.[a-z]{1,3}(:[0-9]{1,5})?(/[a-z]{1,3}){1,3}",
    ) {
        let text = format!("[[registry]]\nprefix = '{prefix}'\nlocation = '{location}'");
        let conf = RegistriesConf::default().with_file("r.conf".as_ref(), &text).unwrap_or_default();
        if let Ok(reference) = name.parse() {
            drop(conf.endpoints(&reference));
        }
    }

    #[test]
    fn the_longest_of_many_prefixes_wins_and_tag_and_digest_stay(
        parts in proptest::collection::vec("[a-z]{1,3}", 1..6),
        cuts in proptest::collection::btree_set(0_usize..6, 0..6),
        tag in proptest::option::of("[a-z0-9]{1,8}"),
        by_digest: bool,
    ) {
        // A table for each of some beginnings of the name, each with a location of its own.
        let beginning = |length: usize| {
            let parts: Vec<_> = parts.iter().take(length).map(|part| format!("/{part}")).collect();
            format!("r.example{}", parts.concat())
        };
        let cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut < parts.len()).collect();
        let tables: Vec<_> = cuts.iter().map(|cut| {
            format!("[[registry]]\nprefix = '{}'\nlocation = 'l{cut}.example/p'\n", beginning(*cut))
        }).collect();
        let conf = conf(&tables.concat());
        let suffix = format!(
            "{}{}",
            tag.map(|tag| format!(":{tag}")).unwrap_or_default(),
            if by_digest { format!("@{DIGEST}") } else { String::new() },
        );
        let reference = image(&format!("{}{suffix}", beginning(parts.len())));
        let moved = conf.primary(&reference).expect("a place").reference;
        let expected = match cuts.last() {
            Some(cut) => {
                let rest: Vec<_> = parts[*cut..].iter().map(|part| format!("/{part}")).collect();
                format!("l{cut}.example/p{}{suffix}", rest.concat())
            }
            None => reference.to_string(),
        };
        prop_assert_eq!(moved.to_string(), expected);
        prop_assert_eq!(moved.tag(), reference.tag());
        prop_assert_eq!(moved.digest(), reference.digest());
    }
}
