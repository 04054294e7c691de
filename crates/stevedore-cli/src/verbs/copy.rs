//! `copy`: an image from one location to another.

use std::io;

use serde::Serialize;
use stevedore_core::fs::InTheWay;
use stevedore_core::{Digest, Error, ErrorKind, RefName, Selector, Source};
use stevedore_transport::copy::{DEFAULT_JOBS, DEFAULT_RETRIES, choose};
use stevedore_transport::layout::{BlankHeader, BrokenIndex};
use stevedore_transport::{Copied, Engine, Entry, Job, Location, Platforms, WriteOptions};

use crate::access::BothWays;
use crate::args::Copy;
use crate::digest_file::DigestFile;
use crate::exit::Failure;
use crate::progress::Watch;
use crate::settings::Settings;
use crate::{output, places};

/// The result, as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    source: String,
    destination: String,
    digest: String,
    media_type: &'a str,
    size: u64,
    dry_run: bool,
    blobs: Blobs,
    documents: u64,
    left_out: Vec<LeftOut>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Blobs {
    present: u64,
    mounted: u64,
    written: u64,
    written_bytes: u64,
}

#[derive(Serialize)]
struct LeftOut {
    digest: String,
    platform: Option<String>,
}

pub(crate) async fn run(args: Copy, settings: &Settings) -> Result<(), Failure> {
    let (names, expected) = names(&args.destination)?;
    if args.destination.is_stdout() && settings.json {
        let failure =
            Failure::usage("--json and an archive on stdout are two results for one stdout".to_owned());
        return Err(failure.with_hint("--digestfile FILE for the digest, or a file for the archive"));
    }
    let digest_file = args.digestfile.as_deref().map(DigestFile::plan).transpose()?;
    let mut options = WriteOptions::default();
    options.check_present = args.force;
    options.mend = args.force;
    options.replace = !args.no_clobber;
    let retry_times = args.retry_times.or(settings.retry_times);
    let sides = (args.at_source.clone().into(), args.at_destination.clone().into());
    let ends = (&args.source, &args.destination);
    let reach = BothWays::new(sides, &args.access.clone().into(), settings, retry_times, ends).await?;
    refuse_itself(&args)?;
    let source = reach.source.source(&args.source)?;
    let destination = reach.destination(&args.destination, options);
    let destination = destination.map_err(|error| hint_at_mending(explain(error, &args), &args))?;

    let mut job = Job::new(source, args.source.selector(), destination.sink);
    job.names = names;
    job.expected = expected;
    job.platforms = if args.all {
        Platforms::All
    } else {
        args.platform.wanted()
    };
    refuse_narrowing(&args, &job, &*destination.source).await?;
    job.destination = Some(destination.source);
    job.referrers = args.referrers;
    job.digest_tags = args.digest_tags;
    job.replace = !args.no_clobber;
    job.force = args.force;
    job.dry_run = args.dry_run;

    let jobs = args.jobs.or(settings.jobs).unwrap_or(DEFAULT_JOBS);
    let retries = retry_times.unwrap_or(DEFAULT_RETRIES);
    let watch = Watch::begin(settings);
    let copied = Engine::with(jobs, retries, watch.observer()).copy(job).await;
    // What is drawn goes before anything else is said.
    drop(watch);
    let copied = copied.map_err(|error| explain(error, &args))?;

    if let Some(file) = digest_file.filter(|_| !args.dry_run) {
        file.write(&copied.root.digest.to_string())?;
    }
    if !settings.quiet {
        say_what_stayed(&copied);
    }
    say_what_came(&args, settings, &copied)
}

/// The names that the image gets, and the digest that it must have.
fn names(destination: &Location) -> Result<(Vec<RefName>, Option<Digest>), Failure> {
    let entry = match destination {
        Location::Layout { entry, .. } | Location::Archive { entry, .. } | Location::Memory { entry, .. } => {
            entry
        }
        Location::Directory { digest, .. } => return Ok((Vec::new(), *digest)),
        Location::Registry(reference) => {
            let tag = reference.tag().map(|tag| RefName::verbatim(tag.as_str()));
            return Ok(match (tag, reference.digest(), destination.selector()) {
                (None, None, Selector::Name(latest)) => (vec![latest], None),
                (tag, digest, _) => (tag.into_iter().collect(), digest),
            });
        }
        _ => return Err(Failure::usage(format!("{destination} cannot be written to"))),
    };
    match entry {
        Entry::Only => Ok((Vec::new(), None)),
        Entry::Name(name) => Ok((vec![name.clone()], None)),
        _ => {
            let failure = Failure::usage(format!(
                "{destination} cannot be written to: its digest or place follows from what is copied"
            ));
            let whole = destination.whole();
            Err(failure.with_hint(format!("a name, as {whole}:NAME, or none, as {whole}")))
        }
    }
}

/// Refuses to put one image of an index in place of that index, or beside it under the same location: who copies onto
/// what is copied did not mean to lose the others.
async fn refuse_narrowing(args: &Copy, job: &Job, destination: &dyn Source) -> Result<(), Failure> {
    if job.platforms == Platforms::All || !places::is_same(&args.source, &args.destination) {
        return Ok(());
    }
    let Ok(there) = destination.resolve(&args.destination.selector()).await else {
        // Nothing can be lost there, or the copy itself will tell.
        return Ok(());
    };
    let chosen = choose(&*job.source, &job.selector, &job.platforms).await?;
    let Some(index) = chosen.above.first() else {
        return Ok(());
    };
    if there.digest != index.digest() {
        return Ok(());
    }
    let message = format!(
        "{} is the index that is copied: one of its images would take its place",
        args.destination
    );
    Err(Failure::usage(message).with_hint("--all to take the index, or another name for the image"))
}

/// Refuses to write an archive over the one that is read: it is written as a whole, so all others in it would be lost.
fn refuse_itself(args: &Copy) -> Result<(), Failure> {
    let is_archive = matches!(args.destination, Location::Archive { .. });
    if !is_archive || !places::is_same(&args.source, &args.destination) {
        return Ok(());
    }
    let message = format!(
        "{} would take the place of the archive that is read",
        args.destination
    );
    Err(Failure::usage(message).with_hint("another file"))
}

fn explain(error: Error, args: &Copy) -> Failure {
    let taken = error.kind() == ErrorKind::Conflict && args.no_clobber;
    let damaged = error.kind() == ErrorKind::Mismatch && error.mismatch_details().is_some();
    let failure = Failure::new(error.into());
    let is_archive = matches!(args.destination, Location::Archive { .. });
    if damaged {
        return failure.with_hint(format!(
            "the content is damaged at {}, where it was read from, and nothing of it was written; get it from another place",
            args.source
        ));
    }
    if taken {
        failure.with_hint("another name, or no --no-clobber to replace what is there")
    } else if !args.force && failure.is_of_registry("MANIFEST_BLOB_UNKNOWN") {
        // What refers to it is there, so it was taken to be there as well.
        failure.with_hint("--force, which looks at every part again and sends what the registry has lost")
    } else {
        match failure.cause::<InTheWay>().map(|there| there.is_empty_dir) {
            Some(true) if !args.force => failure.with_hint("--force, which puts the blob in its place"),
            Some(_) => {
                failure.with_hint("move it away: what it is, and whether it is wanted, is not known here")
            }
            None if is_archive && is_full(&failure) => failure.with_hint(
                "make room, then the same command again: an archive is written from its beginning",
            ),
            None => failure,
        }
    }
}

fn is_full(failure: &Failure) -> bool {
    let cause = failure.cause::<io::Error>().map(io::Error::kind);
    matches!(
        cause,
        Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    )
}

/// Says what becomes of a destination that cannot be written to as it is.
fn hint_at_mending(failure: Failure, args: &Copy) -> Failure {
    if !args.force && failure.cause::<BrokenIndex>().is_some() {
        return failure.with_hint(
            "--force, which keeps it as index.json.broken and begins a new one without the names that it had",
        );
    }
    if !args.force && failure.cause::<BlankHeader>().is_some() {
        return failure.with_hint("--force, which writes it anew");
    }
    failure
}

fn say_what_stayed(copied: &Copied) {
    if copied.left_out.is_empty() {
        return;
    }
    let platforms: Vec<String> = copied
        .left_out
        .iter()
        .map(|left| {
            left.descriptor
                .platform
                .as_ref()
                .map_or_else(|| left.descriptor.digest.to_string(), ToString::to_string)
        })
        .collect();
    output::note(&format!(
        "of an index only the image for one platform was taken; {} stayed behind ({}); --all takes the index",
        platforms.len(),
        platforms.join(", ")
    ));
}

fn say_what_came(args: &Copy, settings: &Settings, copied: &Copied) -> Result<(), Failure> {
    if settings.json {
        return output::json(&Report {
            source: args.source.to_string(),
            destination: args.destination.to_string(),
            digest: copied.root.digest.to_string(),
            media_type: copied.root.media_type.as_str(),
            size: copied.root.size,
            dry_run: args.dry_run,
            blobs: Blobs {
                present: copied.present,
                mounted: copied.mounted,
                written: copied.written,
                written_bytes: copied.written_bytes,
            },
            documents: copied.documents,
            left_out: copied
                .left_out
                .iter()
                .map(|left| LeftOut {
                    digest: left.descriptor.digest.to_string(),
                    platform: left.descriptor.platform.as_ref().map(ToString::to_string),
                })
                .collect(),
        });
    }
    if !settings.quiet {
        let would = if args.dry_run { "would be " } else { "" };
        output::note(&format!(
            "{} blobs {would}written ({}), {} mounted, {} there already",
            copied.written,
            output::size(copied.written_bytes),
            copied.mounted,
            copied.present
        ));
    }
    let digest = copied.root.digest.to_string();
    if !args.destination.is_stdout() {
        return output::line(&digest);
    }
    // The archive is the result there.
    if !settings.quiet {
        output::note(&digest);
    }
    Ok(())
}
