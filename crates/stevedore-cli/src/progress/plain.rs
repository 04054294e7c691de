//! Lines, for logs.

use std::error::Error;
use std::time::Duration;

use stevedore_core::{Event, Observer, Put};

use super::{UnderWay, View};
use crate::output::{chain, note, size};

/// A line for each blob that is there, for each retry, and now and then for each blob that takes its time.
#[derive(Default)]
pub(super) struct Plain {
    /// With how many bytes had come when it was last shown.
    under_way: UnderWay<u64>,
}

/// Tells of a request that is sent again.
pub(super) fn request_again(error: &(dyn Error + 'static), after: Duration) {
    note(&again(error, after));
}

/// What went wrong, and when it is tried again.
pub(super) fn again(error: &(dyn Error + 'static), after: Duration) -> String {
    format!("{}; again in {:.1} s", chain(error), after.as_secs_f32())
}

impl Observer for Plain {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::BlobStarted { descriptor, meter } => self.under_way.start(descriptor, meter, 0),
            Event::BlobDone { descriptor, put } => {
                self.under_way.end(descriptor);
                let how = match put {
                    Put::Present => "there already",
                    Put::Mounted => "mounted",
                    _ => "written",
                };
                note(&format!("{} {}: {how}", descriptor.digest, size(descriptor.size)));
            }
            Event::Retrying {
                descriptor,
                error,
                after,
            } => {
                note(&format!("{}: {}", descriptor.digest, again(error, after)));
            }
            _ => {}
        }
    }
}

impl View for Plain {
    /// Systems that run builds take a log without a line for minutes as a sign of death.
    const INTERVAL: Duration = Duration::from_secs(10);

    fn tick(&self) {
        for (digest, blob) in self.under_way.lock().iter_mut() {
            let bytes = blob.meter.bytes();
            if bytes != blob.kept {
                blob.kept = bytes;
                note(&format!("{digest}: {} of {}", size(bytes), size(blob.size)));
            }
        }
    }
}
