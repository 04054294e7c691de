//! The tag under which referrers are found where there is no API for them (distribution-spec, "Referrers Tag Schema").

use stevedore_core::{Algorithm, Digest};

/// The most bytes a tag has.
const MAX_TAG: usize = 128;

/// The tag of a subject: `sha256-` and its digits, cut to what a tag may have.
pub(crate) fn tag(subject: &Digest) -> String {
    let mut tag = format!("{}-{}", subject.algorithm(), subject.hex());
    tag.truncate(MAX_TAG);
    tag
}

/// Whether a name is such a tag.
pub(crate) fn is_tag(name: &str) -> bool {
    Algorithm::ALL.iter().any(|algorithm| {
        let digits = name
            .strip_prefix(algorithm.as_str())
            .and_then(|rest| rest.strip_prefix('-'));
        let most = (algorithm.size() * 2).min(MAX_TAG - algorithm.as_str().len() - 1);
        digits.is_some_and(|digits| {
            digits.len() == most
                && digits
                    .bytes()
                    .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        })
    })
}
