//! The grammar of references, as `distribution/reference` has it in regular expressions.

use super::parts::{DOCKER_HUB, DOCKER_INDEX, LOCALHOST};
use super::{ParseError, Repository};
use crate::digest::Digest;
use crate::text::quote;

/// A reference by the grammar alone, before anything is guessed: so the registry may be missing.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Parsed<'a> {
    pub(super) domain: Option<&'a str>,
    pub(super) path: &'a str,
    pub(super) tag: Option<&'a str>,
    pub(super) digest: Option<Digest>,
}

/// Parses a reference as it stands (`Parse`).
pub(super) fn parse(text: &str) -> Result<Parsed<'_>, ParseError> {
    if text.is_empty() {
        return Err(ParseError::Empty);
    }
    let Some((name, tag, digest)) = split(text) else {
        return Err(if split(&text.to_lowercase()).is_some() {
            ParseError::Uppercase { text: quote(text) }
        } else {
            ParseError::Malformed { text: quote(text) }
        });
    };
    let (domain, path) = split_name(name).ok_or_else(|| ParseError::Malformed { text: quote(text) })?;
    if path.len() > Repository::MAX_LEN {
        return Err(ParseError::TooLong { length: path.len() });
    }
    let digest = digest
        .map(str::parse)
        .transpose()
        .map_err(|source| ParseError::Digest { source })?;
    Ok(Parsed {
        domain,
        path,
        tag,
        digest,
    })
}

/// Splits a reference into what stands before the first `/`, if that is a registry, and the rest
/// (`splitDockerDomain`). Nothing is checked yet.
pub(super) fn split_registry(text: &str) -> (&str, &str) {
    match text.split_once('/') {
        Some((DOCKER_INDEX, rest)) => (DOCKER_HUB, rest),
        Some((first, rest)) if is_registry_like(first) => (first, rest),
        _ => (DOCKER_HUB, text),
    }
}

/// Whether a first component is taken for a registry rather than for a part of a repository's name.
pub(super) fn is_registry_like(component: &str) -> bool {
    component == LOCALHOST || component.contains(['.', ':']) || component.to_lowercase() != component
}

/// Splits a text of the whole grammar into name, tag and digest (`referenceRegexp`). The digest is in the loose form
/// of that grammar.
pub(super) fn split(text: &str) -> Option<(&str, Option<&str>, Option<&str>)> {
    let (rest, digest) = match text.split_once('@') {
        None => (text, None),
        Some((rest, digest)) => (rest, Some(digest)),
    };
    // A colon before the last slash belongs to the registry.
    let (name, tag) = match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (rest, None),
    };
    let valid = split_name(name).is_some() && tag.is_none_or(is_tag) && digest.is_none_or(is_digest);
    valid.then_some((name, tag, digest))
}

/// Splits a name into a domain, if it has one, and the path (`anchoredNameRegexp`).
pub(super) fn split_name(name: &str) -> Option<(Option<&str>, &str)> {
    match name.split_once('/') {
        Some((domain, path)) if is_domain(domain) && is_path(path) => Some((Some(domain), path)),
        _ => is_path(name).then_some((None, name)),
    }
}

/// A host with an optional port (`DomainRegexp`).
pub(super) fn is_domain(text: &str) -> bool {
    let (host, port) = split_port(text);
    let host_valid = match host.strip_prefix('[') {
        // Neither zones nor embedded IPv4 addresses.
        Some(rest) => rest.strip_suffix(']').is_some_and(|address| {
            !address.is_empty() && address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':')
        }),
        None => host.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        }),
    };
    host_valid && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

/// Splits at the colon of the port: the last one that is not inside the brackets of an IPv6 address.
pub(super) fn split_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    }
}

/// Components separated by `/` (`remoteName`).
pub(super) fn is_path(text: &str) -> bool {
    text.split('/').all(is_component)
}

/// Runs of lower-case letters and digits, separated by one `.`, one or two `_`, or any number of `-`.
fn is_component(component: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let mut rest = component.as_bytes();
    loop {
        let run = rest.iter().take_while(|b| alphanumeric(**b)).count();
        if run == 0 {
            return false;
        }
        rest = &rest[run..];
        let separator = match rest {
            [] => return true,
            [b'_', b'_', ..] => 2,
            [b'.' | b'_', ..] => 1,
            _ => rest.iter().take_while(|b| **b == b'-').count(),
        };
        if separator == 0 {
            return false;
        }
        rest = &rest[separator..];
    }
}

/// `[\w][\w.-]{0,127}`
pub(super) fn is_tag(text: &str) -> bool {
    text.len() <= 128
        && !text.is_empty()
        && !text.starts_with(['.', '-'])
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

/// The loose form of a digest (`DigestRegexp`); [`Digest`] is stricter.
fn is_digest(text: &str) -> bool {
    let Some((algorithm, encoded)) = text.split_once(':') else {
        return false;
    };
    algorithm.split(['-', '_', '+', '.']).all(|component| {
        component.starts_with(|c: char| c.is_ascii_alphabetic())
            && component.bytes().all(|b| b.is_ascii_alphanumeric())
    }) && encoded.len() >= 32
        && encoded.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The form of an image ID: a SHA-256 without its algorithm (`IdentifierRegexp`).
pub(super) fn is_identifier(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests;
