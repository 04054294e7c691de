//! Whether it is a registry that says yes.

use serde::de::IgnoredAny;

use super::Inner;
use crate::error::{Error, Result, shown};
use crate::request::Call;

/// How much of an answer is read, in bytes. Registries say `{}`, `true`, or nothing.
const LIMIT: u64 = 64 * 1024;

/// The header by which registries made themselves known before there was a specification; nearly all still send it.
const VERSION_HEADER: &str = "docker-distribution-api-version";

/// Asks for `/v2/` (distribution-spec, end-1), and looks whether there is something of a registry in the answer: the
/// header, or a body that is empty or JSON. The type says nothing: frameworks have a registry send `true` as a page.
pub(super) async fn ping(client: &Inner, call: &Call<'_>) -> Result<()> {
    let answer = client.send(call).await?;
    if answer.headers.contains_key(VERSION_HEADER) {
        return Ok(());
    }
    let media_type = answer
        .header_text("content-type")
        .map_or_else(|| "no type".to_owned(), |it| format!("type {}", shown(it)));
    let other = answer.unusable(format!("it is something of {media_type}: is it a registry?"));
    match client.read(call, answer, LIMIT).await {
        Ok((_, body)) if body.trim_ascii().is_empty() || is_json(&body) => Ok(()),
        Ok(_) | Err(Error::TooLarge { .. }) => Err(other),
        Err(error) => Err(error),
    }
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(body).is_ok()
}
