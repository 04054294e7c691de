//! All blobs of some directories, a batch at a time.

use std::collections::VecDeque;
use std::fs::ReadDir;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use futures_core::Stream;

use super::blocking::{self, Job};
use super::file_names::FileNames;
use super::{cannot, is_missing, life};
use crate::stream::BoxStream;
use crate::{Algorithm, BlobInfo, Result};

/// How many entries one blocking call looks at.
const BATCH: usize = 1024;

/// A directory, and the algorithm of its blobs where it is one only.
type Dir = (Option<Algorithm>, PathBuf);

/// The blobs in some directories. Files that are called otherwise than blobs are passed over.
pub(super) fn list(dirs: Vec<Dir>, started: Option<SystemTime>) -> BoxStream<Result<BlobInfo>> {
    Box::pin(Listing {
        walk: Some(Walk {
            started,
            waiting: dirs.into_iter(),
            open: None,
        }),
        job: None,
        ready: VecDeque::new(),
    })
}

/// What one blocking call gives: the walk behind it, unless that was the end, and the blobs.
type Step = (Option<Walk>, VecDeque<Result<BlobInfo>>);

struct Listing {
    /// Gone while a job has it, and at the end.
    walk: Option<Walk>,
    job: Option<Job<Step>>,
    ready: VecDeque<Result<BlobInfo>>,
}

struct Walk {
    /// When the store was opened, if anybody collects there.
    started: Option<SystemTime>,
    /// Those that were not opened yet.
    waiting: std::vec::IntoIter<Dir>,
    open: Option<(Dir, ReadDir)>,
}

impl Stream for Listing {
    type Item = Result<BlobInfo>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Poll::Ready(Some(item));
            }
            if let Some(job) = &mut self.job {
                let done = ready!(Pin::new(job).poll(context));
                self.job = None;
                match done {
                    Ok((walk, ready)) => (self.walk, self.ready) = (walk, ready),
                    Err(error) => return Poll::Ready(Some(Err(error))),
                }
                continue;
            }
            let Some(walk) = self.walk.take() else {
                return Poll::Ready(None);
            };
            match blocking::start(move || walk.go_on()) {
                Ok(job) => self.job = Some(job),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

impl Walk {
    /// One batch, and the walk behind it unless that was the end. A directory that cannot be read is an error, and
    /// the end of it.
    fn go_on(mut self) -> Step {
        let mut batch = VecDeque::new();
        for _ in 0..BATCH {
            match self.step() {
                Some(Ok(None)) => {}
                Some(Ok(Some(info))) => batch.push_back(Ok(info)),
                Some(Err(error)) => {
                    self.open = None;
                    batch.push_back(Err(error));
                }
                None => return (None, batch),
            }
        }
        (Some(self), batch)
    }

    fn step(&mut self) -> Option<Result<Option<BlobInfo>>> {
        let Some(((algorithm, dir), entries)) = &mut self.open else {
            let next = self.waiting.next()?;
            match std::fs::read_dir(&next.1) {
                Ok(entries) => self.open = Some((next, entries)),
                Err(error) if is_missing(&error) => {}
                Err(error) => return Some(Err(cannot("list", &next.1, error))),
            }
            return Some(Ok(None));
        };
        match entries.next() {
            None => {
                self.open = None;
                Some(Ok(None))
            }
            Some(Err(error)) => Some(Err(cannot("list", dir, error))),
            Some(Ok(entry)) => {
                let name = entry.file_name();
                let Some(digest) = name.to_str().and_then(|name| FileNames::digest(*algorithm, name)) else {
                    return Some(Ok(None));
                };
                let path = entry.path();
                // Not the entry's own metadata, which would be that of a symbolic link.
                Some(match std::fs::metadata(&path) {
                    Err(error) if is_missing(&error) => Ok(None),
                    looked => looked
                        .and_then(|metadata| life::info(digest, &metadata, self.started))
                        .map_err(|error| cannot("look at", &path, error)),
                })
            }
        }
    }
}
