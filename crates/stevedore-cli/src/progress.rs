//! How a copy is watched: bars, lines or JSON events on stderr.

use std::collections::HashMap;
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde::Serialize;
use stevedore_core::{AnyDigest, Descriptor, Event, Meter, Observer, Put};

use crate::args::Progress;
use crate::output;
use crate::settings::Settings;

/// How often a bar looks at its meter.
const TICK: Duration = Duration::from_millis(100);

/// Who watches, by the settings.
pub(crate) fn observer(settings: &Settings) -> Arc<dyn Observer> {
    let progress = match settings.progress {
        _ if settings.quiet => Progress::None,
        Progress::Auto if fit_for_bars() => Progress::Bars,
        Progress::Auto => Progress::Plain,
        other => other,
    };
    match progress {
        Progress::Bars => Arc::new(Bars::default()),
        Progress::Json => Arc::new(Json),
        Progress::None => Arc::new(()),
        Progress::Plain | Progress::Auto => Arc::new(Plain),
    }
}

/// A terminal that can move its cursor, and nobody who said that this is a machine.
fn fit_for_bars() -> bool {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    let in_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
    std::io::stderr().is_terminal() && !dumb && !in_ci
}

/// A line for each blob that is there, and each retry.
struct Plain;

impl Observer for Plain {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::BlobDone { descriptor, put } => {
                let how = match put {
                    Put::Present => "there already",
                    Put::Mounted => "mounted",
                    _ => "written",
                };
                output::note(&format!(
                    "{} {}: {how}",
                    descriptor.digest,
                    output::size(descriptor.size)
                ));
            }
            Event::Retrying {
                descriptor,
                error,
                after,
            } => {
                output::note(&format!(
                    "{}: {error}; again in {:.1} s",
                    descriptor.digest,
                    after.as_secs_f32()
                ));
            }
            _ => {}
        }
    }
}

/// An event a line.
struct Json;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    event: &'static str,
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    how: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    /// In how many seconds it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<f64>,
}

impl Observer for Json {
    fn event(&self, event: Event<'_>) {
        let line = |event, descriptor: &Descriptor| Line {
            event,
            digest: descriptor.digest.to_string(),
            size: Some(descriptor.size),
            how: None,
            error: None,
            after: None,
        };
        match event {
            Event::BlobStarted { descriptor, .. } => write(&line("blob-started", descriptor)),
            Event::BlobDone { descriptor, put } => {
                let how = match put {
                    Put::Present => "present",
                    Put::Mounted => "mounted",
                    _ => "written",
                };
                write(&Line {
                    how: Some(how),
                    ..line("blob-done", descriptor)
                });
            }
            Event::Retrying {
                descriptor,
                error,
                after,
            } => {
                let error = error.to_string();
                let after = Some(after.as_secs_f64());
                write(&Line {
                    error: Some(&error),
                    after,
                    ..line("retrying", descriptor)
                });
            }
            Event::DocumentDone { descriptor } => write(&line("document-done", descriptor)),
            _ => {}
        }
    }
}

fn write(line: &Line<'_>) {
    if let Ok(mut text) = serde_json::to_vec(line) {
        text.push(b'\n');
        // An event that cannot be shown is no reason to fail.
        drop(std::io::stderr().write_all(&text));
    }
}

/// A bar for each blob that is under way.
#[derive(Default)]
struct Bars {
    all: MultiProgress,
    bars: Mutex<HashMap<AnyDigest, ProgressBar>>,
}

impl Bars {
    fn start(&self, descriptor: &Descriptor, meter: &Arc<Meter>) {
        let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes:>11} of {total_bytes:>11}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let meter = Arc::clone(meter);
        let style = style.with_key(
            "bytes",
            move |_: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
                // What cannot be drawn is not missed.
                drop(write!(out, "{}", output::size(meter.bytes())));
            },
        );
        let bar = self.all.add(ProgressBar::new(descriptor.size).with_style(style));
        let digest = descriptor.digest.to_string();
        bar.set_message(digest.chars().take(19).collect::<String>());
        bar.enable_steady_tick(TICK);
        self.lock().insert(descriptor.digest.clone(), bar);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<AnyDigest, ProgressBar>> {
        self.bars.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Bars {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::BlobStarted { descriptor, meter } => self.start(descriptor, meter),
            Event::BlobDone { descriptor, .. } => {
                if let Some(bar) = self.lock().remove(&descriptor.digest) {
                    bar.finish_and_clear();
                }
            }
            Event::Retrying {
                descriptor, error, ..
            } => {
                if let Some(bar) = self.lock().get(&descriptor.digest) {
                    bar.set_message(output::escape(&error.to_string()));
                }
            }
            _ => {}
        }
    }
}
