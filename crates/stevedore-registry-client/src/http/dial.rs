//! From a host's name to a TCP connection: all addresses, both families (RFC 8305, "Happy Eyeballs").

use std::error::Error as _;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use tokio::net::{TcpStream, lookup_host};

use super::distrust;
use super::reach::Reach;
use crate::error::Error;
use crate::proxies::Proxy;

/// After how long the next address is tried beside the ones before (RFC 8305, section 5).
const NEXT_ADDRESS: Duration = Duration::from_millis(250);

/// More addresses of a host are not tried.
const MAX_ADDRESSES: usize = 16;

/// Why there is no connection.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum DialError {
    #[error("the host {host} cannot be found")]
    Resolve { host: String, source: Arc<io::Error> },
    #[error("the host {host} has no address")]
    NoAddress { host: String },
    #[error("the host {host} leads to {address}, where a registry may not send its clients")]
    OutOfReach { host: String, address: IpAddr },
    #[error("none of {tried} addresses of {host} takes connections at port {port}")]
    Connect {
        host: String,
        port: u16,
        tried: usize,
        source: Arc<io::Error>,
    },
    #[error("{}", distrust::of(host, source))]
    Tls { host: String, source: Arc<io::Error> },
    #[error("{what}")]
    Trust { what: String },
    /// Something that was set, and cannot be used.
    #[error("{what}")]
    Setting { what: String },
    /// Said by what is around it, which names the proxy.
    #[error("{failure}")]
    Proxy { proxy: String, failure: ProxyFailure },
    #[error("the host {host} could be an address that is not written as one, and is not asked of a proxy")]
    Disguised { host: String },
    #[error("no connection within {:.1} seconds", after.as_secs_f32())]
    TimedOut { after: Duration },
}

/// Why a proxy does not lead to a server.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum ProxyFailure {
    #[error("there is no connection with the proxy")]
    Unreachable { source: Arc<DialError> },
    #[error("it broke the connection")]
    Broken,
    #[error("its answer is not one of a proxy")]
    Nonsense,
    #[error(
        "it wants credentials (status 407): http://USER:PASSWORD@HOST in the variable that names the proxy"
    )]
    WantsCredentials,
    #[error("it does not take the credentials (status 407) that the variable has which names the proxy")]
    RefusesCredentials,
    #[error("it refuses (status {status})")]
    Status { status: u16 },
}

impl ProxyFailure {
    /// What a status other than a success says.
    pub(crate) fn of_status(status: u16, proxy: &Proxy) -> Self {
        match status {
            407 if proxy.authorization.is_some() => Self::RefusesCredentials,
            407 => Self::WantsCredentials,
            status => Self::Status { status },
        }
    }

    /// The status of the answer, where there was one.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::WantsCredentials | Self::RefusesCredentials => Some(407),
            Self::Status { status } => Some(*status),
            _ => None,
        }
    }
}

impl DialError {
    /// A setting that is found unusable only now that it is used.
    pub(super) fn setting(error: &Error) -> Self {
        let cause = error.source().map(|cause| format!(": {cause}"));
        Self::Setting {
            what: format!("{error}{}", cause.unwrap_or_default()),
        }
    }

    /// Whether trying again cannot help.
    pub(crate) fn is_permanent(&self) -> bool {
        match self {
            Self::OutOfReach { .. } | Self::Disguised { .. } | Self::Trust { .. } | Self::Setting { .. } => {
                true
            }
            Self::Tls { source, .. } => distrust::is_lasting(source),
            _ => false,
        }
    }
}

/// Connects to a host. `known` addresses are taken instead of the resolver's.
pub(super) async fn dial(
    host: &str,
    port: u16,
    known: Option<&[SocketAddr]>,
    reach: Reach,
) -> Result<TcpStream, DialError> {
    let addresses = match known {
        Some(known) => known.to_vec(),
        None => match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => resolve(host, port).await?,
        },
    };
    let Some(first) = addresses.first() else {
        return Err(DialError::NoAddress {
            host: host.to_owned(),
        });
    };
    // What is checked here is what is connected to: nothing resolves the name again.
    let admitted: Vec<_> = addresses
        .iter()
        .copied()
        .filter(|address| reach.admits(address.ip()))
        .collect();
    if admitted.is_empty() {
        return Err(DialError::OutOfReach {
            host: host.to_owned(),
            address: first.ip(),
        });
    }
    let addresses = alternating(admitted);
    let tried = addresses.len();
    race(addresses).await.map_err(|source| DialError::Connect {
        host: host.to_owned(),
        port,
        tried,
        source: Arc::new(source),
    })
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, DialError> {
    let failed = |source| DialError::Resolve {
        host: host.to_owned(),
        source: Arc::new(source),
    };
    Ok(lookup_host((host, port))
        .await
        .map_err(failed)?
        .take(MAX_ADDRESSES)
        .collect())
}

/// The addresses with the families in turn, beginning with the one that the resolver prefers.
fn alternating(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let preferred = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == preferred);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut ordered = Vec::new();
    loop {
        match (first.next(), second.next()) {
            (None, None) => return ordered,
            (one, other) => ordered.extend(one.into_iter().chain(other)),
        }
    }
}

/// The first connection that comes about. An address is tried when the one before failed or took a while.
async fn race(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut trying = FuturesUnordered::new();
    let mut failure = None;
    loop {
        trying.extend(waiting.next().map(TcpStream::connect));
        let answer = if waiting.len() == 0 {
            trying.next().await
        } else {
            let pause = std::pin::pin!(tokio::time::sleep(NEXT_ADDRESS));
            match select(trying.next(), pause).await {
                Either::Left((answer, _)) => answer,
                Either::Right(_) => continue,
            }
        };
        match answer {
            Some(Ok(stream)) => {
                // Requests are small and answers are waited for: nothing is to be gathered.
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            // The first failure is that of the preferred address.
            Some(Err(error)) => drop(failure.get_or_insert(error)),
            None if waiting.len() == 0 => {
                return Err(failure.unwrap_or_else(|| io::Error::other("there is no address")));
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &[&str]) -> Vec<SocketAddr> {
        text.iter()
            .map(|text| text.parse().expect("an address"))
            .collect()
    }

    #[test]
    fn families_take_turns() {
        let given = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"]);
        assert_eq!(
            alternating(given),
            addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"])
        );
    }

    #[tokio::test]
    async fn a_dead_address_does_not_keep_from_the_next_one() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let alive = listener.local_addr().expect("an address");
        let dead = {
            let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
            closed.local_addr().expect("an address")
        };
        let stream = dial("h", 1, Some(&[dead, alive]), Reach::Own)
            .await
            .expect("connects");
        assert_eq!(stream.peer_addr().expect("an address"), alive);
        let error = dial("h", 1, Some(&[dead]), Reach::Own)
            .await
            .expect_err("nobody listens");
        assert_eq!(
            error.to_string(),
            "none of 1 addresses of h takes connections at port 1"
        );
        assert!(!error.is_permanent());
    }

    #[tokio::test]
    async fn a_silent_address_does_not_keep_from_the_next_one() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let alive = listener.local_addr().expect("an address");
        // An address for documentation: where it is not refused at once, nobody answers there.
        let silent = "192.0.2.1:9".parse().expect("an address");
        let stream = dial("h", 1, Some(&[silent, alive]), Reach::Own)
            .await
            .expect("connects");
        assert_eq!(stream.peer_addr().expect("an address"), alive);
    }

    #[tokio::test]
    async fn go_containerregistry_2193_no_connection_out_of_reach() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let port = listener.local_addr().expect("an address").port();
        for host in ["localhost", "127.0.0.1"] {
            let error = dial(host, port, None, Reach::Public)
                .await
                .expect_err("it is private");
            assert!(matches!(error, DialError::OutOfReach { .. }), "{error}");
            assert!(error.is_permanent());
            drop(
                dial(host, port, None, Reach::Private)
                    .await
                    .expect("it may be private"),
            );
        }
    }
}
