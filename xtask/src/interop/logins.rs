//! Who one is at a registry: what one of both stores holds for the other.

use std::fs;

use serde_json::Value;

use super::certificate::AUTHORITY;
use super::meeting::Meeting;
use super::server::{PASSWORD, USER};
use super::tools::Tool;
use super::{Checked, same};
use crate::Failure;

/// The exit codes of the documentation.
const UNAUTHORISED: i32 = 4;
const NETWORK: i32 = 6;

/// Logs in, each into its own file.
pub(super) fn store(at: Meeting<'_>) -> Checked {
    let (stevedore, host, called) = (&at.bench.stevedore, at.server.host(), at.server.called());
    let (ours, theirs) = (at.our_authfile(), at.their_authfile());
    let login = |tool: &Tool, file: &str, host: &str, password: &str| {
        let line = ["login", "--cert-dir", AUTHORITY, "--authfile", file, "-u", USER];
        tool.run_with(&[&line[..], &["--password-stdin", host]].concat(), password)
    };
    let Err(refusal) = login(stevedore, &ours, called, "another") else {
        return Err("we logged in with a wrong password".into());
    };
    let said = refusal.to_string();
    same(
        &said,
        said.contains(&format!("exit status: {UNAUTHORISED}")),
        true,
    )?;
    same("a file after a refusal", at.bench.dir.join(&ours).exists(), false)?;
    login(stevedore, &ours, called, PASSWORD)?;
    login(at.skopeo, &theirs, host, PASSWORD)?;
    same(
        "what was stored",
        stored(at, &ours)?.to_string().replace(called, host),
        stored(at, &theirs)?.to_string(),
    )?;
    same(
        "who we are by its file",
        stevedore.text(&["whoami", "--authfile", &theirs, host])?,
        USER.to_owned(),
    )?;
    let by_ours = ["login", "--get-login", "--authfile", ours.as_str(), called];
    same(
        "who it is by our file",
        at.skopeo.text(&by_ours)?,
        USER.to_owned(),
    )?;
    let image = at.at("nobody", "v1");
    let nobody = stevedore.refused(&["digest", "--cert-dir", AUTHORITY, "--no-creds", &image])?;
    same(&nobody.1, nobody.0, UNAUTHORISED)?;
    // There is no way round the certificate, not on loopback either.
    let stranger = stevedore.refused(&["digest", "--authfile", &theirs, &image])?;
    same(&stranger.1, stranger.0, NETWORK)?;
    same(&stranger.1, stranger.1.contains("certificate"), true)
}

/// Logs out, each from the file that the other wrote.
pub(super) fn forget(at: Meeting<'_>) -> Checked {
    let (stevedore, host, called) = (&at.bench.stevedore, at.server.host(), at.server.called());
    let (ours, theirs) = (at.our_authfile(), at.their_authfile());
    let image = at.at("ours", "amd64");
    at.digest(&image)?;
    stevedore.run(&["logout", "--authfile", &theirs, host])?;
    at.skopeo.run(&["logout", "--authfile", &ours, called])?;
    same("what is left", stored(at, &theirs)?, stored(at, &ours)?)?;
    let (code, said) = at.we_refuse(&["digest", &image])?;
    same(&said, code, UNAUTHORISED)?;
    let said = at.they_refuse(&["inspect", "--raw"], &image)?;
    same(&said, said.contains("authentication required"), true)
}

fn stored(at: Meeting<'_>, file: &str) -> Result<Value, Failure> {
    Ok(serde_json::from_slice(&fs::read(at.bench.dir.join(file))?)?)
}
