//! Bodies on their way out, watched so that one that stands still is noticed.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use stevedore_core::ErrorKind;
use stevedore_core::stream::BoxStream;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::error::BoxError;
use crate::settings::Timeouts;

/// For whoever has a better reason to tell why nothing came.
const SLACK: Duration = Duration::from_secs(1);

/// What one request sends.
pub(crate) enum Payload {
    Empty,
    Bytes(Bytes),
    Stream {
        stream: BoxStream<stevedore_core::Result<Bytes>>,
        /// How many bytes there will be. Another number of bytes is an error.
        size: Option<u64>,
    },
}

/// The body of a request, as hyper takes it.
pub(crate) struct Outgoing {
    payload: Payload,
    activity: Arc<Activity>,
}

/// What is known about a body that hyper took over.
#[derive(Debug)]
pub(crate) struct Activity {
    started: Instant,
    /// Milliseconds from the start, plus one; 0 for never.
    moved: AtomicU64,
    sent: AtomicU64,
    /// Told when either becomes known: from then on another deadline holds.
    known: Notify,
    /// Why the body could not be read. Hyper's errors give causes only by reference.
    failure: Mutex<Option<stevedore_core::Error>>,
}

impl Outgoing {
    pub(crate) fn new(payload: Payload) -> (Self, Arc<Activity>) {
        let activity = Arc::new(Activity {
            started: Instant::now(),
            moved: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            known: Notify::new(),
            failure: Mutex::new(None),
        });
        (
            Self {
                payload,
                activity: Arc::clone(&activity),
            },
            activity,
        )
    }

    fn fail(&mut self, error: stevedore_core::Error) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut failure = self
            .activity
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *failure = Some(error);
        drop(failure);
        self.payload = Payload::Empty;
        Poll::Ready(Some(Err("the body cannot be read".into())))
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        this.activity.note(&this.activity.moved);
        let Payload::Stream { stream, size } = &mut this.payload else {
            this.activity.note(&this.activity.sent);
            return match std::mem::replace(&mut this.payload, Payload::Empty) {
                Payload::Bytes(bytes) if !bytes.is_empty() => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                _ => Poll::Ready(None),
            };
        };
        let wrong_size = |what: &str| {
            stevedore_core::Error::new(
                ErrorKind::Mismatch,
                format!("the content is {what} than was promised"),
            )
        };
        match stream.as_mut().poll_next(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(bytes))) => {
                if let Some(left) = size {
                    match left.checked_sub(bytes.len() as u64) {
                        Some(rest) => *left = rest,
                        None => return this.fail(wrong_size("longer")),
                    }
                    if *left == 0 {
                        // Hyper does not ask again after the last of the promised bytes.
                        this.activity.note(&this.activity.sent);
                    }
                }
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Poll::Ready(Some(Err(error))) => this.fail(error),
            Poll::Ready(None) if size.is_some_and(|left| left > 0) => this.fail(wrong_size("shorter")),
            Poll::Ready(None) => {
                this.activity.note(&this.activity.sent);
                this.payload = Payload::Empty;
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.payload {
            Payload::Empty => true,
            Payload::Bytes(bytes) => bytes.is_empty(),
            // Also at no bytes left it is asked for its end, so that too many are noticed.
            Payload::Stream { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.payload {
            Payload::Empty => SizeHint::with_exact(0),
            Payload::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Payload::Stream { size: Some(size), .. } => SizeHint::with_exact(*size),
            Payload::Stream { size: None, .. } => SizeHint::default(),
        }
    }
}

impl Activity {
    /// When to give up, as things are now.
    pub(crate) fn deadline(&self, timeouts: &Timeouts, patience: Duration) -> Instant {
        let at = |mark: &AtomicU64| {
            let millis = mark.load(Ordering::Relaxed).checked_sub(1)?;
            Some(self.started + Duration::from_millis(millis))
        };
        match (at(&self.sent), at(&self.moved)) {
            (Some(sent), _) => sent + patience,
            (None, Some(moved)) => moved + timeouts.idle,
            // Nothing was asked for yet: there may be no connection, or nothing to send. Which one is not seen from
            // here, and a connection that is not made says so by itself, before this.
            (None, None) => self.started + timeouts.connect.max(patience) + SLACK,
        }
    }

    /// Waits until the body begins to go out, or has gone out.
    pub(crate) async fn news(&self) {
        self.known.notified().await;
    }

    /// Whether the body went out, as far as anybody here can see.
    pub(crate) fn is_sent(&self) -> bool {
        self.sent.load(Ordering::Relaxed) > 0 || self.moved.load(Ordering::Relaxed) == 0
    }

    pub(crate) fn take_failure(&self) -> Option<stevedore_core::Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn note(&self, mark: &AtomicU64) {
        let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        if mark.swap(millis + 1, Ordering::Relaxed) == 0 {
            self.known.notify_one();
        }
    }
}
