//! What is staged over the weakened object store, so that another process can go on with it.
//!
//! A session is a record (`s/k/<key>`, or `s/u/<id>` for an ingest without a key) that names its holder, how far the
//! bytes were hashed, and its parts (`p/<session>/<id>/<nonce>`). It is changed on the tag that was read: who takes over
//! writes another holder into it, and the earlier one loses with its next write. A spent session with a key stays as a
//! tombstone, for another may use the key; one without is deleted, for its id never comes back.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;

use super::bucket::{Object, Request, no_answer};
use super::record::{Refusal, delete, put_if};
use super::store::{Process, WeakStore, nanos, time};
use crate::{Digest, Error, ErrorKind, Hasher, IngestKey, IngestPlan, Result, Staging, Takeover};

mod ingest;

use ingest::WeakIngest;

const SESSIONS: &str = "s/";
const PARTS: &str = "p/";

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
    hasher: Hasher,
    /// Keys of objects, in order.
    parts: Vec<String>,
}

/// Begins a session, or goes on with an idle one.
pub(super) async fn begin(process: &Arc<Process>, plan: IngestPlan) -> Result<Staging> {
    let Some(key) = &plan.key else {
        let session = Session::new(process, &plan);
        let name = format!("u/{:032x}", session.id);
        return Ok(mine(process, name, session, None, plan));
    };
    let name = format!("k/{key}");
    for _ in 0..ATTEMPTS {
        let (seen, tag) = read(process, &name).await?;
        let session = match seen {
            Some(session) if is_held(process, &name, &session) => return Ok(Staging::Busy),
            Some(session) => session.taken_by(process),
            None => Session::new(process, &plan),
        };
        match write(process, &name, tag, Some(&session)).await {
            Ok(tag) => return Ok(mine(process, name, session, Some(tag), plan)),
            Err(Refusal::Changed) => {}
            Err(Refusal::Failed(error)) => return Err(error),
        }
    }
    Err(contended(&name))
}

/// Goes on with a session.
pub(super) async fn resume(process: &Arc<Process>, key: &IngestKey, takeover: Takeover) -> Result<Staging> {
    let name = format!("k/{key}");
    for _ in 0..ATTEMPTS {
        let (seen, tag) = read(process, &name).await?;
        let Some(session) = seen else {
            return Ok(Staging::None);
        };
        if takeover == Takeover::IfIdle && is_held(process, &name, &session) {
            return Ok(Staging::Busy);
        }
        let session = session.taken_by(process);
        match write(process, &name, tag, Some(&session)).await {
            Ok(tag) => {
                let plan = IngestPlan::new(session.hasher.algorithm()).with_key(key.clone());
                return Ok(mine(process, name, session, Some(tag), plan));
            }
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
        for (key, _) in page {
            let name = &key[SESSIONS.len()..];
            let (seen, tag) = read(process, name).await?;
            let Some(session) = seen else {
                // A spent one without a key, which a crash left.
                if tag.is_some() && name.starts_with("u/") {
                    delete(&process.bucket, key.clone()).await?;
                }
                continue;
            };
            let lives = process.held().get(name) == Some(&session.holder);
            if lives || session.touched >= idle_since {
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

fn mine(
    process: &Arc<Process>,
    name: String,
    session: Session,
    tag: Option<u64>,
    plan: IngestPlan,
) -> Staging {
    process.held().insert(name.clone(), session.holder);
    Staging::Mine(Box::new(WeakIngest::new(
        Arc::clone(process),
        name,
        session,
        tag,
        plan,
    )))
}

/// Whether a living holder writes to a session. One of this process is known; of others we see when they last wrote.
fn is_held(process: &Process, name: &str, session: &Session) -> bool {
    if process.is_ours(session.holder) {
        process.held().get(name) == Some(&session.holder)
    } else {
        session.touched + WeakStore::IDLE > process.clock().now()
    }
}

/// A session, if it is open, and the tag of its record, if there is one.
async fn read(process: &Process, name: &str) -> Result<(Option<Session>, Option<u64>)> {
    let key = format!("{SESSIONS}{name}");
    let Some(object) = process.bucket.get(&key).await? else {
        return Ok((None, None));
    };
    let tag = Some(object.tag);
    if object.body.starts_with(b"spent ") {
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
    let body = session.map_or_else(
        || format!("spent {nonce:032x}").into(),
        |session| session.body(nonce),
    );
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
    fn new(process: &Process, plan: &IngestPlan) -> Self {
        Self {
            id: process.nonces.next(),
            holder: process.holder(),
            touched: process.clock().now(),
            hasher: plan
                .digest
                .map_or(plan.algorithm, |digest| digest.algorithm())
                .hasher(),
            parts: Vec::new(),
        }
    }

    fn taken_by(mut self, process: &Process) -> Self {
        self.holder = process.holder();
        self.touched = process.clock().now();
        self
    }

    fn body(&self, nonce: u128) -> Bytes {
        let mut text = format!(
            "open {:032x} {:032x} {} {nonce:032x}\n",
            self.id,
            self.holder,
            nanos(self.touched)
        );
        for byte in self.hasher.save() {
            write!(text, "{byte:02x}").expect("because a String takes any text");
        }
        for part in &self.parts {
            text.push('\n');
            text.push_str(part);
        }
        text.into()
    }

    fn parse(object: &Object) -> Option<Self> {
        let mut lines = std::str::from_utf8(&object.body).ok()?.split('\n');
        let mut words = lines.next()?.strip_prefix("open ")?.split(' ');
        let mut id = || u128::from_str_radix(words.next()?, 16).ok();
        let (id, holder) = (id()?, id()?);
        let touched = time(words.next()?)?;
        let checkpoint = lines.next()?.as_bytes().chunks(2).map(|pair| {
            let digits = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(digits, 16).ok()
        });
        let hasher = Hasher::restore(&checkpoint.collect::<Option<Vec<_>>>()?).ok()?;
        Some(Self {
            id,
            holder,
            touched,
            hasher,
            parts: lines.map(str::to_owned).collect(),
        })
    }
}
