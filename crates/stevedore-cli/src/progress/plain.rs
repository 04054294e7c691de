//! Lines, for logs.

use std::time::Duration;

use stevedore_core::{Event, Observer, Put};

use super::{UnderWay, View};
use crate::output::{note, size};

/// A line for each blob that is there, for each retry, and now and then for each blob that takes its time.
#[derive(Default)]
pub(super) struct Plain {
    /// With how many bytes had come when it was last shown.
    under_way: UnderWay<u64>,
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
                let after = after.as_secs_f32();
                note(&format!("{}: {error}; again in {after:.1} s", descriptor.digest));
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
