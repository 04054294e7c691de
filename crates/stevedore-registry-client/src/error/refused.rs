//! An answer of a registry that is not a success.

use std::fmt;
use std::time::Duration;

use ::http::StatusCode;
use serde::Deserialize;

/// An answer of a registry, or of its token service, that is not a success.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// The method of the request.
    pub method: String,
    /// The redacted URL.
    pub url: String,
    /// The HTTP status.
    pub status: u16,
    /// The registry's own list of errors (distribution-spec, "Error Codes"), empty where it sent none.
    pub errors: Vec<RegistryError>,
    /// The beginning of a body that is no such list, without control characters.
    pub text: Option<String>,
    /// The id under which the registry's operators find the request.
    pub request_id: Option<String>,
    /// How long the registry asked to wait.
    pub retry_after: Option<Duration>,
}

/// One entry of a registry's list of errors.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistryError {
    /// The code, as `MANIFEST_UNKNOWN`.
    pub code: String,
    /// The message for people, without control characters; may be empty.
    pub message: String,
    /// The details, as the JSON that came; may be empty.
    pub detail: String,
}

/// Entries of a list that are kept.
const MAX_ENTRIES: usize = 20;

/// Characters of a text out of an answer that are kept.
const MAX_TEXT: usize = 500;

#[derive(Deserialize)]
struct List {
    errors: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    detail: Option<Box<serde_json::value::RawValue>>,
}

/// What token services send (RFC 6749, section 5.2), and some registries beside them.
#[derive(Deserialize)]
struct Flat {
    #[serde(alias = "code")]
    error: Option<String>,
    #[serde(alias = "message", alias = "details")]
    error_description: Option<String>,
}

impl Refused {
    pub(crate) fn new(method: &str, url: String, status: u16) -> Self {
        Self {
            method: method.to_owned(),
            url,
            status,
            errors: Vec::new(),
            text: None,
            request_id: None,
            retry_after: None,
        }
    }

    /// Reads what the body says about the error.
    pub(crate) fn with_body(mut self, body: &[u8]) -> Self {
        if let Ok(list) = serde_json::from_slice::<List>(body) {
            self.errors = list
                .errors
                .into_iter()
                .take(MAX_ENTRIES)
                .map(RegistryError::from)
                .collect();
        } else if let Ok(Flat {
            error: Some(code),
            error_description,
        }) = serde_json::from_slice(body)
        {
            let message = error_description.as_deref().map(shown).unwrap_or_default();
            self.errors = vec![RegistryError {
                code: shown(&code),
                message,
                detail: String::new(),
            }];
        } else {
            let text = shown(String::from_utf8_lossy(body).trim());
            // A page of HTML helps nobody.
            self.text = Some(text).filter(|text| !text.is_empty() && !text.starts_with('<'));
        }
        self
    }

    #[cfg(test)]
    pub(crate) fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Whether the registry's list has an entry with this code; case does not matter.
    pub fn has_code(&self, code: &str) -> bool {
        self.errors
            .iter()
            .any(|error| error.code.eq_ignore_ascii_case(code))
    }
}

impl From<Item> for RegistryError {
    fn from(item: Item) -> Self {
        let text = |text: Option<String>| text.as_deref().map(shown).unwrap_or_default();
        Self {
            code: text(item.code),
            message: text(item.message),
            detail: item
                .detail
                .map(|detail| shown(detail.get()))
                .filter(|detail| detail != "null")
                .unwrap_or_default(),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} was answered {}", self.method, self.url, self.status)?;
        let reason = StatusCode::from_u16(self.status)
            .ok()
            .and_then(|status| status.canonical_reason());
        if let Some(reason) = reason {
            write!(f, " {reason}")?;
        }
        for (place, error) in self.errors.iter().enumerate() {
            write!(f, "{}{error}", if place == 0 { ": " } else { "; " })?;
        }
        if let Some(text) = &self.text {
            write!(f, ": {text}")?;
        }
        if let Some(wait) = self.retry_after {
            write!(f, "; the registry asks to wait {} seconds", wait.as_secs().max(1))?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request id {id})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refused {}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code.as_str(), self.message.as_str()) {
            (code, "") => f.write_str(code),
            ("", message) => f.write_str(message),
            (code, message) => write!(f, "{code}: {message}"),
        }
    }
}

/// Text out of an answer as it may be shown: bounded, on one line, without control characters.
pub(crate) fn shown(text: &str) -> String {
    let clean = |character: char| if character.is_control() { ' ' } else { character };
    text.chars().take(MAX_TEXT).map(clean).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(body: &[u8]) -> Refused {
        Refused::new("GET", "https://h/v2/a/manifests/x".to_owned(), 404).with_body(body)
    }

    #[test]
    fn keeps_the_list() {
        let body = br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest\u001b[31m unknown","detail":{"Tag":"x"}},
                       {"code":"X","message":null}]}"#;
        let refused = refused(body);
        assert_eq!(refused.errors[0].detail, r#"{"Tag":"x"}"#);
        assert!(refused.has_code("manifest_unknown"));
        assert_eq!(
            refused.to_string(),
            "GET https://h/v2/a/manifests/x was answered 404 Not Found: MANIFEST_UNKNOWN: manifest [31m unknown; X"
        );
    }

    #[test]
    fn understands_token_services_and_plain_text() {
        let oauth = refused(br#"{"error":"invalid_grant","error_description":"refresh token expired"}"#);
        assert_eq!(
            oauth.errors[0].to_string(),
            "invalid_grant: refresh token expired"
        );
        let hub = refused(br#"{"details":"incorrect username or password"}"#);
        assert_eq!(
            hub.text.as_deref(),
            Some(r#"{"details":"incorrect username or password"}"#)
        );
        assert_eq!(refused(b"no such\thost\n").text.as_deref(), Some("no such host"));
        assert_eq!(refused(b"<html>").text, None);
    }

    proptest! {
        #[test]
        fn is_bounded_and_on_one_line(body in prop::collection::vec(any::<u8>(), 0..3000)) {
            let shown = refused(&body).to_string();
            prop_assert!(shown.chars().count() < 600);
            prop_assert!(!shown.chars().any(char::is_control));
        }
    }
}
