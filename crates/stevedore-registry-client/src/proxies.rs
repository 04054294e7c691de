//! Proxies, as the environment names them.

mod exceptions;
mod proxy;

use std::fmt;

use self::exceptions::Exceptions;
pub(crate) use self::proxy::Proxy;
use crate::environment::{Environment, Variable};
use crate::error::{Error, Result};
use crate::url::Origin;

/// Through which proxies servers are reached: what `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` say, in
/// lower case or else in upper case.
///
/// - `http_proxy` is for plain HTTP, `https_proxy` for HTTPS, `all_proxy` for whichever of them has none.
/// - A proxy is `http://[user:password@]host[:port]`, or the same with `https://`; without a scheme it is `http`.
/// - This machine (`localhost`, names under it, `127.0.0.0/8` and `::1`) is never reached through a proxy.
/// - `no_proxy` is a list of what is not either, separated by commas: `example.com` (and all names under it),
///   `.example.com` (only names under it; `*.example.com` is the same), addresses, networks (`10.0.0.0/8`), each but
///   a network with a port if it holds for that port only, and `*` for everything. A name is not resolved for it.
///
/// These are the rules of Go's tools, and with `all_proxy` of curl.
///
/// ```
/// use stevedore_registry_client::{Environment, Proxies, Route};
///
/// let environment = Environment::from_variables(|name| match name {
///     "https_proxy" => Some("http://me:secret@proxy.lan:3128".into()),
///     "no_proxy" => Some(".lan".into()),
///     _ => None,
/// });
/// let proxies = Proxies::from_environment(&environment);
/// let route = proxies.route(true, "registry.example.com")?;
/// assert_eq!(route.proxy.as_deref(), Some("http://proxy.lan:3128"));
/// assert_eq!(proxies.route(true, "registry.lan:5000")?.proxy, None);
/// # Ok::<(), stevedore_registry_client::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    http: Option<Choice>,
    https: Option<Choice>,
    exceptions: Exceptions,
    /// The variable that the exceptions are from.
    exceptions_from: Option<String>,
}

/// How a server is reached, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// The proxy, without credentials; `None` for none.
    pub proxy: Option<String>,
    /// Why, for people.
    pub because: String,
}

/// What one variable says.
#[derive(Clone, Debug)]
struct Choice {
    variable: String,
    /// The proxy, or why it cannot be one. It is told when the proxy would be used.
    proxy: Result<Proxy, String>,
}

/// Why a server is reached as it is.
enum Reason<'p> {
    Nothing,
    Loopback,
    Variable(&'p str),
}

impl Proxies {
    /// Those that an environment names.
    pub fn from_environment(environment: &Environment) -> Self {
        let all = environment.all_proxy.as_ref();
        let choice = |own: &Option<Variable>| own.as_ref().or(all).map(Choice::of);
        let no_proxy = environment.no_proxy.as_ref();
        let exceptions = no_proxy.map(|variable| Exceptions::parse(&variable.value.to_string_lossy()));
        Self {
            http: choice(&environment.http_proxy),
            https: choice(&environment.https_proxy),
            exceptions: exceptions.unwrap_or_default(),
            exceptions_from: no_proxy.map(|variable| variable.name.clone()),
        }
    }

    /// No proxies at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// How a server is reached that is spoken to with TLS or without it, by its `host` or `host:port`.
    ///
    /// # Errors
    /// [`Error::Setting`] for a proxy that cannot be one, and for what is no host.
    pub fn route(&self, secure: bool, authority: &str) -> Result<Route> {
        let origin = Origin::parse(secure, authority)
            .map_err(|error| Error::setting(format!("{authority} cannot be reached: {error}")))?;
        let (proxy, reason) = self.choose(&origin)?;
        Ok(Route {
            proxy: proxy.map(ToString::to_string),
            because: reason.to_string(),
        })
    }

    /// The proxy for an origin.
    pub(crate) fn proxy_for(&self, origin: &Origin) -> Result<Option<&Proxy>> {
        Ok(self.choose(origin)?.0)
    }

    fn choose(&self, origin: &Origin) -> Result<(Option<&Proxy>, Reason<'_>)> {
        let choice = if origin.secure { &self.https } else { &self.http };
        let Some(choice) = choice else {
            return Ok((None, Reason::Nothing));
        };
        if origin.is_loopback() {
            return Ok((None, Reason::Loopback));
        }
        if self.exceptions.cover(&origin.host, origin.port) {
            return Ok((
                None,
                Reason::Variable(self.exceptions_from.as_deref().unwrap_or_default()),
            ));
        }
        match &choice.proxy {
            Ok(proxy) => Ok((Some(proxy), Reason::Variable(&choice.variable))),
            Err(reason) => Err(Error::setting(format!(
                "the variable {} names a proxy that cannot be used: {reason}",
                choice.variable
            ))),
        }
    }
}

impl Choice {
    fn of(variable: &Variable) -> Self {
        let proxy = match variable.value.to_str() {
            Some(text) => Proxy::parse(text),
            None => Err("it is not UTF-8".to_owned()),
        };
        Self {
            variable: variable.name.clone(),
            proxy,
        }
    }
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("no variable names a proxy"),
            Self::Loopback => f.write_str("this machine is reached without a proxy"),
            Self::Variable(variable) => write!(f, "the variable {variable}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        let environment = Environment::from_variables(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.into())
        });
        Proxies::from_environment(&environment)
    }

    fn route(variables: &[(&str, &str)], secure: bool, authority: &str) -> (Option<String>, String) {
        let route = proxies(variables).route(secure, authority).expect("a route");
        (route.proxy, route.because)
    }

    #[test]
    fn each_scheme_has_its_variable_and_lower_case_wins() {
        let both = [("http_proxy", "a.example:1"), ("HTTP_PROXY", "b.example:1")];
        let (proxy, because) = route(&both, false, "r.example");
        assert_eq!(proxy.as_deref(), Some("http://a.example:1"));
        assert_eq!(because, "the variable http_proxy");
        assert_eq!(route(&both, true, "r.example").0, None);
        let upper = [("HTTPS_PROXY", "https://b.example")];
        let (proxy, because) = route(&upper, true, "r.example");
        assert_eq!(proxy.as_deref(), Some("https://b.example"));
        assert_eq!(because, "the variable HTTPS_PROXY");
        assert_eq!(route(&upper, false, "r.example").0, None);
        let all = [("ALL_PROXY", "c.example"), ("https_proxy", "d.example")];
        assert_eq!(
            route(&all, true, "r.example").0.as_deref(),
            Some("http://d.example")
        );
        assert_eq!(
            route(&all, false, "r.example").0.as_deref(),
            Some("http://c.example")
        );
        // Empty is not set.
        let empty = [("https_proxy", ""), ("HTTPS_PROXY", "e.example")];
        assert_eq!(
            route(&empty, true, "r.example").0.as_deref(),
            Some("http://e.example")
        );
    }

    #[test]
    fn cve_2016_5385_a_header_of_a_client_names_no_proxy() {
        let cgi = [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "evil.example:1")];
        assert_eq!(route(&cgi, false, "r.example").0, None);
        let both = [("REQUEST_METHOD", "GET"), ("http_proxy", "good.example:1")];
        assert_eq!(
            route(&both, false, "r.example").0.as_deref(),
            Some("http://good.example:1")
        );
    }

    #[test]
    fn this_machine_is_reached_without_a_proxy() {
        let all = [("all_proxy", "p.example")];
        for host in [
            "localhost:5000",
            "a.localhost",
            "127.0.0.1",
            "127.1.2.3:80",
            "[::1]:5000",
        ] {
            let (proxy, because) = route(&all, false, host);
            assert_eq!(proxy, None, "{host}");
            assert_eq!(because, "this machine is reached without a proxy");
        }
        assert!(route(&all, false, "10.0.0.1").0.is_some());
    }

    #[test]
    fn exceptions_say_where_they_are_from() {
        let variables = [("all_proxy", "p.example"), ("NO_PROXY", "r.example")];
        let route = route(&variables, true, "r.example:5000");
        assert_eq!(route, (None, "the variable NO_PROXY".to_owned()));
    }

    #[test]
    fn a_proxy_that_cannot_be_is_told_without_its_password() {
        let variables = [("all_proxy", "socks5://me:secret@p.example")];
        let proxies = proxies(&variables);
        let error = proxies.route(true, "r.example").expect_err("no such proxy");
        assert_eq!(
            error.to_string(),
            "the variable all_proxy names a proxy that cannot be used: its scheme is neither http nor https"
        );
        assert!(!format!("{proxies:?}").contains("secret"));
        // It is not used for this one.
        assert!(proxies.route(true, "localhost").is_ok());
        let environment = Environment::from_variables(|_| Some("http://me:secret@p.example".into()));
        assert!(!format!("{:?}", environment.https_proxy).contains("secret"));
        assert!(!format!("{:?}", Proxies::from_environment(&environment)).contains("secret"));
    }
}
