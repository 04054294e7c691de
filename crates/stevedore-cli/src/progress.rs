//! How a copy is watched: bars, lines or JSON events on stderr.

mod bars;
mod json;
mod plain;

use std::collections::HashMap;
use std::error::Error;
use std::io::IsTerminal as _;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use stevedore_core::{AnyDigest, Descriptor, Meter, Observer};

use crate::args::Progress;
use crate::settings::Settings;

/// Somebody who watches, until it is dropped: then nothing is drawn any more, however the copy ended.
pub(crate) struct Watch {
    observer: Arc<dyn Observer>,
    ticker: Option<Ticker>,
}

/// What is told of events, and looks at the meters by itself.
trait View: Observer {
    /// How often the meters are looked at.
    const INTERVAL: Duration;

    /// Looks at the meters.
    fn tick(&self);

    /// Nothing more will happen.
    fn end(&self) {}
}

/// A thread that makes a view look at its meters.
struct Ticker {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Begins to watch, as the settings say.
    pub(crate) fn begin(settings: &Settings) -> Self {
        match settings.progress {
            _ if settings.quiet => Self::over(Arc::new(())),
            Progress::None => Self::over(Arc::new(())),
            Progress::Json => Self::with(Arc::new(json::Json::default())),
            // Bars that nobody could see would be nothing at all.
            Progress::Bars if std::io::stderr().is_terminal() => Self::with(Arc::new(bars::Bars::default())),
            Progress::Auto if fit_for_bars() => Self::with(Arc::new(bars::Bars::default())),
            Progress::Bars | Progress::Auto | Progress::Plain => {
                Self::with(Arc::new(plain::Plain::default()))
            }
        }
    }

    /// Who is told of events.
    pub(crate) fn observer(&self) -> Arc<dyn Observer> {
        Arc::clone(&self.observer)
    }

    fn over(observer: Arc<dyn Observer>) -> Self {
        Self {
            observer,
            ticker: None,
        }
    }

    fn with<V: View + 'static>(view: Arc<V>) -> Self {
        let ticker = Ticker::start(Arc::clone(&view));
        Self {
            observer: view,
            ticker,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.ticker.take());
    }
}

impl Ticker {
    /// Without a thread, which a system may refuse, there are events only.
    fn start<V: View + 'static>(view: Arc<V>) -> Option<Self> {
        let (stop, stopped) = mpsc::channel();
        let run = move || {
            while stopped.recv_timeout(V::INTERVAL) == Err(RecvTimeoutError::Timeout) {
                view.tick();
            }
            view.end();
        };
        let thread = std::thread::Builder::new()
            .name("progress".to_owned())
            .spawn(run)
            .ok()?;
        Some(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // One that panicked has said so.
            drop(thread.join());
        }
    }
}

/// Says something while somebody may be watching: above the bars, where there are any.
pub(crate) fn beside(say: impl FnOnce()) {
    bars::above(say);
}

/// Is told why a request is sent again, and after which wait.
pub(crate) type TellRetry = fn(&(dyn Error + 'static), Duration);

/// Who is told of requests that are sent again, of any verb, or `None` where nobody wants to know. The events of a copy
/// tell only of whole blobs that are tried again.
pub(crate) fn of_requests(settings: &Settings) -> Option<TellRetry> {
    match settings.progress {
        _ if settings.quiet => None,
        Progress::None => None,
        Progress::Json => Some(json::request_again),
        Progress::Auto | Progress::Bars | Progress::Plain => {
            Some(|error, after| beside(|| plain::request_again(error, after)))
        }
    }
}

/// A terminal that can move its cursor, and nobody who said that this is a machine.
fn fit_for_bars() -> bool {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    let in_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
    std::io::stderr().is_terminal() && !dumb && !in_ci
}

/// The blobs that are under way, with what a view keeps for each.
struct UnderWay<T>(Mutex<HashMap<AnyDigest, Watched<T>>>);

struct Watched<T> {
    size: u64,
    meter: Arc<Meter>,
    kept: T,
}

impl<T> UnderWay<T> {
    fn start(&self, descriptor: &Descriptor, meter: &Arc<Meter>, kept: T) {
        let watched = Watched {
            size: descriptor.size,
            meter: Arc::clone(meter),
            kept,
        };
        self.lock().insert(descriptor.digest.clone(), watched);
    }

    fn end(&self, descriptor: &Descriptor) -> Option<Watched<T>> {
        self.lock().remove(&descriptor.digest)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AnyDigest, Watched<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for UnderWay<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}
