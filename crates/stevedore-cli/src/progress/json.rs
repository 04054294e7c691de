//! An event a line, as JSON, for programs.

use std::error::Error;
use std::time::Duration;

use serde::Serialize;
use stevedore_core::{AnyDigest, Event, Observer, Put};

use super::{UnderWay, View};
use crate::output;

/// Writes an event a line.
#[derive(Default)]
pub(super) struct Json {
    /// With how many bytes had come when it was last shown.
    under_way: UnderWay<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    event: &'static str,
    /// Which blob or document; of a request that is sent again, none.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a AnyDigest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// How many bytes were taken from the source, so far or at all; those that were there from an earlier run are
    /// not among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    transferred: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    how: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// In how many seconds it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<f64>,
}

impl<'a> Line<'a> {
    fn new(event: &'static str, digest: &'a AnyDigest, size: u64) -> Self {
        Self {
            digest: Some(digest),
            size: Some(size),
            ..Self::without_digest(event)
        }
    }

    fn without_digest(event: &'static str) -> Self {
        Self {
            event,
            digest: None,
            size: None,
            transferred: None,
            how: None,
            error: None,
            after: None,
        }
    }

    /// The same, of what is tried again.
    fn again(mut self, error: &(dyn Error + 'static), after: Duration) -> Self {
        self.error = Some(output::escape_line(&output::chain(error)));
        self.after = Some(after.as_secs_f64());
        self
    }

    fn write(&self) {
        output::event(self);
    }
}

/// Tells of a request that is sent again.
pub(super) fn request_again(error: &(dyn Error + 'static), after: Duration) {
    Line::without_digest("retrying").again(error, after).write();
}

impl Observer for Json {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::BlobStarted { descriptor, meter } => {
                self.under_way.start(descriptor, meter, 0);
                Line::new("blob-started", &descriptor.digest, descriptor.size).write();
            }
            Event::BlobDone { descriptor, put } => {
                let mut line = Line::new("blob-done", &descriptor.digest, descriptor.size);
                line.transferred = self.under_way.end(descriptor).map(|blob| blob.meter.bytes());
                line.how = Some(match put {
                    Put::Present => "present",
                    Put::Mounted => "mounted",
                    _ => "written",
                });
                line.write();
            }
            Event::Retrying {
                descriptor,
                error,
                after,
            } => {
                let line = Line::new("retrying", &descriptor.digest, descriptor.size);
                line.again(error, after).write();
            }
            Event::DocumentDone { descriptor } => {
                Line::new("document-done", &descriptor.digest, descriptor.size).write();
            }
            _ => {}
        }
    }
}

impl View for Json {
    const INTERVAL: Duration = Duration::from_secs(1);

    fn tick(&self) {
        for (digest, blob) in self.under_way.lock().iter_mut() {
            let bytes = blob.meter.bytes();
            if bytes != blob.kept {
                blob.kept = bytes;
                let mut line = Line::new("blob-progress", digest, blob.size);
                line.transferred = Some(bytes);
                line.write();
            }
        }
    }
}
