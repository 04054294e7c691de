//! Byte-exact editing: what is touched, what it looks like, and what is not.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use stevedore_core::edit::{Edit, EditError, Path, Step};

use crate::json_text::{self, at, paths};

fn edited(text: &str, edit: impl FnOnce(&mut Edit) -> Result<(), EditError>) -> String {
    let mut document = Edit::new(text.as_bytes()).expect("because the test gives JSON");
    edit(&mut document).expect("because the test gives an edit that fits");
    Edit::new(document.as_str().as_bytes()).expect("because JSON stays JSON");
    document.as_str().to_owned()
}

#[test]
fn a_replaced_value_is_all_that_changes() {
    let text = "{ \"n\" : 2.50,\r\n\t\"a\":[1E5 , {\"b\" : 18446744073709551616}] ,\"s\":\"\\u003c\" }\n";
    assert_eq!(
        edited(text, |edit| edit.set(("a", 1, "b"), &7)),
        text.replace("18446744073709551616", "7")
    );
    assert_eq!(
        edited(text, |edit| edit.set_raw(("a", 0), "1.0e5")),
        text.replace("1E5", "1.0e5")
    );
    assert_eq!(edited("  [1] ", |edit| edit.set(Path::root(), &2)), "  2 ");
}

#[test]
fn a_member_that_is_new_comes_last_in_the_style_of_the_others() {
    let cases = [
        // Compact.
        (r#"{"a":1}"#, r#"{"a":1,"k":{"x":[1,2]}}"#),
        (r"{}", r#"{"k":{"x":[1,2]}}"#),
        // A space after colons, and after commas.
        (r#"{"a": 1}"#, r#"{"a": 1, "k": {"x": [1, 2]}}"#),
        (
            r#"{ "a": 1, "b": 2 }"#,
            r#"{ "a": 1, "b": 2, "k": {"x": [1, 2]} }"#,
        ),
        (r#"{"a":1, "b":2}"#, r#"{"a":1, "b":2, "k":{"x":[1, 2]}}"#),
        // Lines of their own.
        (
            "{\n  \"a\": 1\n}\n",
            "{\n  \"a\": 1,\n  \"k\": {\n    \"x\": [\n      1,\n      2\n    ]\n  }\n}\n",
        ),
        (
            "{\n\t\"a\" : 1\n}",
            "{\n\t\"a\" : 1,\n\t\"k\" : {\n\t\t\"x\" : [\n\t\t\t1,\n\t\t\t2\n\t\t]\n\t}\n}",
        ),
        (
            "{\r\n   \"a\": 1\r\n}",
            "{\r\n   \"a\": 1,\r\n   \"k\": {\r\n      \"x\": [\r\n         1,\r\n         2\r\n      ]\r\n   }\r\n}",
        ),
        // Lines without an indent.
        ("{\n\"a\":1\n}", "{\n\"a\":1,\n\"k\":{\n\"x\":[\n1,\n2\n]\n}\n}"),
    ];
    for (before, after) in cases {
        assert_eq!(
            edited(before, |edit| edit.set("k", &json!({"x": [1, 2]}))),
            after,
            "{before}"
        );
        assert_eq!(
            edited(after, |edit| edit.remove("k").map(|found| assert!(found))),
            before
        );
    }
}

#[test]
fn the_style_is_that_of_the_object_itself_not_of_its_surroundings() {
    let text = "{\n  \"a\": {\"x\":1,\"y\":2},\n  \"b\": {}\n}";
    assert_eq!(
        edited(text, |edit| edit.set(["a", "z"], &3)),
        "{\n  \"a\": {\"x\":1,\"y\":2,\"z\":3},\n  \"b\": {}\n}"
    );
    assert_eq!(
        edited(text, |edit| edit.set(["b", "z"], &3)),
        "{\n  \"a\": {\"x\":1,\"y\":2},\n  \"b\": {\n    \"z\": 3\n  }\n}"
    );
}

#[test]
fn white_space_in_an_empty_object_outlives_a_member() {
    let text = "{\n  \"a\": { },\n  \"b\": [\n\n]\n}";
    let more = edited(text, |edit| {
        edit.set(["a", "x"], &1)?;
        edit.push("b", &2)
    });
    assert_eq!(more, "{\n  \"a\": {\"x\": 1 },\n  \"b\": [2\n\n]\n}");
    let less = edited(&more, |edit| {
        edit.remove(["a", "x"])?;
        edit.remove(("b", 0)).map(drop)
    });
    assert_eq!(less, text);
}

#[test]
fn objects_on_the_way_are_made_where_missing_or_null() {
    let set = |text| edited(text, |edit| edit.set(["annotations", "a.b"], "v"));
    assert_eq!(set("{}"), r#"{"annotations":{"a.b":"v"}}"#);
    assert_eq!(set(r#"{"annotations":null}"#), r#"{"annotations":{"a.b":"v"}}"#);
    assert_eq!(
        set("{\n \"x\": 1\n}"),
        "{\n \"x\": 1,\n \"annotations\": {\n  \"a.b\": \"v\"\n }\n}"
    );
    assert_eq!(set("null"), r#"{"annotations":{"a.b":"v"}}"#);
    let deep = edited(r#"{"a":{}}"#, |edit| edit.set_raw(["a", "b", "c"], "[ 1 ]"));
    assert_eq!(deep, r#"{"a":{"b":{"c":[ 1 ]}}}"#);
}

#[test]
fn setting_what_is_there_changes_nothing() {
    let text = "{\"s\":\"\\u003cb\\u003e\", \"o\" : { \"\\u0061\" : [ 1 ,2.50 ] } }";
    assert_eq!(edited(text, |edit| edit.set("s", "<b>")), text);
    let raw = RawValue::from_string(r#"{"a":[1,2.50]}"#.into()).unwrap();
    assert_eq!(edited(text, |edit| edit.set("o", &raw)), text);
    // Another spelling of a number is another text, and raw JSON is put in as it is.
    assert_eq!(
        edited(text, |edit| edit.set(("o", "a", 1), &2.5)),
        text.replace("2.50", "2.5")
    );
    assert_eq!(
        edited(text, |edit| edit.set_raw("s", r#""<b>""#)),
        text.replace(r"\u003cb\u003e", "<b>")
    );
    // Order counts.
    assert_eq!(
        edited(r#"{"o":{"b":1,"a":2}}"#, |edit| edit
            .set("o", &json!({"a": 2, "b": 1}))),
        r#"{"o":{"a":2,"b":1}}"#
    );
}

#[test]
fn removing_takes_one_comma_with_it() {
    let cases = [
        (
            "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}",
            "a",
            "{\n  \"b\": 2,\n  \"c\": 3\n}",
        ),
        (
            "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}",
            "b",
            "{\n  \"a\": 1,\n  \"c\": 3\n}",
        ),
        (
            "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}",
            "c",
            "{\n  \"a\": 1,\n  \"b\": 2\n}",
        ),
        (r#"{ "a" : 1 , "b" : 2 }"#, "b", r#"{ "a" : 1 }"#),
        (r#"{ "a" : 1 , "b" : 2 }"#, "a", r#"{ "b" : 2 }"#),
        ("{\n  \"a\": 1\n}", "a", "{}"),
        (r#"{"\u0061":","}"#, "a", "{}"),
        (r#"{"b":1}"#, "a", r#"{"b":1}"#),
        (r"null", "a", "null"),
    ];
    for (before, key, after) in cases {
        let gone = |edit: &mut Edit| edit.remove(key).map(|found| assert_eq!(found, before != after));
        assert_eq!(edited(before, gone), after, "{before}");
    }
    assert_eq!(edited("[1, 2, 3]", |edit| edit.remove(1).map(drop)), "[1, 3]");
    assert_eq!(
        edited("[1]", |edit| edit.remove(1).map(|found| assert!(!found))),
        "[1]"
    );
    assert_eq!(
        edited("{}", |edit| edit.remove(["a", "b"]).map(|found| assert!(!found))),
        "{}"
    );
}

#[test]
fn elements_are_put_in_anywhere() {
    assert_eq!(
        edited("[1, 2]", |edit| edit.insert(Path::root(), 0, &0)),
        "[0, 1, 2]"
    );
    assert_eq!(
        edited("[1,\n 2]", |edit| edit.insert(Path::root(), 1, "x")),
        "[1,\n \"x\",\n 2]"
    );
    assert_eq!(
        edited("[1,2]", |edit| edit.insert(Path::root(), 2, &3)),
        "[1,2,3]"
    );
    assert_eq!(
        edited("[\n  1\n]", |edit| edit.push(Path::root(), &[2])),
        "[\n  1,\n  [\n    2\n  ]\n]"
    );
    for (text, after) in [
        ("{}", r#"{"l":["x"]}"#),
        (r#"{"l":null}"#, r#"{"l":["x"]}"#),
        (r#"{"l":[]}"#, r#"{"l":["x"]}"#),
    ] {
        assert_eq!(edited(text, |edit| edit.push("l", "x")), after);
        assert_eq!(edited(text, |edit| edit.insert("l", 0, "x")), after);
    }
    assert_eq!(
        edited(r#"{"a":[{}]}"#, |edit| edit.push(("a", 0, "l"), &1)),
        r#"{"a":[{"l":[1]}]}"#
    );
}

#[test]
fn edits_apply_one_by_one() {
    let text = edited("[1]", |edit| {
        edit.push(Path::root(), &2)?;
        edit.insert(Path::root(), 1, &json!({}))?;
        edit.set((1, "a"), &true)?;
        edit.remove(0)?;
        edit.remove(1).map(drop)
    });
    assert_eq!(text, r#"[{"a":true}]"#);
}

#[test]
fn errors_name_the_path_and_leave_the_document() {
    let text = r#"{"a":{"b":[1,2]},"s":"x"}"#;
    let message = |edit: &dyn Fn(&mut Edit) -> Result<(), EditError>| {
        let mut document = Edit::new(text.as_bytes()).unwrap();
        let error = edit(&mut document).unwrap_err();
        assert_eq!(document.as_str(), text);
        let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
        format!("{error}{}", source.unwrap_or_default())
    };
    let twice = RawValue::from_string(r#"{"a":1,"a":2}"#.into()).unwrap();
    let deep = format!("{}{}", "[".repeat(63), "]".repeat(63));
    let cases: &[(&str, String)] = &[
        (
            "expected an object at `s`, found a string",
            message(&|edit| edit.set(["s", "x"], &1)),
        ),
        (
            "expected an array at `a`, found an object",
            message(&|edit| edit.set(("a", 0), &1)),
        ),
        (
            "expected an object at `a.b`, found an array",
            message(&|edit| edit.remove(["a", "b", "c"]).map(drop)),
        ),
        (
            "expected an array at `a`, found an object",
            message(&|edit| edit.push("a", &1)),
        ),
        (
            "expected an array at the document, found an object",
            message(&|edit| edit.set(0, &1)),
        ),
        (
            "no element at `a.b[2]`: the array has 2",
            message(&|edit| edit.set(("a", "b", 2), &1)),
        ),
        (
            "no element at `a.b[3]`: the array has 2",
            message(&|edit| edit.insert(["a", "b"], 3, &1)),
        ),
        (
            "no element at `x.y[0].z`: the array has 0",
            message(&|edit| edit.set(("x", "y", 0, "z"), &1)),
        ),
        (
            "no element at `x[1]`: the array has 0",
            message(&|edit| edit.insert("x", 1, &1)),
        ),
        (
            "the document itself cannot be removed",
            message(&|edit| edit.remove(Path::root()).map(drop)),
        ),
        (
            "the new value at `x` is not usable JSON: key `a` is there twice, again at byte 7",
            message(&|edit| edit.set_raw("x", r#"{"a":1,"a":2}"#)),
        ),
        (
            "the new value at `x` is not usable JSON: not JSON at byte 2: something follows the document",
            message(&|edit| edit.set_raw("x", "1 ,\"y\":2")),
        ),
        (
            "the new value at `x` is not usable JSON: key must be a string",
            message(&|edit| edit.set("x", &std::collections::BTreeMap::from([((1, 2), 3)]))),
        ),
        (
            "the new value at `x` is not usable JSON: key `a` is there twice, again at byte 7",
            message(&|edit| edit.set("x", &twice)),
        ),
    ];
    for (expected, found) in cases {
        assert_eq!(expected, found);
    }
    assert!(message(&|edit| edit.set_raw(["x", "y"], &deep)).ends_with("nested too deep"));
    assert_eq!(edited("{}", |edit| edit.set_raw("x", &deep)).len(), 132);
}

#[test]
fn a_failed_insert_into_nothing_makes_nothing() {
    let mut edit = Edit::new(b"{}").unwrap();
    edit.insert("x", 1, &1).unwrap_err();
    assert_eq!(edit.as_str(), "{}");
}

/// A text with one of its paths.
fn text_and_path() -> impl Strategy<Value = (String, Path<'static>)> {
    (json_text::text(), any::<Index>()).prop_map(|(text, index)| {
        let all = paths(&serde_json::from_str(&text).expect("because the text is JSON"));
        let path = index.get(&all).clone();
        (text, path)
    })
}

fn parsed(edit: &Edit) -> Value {
    serde_json::from_str(edit.as_str()).expect("because an edited text is JSON")
}

/// Where the value at a path stands.
fn span(edit: &Edit, path: &Path<'_>) -> std::ops::Range<usize> {
    let value = edit.get(path).expect("because the path is there");
    let start = value.as_ptr() as usize - edit.as_str().as_ptr() as usize;
    start..start + value.len()
}

fn solid(text: &str) -> usize {
    text.bytes().filter(|byte| !byte.is_ascii_whitespace()).count()
}

proptest! {
    #[test]
    fn replacing_touches_the_value_only((text, path) in text_and_path(), (new, _) in text_and_path()) {
        let mut edit = Edit::new(text.as_bytes()).unwrap();
        let span = span(&edit, &path);
        edit.set_raw(&path, &new).unwrap();
        prop_assert_eq!(edit.as_str(), format!("{}{new}{}", &text[..span.start], &text[span.end..]));

        let mut edit = Edit::new(text.as_bytes()).unwrap();
        let raw = RawValue::from_string(new.trim().to_owned()).unwrap();
        edit.set(&path, &raw).unwrap();
        prop_assert!(edit.as_str().starts_with(&text[..span.start]));
        prop_assert!(edit.as_str().ends_with(&text[span.end..]));
        let mut expected: Value = serde_json::from_str(&text).unwrap();
        *at(&mut expected, &path) = serde_json::from_str(&new).unwrap();
        prop_assert_eq!(parsed(&edit), expected);
        let once = edit.as_str().to_owned();
        edit.set(&path, &raw).unwrap();
        prop_assert_eq!(edit.as_str(), once);
    }

    #[test]
    fn setting_what_is_there_is_no_change((text, path) in text_and_path()) {
        let mut edit = Edit::new(text.as_bytes()).unwrap();
        let raw = RawValue::from_string(edit.get(&path).unwrap().to_owned()).unwrap();
        edit.set(&path, &raw).unwrap();
        prop_assert_eq!(edit.as_str(), text);
    }

    #[test]
    fn a_new_entry_goes_without_a_trace((text, path) in text_and_path(), (new, _) in text_and_path(), index: Index) {
        let mut edit = Edit::new(text.as_bytes()).unwrap();
        let raw = RawValue::from_string(new.trim().to_owned()).unwrap();
        let mut expected = parsed(&edit);
        let inside = match at(&mut expected, &path) {
            Value::Object(members) => {
                let key = "new \"key\"";
                members.insert(key.to_owned(), serde_json::from_str(&new).unwrap());
                let inside = path.join(key);
                edit.set(&inside, &raw).unwrap();
                inside
            }
            Value::Array(elements) => {
                let index = index.index(elements.len() + 1);
                elements.insert(index, serde_json::from_str(&new).unwrap());
                if index == elements.len() - 1 {
                    edit.push(&path, &raw).unwrap();
                } else {
                    edit.insert(&path, index, &raw).unwrap();
                }
                path.join(index)
            }
            _ => return Ok(()),
        };
        prop_assert_eq!(parsed(&edit), expected);
        prop_assert!(edit.remove(&inside).unwrap());
        prop_assert_eq!(edit.as_str(), text);
    }

    #[test]
    fn removing_takes_the_entry_a_comma_and_white_space((text, path) in text_and_path()) {
        let mut edit = Edit::new(text.as_bytes()).unwrap();
        let mut expected = parsed(&edit);
        let Some((last, way)) = path.steps().split_last() else { return Ok(()) };
        let way: Path<'_> = way.iter().cloned().collect();
        let value = solid(edit.get(&path).unwrap());
        let left = match (at(&mut expected, &way), last) {
            (Value::Object(members), Step::Key(key)) => {
                members.remove(&**key);
                members.len()
            }
            (Value::Array(elements), Step::Index(index)) => {
                elements.remove(*index);
                elements.len()
            }
            other => panic!("{other:?}"),
        };
        prop_assert!(edit.remove(&path).unwrap());
        prop_assert_eq!(parsed(&edit), expected);
        // One piece went, and what is in it beside value, key, colon and comma is white space.
        let after = edit.as_str();
        let gone = text.len() - after.len();
        let same = text.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
        prop_assert_eq!(&text.as_bytes()[same + gone..], &after.as_bytes()[same..]);
        let commas = usize::from(left > 0);
        match last {
            Step::Index(_) => prop_assert_eq!(solid(&text) - solid(after), value + commas),
            _ => prop_assert!(solid(&text) - solid(after) >= value + commas + 3),
        }
    }

    #[test]
    fn edits_of_any_text_do_no_harm(bytes in json_text::mutated(json_text::text())) {
        if let Ok(mut edit) = Edit::new(&bytes) {
            drop(edit.set(("a", 0, "b"), &1));
            drop(edit.push(["a", "b"], &1));
            drop(edit.remove(("a0", "a1")));
            Edit::new(&edit.into_bytes()).unwrap();
        }
    }
}
