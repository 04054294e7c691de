//! Keys that a store may confuse.

use super::{get, is, key, put};
use crate::suite::failure::{Outcome, equal, holds};
use crate::suite::fixture::NamesFixture;
use crate::{Key, Listed, Names, When};

/// Keys that differ only in case, in what a file system or a URL escapes, or by a prefix.
pub(super) const LOOKALIKES: &[&str] = &[
    "a", "A", "a/a", "a/A", "A/a", "A/A", "a.", "a..", ".a", "..a", "a!", "a%2F", "a%2f", "a%", "%61", "a-",
    "a~", "a0", "aa", "a\\a", "a:a", "a*", "a?", "a\"", "a<", "a>", "a|", "a'", "a#a", "a&a", "a+a", "con",
    "CON", "con.txt", "nul", "a.tmp", "a.lock", "...", "-", "_", "~", "!", "%", "%2E", "%2E%2E", "$a", "a;a",
    "(a)", "[a]",
];

/// Keys that look alike are different records.
pub async fn lookalike_keys<F: NamesFixture>(fixture: &F) -> Outcome {
    let names = fixture.open().await?;
    let mut entries = Vec::new();
    for text in LOOKALIKES {
        is(&*names, &key(text)?, None).await?;
        entries.push((key(text)?, put(&*names, text, text.as_bytes()).await?));
    }
    for (key, entry) in &entries {
        is(&*names, key, Some(entry)).await?;
    }
    for (index, (key, entry)) in entries.iter().enumerate() {
        names.remove(key, When::Is(entry.version.clone())).await?;
        for (other, entry) in &entries[index + 1..] {
            is(&*names, other, Some(entry)).await?;
        }
    }
    Ok(())
}

/// A record may lie below another; each comes and goes on its own, in either order.
pub async fn nested_keys<F: NamesFixture>(fixture: &F) -> Outcome {
    let names = fixture.open().await?;
    let texts = ["n", "n/n", "n/n/n", "n/n/n/n"];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]] {
        let mut entries = Vec::new();
        for index in order {
            entries.push((
                key(texts[index])?,
                put(&*names, texts[index], texts[index]).await?,
            ));
        }
        for (at, (key, _)) in entries.iter().enumerate() {
            names.remove(key, When::Always).await?;
            is(&*names, key, None).await?;
            for (other, entry) in &entries[at + 1..] {
                is(&*names, other, Some(entry)).await?;
            }
        }
    }
    Ok(())
}

/// Any text can be a segment once it is escaped, and is found again by a listing.
pub async fn escaped_segments<F: NamesFixture>(fixture: &F) -> Outcome {
    let names = fixture.open().await?;
    let under = key("escaped")?;
    let mut texts = vec![
        "library/debian",
        "v1/x",
        ".",
        "..",
        "a b",
        "ä",
        "\n",
        "100%",
        "%2F",
        "/",
        "日本",
        "a/b/",
        "\u{7f}",
    ];
    for text in &texts {
        names
            .put(&under.join_escaped(text)?, (*text).into(), When::Absent)
            .await?;
    }
    for text in &texts {
        equal(
            &get(&*names, &under.join_escaped(text)?).await?.bytes,
            &(*text).into(),
            "an escaped record",
        )?;
    }
    fixture.settle().await;
    let listed = all_below(&*names, &under).await?;
    let mut found: Vec<_> = listed
        .iter()
        .filter_map(|listed| listed.key.last_unescaped())
        .collect();
    found.sort_unstable();
    texts.sort_unstable();
    equal(
        &found,
        &texts.iter().map(ToString::to_string).collect(),
        "the texts of escaped keys",
    )
}

/// The longest segments, the longest key and the deepest key can be put, listed and removed.
pub async fn longest_keys<F: NamesFixture>(fixture: &F) -> Outcome {
    let names = fixture.open().await?;
    let segment = "L".repeat(255);
    let texts = [
        segment.clone(),
        [&*segment; 4].join("/"),
        format!("x/{}", ["%2"; 340].join("/")),
        format!("x/{}d", "d/".repeat(510)),
        format!("x/{}", "~".repeat(255)),
    ];
    for text in &texts {
        let entry = put(&*names, text, "bytes").await?;
        is(&*names, &key(text)?, Some(&entry)).await?;
    }
    fixture.settle().await;
    equal(
        &all_below(&*names, &key("x")?).await?.len(),
        &3,
        "how many long keys are listed",
    )?;
    for text in &texts {
        names.remove(&key(text)?, When::Always).await?;
        is(&*names, &key(text)?, None).await?;
    }
    Ok(())
}

/// All records below a key, a hundred at a time.
pub(super) async fn all_below(names: &dyn Names, under: &Key) -> Outcome<Vec<Listed>> {
    let mut found: Vec<Listed> = Vec::new();
    loop {
        let after = found.last().map(|listed| listed.key.clone());
        let page = names.list(under, after.as_ref(), 100).await?;
        if page.is_empty() {
            return Ok(found);
        }
        found.extend(page);
        let in_order = found.is_sorted_by(|one, next| one.key < next.key);
        holds(
            in_order,
            "a listing gives each key once, in the order of their bytes",
        )?;
    }
}
