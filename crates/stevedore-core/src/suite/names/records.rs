//! One record: its states, versions and conditions.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::{get, is, key, put};
use crate::suite::body::content;
use crate::suite::failure::{Outcome, equal, holds, refused};
use crate::suite::fixture::NamesFixture;
use crate::{Entry, ErrorKind, RECORD_LIMIT, Version, When};

/// A record that never was is absent, and no error.
pub async fn absent_record<F: NamesFixture>(fixture: &F) -> Outcome {
    let names = fixture.open().await?;
    put(&*names, "another", "bytes").await?;
    let key = key("absent/record")?;
    is(&*names, &key, None).await?;
    names.remove(&key, When::Always).await?;
    names.remove(&key, When::Absent).await?;
    is(&*names, &key, None).await
}

/// What was put is what is got, under the version that put gave: no bytes, any bytes, many bytes.
pub async fn put_and_get<F: NamesFixture>(fixture: &F) -> Outcome {
    let names = fixture.open().await?;
    let all: Vec<u8> = (0..=255).collect();
    let contents = [
        Bytes::new(),
        Bytes::from(all),
        content("many", 300_000),
        Bytes::from("\r\n\0"),
        Bytes::new(),
    ];
    for bytes in contents {
        let entry = put(&*names, "record", bytes).await?;
        for _ in 0..2 {
            is(&*names, &key("record")?, Some(&entry)).await?;
        }
    }
    Ok(())
}

/// A put succeeds on a condition that holds.
pub async fn put_on_a_condition<F: NamesFixture>(fixture: &F) -> Outcome {
    let names = fixture.open().await?;
    let key = key("conditional")?;
    let first = names.put(&key, "first".into(), When::Absent).await?;
    is(&*names, &key, Some(&Entry::new("first".into(), first.clone()))).await?;
    let second = names.put(&key, "second".into(), When::Is(first)).await?;
    let third = names.put(&key, "third".into(), When::Is(second)).await?;
    is(&*names, &key, Some(&Entry::new("third".into(), third))).await?;
    names.put(&key, "fourth".into(), When::Always).await?;
    let seen = names.get(&key).await?;
    names
        .put(&key, "fifth".into(), When::unchanged(seen.as_ref()))
        .await?;
    equal(
        &get(&*names, &key).await?.bytes,
        &Bytes::from("fifth"),
        "a record put as it was seen",
    )
}

/// A put on a condition that does not hold is a conflict and leaves the record.
pub async fn put_conflicts<F: NamesFixture>(fixture: &F) -> Outcome {
    let names = fixture.open().await?;
    let key = key("contended")?;
    let foreign = put(&*names, "elsewhere", "bytes").await?.version;
    let result = names.put(&key, "x".into(), When::Is(foreign.clone())).await;
    refused(
        result,
        ErrorKind::Conflict,
        "a put on a version of a record that is absent",
    )?;
    is(&*names, &key, None).await?;

    let stale = names.put(&key, "old".into(), When::Absent).await?;
    let entry = put(&*names, "contended", "new").await?;
    for when in [
        When::Absent,
        When::Is(stale),
        When::Is(foreign),
        When::Is(Version::new("?")),
    ] {
        let what = format!("a put on {when:?}");
        for bytes in ["other", "new"] {
            let result = names.put(&key, bytes.into(), when.clone()).await;
            refused(result, ErrorKind::Conflict, &what)?;
        }
        is(&*names, &key, Some(&entry)).await?;
    }
    Ok(())
}

/// A remove succeeds on a condition that holds, and the record can be put again.
pub async fn remove_on_a_condition<F: NamesFixture>(fixture: &F) -> Outcome {
    let names = fixture.open().await?;
    let key = key("removed")?;
    let entry = put(&*names, "removed", "bytes").await?;
    names.remove(&key, When::Is(entry.version)).await?;
    is(&*names, &key, None).await?;
    let version = names.put(&key, "again".into(), When::Absent).await?;
    is(&*names, &key, Some(&Entry::new("again".into(), version))).await?;
    names.remove(&key, When::Always).await?;
    is(&*names, &key, None).await
}

/// A remove on a condition that does not hold is a conflict and leaves the record.
pub async fn remove_conflicts<F: NamesFixture>(fixture: &F) -> Outcome {
    let names = fixture.open().await?;
    let key = key("kept")?;
    let stale = put(&*names, "kept", "bytes").await?.version;
    let entry = put(&*names, "kept", "bytes").await?;
    for when in [When::Absent, When::Is(stale.clone()), When::Is(Version::new("?"))] {
        let what = format!("a remove on {when:?}");
        refused(names.remove(&key, when).await, ErrorKind::Conflict, &what)?;
        is(&*names, &key, Some(&entry)).await?;
    }
    names.remove(&key, When::Is(entry.version.clone())).await?;
    for version in [stale, entry.version] {
        let result = names.remove(&key, When::Is(version)).await;
        refused(
            result,
            ErrorKind::Conflict,
            "a remove on a version of a record that is gone",
        )?;
    }
    is(&*names, &key, None).await
}

/// A record never has one version twice: not for equal bytes, not after it was removed, not after a restart.
pub async fn versions_never_repeat<F: NamesFixture>(fixture: &F) -> Outcome {
    let key = key("versions")?;
    let mut seen = BTreeSet::new();
    for _ in 0..3 {
        let names = fixture.open().await?;
        for round in 0..20 {
            let version = names.put(&key, "equal".into(), When::Always).await?;
            holds(
                seen.insert(version.as_str().to_owned()),
                "a version never repeats",
            )?;
            match round % 4 {
                0 => names.remove(&key, When::Always).await?,
                1 => names.remove(&key, When::Is(version)).await?,
                _ => {}
            }
        }
        names.remove(&key, When::Always).await?;
    }
    Ok(())
}

/// A version that was read before a record was removed and put again, with equal bytes, is stale.
pub async fn earlier_version_is_stale<F: NamesFixture>(fixture: &F) -> Outcome {
    let names = fixture.open().await?;
    let key = key("reborn")?;
    let before = put(&*names, "reborn", "bytes").await?;
    names.remove(&key, When::Always).await?;
    let after = put(&*names, "reborn", "bytes").await?;
    let result = names
        .put(&key, "late".into(), When::unchanged(Some(&before)))
        .await;
    refused(
        result,
        ErrorKind::Conflict,
        "a put on a version from before a removal",
    )?;
    let result = names.remove(&key, When::unchanged(Some(&before))).await;
    refused(
        result,
        ErrorKind::Conflict,
        "a remove on a version from before a removal",
    )?;
    is(&*names, &key, Some(&after)).await
}

/// A record has at most [`RECORD_LIMIT`] bytes.
pub async fn record_limit<F: NamesFixture>(fixture: &F) -> Outcome {
    let names = fixture.open().await?;
    let key = key("large")?;
    let entry = put(&*names, "large", content("large", RECORD_LIMIT)).await?;
    is(&*names, &key, Some(&entry)).await?;
    let result = names
        .put(&key, content("too large", RECORD_LIMIT + 1), When::Always)
        .await;
    refused(result, ErrorKind::TooLarge, "a record beyond the limit")?;
    is(&*names, &key, Some(&entry)).await
}

/// Records and their versions outlive a restart, and their absence too.
pub async fn records_outlive_a_restart<F: NamesFixture>(fixture: &F) -> Outcome {
    let names = fixture.open().await?;
    let kept = put(&*names, "kept/record", "bytes").await?;
    put(&*names, "removed/record", "bytes").await?;
    names.remove(&key("removed/record")?, When::Always).await?;
    drop(names);
    let names = fixture.open().await?;
    is(&*names, &key("kept/record")?, Some(&kept)).await?;
    is(&*names, &key("removed/record")?, None).await?;
    names
        .put(&key("kept/record")?, "later".into(), When::Is(kept.version))
        .await?;
    names
        .put(&key("removed/record")?, "again".into(), When::Absent)
        .await?;
    Ok(())
}
