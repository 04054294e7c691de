//! One proxy, out of its URL.

use std::fmt;

use ::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::url::Origin;

/// A proxy: where it is, and who we are there.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) origin: Origin,
    /// For `Proxy-Authorization`.
    pub(crate) authorization: Option<HeaderValue>,
}

impl Proxy {
    /// Reads `[http[s]://][user[:password]@]host[:port][/]`. What is refused is not repeated: it may have a secret.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (secure, rest) = match text.split_once("://") {
            None => (false, text),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some(_) => return Err("its scheme is neither http nor https".to_owned()),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let origin = Origin::parse(secure, host).map_err(|error| error.to_string())?;
        let authorization = user.map(authorization).transpose()?;
        Ok(Self {
            origin,
            authorization,
        })
    }
}

/// Credentials in a URL, as the header has them (RFC 7617).
fn authorization(user: &str) -> Result<HeaderValue, String> {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let mut pair = decoded(name)?;
    if pair.contains(&b':') {
        return Err("its user's name has a colon".to_owned());
    }
    pair.push(b':');
    pair.extend(decoded(password)?);
    let mut header = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair)))
        .expect("because base64 has only characters that a header may have");
    header.set_sensitive(true);
    Ok(header)
}

/// The bytes behind percent-encoding (RFC 3986, section 2.1).
fn decoded(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let value = digit().zip(digit()).map(|(high, low)| high * 16 + low);
        let value = value.and_then(|value| u8::try_from(value).ok());
        decoded.push(value.ok_or("a % in its user or password is followed by no two hexadecimal digits")?);
    }
    Ok(decoded)
}

/// Without credentials.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.origin, f)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.origin, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> (String, u16, Option<String>) {
        let proxy = Proxy::parse(text).expect("a proxy");
        let header = proxy.authorization.map(|header| {
            let text = header.to_str().expect("text").to_owned();
            let bytes = STANDARD.decode(text.strip_prefix("Basic ").expect("Basic"));
            String::from_utf8(bytes.expect("base64")).expect("UTF-8")
        });
        (proxy.origin.to_string(), proxy.origin.port, header)
    }

    #[test]
    fn urls_of_proxies_are_read() {
        let of = |origin: &str, port, user: Option<&str>| (origin.to_owned(), port, user.map(str::to_owned));
        assert_eq!(parsed("p.example:3128"), of("http://p.example:3128", 3128, None));
        assert_eq!(parsed("HTTP://P.example/"), of("http://p.example", 80, None));
        assert_eq!(parsed("https://p.example"), of("https://p.example", 443, None));
        assert_eq!(parsed("[::1]:3128"), of("http://[::1]:3128", 3128, None));
        assert_eq!(
            parsed("http://me:a%3Ab%40@p.example:1/x"),
            of("http://p.example:1", 1, Some("me:a:b@"))
        );
        assert_eq!(parsed("me@p.example"), of("http://p.example", 80, Some("me:")));
    }

    #[test]
    fn what_is_no_proxy_is_refused() {
        for text in [
            "",
            "http://",
            "socks5://p:1",
            "p:port",
            "http://a%3Ab:c@p",
            "http://a:%zz@p",
            "p q",
        ] {
            Proxy::parse(text).expect_err(text);
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it_and_none_shows_its_password(
            text in "\\PC*",
            password in "secret[a-z0-9]{8}",
        ) {
            drop(Proxy::parse(&text));
            match Proxy::parse(&format!("http://me:{password}@p.example{text}")) {
                Ok(proxy) => {
                    let shown = format!("{proxy:?} {proxy}");
                    prop_assert!(!shown.contains(&password));
                }
                Err(error) => prop_assert!(!error.contains(&password)),
            }
        }
    }
}
