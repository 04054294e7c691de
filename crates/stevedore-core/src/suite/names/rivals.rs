//! Several that change one record at once.

use std::sync::Arc;

use super::{get, is, key, put};
use crate::suite::failure::{Failure, Outcome, equal, holds};
use crate::suite::fixture::NamesFixture;
use crate::suite::run::{BoxFuture, interleave};
use crate::suite::yielding::Yielding;
use crate::{Entry, ErrorKind, Key, Names, Result, When};

/// How many orders are tried.
const SEEDS: u64 = 20;

/// How many rivals there are.
const RIVALS: usize = 6;

/// Of several puts on one condition exactly one wins, the others conflict, and the record is the winner's.
pub async fn one_put_wins<F: NamesFixture>(fixture: &F) -> Outcome {
    let (inner, slow) = slowed(fixture).await?;
    for seed in 0..SEEDS {
        let key = key(&format!("won/{seed}"))?;
        let mut when = When::Absent;
        for _ in 0..2 {
            let puts = (0..RIVALS).map(|rival| {
                let put = slow[rival % slow.len()].put(&key, rival.to_string().into(), when.clone());
                Box::pin(put) as BoxFuture<'_, _>
            });
            let results = interleave(seed, puts.collect()).await;
            let (rival, version) = only_winner(results)?;
            let entry = Entry::new(rival.to_string().into(), version);
            is(&*inner, &key, Some(&entry)).await?;
            when = When::Is(entry.version);
        }
    }
    Ok(())
}

/// Of several removes and puts on one version exactly one wins.
pub async fn one_change_wins<F: NamesFixture>(fixture: &F) -> Outcome {
    let (inner, slow) = slowed(fixture).await?;
    for seed in 0..SEEDS {
        let key = key("changed")?;
        let seen = put(&*inner, "changed", "seen").await?;
        let when = When::Is(seen.version);
        let changes = (0..RIVALS).map(|rival| -> BoxFuture<'_, Result<bool>> {
            let (names, key, when) = (Arc::clone(&slow[rival % slow.len()]), key.clone(), when.clone());
            Box::pin(async move {
                if rival % 2 == 0 {
                    names.remove(&key, when).await.map(|()| false)
                } else {
                    names.put(&key, "changed".into(), when).await.map(|_| true)
                }
            })
        });
        let (_, left) = only_winner(interleave(seed, changes.collect()).await)?;
        let found = inner.get(&key).await?;
        equal(
            &found.map(|entry| entry.bytes),
            &left.then(|| "changed".into()),
            "the winner's record",
        )?;
    }
    Ok(())
}

/// Nothing is lost when several read a record, change it, and put it as they saw it, again on a conflict.
pub async fn increments<F: NamesFixture>(fixture: &F) -> Outcome {
    const EACH: u32 = 10;
    let (inner, slow) = slowed(fixture).await?;
    for seed in 0..4 {
        let key = key(&format!("count/{seed}"))?;
        let counters = (0..RIVALS).map(|rival| -> BoxFuture<'_, Outcome<u32>> {
            let (names, key) = (Arc::clone(&slow[rival % slow.len()]), key.clone());
            Box::pin(async move {
                let mut conflicts = 0;
                for _ in 0..EACH {
                    while !increment(&*names, &key).await? {
                        conflicts += 1;
                        holds(
                            conflicts < 100_000,
                            "a put as a record was seen succeeds in the end",
                        )?;
                    }
                }
                Ok(conflicts)
            })
        });
        for counted in interleave(seed, counters.collect()).await {
            counted?;
        }
        let total = format!("{}", RIVALS * EACH as usize);
        equal(
            &get(&*inner, &key).await?.bytes,
            &total.into(),
            "the sum of increments",
        )?;
    }
    Ok(())
}

/// Who reads while a record is put and removed gets one of its states, whole, with the version of that state.
pub async fn readers_see_states<F: NamesFixture>(fixture: &F) -> Outcome {
    let (inner, slow) = slowed(fixture).await?;
    let key = key("read")?;
    for seed in 0..SEEDS {
        let mut rivals: Vec<BoxFuture<'_, Outcome<Vec<Entry>>>> = Vec::new();
        for rival in 0..RIVALS {
            let (names, key) = (Arc::clone(&slow[rival % slow.len()]), &key);
            if rival % 3 == 0 {
                rivals.push(Box::pin(async move {
                    let mut written = Vec::new();
                    for round in 0..4_usize {
                        let bytes = bytes::Bytes::from(vec![b'x'; (rival + round) * 100]);
                        let version = names.put(key, bytes.clone(), When::Always).await?;
                        written.push(Entry::new(bytes, version));
                        if round == 2 {
                            names.remove(key, When::Always).await?;
                        }
                    }
                    Ok(written)
                }));
            } else {
                rivals.push(Box::pin(async move {
                    let mut seen = Vec::new();
                    for _ in 0..6 {
                        seen.extend(names.get(key).await?);
                    }
                    Ok(seen)
                }));
            }
        }
        let mut outcomes = interleave(seed, rivals).await.into_iter().enumerate();
        let (mut written, mut seen) = (Vec::new(), Vec::new());
        outcomes.try_for_each(|(rival, outcome)| -> Outcome {
            if rival % 3 == 0 { &mut written } else { &mut seen }.extend(outcome?);
            Ok(())
        })?;
        holds(
            seen.iter().all(|entry| written.contains(entry)),
            "a reader gets a state that was written",
        )?;
        inner.remove(&key, When::Always).await?;
    }
    Ok(())
}

async fn increment(names: &dyn Names, key: &Key) -> Outcome<bool> {
    let seen = names.get(key).await?;
    let text = seen
        .as_ref()
        .map_or("0".into(), |entry| String::from_utf8_lossy(&entry.bytes));
    let count: u32 = text
        .parse()
        .map_err(|_| Failure::new(format!("record {key} holds {text:?}")))?;
    match names
        .put(
            key,
            (count + 1).to_string().into(),
            When::unchanged(seen.as_ref()),
        )
        .await
    {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::Conflict => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The one that succeeded, and what it got; the others must have met a conflict.
fn only_winner<T>(results: Vec<Result<T>>) -> Outcome<(usize, T)> {
    let mut winner = None;
    for (rival, result) in results.into_iter().enumerate() {
        match result {
            Ok(output) => {
                holds(winner.is_none(), "exactly one of several wins on one condition")?;
                winner = Some((rival, output));
            }
            Err(error) if error.kind() == ErrorKind::Conflict => {}
            Err(error) => return Err(error.into()),
        }
    }
    winner.ok_or_else(|| Failure::new("none of several won on a condition that held"))
}

/// An instance, and one or two that are suspended around every operation.
async fn slowed<F: NamesFixture>(fixture: &F) -> Outcome<(Arc<dyn Names>, Vec<Arc<dyn Names>>)> {
    let inner = fixture.open().await?;
    let mut slow: Vec<Arc<dyn Names>> = vec![Arc::new(Yielding::new(Arc::clone(&inner)))];
    if fixture.side_by_side() {
        slow.push(Arc::new(Yielding::new(fixture.open().await?)));
    }
    Ok((inner, slow))
}
