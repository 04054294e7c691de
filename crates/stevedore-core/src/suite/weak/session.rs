//! What is staged over the weakened object store, so that another process can go on with it.
//!
//! A session is a record (`s/k/<key>`, or `s/u/<id>` for an ingest without a key) that names its holder, how far the
//! bytes were hashed, and its parts (`p/<session>/<id>/<nonce>`). It is changed on the tag that was read: who takes over
//! writes another holder into it, and the earlier one loses with its next write. A spent session with a key stays as a
//! tombstone, for another may use the key; one without is deleted, for its id never comes back.

use std::str::FromStr;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

use super::bucket::{Object, Request, no_answer};
use super::record::{Refusal, delete, put_if};
use super::store::{Holder, Process, WeakStore, nanos, time};
use crate::{Digest, Error, ErrorKind, Hasher, IngestKey, IngestPlan, Result, Staging, Takeover};

mod ingest;

use ingest::WeakIngest;

const SESSIONS: &str = "s/";
const PARTS: &str = "p/";

/// The first byte of a session's record.
const OPEN: u8 = b'+';
const SPENT: u8 = b'-';

/// Objects asked for in one list.
const PAGE: usize = 100;

/// How often something that lost against others begins again.
const ATTEMPTS: usize = 64;

/// The state of an open session.
#[derive(Clone, Debug)]
struct Session {
    /// One session's, though its key may serve many.
    id: u128,
    holder: u128,
    touched: SystemTime,
    /// What is expected of the bytes, without the key.
    plan: IngestPlan,
    hasher: Hasher,
    /// Keys of objects, in order.
    parts: Vec<String>,
}

/// Begins a session, or goes on with an idle one.
pub(super) async fn begin(process: &Arc<Process>, mut plan: IngestPlan) -> Result<Staging> {
    // Alive before its name is on record: else another task would take it for a dead one.
    let holder = process.holder();
    let Some(key) = plan.key.take() else {
        let session = Session::new(process, &holder, plan);
        let name = format!("u/{:032x}", session.id);
        return Ok(mine(holder, process, name, session, None));
    };
    let name = format!("k/{key}");
    for _ in 0..ATTEMPTS {
        let (seen, tag) = read(process, &name).await?;
        let session = match seen {
            Some(session) if is_held(process, &session) => return Ok(Staging::Busy),
            Some(session) => Session {
                plan: plan.clone(),
                ..session.taken_by(process, &holder)
            },
            None => Session::new(process, &holder, plan.clone()),
        };
        match write(process, &name, tag, Some(&session)).await {
            Ok(tag) => return Ok(mine(holder, process, name, session, Some(tag))),
            Err(Refusal::Changed) => {}
            Err(Refusal::Failed(error)) => return Err(error),
        }
    }
    Err(contended(&name))
}

/// Goes on with a session.
pub(super) async fn resume(process: &Arc<Process>, key: &IngestKey, takeover: Takeover) -> Result<Staging> {
    let holder = process.holder();
    let name = format!("k/{key}");
    for _ in 0..ATTEMPTS {
        let (seen, tag) = read(process, &name).await?;
        let Some(session) = seen else {
            return Ok(Staging::None);
        };
        if takeover == Takeover::IfIdle && is_held(process, &session) {
            return Ok(Staging::Busy);
        }
        let session = session.taken_by(process, &holder);
        match write(process, &name, tag, Some(&session)).await {
            Ok(tag) => return Ok(mine(holder, process, name, session, Some(tag))),
            Err(Refusal::Changed) => {}
            Err(Refusal::Failed(error)) => return Err(error),
        }
    }
    Err(contended(&name))
}

/// Ends sessions that nobody wrote to since a time, and deletes parts that no session names. Gives how many went.
pub(super) async fn expire(process: &Process, idle_since: SystemTime) -> Result<u64> {
    let mut gone = 0;
    let mut after = None;
    loop {
        let page = process.bucket.list(SESSIONS, after.as_deref(), PAGE).await;
        let Some((last, _)) = page.last() else {
            break;
        };
        after = Some(last.clone());
        for (key, object) in page {
            let name = &key[SESSIONS.len()..];
            // What the listing shows is late, so whatever is young or spent in it is now no older, or spent. Else
            // all tombstones would be read each time.
            if object.modified >= idle_since || (is_spent(&object) && name.starts_with("k/")) {
                continue;
            }
            let (seen, tag) = read(process, name).await?;
            let Some(session) = seen else {
                // A spent one without a key, which a crash left.
                if tag.is_some() && name.starts_with("u/") {
                    delete(&process.bucket, key.clone()).await?;
                }
                continue;
            };
            if process.knows(session.holder) == Some(true) || session.touched >= idle_since {
                continue;
            }
            // On the tag: a holder that comes back wrote, or loses with its next write.
            match write(process, name, tag, None).await {
                Ok(_) => gone += 1,
                Err(Refusal::Changed) => continue,
                Err(Refusal::Failed(error)) => return Err(error),
            }
            clear(process, name, &session.parts).await?;
        }
    }
    Ok(gone + expire_parts(process, idle_since).await?)
}

async fn expire_parts(process: &Process, idle_since: SystemTime) -> Result<u64> {
    let mut gone = 0;
    let mut after = None;
    loop {
        let page = process.bucket.list(PARTS, after.as_deref(), PAGE).await;
        let Some((last, _)) = page.last() else {
            return Ok(gone);
        };
        after = Some(last.clone());
        for (key, object) in page {
            if object.modified >= idle_since {
                continue;
            }
            let Some((name, id)) = parse_part(&key) else {
                continue;
            };
            let (seen, tag) = read(process, name).await?;
            // A session is written before its first part, and its id never comes back: where it is not on record,
            // it is over.
            if let Some(session) = seen.filter(|session| session.id == id) {
                if session.parts.contains(&key) {
                    continue;
                }
                // Put and not yet named. A fence, as for bytes without a record: the holder's write fails, and it
                // puts the part again.
                match write(process, name, tag, Some(&session)).await {
                    Ok(_) => {}
                    Err(Refusal::Changed) => continue,
                    Err(Refusal::Failed(error)) => return Err(error),
                }
            }
            delete(&process.bucket, key).await?;
            gone += 1;
        }
    }
}

/// Deletes what a session leaves that is spent.
async fn clear(process: &Process, name: &str, parts: &[String]) -> Result<()> {
    for part in parts {
        delete(&process.bucket, part.clone()).await?;
    }
    if name.starts_with("u/") {
        delete(&process.bucket, format!("{SESSIONS}{name}")).await?;
    }
    Ok(())
}

fn mine(holder: Holder, process: &Arc<Process>, name: String, session: Session, tag: Option<u64>) -> Staging {
    let process = Arc::clone(process);
    Staging::Mine(Box::new(WeakIngest::new(holder, process, name, session, tag)))
}

/// Whether a living holder writes to a session. One of this process is known; of others we see when they last wrote.
fn is_held(process: &Process, session: &Session) -> bool {
    process
        .knows(session.holder)
        .unwrap_or_else(|| session.touched + WeakStore::IDLE > process.clock().now())
}

fn is_spent(object: &Object) -> bool {
    object.body.first() == Some(&SPENT)
}

/// A session, if it is open, and the tag of its record, if there is one.
async fn read(process: &Process, name: &str) -> Result<(Option<Session>, Option<u64>)> {
    let key = format!("{SESSIONS}{name}");
    let Some(object) = process.bucket.get(&key).await? else {
        return Ok((None, None));
    };
    let tag = Some(object.tag);
    if is_spent(&object) {
        return Ok((None, tag));
    }
    match Session::parse(&object) {
        Some(session) => Ok((Some(session), tag)),
        None => Err(Error::new(
            ErrorKind::Storage,
            format!("the record {key} is damaged"),
        )),
    }
}

/// Writes the state of a session, or that it is spent, on the tag that was read.
async fn write(
    process: &Process,
    name: &str,
    seen: Option<u64>,
    session: Option<&Session>,
) -> Result<u64, Refusal> {
    let nonce = process.nonces.next();
    let spent = || {
        let mut body = BytesMut::new();
        body.put_u8(SPENT);
        body.put_u128(nonce);
        body.freeze()
    };
    let body = session.map_or_else(spent, |session| session.body(nonce));
    put_if(&process.bucket, &format!("{SESSIONS}{name}"), seen, body).await
}

async fn put_part(process: &Process, key: &str, body: Bytes) -> Result<()> {
    let request = Request::Put {
        key: key.to_owned(),
        body,
        condition: None,
    };
    process.bucket.repeat(request).await.map_err(|_| no_answer(key))
}

/// The digest of what is staged, by another algorithm than the one that ran.
async fn digest_again(process: &Process, parts: &[String], mut hasher: Hasher) -> Result<Digest> {
    for part in parts {
        let object = process.bucket.get(part).await?.ok_or_else(expired)?;
        hasher.update(&object.body);
    }
    Ok(hasher.finish())
}

fn parse_part(key: &str) -> Option<(&str, u128)> {
    let (rest, _nonce) = key.strip_prefix(PARTS)?.rsplit_once('/')?;
    let (name, id) = rest.rsplit_once('/')?;
    Some((name, u128::from_str_radix(id, 16).ok()?))
}

fn contended(name: &str) -> Error {
    Error::new(
        ErrorKind::Conflict,
        format!("others keep changing the session {name}"),
    )
}

fn expired() -> Error {
    Error::new(
        ErrorKind::Conflict,
        "somebody took over what was staged, or it expired",
    )
}

impl Session {
    fn new(process: &Process, holder: &Holder, plan: IngestPlan) -> Self {
        Self {
            id: process.nonces.next(),
            holder: holder.id,
            touched: process.clock().now(),
            hasher: plan
                .digest
                .map_or(plan.algorithm, |digest| digest.algorithm())
                .hasher(),
            plan,
            parts: Vec::new(),
        }
    }

    fn taken_by(mut self, process: &Process, holder: &Holder) -> Self {
        self.holder = holder.id;
        self.touched = process.clock().now();
        self
    }

    /// Fixed fields, big-endian; then the hasher's checkpoint and the keys of the parts, each behind its length.
    fn body(&self, nonce: u128) -> Bytes {
        let mut body = BytesMut::new();
        body.put_u8(OPEN);
        body.put_u128(nonce);
        body.put_u128(self.id);
        body.put_u128(self.holder);
        body.put_u128(nanos(self.touched));
        let plan = &self.plan;
        put_text(&mut body, plan.algorithm.as_str().as_bytes());
        put_text(
            &mut body,
            plan.digest
                .map(|digest| digest.to_string())
                .unwrap_or_default()
                .as_bytes(),
        );
        put_text(
            &mut body,
            plan.size
                .map(|size| size.to_string())
                .unwrap_or_default()
                .as_bytes(),
        );
        put_text(&mut body, &self.hasher.save());
        for part in &self.parts {
            put_text(&mut body, part.as_bytes());
        }
        body.freeze()
    }

    fn parse(object: &Object) -> Option<Self> {
        let mut body = object.body.clone();
        if body.try_get_u8().ok()? != OPEN {
            return None;
        }
        let _nonce = body.try_get_u128().ok()?;
        let (id, holder) = (body.try_get_u128().ok()?, body.try_get_u128().ok()?);
        let touched = time(body.try_get_u128().ok()?)?;
        let mut plan = IngestPlan::new(text(&mut body)?.parse().ok()?);
        plan.digest = known(&text(&mut body)?)?;
        plan.size = known(&text(&mut body)?)?;
        let hasher = Hasher::restore(&field(&mut body)?).ok()?;
        let mut parts = Vec::new();
        while body.has_remaining() {
            parts.push(text(&mut body)?);
        }
        Some(Self {
            id,
            holder,
            touched,
            plan,
            hasher,
            parts,
        })
    }
}

fn put_text(body: &mut BytesMut, text: &[u8]) {
    body.put_u64(text.len() as u64);
    body.put_slice(text);
}

fn field(body: &mut Bytes) -> Option<Bytes> {
    let length = usize::try_from(body.try_get_u64().ok()?).ok()?;
    (length <= body.len()).then(|| body.split_to(length))
}

fn text(body: &mut Bytes) -> Option<String> {
    String::from_utf8(field(body)?.into()).ok()
}

/// What may be left open: the outer `None` is a text that says nothing.
#[expect(
    clippy::option_option,
    reason = "two questions: whether it was said, and what"
)]
fn known<T: FromStr>(text: &str) -> Option<Option<T>> {
    if text.is_empty() {
        return Some(None);
    }
    text.parse().ok().map(Some)
}
