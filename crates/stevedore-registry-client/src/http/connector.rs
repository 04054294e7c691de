//! From a URL to a connection that HTTP can be spoken over.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::Uri;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use super::dial::{DialError, ProxyFailure, dial};
use super::io::{Channel, Pipe, Stream};
use super::reach::{Peer, Reach, is_disguised};
use super::tls::{Place, Trust};
use super::tunnel;
use crate::proxies::{Proxies, Proxy};
use crate::settings::Timeouts;
use crate::url::{Origin, Url};

/// How long a server is waited for that may speak TLS or not: one without TLS may take the greeting for the beginning
/// of a request, and say nothing.
const PROBE: Duration = Duration::from_secs(10);

/// Makes connections, as the pool of hyper-util asks for them.
#[derive(Clone)]
pub(crate) struct Connector {
    trust: Arc<Trust>,
    addresses: Arc<BTreeMap<Place, Vec<SocketAddr>>>,
    proxies: Arc<Proxies>,
    timeouts: Timeouts,
    reach: Reach,
}

/// The way to a server, on which TLS may be spoken.
struct Way {
    pipe: Pipe,
    peer: Option<Peer>,
    through_proxy: bool,
}

impl Connector {
    pub(super) fn new(
        trust: Arc<Trust>,
        addresses: Arc<BTreeMap<Place, Vec<SocketAddr>>>,
        proxies: Arc<Proxies>,
        timeouts: Timeouts,
    ) -> Self {
        Self {
            trust,
            addresses,
            proxies,
            timeouts,
            reach: Reach::Own,
        }
    }

    pub(super) fn with_reach(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }

    /// Whether a server answers to TLS, with whatever certificate. Where there is no connection at all the answer
    /// is no: the request itself will say why.
    pub(super) async fn speaks_tls(&self, origin: &Origin) -> bool {
        let Ok(config) = self.trust.probe() else {
            return false;
        };
        match timeout(self.timeouts.connect.min(PROBE), self.secure(origin, config)).await {
            Ok(Ok(_)) => true,
            Ok(Err(DialError::Tls { source, .. })) => {
                let cause = source.get_ref().and_then(|cause| cause.downcast_ref());
                // Anything but nonsense is TLS; the end of the stream is what a server does that reads nonsense.
                cause.is_some_and(|error| !matches!(error, rustls::Error::InvalidMessage(_)))
            }
            _ => false,
        }
    }

    /// Whether a server takes connections.
    pub(super) async fn takes_connections(&self, origin: &Origin) -> bool {
        matches!(
            timeout(self.timeouts.connect, self.way_to(origin)).await,
            Ok(Ok(_))
        )
    }

    async fn connect(&self, uri: Uri) -> Result<Stream, DialError> {
        // The pool gives back the URI of a request, which was made from a URL.
        let url = Url::parse(&uri.to_string()).map_err(|error| DialError::Trust {
            what: error.to_string(),
        })?;
        let origin = url.origin();
        let connecting = async {
            if origin.secure {
                let config = self
                    .trust
                    .config(&(origin.host.clone(), origin.port), self.reach)?;
                let (stream, peer) = self.secure(origin, config).await?;
                Ok(Stream {
                    channel: Channel::Tls(Box::new(TokioIo::new(stream))),
                    peer,
                    is_passed_on: false,
                })
            } else {
                let way = self.way_to(origin).await?;
                Ok(Stream {
                    channel: Channel::Plain(TokioIo::new(way.pipe)),
                    peer: way.peer,
                    is_passed_on: way.through_proxy,
                })
            }
        };
        let after = self.timeouts.connect;
        timeout(after, connecting)
            .await
            .unwrap_or(Err(DialError::TimedOut { after }))
    }

    /// Connects to a server, through a proxy where one is named for it.
    async fn way_to(&self, origin: &Origin) -> Result<Way, DialError> {
        let proxy = self
            .proxies
            .proxy_for(origin)
            .map_err(|error| DialError::setting(&error))?;
        let Some(proxy) = proxy else {
            let stream = self.dial(origin, self.reach).await?;
            return Ok(Way {
                peer: stream.peer_addr().ok().map(Peer),
                pipe: Pipe::Tcp(stream),
                through_proxy: false,
            });
        };
        self.may_be_asked_of_a_proxy(origin)?;
        let mut pipe = self.to_proxy(proxy).await.map_err(|error| match error {
            error @ DialError::Setting { .. } => error,
            error => DialError::Proxy {
                proxy: proxy.to_string(),
                failure: ProxyFailure::Unreachable {
                    source: Arc::new(error),
                },
            },
        })?;
        if origin.secure {
            tunnel::open(&mut pipe, proxy, origin).await?;
        }
        Ok(Way {
            pipe,
            // That of the connection is the proxy's.
            peer: origin
                .address()
                .map(|address| Peer(SocketAddr::new(address, origin.port))),
            through_proxy: true,
        })
    }

    fn may_be_asked_of_a_proxy(&self, origin: &Origin) -> Result<(), DialError> {
        let host = origin.host.clone();
        match origin.address() {
            Some(address) if !self.reach.admits(address) => Err(DialError::OutOfReach { host, address }),
            None if self.reach != Reach::Own && is_disguised(&host) => Err(DialError::Disguised { host }),
            _ => Ok(()),
        }
    }

    /// Connects to a proxy. The user named it: it may be anywhere.
    async fn to_proxy(&self, proxy: &Proxy) -> Result<Pipe, DialError> {
        let stream = self.dial(&proxy.origin, Reach::Own).await?;
        if !proxy.origin.secure {
            return Ok(Pipe::Tcp(stream));
        }
        let place = (proxy.origin.host.clone(), proxy.origin.port);
        let config = self.trust.proxy_config(&place)?;
        let stream = handshake(&proxy.origin, config, stream).await?;
        Ok(Pipe::Tls(Box::new(stream)))
    }

    async fn dial(&self, origin: &Origin, reach: Reach) -> Result<TcpStream, DialError> {
        let place = (origin.host.clone(), origin.port);
        let known = self.addresses.get(&place).map(Vec::as_slice);
        dial(&origin.host, origin.port, known, reach).await
    }

    async fn secure(
        &self,
        origin: &Origin,
        config: Arc<ClientConfig>,
    ) -> Result<(TlsStream<Pipe>, Option<Peer>), DialError> {
        let way = self.way_to(origin).await?;
        Ok((handshake(origin, config, way.pipe).await?, way.peer))
    }
}

async fn handshake<T: AsyncRead + AsyncWrite + Unpin>(
    origin: &Origin,
    config: Arc<ClientConfig>,
    stream: T,
) -> Result<TlsStream<T>, DialError> {
    let name = ServerName::try_from(origin.host.clone()).map_err(|_| DialError::Trust {
        what: format!("{} is no name for a certificate", origin.host),
    })?;
    TlsConnector::from(config)
        .connect(name, stream)
        .await
        .map_err(|source| DialError::Tls {
            host: origin.host.clone(),
            source: Arc::new(source),
        })
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, DialError>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.connect(uri).await })
    }
}
