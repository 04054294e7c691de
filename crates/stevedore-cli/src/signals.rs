//! Ctrl-C and `kill`: the verb is dropped, which leaves nothing half-written visible.

use std::future::Future;

use crate::exit::Failure;

/// Runs a verb until it ends or a signal comes.
pub(crate) async fn until_signal(verb: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::select! {
        ended = verb => ended,
        failure = signal() => Err(failure),
    }
}

#[cfg(unix)]
async fn signal() -> Failure {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers the signals end the program by themselves.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => Failure::signal(2, "an interrupt"),
        _ = terminate.recv() => Failure::signal(15, "a request to terminate"),
    }
}

#[cfg(not(unix))]
async fn signal() -> Failure {
    match tokio::signal::ctrl_c().await {
        Ok(()) => Failure::signal(2, "an interrupt"),
        Err(_) => std::future::pending().await,
    }
}
