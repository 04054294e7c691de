//! What a listing gives, in which order, and page by page.

use std::collections::BTreeMap;

use super::keys::{LOOKALIKES, all_below};
use super::{is, key, put};
use crate::suite::failure::{Outcome, equal, holds};
use crate::suite::fixture::NamesFixture;
use crate::{Entry, Key, Names, When};

/// Keys around `u`, of which only those below it are listed: neighbours in the order of bytes, deeper ones, and
/// records that are also the parents of others.
const AROUND: &[&str] = &[
    "t/z",
    "u",
    "u!",
    "u!/a",
    "u-",
    "u-/a",
    "u.",
    "u./a",
    "u0",
    "u0/a",
    "U",
    "U/a",
    "u%2Fa",
    "uu/a",
    "v/a",
    "u/a",
    "u/A",
    "u/a-b",
    "u/a/b",
    "u/a.b",
    "u/a0",
    "u/a!",
    "u/a~",
    "u/aa",
    "u/A/b",
    "u/a/b/c",
    "u/a/b-c",
    "u/a/b/c/d/e",
    "u/b%2Fc",
    "u/b/c",
    "u/!",
    "u/~",
    "u/%",
    "u/10",
    "u/9",
    "u/z",
];

/// A listing gives the records below a key at any depth, not the key itself, in the order of the bytes of the keys.
pub async fn list_order<F: NamesFixture>(fixture: &F) -> Outcome {
    let names = fixture.open().await?;
    let entries = fill(&*names, AROUND).await?;
    fixture.settle().await;
    for text in ["u", "u/a", "u/a/b", "u/A", "u!", "U", "u0", "t", "v", "uu"] {
        let under = key(text)?;
        let listed = all_below(&*names, &under).await?;
        let keys: Vec<_> = listed.iter().map(|listed| listed.key.as_str()).collect();
        equal(
            &keys,
            &below(&entries, &under),
            &format!("the keys below {under}"),
        )?;
        for listed in &listed {
            let entry = listed.entry.as_ref();
            holds(
                entry.is_none() || entry == entries.get(&listed.key),
                "an entry that comes along in a listing is the record",
            )?;
        }
    }
    Ok(())
}

/// Nothing is listed below a key below which there is nothing.
pub async fn list_of_nothing<F: NamesFixture>(fixture: &F) -> Outcome {
    let names = fixture.open().await?;
    equal(
        &names.list(&key("u")?, None, 10).await?,
        &vec![],
        "a listing of no records",
    )?;
    fill(&*names, AROUND).await?;
    fixture.settle().await;
    for text in ["none", "u/none", "u/z", "u-/a", "u/a/b/c/d/e", "t/z/z"] {
        equal(
            &names.list(&key(text)?, None, 10).await?,
            &vec![],
            "a listing below a leaf",
        )?;
    }
    Ok(())
}

/// Page by page a listing gives each record once, for every size of page.
pub async fn list_pages<F: NamesFixture>(fixture: &F) -> Outcome {
    let names = fixture.open().await?;
    let mut entries = fill(&*names, AROUND).await?;
    entries.extend(fill_below(&*names, "u/look", LOOKALIKES).await?);
    fixture.settle().await;
    let under = key("u")?;
    let expected = below(&entries, &under);
    for limit in [
        1,
        2,
        3,
        7,
        expected.len() - 1,
        expected.len(),
        expected.len() + 1,
        usize::MAX,
    ] {
        let mut found: Vec<Key> = Vec::new();
        loop {
            let page = names.list(&under, found.last(), limit).await?;
            holds(page.len() <= limit, "a page has no more than was asked for")?;
            if page.is_empty() {
                break;
            }
            found.extend(page.into_iter().map(|listed| listed.key));
            holds(found.len() <= expected.len(), "a listing comes to an end")?;
        }
        let found: Vec<_> = found.iter().map(Key::as_str).collect();
        equal(&found, &expected, &format!("a listing in pages of {limit}"))?;
    }
    Ok(())
}

/// A listing begins behind any key: one that is there, one that is not, one that lies before or behind all.
pub async fn list_after<F: NamesFixture>(fixture: &F) -> Outcome {
    let names = fixture.open().await?;
    let entries = fill(&*names, AROUND).await?;
    fixture.settle().await;
    let under = key("u")?;
    let places = [
        "!", "t/z", "u", "u/!", "u/a", "u/a/b", "u/a/b/a", "u/a/bb", "u/b", "u/zz", "u0", "v", "U/a",
        "u/a/~", "u!/a",
    ];
    for text in AROUND.iter().copied().chain(places) {
        let after = key(text)?;
        let expected: Vec<_> = below(&entries, &under)
            .into_iter()
            .filter(|key| *key > text)
            .collect();
        let mut found = Vec::new();
        let mut last = after.clone();
        loop {
            let page = names.list(&under, Some(&last), 5).await?;
            let Some(end) = page.last() else { break };
            last = end.key.clone();
            found.extend(page.into_iter().map(|listed| listed.key.to_string()));
            holds(found.len() <= expected.len(), "a listing comes to an end")?;
        }
        equal(
            &found,
            &expected.iter().map(ToString::to_string).collect(),
            &format!("what lies behind {after}"),
        )?;
    }
    Ok(())
}

/// A record that was removed is listed no more, and one that was changed is listed as it is.
pub async fn list_of_changes<F: NamesFixture>(fixture: &F) -> Outcome {
    let names = fixture.open().await?;
    let mut entries = fill(&*names, AROUND).await?;
    for (count, text) in AROUND.iter().enumerate() {
        if count % 3 == 0 {
            names.remove(&key(text)?, When::Always).await?;
            entries.remove(&key(text)?);
        } else if count % 3 == 1 {
            entries.insert(key(text)?, put(&*names, text, "changed").await?);
        }
    }
    fixture.settle().await;
    let under = key("u")?;
    let listed = all_below(&*names, &under).await?;
    let keys: Vec<_> = listed.iter().map(|listed| listed.key.as_str()).collect();
    equal(&keys, &below(&entries, &under), "the keys after changes")?;
    for listed in &listed {
        let entry = listed.entry.as_ref();
        holds(
            entry.is_none() || entry == entries.get(&listed.key),
            "a listing gives the record as it is",
        )?;
        is(&*names, &listed.key, entries.get(&listed.key)).await?;
    }
    Ok(())
}

/// Records that come and go between two pages do not move the others.
pub async fn list_while_changing<F: NamesFixture>(fixture: &F) -> Outcome {
    let names = fixture.open().await?;
    let under = key("w")?;
    let stay: Vec<_> = (10..40).map(|number| format!("w/{number}")).collect();
    for text in &stay {
        put(&*names, text, "stays").await?;
        put(&*names, &format!("{text}/goes"), "goes").await?;
    }
    fixture.settle().await;
    let mut found: Vec<Key> = Vec::new();
    loop {
        // Pages of three: some end with a record that goes, some with one that stays.
        let page = names.list(&under, found.last(), 3).await?;
        let Some(last) = page.last() else { break };
        let last = last.key.clone();
        // Behind and before where the listing is, and what it goes on from.
        for listed in &page {
            if listed.key.as_str().ends_with("/goes") {
                names.remove(&listed.key, When::Always).await?;
            }
        }
        put(&*names, "w/00", "comes").await?;
        put(&*names, &format!("{}0", page[0].key), "comes").await?;
        found.extend(page.into_iter().map(|listed| listed.key));
        equal(&found.last(), &Some(&last), "the last key of a page")?;
        holds(found.len() <= 200, "a listing comes to an end")?;
    }
    let found: Vec<_> = found.iter().map(Key::as_str).collect();
    holds(
        found.is_sorted(),
        "a listing goes on in order while records come and go",
    )?;
    for text in &stay {
        let times = found.iter().filter(|found| *found == text).count();
        equal(&times, &1, "how often a record that stays is listed")?;
    }
    Ok(())
}

async fn fill(names: &dyn Names, texts: &[&str]) -> Outcome<BTreeMap<Key, Entry>> {
    let mut entries = BTreeMap::new();
    // Not in their order.
    for text in texts.iter().rev() {
        entries.insert(key(text)?, put(names, text, text.as_bytes().to_vec()).await?);
    }
    Ok(entries)
}

async fn fill_below(names: &dyn Names, under: &str, texts: &[&str]) -> Outcome<BTreeMap<Key, Entry>> {
    let texts: Vec<_> = texts.iter().map(|text| format!("{under}/{text}")).collect();
    fill(names, &texts.iter().map(String::as_str).collect::<Vec<_>>()).await
}

/// The keys below another by the plainest reading: texts that begin with it and `/`, sorted by bytes.
fn below<'a>(entries: &'a BTreeMap<Key, Entry>, under: &Key) -> Vec<&'a str> {
    let prefix = format!("{under}/");
    let mut keys: Vec<_> = entries
        .keys()
        .map(Key::as_str)
        .filter(|key| key.starts_with(&prefix))
        .collect();
    keys.sort_unstable_by_key(|key| key.as_bytes());
    keys
}
