//! Random JSON texts as hands and machines write them, for property tests.

use proptest::prelude::*;
use serde_json::Value;
use stevedore_core::edit::{Path, Step};

/// White space, mostly little.
fn space() -> impl Strategy<Value = String> {
    prop_oneof![4 => Just(String::new()), 2 => Just(" ".to_owned()), 2 => Just("\n  ".to_owned()), 1 => "[ \t\r\n]{0,4}"]
}

/// Scalars, among them such as do not survive a round trip through floats or another writer's escapes.
fn scalar() -> impl Strategy<Value = String> {
    let odd = [
        "2.50",
        "1E5",
        "-0",
        "0e-0",
        "18446744073709551616",
        "9007199254740993",
        "1e308",
        "null",
        "true",
        "false",
        r#""""#,
        r#""\u003ca\u003E""#,
        r#""\ud83d\uDE00""#,
        r#""\\\"\/\b\f\n\r\t""#,
        r#""}{][,:""#,
        r#""é\u0000""#,
    ];
    prop_oneof![
        prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
        "-?(0|[1-9][0-9]{0,25})",
        r#""[a-z\[{,:é😀]{0,8}""#
    ]
}

/// The `index`-th key of an object: no two are equal.
fn key(index: usize, odd: &str) -> String {
    format!(r#""{odd}{index}""#)
}

fn value() -> impl Strategy<Value = String> {
    let odd_key =
        prop::sample::select(&["", "a", "a.b/c", r"\u0061", r#"\""#, "é", " ", r"\ud83d\uDE00"][..]);
    scalar().prop_recursive(4, 48, 6, move |inner| {
        let element = (space(), inner.clone(), space()).prop_map(|(a, value, b)| format!("{a}{value}{b}"));
        let member = (space(), odd_key.clone(), space(), space(), inner, space());
        prop_oneof![
            (prop::collection::vec(element, 0..6), space()).prop_map(|(elements, blank)| {
                match elements.len() {
                    0 => format!("[{blank}]"),
                    _ => format!("[{}]", elements.join(",")),
                }
            }),
            (prop::collection::vec(member, 0..6), space()).prop_map(|(members, blank)| {
                let member = |(index, (a, odd, b, c, value, d)): (usize, (_, _, _, _, _, _))| {
                    let (a, b, c, value, d): (String, String, String, String, String) = (a, b, c, value, d);
                    format!("{a}{}{b}:{c}{value}{d}", key(index, odd))
                };
                match members.len() {
                    0 => format!("{{{blank}}}"),
                    _ => {
                        format!(
                            "{{{}}}",
                            members
                                .into_iter()
                                .enumerate()
                                .map(member)
                                .collect::<Vec<_>>()
                                .join(",")
                        )
                    }
                }
            }),
        ]
    })
}

/// A whole JSON text of any kind.
pub(crate) fn text() -> impl Strategy<Value = String> {
    (space(), value(), space()).prop_map(|(a, value, b)| format!("{a}{value}{b}"))
}

/// Bytes that are nearly JSON: tokens strung together.
pub(crate) fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let tokens: [&[u8]; 36] = [
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b" ",
        b"\n",
        b"\t",
        b"\x0b",
        b"\"a\"",
        b"\"\\u0061\"",
        b"\"\"",
        b"\"",
        b"\\",
        b"\\u",
        b"d83d",
        b"\\ud83d",
        b"\\ude00",
        b"null",
        b"true",
        b"fals",
        b"e",
        b"NaN",
        b"-",
        b"+",
        b"0",
        b"01",
        b"12",
        b".",
        b"E5",
        b"1e999",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\x01",
        "é".as_bytes(),
    ];
    prop::collection::vec(prop::sample::select(tokens.to_vec()), 0..12).prop_map(|tokens| tokens.concat())
}

/// A text with some bytes replaced, dropped or doubled.
pub(crate) fn mutated(text: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<u8>> {
    let change = (
        any::<prop::sample::Index>(),
        0..3_u8,
        prop::sample::select(&b"{}[],:\"\\ 0-.eu\xffan"[..]),
    );
    (text, prop::collection::vec(change, 0..4)).prop_map(|(text, changes)| {
        let mut bytes = text.into_bytes();
        for (at, kind, byte) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte),
            }
        }
        bytes
    })
}

/// Every path of a value, the root's included.
pub(crate) fn paths(value: &Value) -> Vec<Path<'static>> {
    fn walk(value: &Value, path: &Path<'static>, into: &mut Vec<Path<'static>>) {
        into.push(path.clone());
        match value {
            Value::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    walk(element, &path.clone().join(index), into);
                }
            }
            Value::Object(members) => {
                for (key, member) in members {
                    walk(member, &path.clone().join(key.clone()), into);
                }
            }
            _ => {}
        }
    }
    let mut into = Vec::new();
    walk(value, &Path::root(), &mut into);
    into
}

/// The value at a path.
pub(crate) fn at<'v>(value: &'v mut Value, path: &Path<'_>) -> &'v mut Value {
    path.steps().iter().fold(value, |value, step| match step {
        Step::Key(key) => &mut value[&**key],
        Step::Index(index) => &mut value[*index],
        other => panic!("unknown step {other:?}"),
    })
}
