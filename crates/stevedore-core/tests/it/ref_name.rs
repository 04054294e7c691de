//! Names of entries in a layout: strict when written, lenient when read.

use proptest::prelude::*;
use stevedore_core::{RefName, Reference};

#[test]
fn the_image_spec_grammar_decides_what_is_written() {
    for good in [
        "latest",
        "v1.2.3",
        "1",
        "docker.io/library/x:tag",
        "localhost:5000/x@sha256:00",
        "a--b",
        "a-b.c_d:e@f+g",
    ] {
        assert_eq!(good.parse::<RefName>().unwrap(), good);
    }
    for bad in [
        "",
        "/",
        "a/",
        "/a",
        "a//b",
        "_",
        "-a",
        "a-",
        "a__b",
        "a---b",
        "a-.b",
        "a b",
        "é",
        "[::1]:5000/x",
        "x:_t",
        "a\n",
    ] {
        assert!(bad.parse::<RefName>().is_err(), "{bad:?}");
        assert!(!RefName::verbatim(bad).is_well_formed(), "{bad:?}");
    }
}

#[test]
fn whatever_was_written_is_read() {
    for odd in ["", "a__b", "two words", "é"] {
        let json = serde_json::to_string(odd).unwrap();
        let name: RefName = serde_json::from_str(&json).unwrap();
        assert_eq!(name, odd);
        assert_eq!(name.as_str(), odd);
        assert_eq!(serde_json::to_string(&name).unwrap(), json);
    }
    assert!(serde_json::from_str::<RefName>("null").is_err());
}

#[test]
fn a_reference_is_a_name_if_the_grammar_has_room_for_it() {
    let name = |text: &str| RefName::try_from(&text.parse::<Reference>().unwrap());
    assert_eq!(name("ubuntu:24.04").unwrap(), "docker.io/library/ubuntu:24.04");
    assert!(name("ghcr.io/a__b:1").is_err());
    assert!(name("[::1]:5000/a:1").is_err());
}

proptest! {
    #[test]
    fn whatever_parses_prints_as_it_stood(text in "\\PC{0,20}|[a-z0-9./:@_+-]{1,20}") {
        if let Ok(name) = text.parse::<RefName>() {
            prop_assert_eq!(name.to_string(), text);
        }
    }

    /// The grammar as a regular expression makes the texts.
    #[test]
    fn every_text_of_the_grammar_parses(
        text in "[A-Za-z0-9]{1,3}(([._:@+-]|--)[A-Za-z0-9]{1,3}){0,3}(/[A-Za-z0-9]{1,3}(([._:@+-]|--)[A-Za-z0-9]{1,3}){0,3}){0,2}",
    ) {
        prop_assert!(text.parse::<RefName>().is_ok());
    }
}
