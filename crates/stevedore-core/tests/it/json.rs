//! What counts as JSON, seen through `Edit::new`, which takes any strict JSON document.

use proptest::prelude::*;
use serde_json::Value;
use stevedore_core::edit::{Edit, EditError};
use stevedore_core::raw::ParseError;

use crate::json_text;

fn check(bytes: &[u8]) -> Result<(), ParseError> {
    match Edit::new(bytes) {
        Ok(_) => Ok(()),
        Err(EditError::Document { source, .. }) => Err(source),
        Err(other) => panic!("unexpected {other:?}"),
    }
}

#[test]
fn refusals_name_offset_place_and_reason() {
    let cases: &[(&[u8], usize, &str, &str)] = &[
        (b"", 0, "", "ends where a value is expected"),
        (b"  ", 2, "", "ends where a value is expected"),
        (b"\xef\xbb\xbf{}", 0, "", "byte order mark"),
        (b"{} x", 3, "", "something follows"),
        (b"{}{}", 2, "", "something follows"),
        (b"{\"a\":\xff}", 5, "", "not UTF-8"),
        (b"{\"a\":\"\xed\xa0\x80\"}", 6, "", "not UTF-8"),
        (b"{a:1}", 1, "", "key in double quotes"),
        (b"{\"a\":1,}", 7, "", "key in double quotes"),
        (b"{,}", 1, "", "key in double quotes"),
        (b"{\"a\" 1}", 5, "", "colon"),
        (b"{\"a\":1 \"b\":2}", 7, "", "comma or a closing brace"),
        (b"{\"a\":[1 2]}", 8, "a", "comma or a closing bracket"),
        (b"{\"a\":[1,]}", 8, "a[1]", "expected a value"),
        (
            b"{\"a\":{\"b.c\":[0,nul]}}",
            15,
            "a[\"b.c\"][1]",
            "expected a value",
        ),
        (b"{\"a\":NaN}", 5, "a", "expected a value"),
        (b"[Infinity]", 1, "[0]", "expected a value"),
        (b"[-Infinity]", 2, "[0]", "expected a digit"),
        (b"[+1]", 1, "[0]", "expected a value"),
        (b"[.5]", 1, "[0]", "expected a value"),
        (b"[1.]", 3, "[0]", "expected a digit"),
        (b"[1e]", 3, "[0]", "expected a digit"),
        (b"[1e+]", 4, "[0]", "expected a digit"),
        (b"[01]", 2, "[0]", "not a number"),
        (b"[0x10]", 2, "[0]", "not a number"),
        (b"[truey]", 5, "[0]", "expected a value"),
        (b"'a'", 0, "", "expected a value"),
        (b"[1, // no\n2]", 4, "[1]", "expected a value"),
        (b"[\"a\nb\"]", 3, "[0]", "control character"),
        (b"[\"a", 3, "[0]", "ends in a string"),
        (b"[\"\\x41\"]", 2, "[0]", "unknown escape"),
        (b"[\"\\u00g0\"]", 2, "[0]", "four hexadecimal digits"),
        (b"[\"\\u00", 2, "[0]", "four hexadecimal digits"),
        (b"[\"\\ud83d\"]", 2, "[0]", "half a surrogate pair"),
        (b"[\"\\ud83d\\u0041\"]", 2, "[0]", "half a surrogate pair"),
        (b"[\"\\ude00\"]", 2, "[0]", "half a surrogate pair"),
        (b"{\"\\ud83d\":1}", 2, "", "half a surrogate pair"),
        (b"[1\x0b]", 2, "[0]", "not a number"),
        (b"[\xc2\xa01]", 1, "[0]", "expected a value"),
    ];
    for (bytes, at, place, why) in cases {
        let shown = String::from_utf8_lossy(bytes);
        match check(bytes) {
            Err(ParseError::Json {
                offset, path, reason, ..
            }) => {
                assert_eq!((offset, &*path), (*at, *place), "{shown}: {reason}");
                assert!(reason.contains(why), "{shown}: {reason}");
            }
            other => panic!("{shown}: {other:?}"),
        }
    }
}

#[test]
fn a_key_that_is_there_twice_is_refused_wherever_it_is() {
    let cases = [
        (r#"{"a":1,"a":1}"#, 7, "a"),
        (r#"{"a":1,"b":2,"\u0061":3}"#, 13, "a"),
        (
            r#"{"config":{"digest":1,"x":{},"dig\u0065st":2}}"#,
            29,
            "config.digest",
        ),
        (r#"{"layers":[{},{"":1,"":2}]}"#, 20, r#"layers[1][""]"#),
        (r#"{"x":{"b":1,"c":2,"c":3,"b":4}}"#, 18, "x.c"),
        (r#"{"\ud83d\ude00":1,"😀":2}"#, 18, r#"["😀"]"#),
    ];
    for (text, at, place) in cases {
        match check(text.as_bytes()) {
            Err(ParseError::DuplicateKey { path, offset, .. }) => {
                assert_eq!((offset, &*path), (at, place), "{text}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn equal_keys_of_different_objects_are_none_twice() {
    assert_eq!(
        check(br#"{"a":{"a":1},"b":[{"a":1},{"a":1}],"A":1,"a ":1}"#),
        Ok(())
    );
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
    assert_eq!(check(&nested(64)), Ok(()));
    let objects = [r#"{"a":"#.repeat(100), "0".to_owned(), "}".repeat(100)].concat();
    for text in [
        nested(65),
        nested(1_000_000),
        vec![b'['; 1_000_000],
        objects.into_bytes(),
    ] {
        match check(&text) {
            Err(ParseError::Json { reason, .. }) => assert_eq!(reason, "nested too deep"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn hostile_keys_neither_flood_nor_steer_a_message() {
    let text = format!(r#"{{"\u001b[2J{}":x}}"#, "k".repeat(100_000));
    let message = check(text.as_bytes()).unwrap_err().to_string();
    assert!(message.len() < 300, "{} bytes", message.len());
    assert!(
        !message.contains('\u{1b}') && message.contains(r"\u{1b}[2J"),
        "{message}"
    );
}

#[test]
fn many_keys_with_a_long_common_beginning_take_no_long_time() {
    let beginning = "k".repeat(100);
    let members: Vec<_> = (0..20_000)
        .map(|index| format!(r#""{beginning}{index}":0"#))
        .collect();
    assert_eq!(check(format!("{{{}}}", members.join(",")).as_bytes()), Ok(()));
}

/// Where this scanner and `serde_json` differ, all on purpose: duplicate keys (the last one wins there), nesting
/// (128 there), and numbers beyond a float (refused there, but carried as they stand here).
fn agrees_with_serde_json(bytes: &[u8]) {
    let theirs = serde_json::from_slice::<Value>(bytes).map_err(|error| error.to_string());
    let shown = String::from_utf8_lossy(bytes);
    match (check(bytes), theirs) {
        (Ok(()), Ok(_))
        | (Err(ParseError::Json { .. }), Err(_))
        | (Err(ParseError::DuplicateKey { .. }), _) => {}
        (Err(ParseError::Json { reason, .. }), Ok(_)) if reason == "nested too deep" => {}
        (Ok(()), Err(reason)) if reason.contains("number out of range") => {}
        (ours, theirs) => panic!("{shown}: {ours:?} here, {theirs:?} there"),
    }
}

proptest! {
    #[test]
    fn texts_are_json(text in json_text::text()) {
        prop_assert_eq!(check(text.as_bytes()), Ok(()));
        agrees_with_serde_json(text.as_bytes());
    }

    #[test]
    fn near_misses_are_told_apart_as_serde_json_does(bytes in json_text::nearly()) {
        agrees_with_serde_json(&bytes);
    }

    #[test]
    fn mutated_texts_are_told_apart_as_serde_json_does(bytes in json_text::mutated(json_text::text())) {
        agrees_with_serde_json(&bytes);
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes: Vec<u8>) {
        agrees_with_serde_json(&bytes);
    }

    #[test]
    fn every_value_is_found_under_its_path(text in json_text::text()) {
        let mut value: Value = serde_json::from_str(&text).unwrap();
        let edit = Edit::new(text.as_bytes()).unwrap();
        for path in json_text::paths(&value) {
            let found: Value = serde_json::from_str(edit.get(&path).expect("because the path is there")).unwrap();
            prop_assert_eq!(&found, &*json_text::at(&mut value, &path), "{}", path);
        }
    }
}
