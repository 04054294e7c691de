//! Platforms: what an image runs on, how people write it, and which entry of an index suits.
//!
//! Reading, normalising and matching follow the `platforms` package of containerd, which is what users of Docker,
//! buildkit and Kubernetes are used to. What differs is listed at [`Matcher`].
//!
//! ```
//! use stevedore_core::platform::{self, Platform};
//!
//! let wanted: Platform = "linux/arm/v7".parse()?;
//! let index: Vec<Platform> =
//!     ["linux/amd64", "linux/arm/v5", "linux/arm/v6"].map(|text| text.parse().unwrap()).into();
//! assert_eq!(platform::select(&wanted, index.iter().map(Some)), Some(2));
//!
//! let windows: Platform = "windows(10.0.17763+win32k)/amd64".parse()?;
//! assert_eq!(windows.os_version.as_deref(), Some("10.0.17763"));
//! assert_eq!(windows.to_string(), "windows(10.0.17763+win32k)/amd64");
//! # Ok::<(), stevedore_core::platform::ParseError>(())
//! ```

mod matcher;
mod normal;
mod specifier;

use serde::{Deserialize, Serialize};

pub use matcher::{Matcher, select};
pub use specifier::ParseError;

use crate::text::null_as_default;

/// What an image runs on (image-spec, "Image Index: `platform`").
///
/// The fields are as they stood in the document; [`normalized`](Self::normalized) brings them to the usual spelling.
/// An absent operating system or architecture is read as an empty string, as the reference implementation does, for
/// one odd entry should not make an index unreadable.
///
/// Its text is containerd's specifier, `<os>[(<os.version>[+<os.feature>]…)]/<architecture>[/<variant>]`.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[non_exhaustive]
pub struct Platform {
    /// The CPU architecture, a value of Go's `GOARCH` such as `amd64`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub architecture: String,
    /// The operating system, a value of Go's `GOOS` such as `linux`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub os: String,
    /// The version of the operating system that the image needs, such as `10.0.17763.1999`.
    #[serde(default, rename = "os.version", skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// What the operating system must offer, such as `win32k`.
    #[serde(
        default,
        rename = "os.features",
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub os_features: Vec<String>,
    /// The variant of the architecture, such as `v7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// What the CPU must offer. Reserved by the image-spec; Docker's manifest lists have it. It takes no part in
    /// matching.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub features: Vec<String>,
}

impl Platform {
    /// A platform of an operating system and an architecture, with nothing optional.
    pub fn new(os: impl Into<String>, architecture: impl Into<String>) -> Self {
        Self {
            os: os.into(),
            architecture: architecture.into(),
            ..Self::default()
        }
    }

    /// The platform of containers on this machine.
    ///
    /// The operating system is always `linux`: that is what containers run on, also behind the scenes of a Mac. The
    /// architecture is the one this program was built for. Its variant is the usual one of today's machines, `v8` or
    /// `v7`; whoever has an older ARM must say so.
    pub fn host() -> Self {
        let (architecture, variant) = normal::host_architecture();
        Self {
            variant: variant.map(Into::into),
            ..Self::new(normal::HOST_OS, architecture)
        }
    }

    /// Sets the variant of the architecture.
    #[must_use]
    pub fn with_variant(mut self, variant: impl Into<String>) -> Self {
        self.variant = Some(variant.into());
        self
    }

    /// Sets the version of the operating system.
    #[must_use]
    pub fn with_os_version(mut self, os_version: impl Into<String>) -> Self {
        self.os_version = Some(os_version.into());
        self
    }

    /// Sets what the operating system must offer.
    #[must_use]
    pub fn with_os_features(mut self, features: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.os_features = features.into_iter().map(Into::into).collect();
        self
    }

    /// This platform in the usual spelling, for comparing: lower case, `x86_64` as `amd64`, `aarch64` as `arm64`,
    /// `armhf` as `arm` `v7`, `macos` as `darwin`, and so on.
    ///
    /// A variant that is the usual one of its architecture is left out for `amd64` (`v1`) and `arm64` (`v8`) and put
    /// in for `arm` (`v7`). Features are sorted. An empty operating system is the host's.
    #[must_use]
    pub fn normalized(&self) -> Self {
        normal::normalize(self)
    }

    /// Whether a machine of this platform runs images of `candidate`, at the same architecture.
    ///
    /// See [`Matcher`] for the rules, and for stricter and laxer ones.
    pub fn matches(&self, candidate: &Self) -> bool {
        Matcher::new(self).matches(candidate)
    }
}
