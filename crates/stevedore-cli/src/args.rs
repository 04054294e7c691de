//! What can be typed.
#![allow(
    clippy::doc_markdown,
    clippy::large_enum_variant,
    reason = "comments are shown as help, as they are; flags are on or off; there is one of each in a run"
)]

mod access;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use stevedore_core::Platform;
use stevedore_registry_client::{Environment, RegistriesConf, ShortName};
use stevedore_transport::Location;
use stevedore_transport::location::ParseError;

use crate::output::chain;

pub(crate) use self::access::{Access, AccessFlags, DestinationFlags, Identity, SourceFlags};

/// Everything one can do to a container image except run it.
///
/// Images are at locations: oci:DIR is an OCI layout directory with one image, oci:DIR:NAME the image with a name,
/// oci:DIR:@0 the first of all, oci:DIR@sha256:… the one with a digest; oci-archive:FILE and docker-archive:FILE are the
/// same in one file, which docker load takes too if it is the latter, and - is stdin or stdout; dir:DIR is the image in
/// a directory of its own, as skopeo has it; docker://NAME, or NAME alone, is an image of a registry, by Docker's rules
/// for names (debian is docker.io/library/debian:latest). What registries.conf says about mirrors and other locations
/// holds for both, its short names for NAME alone; explain says what follows from it.
///
/// Who to be at a registry comes from flags, else from REGISTRY_AUTH_FILE, the auth.json of containers tools, and
/// Docker's config.json with its credential helpers.
///
/// Of an index, copy, config and inspect --config take the image for this host (linux, and the architecture of this
/// program), unless told otherwise; all other verbs take the index.
///
/// stdout has the result, stderr everything else. What was interrupted goes on when the same command is given again.
///
/// Exit codes: 0 done, 1 error, 2 not found, 3 wrong use, 4 not authorised, 5 verification refused, 6 network or
/// time-out, 130 and 143 after a signal.
#[derive(Debug, Parser)]
#[command(name = "stevedore", version, propagate_version = true, max_term_width = 110)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Reads a location, and says in one line why it is none. A name without a registry, where no docker:// stands before
/// it, is what registries.conf says that it stands for.
fn location(text: &str) -> Result<Location, String> {
    match short_name(text)? {
        Some(found) => Ok(Location::Registry(found.reference)),
        None => exact_location(text),
    }
}

/// What a name without a registry stands for, where registries.conf says something about it.
pub(crate) fn short_name(text: &str) -> Result<Option<ShortName>, String> {
    let may_be_short = RegistriesConf::is_short_name(text) && !text.contains("://");
    if !may_be_short || !matches!(text.parse(), Ok(Location::Registry(_))) {
        return Ok(None);
    }
    let conf = RegistriesConf::load(&Environment::from_process()).map_err(|error| chain(&error))?;
    conf.short_name(text).map_err(|error| chain(&error))
}

/// Reads a location by what was typed alone.
pub(crate) fn exact_location(text: &str) -> Result<Location, String> {
    text.parse::<Location>().map_err(|error| {
        // What was typed stands before this already.
        let mut why = match &error {
            ParseError::Reference { source, .. } => chain(source),
            error => chain(error),
        };
        if std::path::Path::new(text).is_dir() {
            why = format!("{why}; for the OCI layout in this directory write oci:{text}");
        }
        why
    })
}

/// What every verb takes, before or behind it.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// Print the result as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// How progress is shown on stderr [default: auto] [env: STEVEDORE_PROGRESS]
    #[arg(long, global = true, value_enum, value_name = "HOW")]
    pub(crate) progress: Option<Progress>,
    /// Show no progress and no notes, only errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// The configuration file [default: ~/.config/stevedore/config.toml] [env: STEVEDORE_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config_file: Option<PathBuf>,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Progress {
    /// Bars on a terminal, lines elsewhere
    Auto,
    /// Bars, where stderr is a terminal
    #[value(alias = "tty")]
    #[serde(alias = "tty")]
    Bars,
    /// A line for each blob
    Plain,
    /// An event a line, as JSON; notes and errors too
    Json,
    /// Nothing
    None,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Copy an image from one location to another, byte for byte
    #[command(visible_alias = "cp")]
    Copy(Copy),
    /// Show what an image or an index is
    Inspect(Inspect),
    /// Print the digest of an image
    Digest(OneImage),
    /// List the names of a repository or layout as JSON, as skopeo does
    ListTags(List),
    /// List the names of a repository or layout, a line each
    #[command(visible_alias = "tags")]
    Ls(List),
    /// Print a manifest or index
    #[command(subcommand)]
    Manifest(Manifest),
    /// Print the exact bytes of an image's config; on a terminal, what it would act upon is spelt out
    Config(OneImage),
    /// Print a blob
    #[command(subcommand)]
    Blob(Blob),
    /// Give an image another name where it is
    Tag(Tag),
    /// Remove a name, or with --manifest a document
    #[command(visible_alias = "rm")]
    Delete(Delete),
    /// Store who to be at a registry, once it says that this is right
    Login(Login),
    /// Forget who to be at a registry
    Logout(Logout),
    /// Print who one is at a registry, or at each that is known
    Whoami(Whoami),
    /// Say how an image of a registry is reached, and which file, flag or variable says so, without asking anybody
    Explain(Explain),
    /// Print a completion script for a shell
    Completion(Completion),
    /// Print the version
    Version,
}

/// Which image of an index.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Platform")]
pub(crate) struct PlatformFlags {
    /// The image for this platform, as linux/arm64/v8 [default: the host's architecture on linux]
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub(crate) platform: Option<Platform>,
    /// The operating system, as skopeo has it
    #[arg(long, value_name = "OS", conflicts_with = "platform")]
    pub(crate) override_os: Option<String>,
    /// The architecture, as skopeo has it
    #[arg(long, value_name = "ARCH", conflicts_with = "platform")]
    pub(crate) override_arch: Option<String>,
    /// The variant of the architecture, as skopeo has it
    #[arg(long, value_name = "VARIANT", conflicts_with = "platform")]
    pub(crate) override_variant: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Copy {
    /// Where the image is
    #[arg(value_parser = location)]
    pub(crate) source: Location,
    /// Where it goes
    #[arg(value_parser = location)]
    pub(crate) destination: Location,
    /// Copy the index with all its images, not only the one for this host
    #[arg(long, short, conflicts_with_all = ["platform", "override_os", "override_arch", "override_variant"])]
    pub(crate) all: bool,
    /// Also copy what refers to the image: signatures, attestations, SBOMs
    #[arg(long, short = 'r')]
    pub(crate) referrers: bool,
    /// Also copy what is under tags made of the digest (sha256-….sig, .att, .sbom)
    #[arg(long)]
    pub(crate) digest_tags: bool,
    /// Fail if the digest cannot be kept; it always is, so this changes nothing
    #[arg(long)]
    pub(crate) preserve_digests: bool,
    /// Write the digest of what was copied to a file
    #[arg(long, value_name = "FILE")]
    pub(crate) digestfile: Option<PathBuf>,
    /// Fail if the destination's name names something else already
    #[arg(long, short = 'n', conflicts_with = "force")]
    pub(crate) no_clobber: bool,
    /// Look at every part again, also at those that are there, and mend what is damaged
    ///
    /// Without it a blob that a layout has counts as there by its size, and a tag, manifest or index that a registry has
    /// vouches for all that it names. With it, an index.json of a layout that cannot be parsed is replaced too; the
    /// broken one is kept as index.json.broken, and that is told also with --quiet. So is an empty directory in place of
    /// a blob, and an empty oci-layout.
    #[arg(long)]
    pub(crate) force: bool,
    /// How often a part is tried again after a passing failure [default: 3] [env: STEVEDORE_RETRY_TIMES]
    #[arg(long, value_name = "N")]
    pub(crate) retry_times: Option<u32>,
    /// How many blobs are copied at once [default: 6] [env: STEVEDORE_JOBS]
    #[arg(
        long,
        short,
        visible_alias = "concurrency",
        alias = "image-parallel-copies",
        value_name = "N"
    )]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Write nothing; say what would be
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) platform: PlatformFlags,
    #[command(flatten)]
    pub(crate) access: AccessFlags,
    #[command(flatten)]
    pub(crate) at_source: SourceFlags,
    #[command(flatten)]
    pub(crate) at_destination: DestinationFlags,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Inspect {
    /// Where the image is
    #[arg(value_parser = location)]
    pub(crate) image: Location,
    /// Print the exact bytes of the manifest or index; on a terminal, what it would act upon is spelt out
    #[arg(long)]
    pub(crate) raw: bool,
    /// Print the config of the image; with --raw its exact bytes
    #[arg(long)]
    pub(crate) config: bool,
    /// Do not list the tags of a registry's repository
    #[arg(long, short)]
    pub(crate) no_tags: bool,
    #[command(flatten)]
    pub(crate) platform: PlatformFlags,
    #[command(flatten)]
    pub(crate) access: AccessFlags,
}

/// One image, and which one of an index.
#[derive(Debug, clap::Args)]
pub(crate) struct OneImage {
    /// Where the image is
    #[arg(value_parser = location)]
    pub(crate) image: Location,
    #[command(flatten)]
    pub(crate) platform: PlatformFlags,
    #[command(flatten)]
    pub(crate) access: AccessFlags,
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// The repository or layout
    #[arg(value_parser = location)]
    pub(crate) repository: Location,
    #[command(flatten)]
    pub(crate) access: AccessFlags,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Manifest {
    /// Print the exact bytes; on a terminal, what it would act upon is spelt out
    Get(OneImage),
    /// Print type, digest and size without fetching the bytes
    Head(ManifestHead),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ManifestHead {
    /// Where the image is
    #[arg(value_parser = location)]
    pub(crate) image: Location,
    #[command(flatten)]
    pub(crate) access: AccessFlags,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Blob {
    /// Print the exact bytes; fail if they are not what the digest says
    ///
    /// A terminal gets text only, in which what it would act upon is spelt out.
    Get(BlobOf),
    /// Print the size in bytes
    Head(BlobOf),
}

#[derive(Debug, clap::Args)]
pub(crate) struct BlobOf {
    /// The repository or layout, and the digest: oci:DIR@sha256:…
    #[arg(value_parser = location)]
    pub(crate) blob: Location,
    #[command(flatten)]
    pub(crate) access: AccessFlags,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Tag {
    /// Where the image is
    #[arg(value_parser = location)]
    pub(crate) image: Location,
    /// Its further names
    #[arg(required = true)]
    pub(crate) names: Vec<String>,
    /// Fail if a name names something else already
    #[arg(long, short = 'n')]
    pub(crate) no_clobber: bool,
    #[command(flatten)]
    pub(crate) access: AccessFlags,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Delete {
    /// What is removed: a name, or with --manifest a document
    #[arg(value_parser = location)]
    pub(crate) image: Location,
    /// Remove the document with all its names, not only one name
    #[arg(long)]
    pub(crate) manifest: bool,
    #[command(flatten)]
    pub(crate) access: AccessFlags,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// The image or repository: docker://NAME, or NAME alone
    pub(crate) image: String,
    #[command(flatten)]
    pub(crate) access: AccessFlags,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Completion {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Login {
    /// The registry, or a part of it (registry.example.com/team) for which this is to hold [default: docker.io]
    pub(crate) registry: Option<String>,
    #[command(flatten)]
    pub(crate) access: AccessFlags,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Logout {
    /// The registry, or a part of it [default: docker.io]
    #[arg(conflicts_with = "all")]
    pub(crate) registry: Option<String>,
    /// Forget all registries
    #[arg(long, short)]
    pub(crate) all: bool,
    /// The only file with credentials
    #[arg(long, value_name = "FILE", alias = "registry-config")]
    pub(crate) authfile: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Whoami {
    /// The registry, or a part of it
    pub(crate) registry: Option<String>,
    /// The only file with credentials
    #[arg(long, value_name = "FILE", alias = "registry-config")]
    pub(crate) authfile: Option<PathBuf>,
}
