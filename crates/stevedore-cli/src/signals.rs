//! Ctrl-C and `kill`: the verb is dropped, which leaves nothing half-written visible.

use std::time::Duration;

use crate::exit::Failure;

/// How long a verb may take to let go once it was told to. One that is behind a full pipe never does.
const LETTING_GO: Duration = Duration::from_millis(500);

/// Runs a verb until it ends or a signal comes.
///
/// The verb runs as a task of its own, so that a signal is seen also while it blocks on what it prints.
pub(crate) async fn until_signal<V>(verb: V) -> Result<(), Failure>
where
    V: Future<Output = Result<(), Failure>> + Send + 'static,
{
    // The handlers stand before the verb begins.
    let mut signals = Signals::listen();
    let mut task = tokio::spawn(verb);
    let failure = tokio::select! {
        ended = &mut task => return ended.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(payload) => std::panic::resume_unwind(payload),
            Err(error) => Err(error.into()),
        }),
        failure = signals.next() => failure,
    };
    task.abort();
    // However it ends, what is said is that a signal came.
    drop(tokio::time::timeout(LETTING_GO, task).await);
    Err(failure)
}

/// The signals that end the program in good order.
#[cfg(unix)]
struct Signals(Option<[tokio::signal::unix::Signal; 2]>);

#[cfg(unix)]
impl Signals {
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = signal(SignalKind::interrupt());
        let terminate = signal(SignalKind::terminate());
        Self(interrupt.ok().zip(terminate.ok()).map(Into::into))
    }

    async fn next(&mut self) -> Failure {
        let Some([interrupt, terminate]) = &mut self.0 else {
            // Without handlers the signals end the program by themselves.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => Failure::signal(2, "an interrupt"),
            _ = terminate.recv() => Failure::signal(15, "a request to terminate"),
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Self {
        Self
    }

    async fn next(&mut self) -> Failure {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Failure::signal(2, "an interrupt"),
            Err(_) => std::future::pending().await,
        }
    }
}
