//! One skopeo and we at one registry.

use std::fs;
use std::path::Path;

use super::certificate::AUTHORITY;
use super::server::Server;
use super::tools::Tool;
use super::{Bench, Checked, same};
use crate::Failure;

/// Who meets where.
#[derive(Clone, Copy)]
pub(super) struct Meeting<'a> {
    pub(super) bench: &'a Bench,
    pub(super) skopeo: &'a Tool,
    pub(super) server: &'a Server,
}

impl Meeting<'_> {
    /// A repository of the registry that is of this meeting alone.
    pub(super) fn repository(&self, name: &str) -> String {
        format!("docker://{}/{}/{name}", self.server.host(), self.skopeo.name())
    }

    /// The location of an image.
    pub(super) fn at(&self, repository: &str, tag: &str) -> String {
        format!("{}:{tag}", self.repository(repository))
    }

    /// The file with the credentials that we stored, which is the one that it uses.
    pub(super) fn our_authfile(&self) -> String {
        format!("auth-{}-{}-by-us.json", self.server.name(), self.skopeo.name())
    }

    /// The file with the credentials that it stored, which is the one that we use.
    pub(super) fn their_authfile(&self) -> String {
        format!("auth-{}-{}-by-it.json", self.server.name(), self.skopeo.name())
    }

    /// What we print.
    pub(super) fn ours(&self, arguments: &[&str]) -> Result<Vec<u8>, Failure> {
        self.bench.stevedore.run(&self.our_line(arguments))
    }

    /// The same, as text without the space around it.
    pub(super) fn our_text(&self, arguments: &[&str]) -> Result<String, Failure> {
        Ok(String::from_utf8(self.ours(arguments)?)?.trim().to_owned())
    }

    /// The same, as JSON.
    pub(super) fn our_json(&self, arguments: &[&str]) -> Result<serde_json::Value, Failure> {
        Ok(serde_json::from_slice(&self.ours(arguments)?)?)
    }

    /// The exit code with which we refuse, and what we say.
    pub(super) fn we_refuse(&self, arguments: &[&str]) -> Result<(i32, String), Failure> {
        self.bench.stevedore.refused(&self.our_line(arguments))
    }

    /// The digest of an image, as we see it.
    pub(super) fn digest(&self, image: &str) -> Result<String, Failure> {
        self.our_text(&["digest", image])
    }

    /// A copy by us must give the digest that the source has, and must say so.
    pub(super) fn we_copy(&self, flags: &[&str], from: &str, to: &str) -> Result<serde_json::Value, Failure> {
        let report = self.our_json(&[&["copy", "-q", "--json"], flags, &[from, to]].concat())?;
        let copied = self.digest(to)?;
        same(to, report["digest"].as_str(), Some(&copied))?;
        Ok(report)
    }

    /// What it prints; `before` stands before its verb.
    pub(super) fn theirs(&self, before: &[&str], verb: &[&str], image: &str) -> Result<Vec<u8>, Failure> {
        self.skopeo.run(&self.their_line(before, verb, image))
    }

    /// The same, as JSON, with the registry called as we call it.
    pub(super) fn their_json(
        &self,
        before: &[&str],
        verb: &[&str],
        image: &str,
    ) -> Result<serde_json::Value, Failure> {
        let text = String::from_utf8(self.theirs(before, verb, image)?)?;
        let text = text.replace(self.server.called(), self.server.host());
        Ok(serde_json::from_str(&text)?)
    }

    /// What it says where it has to refuse.
    pub(super) fn they_refuse(&self, verb: &[&str], image: &str) -> Result<String, Failure> {
        let (_, said) = self.skopeo.refused(&self.their_line(&[], verb, image))?;
        Ok(said)
    }

    /// A copy by it.
    pub(super) fn they_copy(&self, flags: &[&str], from: &str, to: &str) -> Checked {
        let mut line = vec!["--insecure-policy", "copy", "-q"];
        line.extend(flags);
        let mut line: Vec<String> = line.into_iter().map(str::to_owned).collect();
        line.extend([from, to].map(|image| self.as_they_call(image)));
        for (side, image) in [("src-", from), ("dest-", to)] {
            line.extend(self.their_access(side, image));
        }
        self.skopeo.run(&line).map(drop)
    }

    /// The digest of the bytes that it takes for the manifest.
    pub(super) fn their_digest(&self, image: &str) -> Result<String, Failure> {
        let raw = self.theirs(&[], &["inspect", "--raw"], image)?;
        let file = self.bench.dir.join("manifest");
        fs::write(&file, raw)?;
        self.skopeo.text(&[Path::new("manifest-digest"), &file])
    }

    fn our_line(&self, arguments: &[&str]) -> Vec<String> {
        let mut line: Vec<String> = arguments.iter().copied().map(str::to_owned).collect();
        if self.server.is_guarded() {
            line.push(format!("--cert-dir={AUTHORITY}"));
            line.push(format!("--authfile={}", self.their_authfile()));
        }
        line
    }

    fn their_line(&self, before: &[&str], verb: &[&str], image: &str) -> Vec<String> {
        let words = before.iter().chain(verb).copied().map(str::to_owned);
        words
            .chain([self.as_they_call(image)])
            .chain(self.their_access("", image))
            .collect()
    }

    fn as_they_call(&self, image: &str) -> String {
        image.replacen(self.server.host(), self.server.called(), 1)
    }

    fn their_access(&self, side: &str, image: &str) -> Vec<String> {
        if !image.starts_with("docker://") {
            return Vec::new();
        }
        if self.server.is_guarded() {
            let authfile = self.our_authfile();
            vec![
                format!("--{side}cert-dir={AUTHORITY}"),
                format!("--{side}authfile={authfile}"),
            ]
        } else {
            // It wants to be told what we do unasked on loopback: to speak plain HTTP.
            vec![format!("--{side}tls-verify=false")]
        }
    }
}
