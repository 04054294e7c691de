//! Referrers (distribution spec, "Listing referrers").

use http::StatusCode;
use http::header::{LINK, LOCATION};
use serde_json::{Map, Value, json};
use stevedore_core::{AnyDigest, Digest};

use super::query::encode;
use super::{Call, Manifest, Registry, Repository};
use crate::answer::{Answer, OCI_FILTERS_APPLIED};
use crate::profile::ReferrersApi;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

impl Registry {
    pub(super) fn list_referrers(&self, call: &Call<'_>, repository: &str, digest: &str) -> Answer {
        let habits = &call.profile.referrers;
        match habits.api {
            ReferrersApi::Served | ReferrersApi::Empty => {}
            ReferrersApi::NotFound => return Answer::not_found("NOT_FOUND", "no such endpoint"),
            ReferrersApi::SeeOther => {
                let name = encode(&format!("{repository}/referrers/{digest}"));
                let url = format!("{}/-/v2/packages/container/package/{name}", call.storage);
                return Answer::new(StatusCode::SEE_OTHER).header(LOCATION, url);
            }
            ReferrersApi::Unauthorized => {
                return Answer::error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "unauthorized");
            }
        }
        if digest.parse::<AnyDigest>().is_err() {
            return Answer::bad_request("DIGEST_INVALID", "not a digest");
        }
        let mut found = match self.repositories.get(repository) {
            Some(known) if habits.api == ReferrersApi::Served => {
                known.referrers(digest, habits.merge_fallback)
            }
            _ => Vec::new(),
        };
        let filter = call.query.first("artifactType").filter(|_| habits.filter);
        if let Some(filter) = filter {
            found.retain(|descriptor| descriptor["artifactType"] == filter);
        }
        let size = habits.page.unwrap_or(usize::MAX);
        let start = call
            .query
            .first("page")
            .and_then(|page| page.parse().ok())
            .unwrap_or(0)
            .min(found.len());
        let end = found.len().min(start.saturating_add(size));
        let index =
            json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": &found[start..end] }).to_string();
        let mut answer = Answer::new(StatusCode::OK).content(INDEX, index);
        if filter.is_some() {
            answer = answer.header(OCI_FILTERS_APPLIED, "artifactType");
        }
        if end < found.len() {
            let filter = filter
                .map(|filter| format!("&artifactType={}", encode(filter)))
                .unwrap_or_default();
            let link = format!("</v2/{repository}/referrers/{digest}?page={end}{filter}>; rel=\"next\"");
            answer = answer.header(LINK, link);
        }
        answer
    }
}

impl Repository {
    fn referrers(&self, subject: &str, merge_fallback: bool) -> Vec<Value> {
        let refers = |manifest: &Manifest| {
            let document: Value = serde_json::from_slice(&manifest.bytes).unwrap_or_default();
            (document["subject"]["digest"] == subject).then_some(document)
        };
        let mut found: Vec<Value> = self
            .manifests
            .iter()
            .filter_map(|(digest, manifest)| Some(descriptor(digest, manifest, &refers(manifest)?)))
            .collect();
        if merge_fallback {
            for extra in self.fallback(subject) {
                if !found.iter().any(|known| known["digest"] == extra["digest"]) {
                    found.push(extra);
                }
            }
        }
        found
    }

    /// What the index under the fallback tag names.
    fn fallback(&self, subject: &str) -> Vec<Value> {
        let index = || {
            let digest: &Digest = self.tags.get(&subject.replacen(':', "-", 1))?;
            let manifest = self.manifests.get(&digest.to_string())?;
            let index: Value = serde_json::from_slice(&manifest.bytes).ok()?;
            index["manifests"].as_array().cloned()
        };
        index().unwrap_or_default()
    }
}

fn descriptor(digest: &str, manifest: &Manifest, document: &Value) -> Value {
    let mut descriptor = Map::new();
    descriptor.insert("mediaType".to_owned(), json!(manifest.media_type));
    descriptor.insert("digest".to_owned(), json!(digest));
    descriptor.insert("size".to_owned(), json!(manifest.bytes.len()));
    // An index without a type of its own has none; an image then has its config's.
    let artifact_type = [&document["artifactType"], &document["config"]["mediaType"]];
    if let Some(artifact_type) = artifact_type
        .into_iter()
        .filter_map(Value::as_str)
        .find(|t| !t.is_empty())
    {
        descriptor.insert("artifactType".to_owned(), json!(artifact_type));
    }
    if let Some(annotations) = document["annotations"].as_object() {
        descriptor.insert("annotations".to_owned(), json!(annotations));
    }
    Value::Object(descriptor)
}
