//! Which token services may be told a registry's credentials.
//!
//! The rule is in the documentation of [`auth`](crate::auth).

use crate::url::{Origin, Url, UrlError};

/// Token services that are known to belong to registries of another site.
const KNOWN: &[(&str, &str)] = &[
    ("nvcr.io", "authn.nvidia.com"),
    ("registry.ollama.ai", "ollama.com"),
    ("rg.fr-par.scw.cloud", "api.scaleway.com"),
    ("rg.nl-ams.scw.cloud", "api.scaleway.com"),
    ("rg.pl-waw.scw.cloud", "api.scaleway.com"),
];

/// Domains under which names belong to different customers. Docker Hub's `docker.io` is not among them.
const SHARED: &[&str] = &[
    "amazonaws.com",
    "azurecr.io",
    "azurewebsites.net",
    "cloudfront.net",
    "duckdns.org",
    "fly.dev",
    "github.io",
    "gitlab.io",
    "herokuapp.com",
    "jfrog.io",
    "myqcloud.com",
    "netlify.app",
    "ngrok.io",
    "ngrok-free.app",
    "nip.io",
    "onrender.com",
    "pages.dev",
    "pkg.dev",
    "railway.app",
    "run.app",
    "sslip.io",
    "ts.net",
    "vercel.app",
    "web.app",
    "windows.net",
    "workers.dev",
];

/// Second-level labels that registries of country domains hand out names under.
const SECOND_LEVEL: &[&str] = &[
    "asso", "blog", "club", "firm", "gouv", "govt", "ind", "info", "school", "store", "web",
];

/// Why a realm gets no credentials, or is not even asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("it is not a URL that can be used: {0}")]
    NoUrl(UrlError),
    #[error("it is plain http")]
    Plain,
    #[error("it is an IP address other than the registry's host")]
    Address,
    #[error("it does not belong to the registry's site")]
    Foreign,
}

/// The realm as a URL, if it may be asked: with credentials, or without.
pub(crate) fn check(
    registry: &Origin,
    realm: &str,
    trusted: &[String],
    with_credentials: bool,
) -> Result<Url, Refusal> {
    let url = Url::parse(realm).map_err(Refusal::NoUrl)?;
    let origin = url.origin();
    if origin == registry || is_trusted(origin, trusted) {
        return Ok(url);
    }
    if origin.is_loopback() && registry.is_loopback() {
        return Ok(url);
    }
    if !origin.secure {
        return Err(Refusal::Plain);
    }
    if origin.host == registry.host {
        return Ok(url);
    }
    if origin.address().is_some() {
        return Err(Refusal::Address);
    }
    if with_credentials && !is_related(&registry.host, &origin.host) {
        return Err(Refusal::Foreign);
    }
    Ok(url)
}

/// Whether the user named the origin (`https://auth.example.com:8443`) or its host (then by https at any port).
pub(crate) fn is_trusted(origin: &Origin, trusted: &[String]) -> bool {
    trusted.iter().any(|entry| match Url::parse(entry) {
        Ok(named) => named.origin() == origin,
        Err(_) => origin.secure && origin.host.eq_ignore_ascii_case(entry.trim_matches(['[', ']'])),
    })
}

fn is_related(registry: &str, realm: &str) -> bool {
    if KNOWN.contains(&(registry, realm)) {
        return true;
    }
    if registry.parse::<std::net::IpAddr>().is_ok() {
        return false;
    }
    is_parent(realm, registry) || site(registry, realm).is_some_and(|site| !is_shared(site))
}

/// Whether a domain of at least two labels lies above a host.
fn is_parent(domain: &str, host: &str) -> bool {
    domain.contains('.') && host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

/// The longest domain that both hosts lie under.
fn site<'h>(registry: &'h str, realm: &str) -> Option<&'h str> {
    let mut domain = registry;
    while let Some((_, parent)) = domain.split_once('.') {
        if is_parent(parent, realm) {
            return Some(parent);
        }
        domain = parent;
    }
    None
}

/// Whether names right under a domain belong to different people. Wrong in doubt on the careful side.
fn is_shared(domain: &str) -> bool {
    if SHARED
        .iter()
        .any(|shared| domain == *shared || is_parent(shared, domain))
    {
        return true;
    }
    let Some((second, top)) = domain.split_once('.') else {
        return true;
    };
    let country = top.len() == 2 && !top.contains('.');
    // `co.uk`, `com.au`, `or.jp`, `gov.pl`; a short name of one's own under a country domain has to be named.
    country && (second.len() <= 3 && top != "io" || SECOND_LEVEL.contains(&second))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn origin(text: &str) -> Origin {
        Url::parse(text).expect("a URL").origin().clone()
    }

    fn with_credentials(registry: &str, realm: &str) -> Result<(), Refusal> {
        check(&origin(registry), realm, &[], true).map(drop)
    }

    #[test]
    fn real_registries_work() {
        for (registry, realm) in [
            ("https://registry-1.docker.io", "https://auth.docker.io/token"),
            ("https://ghcr.io", "https://ghcr.io/token"),
            ("https://quay.io", "https://quay.io/v2/auth"),
            ("https://registry.gitlab.com", "https://gitlab.com/jwt/auth"),
            (
                "https://gitlab.example.com:5050",
                "https://gitlab.example.com/jwt/auth",
            ),
            (
                "https://registry.example.com",
                "https://gitlab.example.com/jwt/auth",
            ),
            ("https://nvcr.io", "https://authn.nvidia.com/token"),
            ("https://me.azurecr.io", "https://me.azurecr.io/oauth2/token"),
            (
                "https://europe-docker.pkg.dev",
                "https://europe-docker.pkg.dev/v2/token",
            ),
            (
                "https://registry.digitalocean.com",
                "https://api.digitalocean.com/v2/registry/auth",
            ),
            (
                "https://registry.suse.com",
                "https://scc.suse.com/api/registry/authorize",
            ),
            (
                "https://registry.cn-hangzhou.aliyuncs.com",
                "https://dockerauth.cn-hangzhou.aliyuncs.com/auth",
            ),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5001/auth"),
            ("http://localhost:5000", "http://[::1]:5001/auth"),
            ("http://registry.lan:5000", "http://registry.lan:5000/auth"),
            ("https://10.0.0.7", "https://10.0.0.7/service/token"),
        ] {
            assert_eq!(with_credentials(registry, realm), Ok(()), "{registry} {realm}");
        }
    }

    #[test]
    fn foreign_realms_get_nothing() {
        for (registry, realm) in [
            ("https://registry.example.com", "https://evil.com/token"),
            (
                "https://registry.example.com",
                "https://registry.example.com.evil.com/token",
            ),
            ("https://registry.example.com", "https://evilexample.com/token"),
            ("https://a.co.uk", "https://b.co.uk/token"),
            ("https://a.com.au", "https://b.com.au/token"),
            ("https://alice.azurecr.io", "https://bob.azurecr.io/token"),
            ("https://a.eu.ngrok.io", "https://b.eu.ngrok.io/token"),
            ("https://a.com", "https://b.com/token"),
            ("https://ghcr.io", "https://auth.docker.io/token"),
            ("https://a.lan", "https://b.lan/token"),
        ] {
            assert_eq!(
                with_credentials(registry, realm),
                Err(Refusal::Foreign),
                "{registry} {realm}"
            );
        }
    }

    #[test]
    fn plain_and_private_realms_are_not_even_asked() {
        let registry = origin("https://registry.example.com");
        for (realm, refusal) in [
            ("http://registry.example.com/token", Refusal::Plain),
            ("http://169.254.169.254/latest/meta-data/", Refusal::Plain),
            ("http://localhost/token", Refusal::Plain),
            ("https://169.254.169.254/", Refusal::Address),
            ("https://[::1]/", Refusal::Address),
            ("https://127.0.0.1/", Refusal::Address),
            (
                "https://user:pw@registry.example.com/token",
                Refusal::NoUrl(UrlError::UserInfo),
            ),
            ("/token", Refusal::NoUrl(UrlError::Scheme)),
            ("file:///etc/passwd", Refusal::NoUrl(UrlError::Scheme)),
        ] {
            assert_eq!(check(&registry, realm, &[], false), Err(refusal), "{realm}");
        }
        assert!(check(&registry, "https://tokens.elsewhere.net/", &[], false).is_ok());
    }

    #[test]
    fn the_user_can_name_a_realm() {
        let registry = origin("https://registry.example.com");
        let realm = "https://login.corp.net/token";
        for named in [
            "login.corp.net",
            "LOGIN.corp.net",
            "https://login.corp.net",
            "https://login.corp.net:443/x",
        ] {
            assert!(
                check(&registry, realm, &[named.to_owned()], true).is_ok(),
                "{named}"
            );
        }
        for named in ["corp.net", "http://login.corp.net", "https://login.corp.net:8443"] {
            assert!(
                check(&registry, realm, &[named.to_owned()], true).is_err(),
                "{named}"
            );
        }
        let plain = "http://login.corp.net/token";
        assert!(check(&registry, plain, &["login.corp.net".to_owned()], true).is_err());
        assert!(check(&registry, plain, &["http://login.corp.net".to_owned()], true).is_ok());
    }

    proptest! {
        #[test]
        fn another_domain_never_gets_credentials(label in "[a-z]{1,8}", other in "[a-z]{4,8}") {
            prop_assume!(other != "example");
            let realm = format!("https://{label}.{other}.com/");
            prop_assert_eq!(with_credentials("https://registry.example.com", &realm), Err(Refusal::Foreign));
        }
    }
}
