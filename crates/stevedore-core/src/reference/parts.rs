//! The parts of a reference that are strings, each with its grammar.

use std::fmt;
use std::net::{AddrParseError, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::{ParseError, grammar};
use crate::text::{quote, serde_as_text};

/// A registry: a host, and perhaps a port.
///
/// The host is a domain name, an IPv4 address, or an IPv6 address in brackets; its case is kept. A single word is
/// refused unless it is `localhost` or has a port, for a reference would take it for a part of the repository's name.
///
/// `index.docker.io`, the older name of Docker Hub, becomes `docker.io`.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Registry(Box<str>);

impl Registry {
    /// Docker Hub, where references without a registry lead.
    pub fn docker_hub() -> Self {
        Self(DOCKER_HUB.into())
    }

    /// Its text, `<host>[:<port>]`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host without the port; an IPv6 address with its brackets, as in a URL.
    pub fn host(&self) -> &str {
        grammar::split_port(&self.0).0
    }

    /// The port, if one was given. Without it, that of the protocol is meant.
    pub fn port(&self) -> Option<u16> {
        grammar::split_port(&self.0).1?.parse().ok()
    }

    /// Where its API answers, `<host>[:<port>]`: the registry itself, but for Docker Hub, whose API is elsewhere.
    pub fn api_host(&self) -> &str {
        if self.is_docker_hub() {
            DOCKER_HUB_API
        } else {
            &self.0
        }
    }

    /// Whether this is Docker Hub.
    pub fn is_docker_hub(&self) -> bool {
        &*self.0 == DOCKER_HUB
    }

    /// Whether it is on this machine, by its name alone: `localhost` and names under it, 127.0.0.0/8 and `[::1]`.
    /// Clients speak plain HTTP to such registries if they do not answer to TLS.
    pub fn is_loopback(&self) -> bool {
        if let Some(address) = ipv6(self.host()) {
            return address.is_ok_and(|address| address.is_loopback());
        }
        let host = self.host().to_ascii_lowercase();
        host == LOCALHOST
            || host.ends_with(".localhost")
            || host.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback())
    }
}

impl FromStr for Registry {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = |problem| ParseError::Registry {
            text: quote(text),
            problem,
        };
        if !grammar::is_domain(text) {
            return Err(refused("it is not a host with an optional port"));
        }
        if grammar::split_port(text)
            .1
            .is_some_and(|port| port.parse::<u16>().is_err())
        {
            return Err(refused("its port is above 65535"));
        }
        if ipv6(grammar::split_port(text).0).is_some_and(|address| address.is_err()) {
            return Err(refused("its brackets hold no IPv6 address"));
        }
        if !grammar::is_registry_like(text) {
            return Err(refused(
                "a single word is a part of a repository name, unless a port follows it",
            ));
        }
        Ok(Self(if text == DOCKER_INDEX { DOCKER_HUB } else { text }.into()))
    }
}

/// The name of a repository in a registry, such as `library/ubuntu`.
///
/// It has one or more components, separated by `/`; each of lower-case letters and digits, separated by one `.`, one
/// or two `_`, or any number of `-`. It has at most [`MAX_LEN`](Self::MAX_LEN) bytes. The distribution-spec has the
/// same grammar, and recommends the limit for registry and repository together; that is left to registries.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Repository(Box<str>);

impl Repository {
    /// The length of the longest name, in bytes.
    pub const MAX_LEN: usize = 255;

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its components, from the left.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }
}

impl FromStr for Repository {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(ParseError::Empty);
        }
        if !grammar::is_path(text) {
            return Err(if grammar::is_path(&text.to_lowercase()) {
                ParseError::Uppercase { text: quote(text) }
            } else {
                ParseError::Repository { text: quote(text) }
            });
        }
        if text.len() > Self::MAX_LEN {
            return Err(ParseError::TooLong { length: text.len() });
        }
        Ok(Self(text.into()))
    }
}

/// A tag: 1 to 128 letters, digits, `_`, `.` and `-`, beginning with neither of the last two.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Tag(Box<str>);

impl Tag {
    /// The tag that is meant when none is given.
    pub fn latest() -> Self {
        Self("latest".into())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if grammar::is_tag(text) {
            Ok(Self(text.into()))
        } else {
            Err(ParseError::Tag { text: quote(text) })
        }
    }
}

macro_rules! text_traits {
    ($($type:ty, $expecting:literal;)*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        serde_as_text!($type, $expecting);
    )*};
}

text_traits! {
    Registry, "a registry such as docker.io";
    Repository, "a repository such as library/ubuntu";
    Tag, "a tag such as latest";
}

/// The address in a host's brackets, if it has any.
fn ipv6(host: &str) -> Option<Result<Ipv6Addr, AddrParseError>> {
    Some(host.strip_prefix('[')?.strip_suffix(']')?.parse())
}

/// The registry in references to Docker Hub. It is a name; nothing answers there.
pub(super) const DOCKER_HUB: &str = "docker.io";

/// An older name for the same; also the key of its credentials.
pub(super) const DOCKER_INDEX: &str = "index.docker.io";

/// Where the registry API of Docker Hub answers.
const DOCKER_HUB_API: &str = "registry-1.docker.io";

/// The only single word that is taken for a registry.
pub(super) const LOCALHOST: &str = "localhost";
