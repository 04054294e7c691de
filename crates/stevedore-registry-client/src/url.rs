//! URLs as registries use them: absolute, `http` or `https`, with an origin that decides about credentials.

use std::fmt;
use std::net::IpAddr;

use ::http::Uri;

/// An absolute `http` or `https` URL without user information.
///
/// `Display` and `Debug` are [redacted](Self::redacted): a presigned URL carries its secret in the query.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Url {
    text: String,
    origin: Origin,
    /// Where the path begins within the text.
    path_at: usize,
}

/// Scheme, host and port: what credentials are bound to (RFC 6454).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Origin {
    pub(crate) secure: bool,
    /// In lower case; an IPv6 address without its brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// Why a text is not a URL that can be used here. Never carries the text, which may hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UrlError {
    #[error("it is not an http or https URL")]
    Scheme,
    #[error("it has no host, or one that is not a host name")]
    Host,
    #[error("it carries user information")]
    UserInfo,
    #[error("it has characters that a URL must not have")]
    Characters,
}

/// Query parameters whose values help to understand an error and are no secret.
const SHOWN_PARAMETERS: &[&str] = &[
    "account",
    "artifactType",
    "digest",
    "from",
    "last",
    "mount",
    "n",
    "ns",
    "scope",
    "service",
    "tag",
];

impl Url {
    /// Parses an absolute URL.
    pub(crate) fn parse(text: &str) -> Result<Self, UrlError> {
        if !text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&byte))
        {
            return Err(UrlError::Characters);
        }
        let text = text.split('#').next().unwrap_or_default();
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(UrlError::Scheme),
        };
        let authority_len = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(authority_len);
        let origin = Origin::parse(secure, authority)?;
        let mut text = origin.to_string();
        let path_at = text.len();
        if !rest.starts_with('/') {
            text.push('/');
        }
        text.push_str(rest);
        let url = Self {
            text,
            origin,
            path_at,
        };
        url.text.parse::<Uri>().map_err(|_| UrlError::Characters)?;
        Ok(url)
    }

    /// The URL of a path (with its query) at an origin.
    pub(crate) fn at(origin: &Origin, path: &str) -> Result<Self, UrlError> {
        Self::parse(&format!("{origin}{path}"))
    }

    /// What a `Location`, `Link` or `realm` found at this URL points to (RFC 3986, section 5.2).
    pub(crate) fn join(&self, reference: &str) -> Result<Self, UrlError> {
        let reference = reference.trim_matches([' ', '\t']);
        if has_scheme(reference) {
            return Self::parse(reference);
        }
        if let Some(rest) = reference.strip_prefix("//") {
            let scheme = if self.origin.secure { "https" } else { "http" };
            return Self::parse(&format!("{scheme}://{rest}"));
        }
        let reference = reference.split('#').next().unwrap_or_default();
        let (path, query) = split_query(reference);
        let (own_path, own_query) = split_query(self.path_and_query());
        let target = match path {
            "" if query.is_empty() => format!("{own_path}{own_query}"),
            "" => format!("{own_path}{query}"),
            path if path.starts_with('/') => format!("{}{query}", without_dots(path)),
            path => {
                let directory = own_path.rfind('/').map_or("/", |slash| &own_path[..=slash]);
                format!("{}{query}", without_dots(&format!("{directory}{path}")))
            }
        };
        Self::at(&self.origin, &target)
    }

    /// The same URL with more query parameters, percent-encoded here.
    pub(crate) fn with_query<'q>(&self, pairs: impl IntoIterator<Item = (&'q str, &'q str)>) -> Self {
        let mut url = self.clone();
        for (name, value) in pairs {
            let separator = match url.text.find('?') {
                None => "?",
                Some(at) if at + 1 == url.text.len() => "",
                Some(_) => "&",
            };
            url.text.push_str(separator);
            encode_into(&mut url.text, name);
            url.text.push('=');
            encode_into(&mut url.text, value);
        }
        url
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The path and the query, as they go onto the wire.
    pub(crate) fn path_and_query(&self) -> &str {
        &self.text[self.path_at..]
    }

    /// The whole URL, secrets and all.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The URL as hyper wants it.
    pub(crate) fn to_uri(&self) -> Uri {
        self.text
            .parse()
            .expect("because every way to make a URL checks that it parses")
    }

    /// The URL for people: values of query parameters are left out, but for a few that are known to be harmless.
    pub(crate) fn redacted(&self) -> String {
        let (path, query) = split_query(self.path_and_query());
        let mut shown = format!("{}{path}", self.origin);
        for (place, pair) in query
            .trim_start_matches('?')
            .split('&')
            .filter(|pair| !pair.is_empty())
            .enumerate()
        {
            shown.push(if place == 0 { '?' } else { '&' });
            match pair.split_once('=') {
                Some((name, _)) if SHOWN_PARAMETERS.contains(&name) => shown.push_str(pair),
                Some((name, _)) => {
                    shown.push_str(name);
                    shown.push_str("=…");
                }
                None => shown.push('…'),
            }
        }
        shown
    }
}

impl Origin {
    /// The origin of an authority (`host`, `host:port`, `[address]:port`) under a scheme.
    pub(crate) fn parse(secure: bool, authority: &str) -> Result<Self, UrlError> {
        if authority.contains('@') {
            return Err(UrlError::UserInfo);
        }
        let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
            let (address, port) = rest.split_once(']').ok_or(UrlError::Host)?;
            let address = address
                .parse::<std::net::Ipv6Addr>()
                .map_err(|_| UrlError::Host)?;
            (address.to_string(), port)
        } else {
            let at = authority.find(':').unwrap_or(authority.len());
            let (host, port) = authority.split_at(at);
            let host = host.to_ascii_lowercase();
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            if host.is_empty() || !host.bytes().all(allowed) {
                return Err(UrlError::Host);
            }
            (host, port)
        };
        let default = if secure { 443 } else { 80 };
        let port = match port {
            "" | ":" => default,
            port => match port.strip_prefix(':').map(str::as_bytes) {
                Some(digits) if digits.iter().all(u8::is_ascii_digit) => {
                    port[1..].parse().map_err(|_| UrlError::Host)?
                }
                _ => return Err(UrlError::Host),
            },
        };
        Ok(Self { secure, host, port })
    }

    /// The host as an address, where it is one.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Whether the host is this machine by its name alone: nothing is resolved.
    pub(crate) fn is_loopback(&self) -> bool {
        match self.address() {
            Some(IpAddr::V6(address)) => {
                address.is_loopback()
                    || address
                        .to_ipv4_mapped()
                        .is_some_and(|address| address.is_loopback())
            }
            Some(address) => address.is_loopback(),
            None => self.host == "localhost" || self.host.ends_with(".localhost"),
        }
    }

    /// The `host` or `host:port` of a `Host` header, the port only where it is not the scheme's own.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        if self.port == if self.secure { 443 } else { 80 } {
            host
        } else {
            format!("{host}:{}", self.port)
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Appends a text with everything percent-encoded that is not unreserved (RFC 3986, section 2.3).
pub(crate) fn encode_into(target: &mut String, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            target.push(char::from(byte));
        } else {
            target.push('%');
            target.push(char::from(DIGITS[usize::from(byte >> 4)]));
            target.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

fn has_scheme(reference: &str) -> bool {
    let Some(colon) = reference.find(':') else {
        return false;
    };
    let scheme = &reference[..colon];
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// The path, and the query with its question mark.
fn split_query(text: &str) -> (&str, &str) {
    text.split_at(text.find('?').unwrap_or(text.len()))
}

/// An absolute path without `.` and `..` segments (RFC 3986, section 5.2.4).
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." if last => kept.push(""),
            "." => {}
            ".." => {
                kept.pop();
                if last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests;
