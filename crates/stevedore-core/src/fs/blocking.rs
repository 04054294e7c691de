//! Work on blocking threads, which ends with whoever waits for it.

use std::panic;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::{Error, ErrorKind, Result};

/// Work on a blocking thread. Dropped before it began, it never begins; once it runs it has to see for itself that
/// nobody waits any more.
#[derive(Debug)]
pub(super) struct Job<T>(JoinHandle<T>);

/// Starts work on a blocking thread of the runtime.
///
/// # Errors
/// [`ErrorKind::Unsupported`] outside of a tokio runtime.
pub(super) fn start<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<Job<T>> {
    let runtime = Handle::try_current().map_err(|error| {
        let message = "the file system stores need a tokio runtime around them";
        Error::new(ErrorKind::Unsupported, message).with_source(error)
    })?;
    Ok(Job(runtime.spawn_blocking(work)))
}

/// Does work on a blocking thread of the runtime.
pub(super) async fn run<T, F>(work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    start(work)?.await?
}

impl<T> Future for Job<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match ready!(Pin::new(&mut self.0).poll(context)) {
            Ok(done) => Ok(done),
            Err(error) => match error.try_into_panic() {
                Ok(payload) => panic::resume_unwind(payload),
                Err(error) => {
                    let message = "the runtime shut down before the work was done";
                    Err(Error::new(ErrorKind::Interrupted, message).with_source(error))
                }
            },
        })
    }
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
