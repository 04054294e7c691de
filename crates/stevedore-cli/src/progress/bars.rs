//! Bars, for people.

use std::sync::OnceLock;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use stevedore_core::{Event, Observer};

use super::{UnderWay, View};
use crate::output;

/// How much of a digest stands before a bar: enough to tell blobs apart.
const SHOWN: usize = "sha256:".len() + 12;

/// The bars that are on the screen; a process draws them once.
static SCREEN: OnceLock<MultiProgress> = OnceLock::new();

/// Says something above the bars, if there are any.
pub(super) fn above(say: impl FnOnce()) {
    match SCREEN.get() {
        Some(all) => all.suspend(say),
        None => say(),
    }
}

/// A bar for each blob that is under way.
pub(super) struct Bars {
    all: MultiProgress,
    under_way: UnderWay<ProgressBar>,
}

impl Default for Bars {
    fn default() -> Self {
        let all = SCREEN.get_or_init(MultiProgress::new).clone();
        Self {
            all,
            under_way: UnderWay::default(),
        }
    }
}

impl Observer for Bars {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::BlobStarted { descriptor, meter } => {
                let style = ProgressStyle::with_template(
                    "{msg} [{wide_bar:.}] {decimal_bytes} of {decimal_total_bytes}",
                );
                let style = style
                    .unwrap_or_else(|_| ProgressStyle::default_bar())
                    .progress_chars("#> ");
                let bar = self.all.add(ProgressBar::new(descriptor.size).with_style(style));
                let digest = descriptor.digest.to_string();
                bar.set_message(digest.chars().take(SHOWN).collect::<String>());
                self.under_way.start(descriptor, meter, bar);
            }
            Event::BlobDone { descriptor, .. } => {
                if let Some(blob) = self.under_way.end(descriptor) {
                    blob.kept.finish_and_clear();
                }
            }
            Event::Retrying {
                descriptor,
                error,
                after,
            } => {
                if let Some(blob) = self.under_way.lock().get(&descriptor.digest) {
                    let text = format!("{error}; again in {:.1} s", after.as_secs_f32());
                    blob.kept.set_message(output::escape_line(&text));
                }
            }
            _ => {}
        }
    }
}

impl View for Bars {
    const INTERVAL: Duration = Duration::from_millis(100);

    fn tick(&self) {
        for blob in self.under_way.lock().values() {
            // What was taken twice, for it was cut, is not more than all.
            blob.kept.set_position(blob.meter.bytes().min(blob.size));
        }
    }

    fn end(&self) {
        // Bars of blobs that did not come to their end go too, so that what is said next has the screen for itself.
        drop(self.all.clear());
        self.all.set_draw_target(indicatif::ProgressDrawTarget::hidden());
    }
}
