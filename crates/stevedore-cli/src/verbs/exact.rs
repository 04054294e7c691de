//! Documents as they are: their bytes, or within a report.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::exit::Failure;
use crate::output;
use crate::settings::Settings;

/// A document and what names it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    media_type: &'a str,
    digest: String,
    size: usize,
    /// By its own spelling; `null` where it is no JSON.
    document: Option<&'a RawValue>,
}

/// Prints the exact bytes, or with `--json` a report that contains them.
pub(crate) fn print(
    media_type: &str,
    digest: &impl ToString,
    bytes: &[u8],
    settings: &Settings,
) -> Result<(), Failure> {
    if !settings.json {
        return output::bytes(bytes);
    }
    output::json(&Report {
        media_type,
        digest: digest.to_string(),
        size: bytes.len(),
        document: serde_json::from_slice(bytes).ok(),
    })
}
