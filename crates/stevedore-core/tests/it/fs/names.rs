//! Records as files.

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;
use stevedore_core::fs::FsNames;
use stevedore_core::{ErrorKind, Key, Names, When};
use tokio::runtime::Runtime;

use super::tools::files;

fn names(root: &std::path::Path) -> FsNames {
    FsNames::without_sync(root.join("names"), root.join("staging"))
}

#[tokio::test]
async fn a_damaged_record_is_an_error_until_it_is_put_again() {
    let dir = tempfile::tempdir().unwrap();
    let names = names(dir.path());
    let key = Key::parse("tags/Latest").unwrap();
    names.put(&key, "one".into(), When::Absent).await.unwrap();
    let path = files(dir.path()).remove(0);
    let content = fs::read(&path).unwrap();
    fs::write(&path, &content[..content.len() - 1]).unwrap();
    let failure = names.get(&key).await.unwrap_err();
    assert_eq!(failure.kind(), ErrorKind::Storage);
    assert!(failure.to_string().contains("^latest="), "{failure}");
    assert!(names.put(&key, "two".into(), When::Absent).await.is_err());
    names.put(&key, "two".into(), When::Always).await.unwrap();
    assert_eq!(names.get(&key).await.unwrap().unwrap().bytes, "two");
}

#[tokio::test]
async fn files_of_others_are_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let names = names(dir.path());
    let key = Key::parse("a/b").unwrap();
    names.put(&key, "x".into(), When::Absent).await.unwrap();
    let below = dir.path().join("names/a");
    for name in ["README", "UPPER=", "=", "^", "x^", "=zz="] {
        fs::write(below.join(name), "x").unwrap();
    }
    fs::create_dir(below.join("empty")).unwrap();
    let listed = names.list(&Key::parse("a").unwrap(), None, 10).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].key, key);
}

#[tokio::test]
async fn a_record_goes_into_a_directory_that_was_removed() {
    let dir = tempfile::tempdir().unwrap();
    let names = names(dir.path());
    let key = Key::parse("a/b/c").unwrap();
    names.put(&key, "x".into(), When::Absent).await.unwrap();
    fs::remove_dir_all(dir.path().join("names")).unwrap();
    names.put(&key, "y".into(), When::Absent).await.unwrap();
    assert_eq!(names.get(&key).await.unwrap().unwrap().bytes, "y");
}

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![
        "[aAbB!.:~+-]{1,3}",
        // Longer than the name of a file once it is escaped, and equal for longer than that.
        "[A-C]{0,2}".prop_map(|end| format!("{}{end}", "A".repeat(120))),
        "[!-.0-9:-~]{1,255}",
    ]
    .prop_filter("a segment", |it| it != "." && it != "..")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn lists_what_a_sorted_map_would(
        keys in prop::collection::vec(prop::collection::vec(segment(), 1..4), 1..20),
        after in prop::option::of(prop::collection::vec(segment(), 1..3)),
        limit in 1_usize..8,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let names = names(dir.path());
        let key = |segments: &[String]| Key::parse(&format!("r/{}", segments.join("/"))).ok();
        let keys: Vec<_> = keys.iter().filter_map(|it| key(it)).collect();
        let after = after.and_then(|it| key(&it));
        let root = Key::parse("r").unwrap();
        Runtime::new().unwrap().block_on(async {
            let mut map = BTreeMap::new();
            for (index, key) in keys.iter().enumerate() {
                names.put(key, index.to_string().into(), When::Always).await.unwrap();
                map.insert(key.clone(), index.to_string());
            }
            for (key, value) in &map {
                assert_eq!(names.get(key).await.unwrap().unwrap().bytes, *value);
            }
            // Page by page.
            let mut at = after.clone();
            let mut listed = Vec::new();
            loop {
                let page = names.list(&root, at.as_ref(), limit).await.unwrap();
                let Some(last) = page.last() else { break };
                at = Some(last.key.clone());
                assert!(page.len() <= limit);
                listed.extend(page.into_iter().map(|it| it.key));
            }
            let expected: Vec<_> = map.into_keys().filter(|key| after.as_ref().is_none_or(|it| key > it)).collect();
            assert_eq!(listed, expected);
        });
    }
}
