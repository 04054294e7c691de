//! An object store in memory that promises as little as the real ones.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};

use super::weather::{Fate, Weather, pause};
use crate::{Clock, Error, ErrorKind, Result};

/// An object store in memory.
///
/// - Single objects are linearizable: a read sees every write that was answered before it.
/// - A put may name a condition; a delete can not.
/// - A listing shows each object in some state that it had within the `lateness`: it may miss new objects, show old
///   bodies, and show what was deleted.
/// - A request may take effect although its answer is lost, or long after its caller gave up.
#[derive(Debug)]
pub struct Bucket {
    inner: Mutex<Inner>,
    clock: Clock,
    weather: Arc<Weather>,
    lateness: Duration,
}

#[derive(Debug, Default)]
struct Inner {
    /// All states that a listing may still show, oldest first. The last one is the object.
    objects: BTreeMap<String, Vec<State>>,
    late: Vec<Request>,
}

#[derive(Clone, Debug)]
struct State {
    since: SystemTime,
    body: Option<Bytes>,
    /// Of the body, if there is one.
    tag: u64,
}

/// An object as it was read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Object {
    /// Its content.
    pub body: Bytes,
    /// When it was written.
    pub modified: SystemTime,
    /// A hash of its content: two objects with equal content have equal tags.
    pub tag: u64,
}

/// On what condition an object is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IfMatch {
    /// `If-None-Match: *`
    Absent,
    /// `If-Match: tag`
    Tag(u64),
}

/// What can be asked for that has an effect.
#[derive(Clone, Debug)]
pub(super) enum Request {
    Put {
        key: String,
        body: Bytes,
        condition: Option<IfMatch>,
    },
    /// Completes a multipart upload: the parts, one behind the other, become one object.
    Compose {
        key: String,
        parts: Vec<String>,
    },
    Delete {
        key: String,
    },
}

/// Why a request did not give an answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The condition did not hold.
    Precondition,
    /// A part is not there.
    NoPart,
    /// No answer came; whether it took effect is not known.
    NoAnswer,
}

/// How often a read is tried again before its caller hears of it.
const READS: usize = 8;

impl Bucket {
    /// An empty bucket whose listings are late by this much at the most.
    pub fn new(clock: Clock, weather: Arc<Weather>, lateness: Duration) -> Self {
        Self {
            inner: Mutex::default(),
            clock,
            weather,
            lateness,
        }
    }

    /// The clock by which it dates its objects.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// By how much its listings may be late.
    pub fn lateness(&self) -> Duration {
        self.lateness
    }

    /// The keys of all objects that begin with a text, as they are: for tests to look behind the scenes.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        let inner = self.lock();
        let objects = inner.objects.iter().filter(|(key, _)| key.starts_with(prefix));
        objects
            .filter(|(_, states)| current(states).is_some())
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// Lets all requests that are still under way take effect.
    pub fn settle(&self) {
        let mut inner = self.lock();
        for request in std::mem::take(&mut inner.late) {
            // Nobody waits for the answer.
            let _answer = inner.apply(request, self.clock.now(), self.lateness);
        }
    }

    pub(super) fn weather(&self) -> &Weather {
        &self.weather
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Object>> {
        for _ in 0..READS {
            if let Ok(object) = self.try_get(key).await {
                return Ok(object);
            }
        }
        Err(no_answer(key))
    }

    async fn try_get(&self, key: &str) -> Result<Option<Object>, Failure> {
        pause().await;
        self.deliver_late();
        let object = self.lock().objects.get(key).and_then(|states| current(states));
        pause().await;
        match self.weather.fate() {
            Fate::Answered => Ok(object),
            _ => Err(Failure::NoAnswer),
        }
    }

    /// One try: the caller knows what a repeat would mean.
    pub(super) async fn request(&self, request: Request) -> Result<(), Failure> {
        pause().await;
        self.deliver_late();
        let now = self.clock.now();
        let answer = match self.weather.fate() {
            Fate::Answered => self.lock().apply(request, now, self.lateness),
            Fate::AnswerLost => {
                let _answer = self.lock().apply(request, now, self.lateness);
                Err(Failure::NoAnswer)
            }
            Fate::Lost => Err(Failure::NoAnswer),
            Fate::Late => {
                self.lock().late.push(request);
                Err(Failure::NoAnswer)
            }
        };
        pause().await;
        answer
    }

    /// A request on no condition, of which a repeat does no harm.
    pub(super) async fn repeat(&self, request: Request) -> Result<(), Failure> {
        for _ in 1..READS {
            match self.request(request.clone()).await {
                Err(Failure::NoAnswer) => {}
                answer => return answer,
            }
        }
        self.request(request).await
    }

    /// At most `limit` objects whose keys begin with a text, behind one of them, each in some late state.
    pub(super) async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<(String, Object)> {
        pause().await;
        self.deliver_late();
        let oldest = self.clock.now().checked_sub(self.lateness);
        let mut found = Vec::new();
        {
            let inner = self.lock();
            let first = after.filter(|after| *after > prefix).unwrap_or(prefix);
            for (key, states) in inner.objects.range(first.to_owned()..) {
                if !key.starts_with(prefix) || found.len() == limit {
                    break;
                }
                if after.is_some_and(|after| key.as_str() <= after) {
                    continue;
                }
                // The state at the earliest moment it may show, and all since then. One that had no state yet
                // then was absent.
                let began = states
                    .iter()
                    .rposition(|state| oldest.is_none_or(|oldest| state.since <= oldest));
                let shown = &states[began.unwrap_or(0)..];
                let absent = usize::from(began.is_none());
                let pick = self.weather.pick(shown.len() + absent);
                if pick >= absent
                    && let Some(object) = object(&shown[pick - absent])
                {
                    found.push((key.clone(), object));
                }
            }
        }
        pause().await;
        found
    }

    /// Some of what callers gave up on takes effect just now.
    fn deliver_late(&self) {
        let count = self.lock().late.len();
        if count > 0 && self.weather.strikes(8) {
            let which = self.weather.pick(count);
            let mut inner = self.lock();
            let request = inner.late.swap_remove(which);
            let _answer = inner.apply(request, self.clock.now(), self.lateness);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn apply(&mut self, request: Request, now: SystemTime, lateness: Duration) -> Result<(), Failure> {
        match request {
            Request::Put { key, body, condition } => {
                let tag = self
                    .objects
                    .get(&key)
                    .and_then(|states| current(states))
                    .map(|o| o.tag);
                match condition {
                    Some(IfMatch::Absent) if tag.is_some() => return Err(Failure::Precondition),
                    Some(IfMatch::Tag(wanted)) if tag != Some(wanted) => return Err(Failure::Precondition),
                    _ => self.set(key, Some(body), now, lateness),
                }
            }
            Request::Compose { key, parts } => {
                let mut whole = BytesMut::new();
                for part in parts {
                    let states = self.objects.get(&part).map(Vec::as_slice);
                    let part = states.and_then(|states| states.last()?.body.as_ref());
                    whole.extend_from_slice(part.ok_or(Failure::NoPart)?);
                }
                self.set(key, Some(whole.freeze()), now, lateness);
            }
            Request::Delete { key } => {
                if self.objects.contains_key(&key) {
                    self.set(key, None, now, lateness);
                }
            }
        }
        Ok(())
    }

    fn set(&mut self, key: String, body: Option<Bytes>, now: SystemTime, lateness: Duration) {
        let states = self.objects.entry(key).or_default();
        // What ended before the earliest moment that a listing may show is forgotten.
        if let Some(oldest) = now.checked_sub(lateness)
            && let Some(began) = states.iter().rposition(|state| state.since <= oldest)
        {
            states.drain(..began);
        }
        let tag = body.as_deref().map_or(0, tag_of);
        states.push(State {
            since: now,
            body,
            tag,
        });
    }
}

fn current(states: &[State]) -> Option<Object> {
    object(states.last()?)
}

fn object(state: &State) -> Option<Object> {
    let body = state.body.clone()?;
    Some(Object {
        body,
        modified: state.since,
        tag: state.tag,
    })
}

/// The tag of an object with this content.
pub(super) fn tag_of(body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    hasher.finish()
}

pub(super) fn no_answer(key: &str) -> Error {
    Error::new(ErrorKind::Network, format!("no answer came about {key}"))
}
