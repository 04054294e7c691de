//! Platforms as people write them: containerd's specifier.

use std::fmt;
use std::str::FromStr;

use super::{Platform, normal};
use crate::text::quote;

/// Why a text is not a platform.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The text is not of the form `<os>[(<version>[+<feature>]…)]/<architecture>[/<variant>]`.
    #[error("{text:?} is not a platform: {problem}")]
    #[non_exhaustive]
    Malformed {
        /// The beginning of the refused text.
        text: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The text is a single word, and neither an operating system nor an architecture.
    #[error("{text:?} is neither an operating system nor an architecture")]
    #[non_exhaustive]
    Unknown {
        /// The beginning of the refused text.
        text: String,
    },
}

/// Writes containerd's specifier. What its grammar does not allow in a version or a feature is percent-encoded.
impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.os.is_empty() {
            return f.write_str("unknown");
        }
        f.write_str(&self.os)?;
        let version = self.os_version.as_deref().unwrap_or_default();
        let mut features: Vec<_> = self
            .os_features
            .iter()
            .filter(|feature| !feature.is_empty())
            .collect();
        features.sort_unstable();
        features.dedup();
        if !version.is_empty() || !features.is_empty() {
            write!(f, "({}", Encoded(version))?;
            for feature in features {
                write!(f, "+{}", Encoded(feature))?;
            }
            f.write_str(")")?;
        }
        for part in [
            self.architecture.as_str(),
            self.variant.as_deref().unwrap_or_default(),
        ] {
            if !part.is_empty() {
                write!(f, "/{part}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for Platform {
    type Err = ParseError;

    /// Parses containerd's specifier and normalises it.
    ///
    /// A single word is an operating system or an architecture, and the host supplies the other. The usual variant of
    /// an architecture stays unsaid, unless it was said of an ARM.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = |problem| ParseError::Malformed {
            text: quote(text),
            problem,
        };
        let mut parts = text.split('/');
        let first = parts.next().unwrap_or_default();
        let (os, os_version, os_features) = operating_system(first).map_err(malformed)?;
        let (architecture, variant) = (parts.next(), parts.next());
        if parts.next().is_some() {
            return Err(malformed("it has more than three parts"));
        }
        if architecture
            .into_iter()
            .chain(variant)
            .any(|part| !is_word(part, b"_.-"))
        {
            return Err(malformed(
                "an architecture or variant has letters, digits, '_', '.' and '-' only",
            ));
        }

        let mut platform = Self {
            os,
            os_version,
            os_features,
            ..Self::default()
        };
        match (architecture, variant) {
            (None, _) if normal::is_known_os(&platform.os) => {
                let (architecture, variant) = normal::host_architecture();
                // As for `linux/arm` and `linux/arm64`: what is usual stays unsaid.
                let variant = variant.filter(|variant| !["v7", "v8"].contains(variant));
                architecture.clone_into(&mut platform.architecture);
                platform.variant = variant.map(Into::into);
            }
            (None, _) => {
                set_architecture(&mut platform, first);
                if !normal::is_known_architecture(&platform.architecture) {
                    return Err(ParseError::Unknown { text: quote(text) });
                }
                normal::HOST_OS.clone_into(&mut platform.os);
            }
            (Some(architecture), None) => set_architecture(&mut platform, architecture),
            (Some(architecture), Some(variant)) => {
                let (architecture, variant) = normal::architecture(architecture, variant);
                let variant = if architecture == "arm64" && variant.is_empty() {
                    "v8".into()
                } else {
                    variant
                };
                platform.architecture = architecture;
                platform.variant = Some(variant).filter(|variant| !variant.is_empty());
            }
        }
        Ok(platform)
    }
}

/// Sets an architecture that was named without a variant.
fn set_architecture(platform: &mut Platform, name: &str) {
    let (architecture, variant) = normal::architecture(name, "");
    let usual = architecture == "arm" && variant == "v7";
    platform.architecture = architecture;
    platform.variant = Some(variant).filter(|variant| !usual && !variant.is_empty());
}

type OperatingSystem = (String, Option<String>, Vec<String>);

/// Reads `<os>[(<version>[+<feature>]…)]`.
fn operating_system(part: &str) -> Result<OperatingSystem, &'static str> {
    let (name, options) = match part.split_once('(') {
        None => (part, ""),
        Some((name, options)) => (
            name,
            options.strip_suffix(')').ok_or("its parenthesis is not closed")?,
        ),
    };
    if !is_word(name, b"_-") {
        return Err("an operating system has letters, digits, '_' and '-' only");
    }
    let (version, features) = match options.split_once('+') {
        None => (options, None),
        Some((version, features)) => (version, Some(features)),
    };
    let version = if version.is_empty() {
        None
    } else {
        Some(decode(version)?)
    };
    let features = features.map_or(Ok(Vec::new()), |features| {
        features.split('+').map(decode).collect()
    })?;
    Ok((normal::os(name), version, features))
}

fn is_word(part: &str, punctuation: &[u8]) -> bool {
    !part.is_empty()
        && part
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || punctuation.contains(&b))
}

/// Undoes percent-encoding.
fn decode(option: &str) -> Result<String, &'static str> {
    const PROBLEM: &str = "a version or feature has letters, digits, '_', '.', '-' and percent-encoding only";
    if !is_word(option, b"_.-%") {
        return Err(PROBLEM);
    }
    let mut bytes = Vec::with_capacity(option.len());
    let mut pieces = option.split('%');
    bytes.extend_from_slice(pieces.next().unwrap_or_default().as_bytes());
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2).ok_or(PROBLEM)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| PROBLEM)?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).map_err(|_| PROBLEM)
}

/// A version or feature, percent-encoded where the grammar needs it.
struct Encoded<'a>(&'a str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b"_.-".contains(&byte) {
                write!(f, "{}", char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}
