//! `inspect`: what an image or an index is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;
use stevedore_core::raw::CONFIG_LIMIT;
use stevedore_core::{
    Algorithm, Annotations, Context as _, Descriptor, Document, Error, ErrorKind, ImageConfig, ImageIndex,
    ImageManifest, MediaType, Raw, Source,
};
use stevedore_transport::Location;

use crate::access::Reach;
use crate::args::Inspect;
use crate::exit::Failure;
use crate::output::{escape_line, size};
use crate::settings::Settings;
use crate::verbs::{config, exact};
use crate::{output, places};

/// An image, by skopeo's keys.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ImageReport<'a> {
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    digest: String,
    repo_tags: Vec<String>,
    created: Option<&'a str>,
    docker_version: &'static str,
    labels: Option<&'a BTreeMap<String, String>>,
    architecture: &'a str,
    os: &'a str,
    layers: Vec<String>,
    layers_data: Vec<LayerReport<'a>>,
    env: Option<&'a [String]>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LayerReport<'a> {
    #[serde(rename = "MIMEType")]
    mime_type: &'a str,
    digest: String,
    size: u64,
    annotations: Option<&'a Annotations>,
}

/// An index: skopeo has no such report.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct IndexReport<'a> {
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    digest: String,
    media_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<&'a str>,
    manifests: Vec<EntryReport<'a>>,
    annotations: &'a Annotations,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EntryReport<'a> {
    media_type: &'a str,
    digest: String,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<&'a str>,
    /// The digest of the image that this entry is an attestation of.
    #[serde(skip_serializing_if = "Option::is_none")]
    attests: Option<&'a str>,
    annotations: &'a Annotations,
}

/// How build tools mark an attestation among the entries of an index, and what it is of.
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";
const REFERENCE_DIGEST: &str = "vnd.docker.reference.digest";

pub(crate) async fn run(args: Inspect, settings: &Settings) -> Result<(), Failure> {
    let reach = Reach::new(args.access.into(), settings, &[&args.image]).await?;
    let source = reach.source(&args.image)?;
    if args.config {
        let document = places::image(&source, &args.image, &args.platform).await?;
        let (config, bytes) = config::read(&source, &args.image, &document).await?;
        if args.raw {
            return exact::print(config.media_type.as_str(), &config.digest, &bytes, settings);
        }
        // Checked, then shown as it is: it may have keys that are unknown here.
        parse_config(&bytes, &document)?;
        return output::unchanged(output::indented(&String::from_utf8_lossy(&bytes)).as_bytes());
    }
    let document = places::document(&source, &args.image, &args.platform).await?;
    document.ensure_known_kind()?;
    if args.raw {
        let media_type = document.media_type().as_str();
        return exact::print(media_type, &document.digest(), document.bytes(), settings);
    }
    let as_text = !settings.json && output::is_terminal();
    match &document {
        Document::Image(image) => {
            let name = name(&args.image);
            if !image.config.media_type.is_config() {
                return show_other(&document, as_text);
            }
            let (_, bytes) = config::read(&source, &args.image, &document).await?;
            let config = parse_config(&bytes, &document)?;
            if as_text {
                return output::unchanged(image_text(&name, image, &config).as_bytes());
            }
            let tags = if args.no_tags {
                Vec::new()
            } else {
                tags(&source, &args.image, settings).await?
            };
            output::json(&image_report(name, tags, image, &config))
        }
        Document::Index(index) if as_text => {
            output::unchanged(index_text(&name(&args.image), index).as_bytes())
        }
        Document::Index(index) => output::json(&index_report(name(&args.image), index)),
        _ => show_other(&document, as_text),
    }
}

fn name(location: &Location) -> String {
    match location {
        Location::Registry(reference) => reference.name(),
        _ => String::new(),
    }
}

/// As skopeo has it: the tags of a registry's repository, none for a layout.
async fn tags(
    source: &Arc<dyn Source>,
    location: &Location,
    settings: &Settings,
) -> Result<Vec<String>, Failure> {
    use futures_util::TryStreamExt as _;
    if !matches!(location, Location::Registry(_)) {
        return Ok(Vec::new());
    }
    let names: Result<Vec<_>, Error> = source
        .names()
        .map_ok(|named| named.name.to_string())
        .try_collect()
        .await;
    match names {
        // Some registries show an image to those who may not see the list.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::Unauthorized | ErrorKind::NotFound | ErrorKind::Unsupported
            ) =>
        {
            if !settings.quiet {
                output::note(&format!("the registry does not list the tags: {error}"));
            }
            Ok(Vec::new())
        }
        names => Ok(names?),
    }
}

fn parse_config(bytes: &bytes::Bytes, document: &Document) -> Result<Raw<ImageConfig>, Failure> {
    let config = Raw::parse(
        bytes.clone(),
        MediaType::OCI_CONFIG,
        Algorithm::Sha256,
        CONFIG_LIMIT,
    );
    let config = config.map_err(Error::from);
    Ok(config.context(|| format!("the config of {} cannot be read", document.digest()))?)
}

fn image_report<'a>(
    name: String,
    repo_tags: Vec<String>,
    image: &'a Raw<ImageManifest>,
    config: &'a Raw<ImageConfig>,
) -> ImageReport<'a> {
    ImageReport {
        name,
        digest: image.digest().to_string(),
        repo_tags,
        created: config.created.as_deref(),
        docker_version: "",
        labels: Some(&config.config.labels).filter(|labels| !labels.is_empty()),
        architecture: &config.architecture,
        os: &config.os,
        layers: image
            .layers
            .iter()
            .map(|layer| layer.digest.to_string())
            .collect(),
        layers_data: image.layers.iter().map(layer_report).collect(),
        env: Some(&config.config.env[..]).filter(|env| !env.is_empty()),
    }
}

fn layer_report(layer: &Descriptor) -> LayerReport<'_> {
    LayerReport {
        mime_type: layer.media_type.as_str(),
        digest: layer.digest.to_string(),
        size: layer.size,
        annotations: Some(&layer.annotations).filter(|annotations| !annotations.is_empty()),
    }
}

fn index_report(name: String, index: &Raw<ImageIndex>) -> IndexReport<'_> {
    IndexReport {
        name,
        digest: index.digest().to_string(),
        media_type: index.media_type().as_str(),
        artifact_type: index.artifact_type.as_ref().map(MediaType::as_str),
        manifests: index.manifests.iter().map(entry_report).collect(),
        annotations: &index.annotations,
    }
}

fn entry_report(entry: &Descriptor) -> EntryReport<'_> {
    EntryReport {
        media_type: entry.media_type.as_str(),
        digest: entry.digest.to_string(),
        size: entry.size,
        platform: entry.platform.as_ref().map(ToString::to_string),
        artifact_type: entry.artifact_type.as_ref().map(MediaType::as_str),
        attests: attests(entry),
        annotations: &entry.annotations,
    }
}

fn attests(entry: &Descriptor) -> Option<&str> {
    let is_attestation = entry
        .annotations
        .get(REFERENCE_TYPE)
        .is_some_and(|kind| kind == "attestation-manifest");
    entry
        .annotations
        .get(REFERENCE_DIGEST)
        .filter(|_| is_attestation)
        .map(String::as_str)
}

/// Lines of a report for people: `key: value`, everything escaped.
struct Text(String);

impl Text {
    fn field(&mut self, key: &str, value: impl std::fmt::Display) {
        writeln!(self.0, "{key:<14} {}", escape_line(&value.to_string()))
            .expect("because a String takes any text");
    }
}

fn image_text(name: &str, image: &Raw<ImageManifest>, config: &Raw<ImageConfig>) -> String {
    let mut text = Text(String::new());
    if !name.is_empty() {
        text.field("name", name);
    }
    text.field("digest", image.digest());
    text.field("type", image.media_type());
    text.field("platform", config.platform());
    if let Some(created) = &config.created {
        text.field("created", created);
    }
    for (key, value) in &config.config.labels {
        text.field("label", format!("{key}={value}"));
    }
    for variable in &config.config.env {
        text.field("env", variable);
    }
    text.field(
        "config",
        format!("{} {}", image.config.digest, size(image.config.size)),
    );
    for layer in &image.layers {
        text.field(
            "layer",
            format!("{} {} {}", layer.digest, size(layer.size), layer.media_type),
        );
    }
    let total: u64 = image
        .layers
        .iter()
        .map(|layer| layer.size)
        .fold(0, u64::saturating_add);
    text.field(
        "size",
        format!("{} in {} layers", size(total), image.layers.len()),
    );
    text.0
}

fn index_text(name: &str, index: &Raw<ImageIndex>) -> String {
    let mut text = Text(String::new());
    if !name.is_empty() {
        text.field("name", name);
    }
    text.field("digest", index.digest());
    text.field("type", index.media_type());
    for (key, value) in &index.annotations {
        text.field("annotation", format!("{key}={value}"));
    }
    for entry in &index.manifests {
        let what = match (attests(entry), &entry.platform) {
            (Some(of), _) => format!("attestation of {of}"),
            (None, Some(platform)) => platform.to_string(),
            (None, None) => entry.media_type.to_string(),
        };
        text.field(
            "manifest",
            format!("{} {} {what}", entry.digest, size(entry.size)),
        );
    }
    text.0
}

/// What has no config that could be shown: an artifact, or a document of a type that is not known.
fn show_other(document: &Document, as_text: bool) -> Result<(), Failure> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Other<'a> {
        digest: String,
        media_type: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        artifact_type: Option<&'a str>,
        size: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        subject: Option<String>,
        layers_data: Vec<LayerReport<'a>>,
        annotations: &'a Annotations,
    }
    let layers = match document {
        Document::Image(image) => &image.layers[..],
        Document::Artifact(artifact) => &artifact.blobs[..],
        _ => &[],
    };
    let report = Other {
        digest: document.digest().to_string(),
        media_type: document.media_type().as_str(),
        artifact_type: document.artifact_type().map(MediaType::as_str),
        size: document.size(),
        subject: document.subject().map(|subject| subject.digest.to_string()),
        layers_data: layers.iter().map(layer_report).collect(),
        annotations: document.annotations(),
    };
    if !as_text {
        return output::json(&report);
    }
    let mut text = Text(String::new());
    text.field("digest", &report.digest);
    text.field("type", report.media_type);
    if let Some(artifact_type) = report.artifact_type {
        text.field("artifact type", artifact_type);
    }
    if let Some(subject) = &report.subject {
        text.field("subject", subject);
    }
    for (key, value) in report.annotations {
        text.field("annotation", format!("{key}={value}"));
    }
    for layer in &report.layers_data {
        text.field(
            "blob",
            format!("{} {} {}", layer.digest, size(layer.size), layer.mime_type),
        );
    }
    output::unchanged(text.0.as_bytes())
}
