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
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use super::dial::{DialError, dial};
use super::io::Stream;
use super::reach::Reach;
use super::tls::{Place, Trust};
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
    timeouts: Timeouts,
    reach: Reach,
}

impl Connector {
    pub(super) fn new(
        trust: Arc<Trust>,
        addresses: Arc<BTreeMap<Place, Vec<SocketAddr>>>,
        timeouts: Timeouts,
    ) -> Self {
        Self {
            trust,
            addresses,
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
            timeout(self.timeouts.connect, self.plain(origin)).await,
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
                let config = self.trust.config(&(origin.host.clone(), origin.port))?;
                let stream = self.secure(origin, config).await?;
                Ok(Stream::Tls(Box::new(TokioIo::new(stream))))
            } else {
                Ok(Stream::Plain(TokioIo::new(self.plain(origin).await?)))
            }
        };
        let after = self.timeouts.connect;
        timeout(after, connecting)
            .await
            .unwrap_or(Err(DialError::TimedOut { after }))
    }

    async fn plain(&self, origin: &Origin) -> Result<TcpStream, DialError> {
        let place = (origin.host.clone(), origin.port);
        let known = self.addresses.get(&place).map(Vec::as_slice);
        dial(&origin.host, origin.port, known, self.reach).await
    }

    async fn secure(
        &self,
        origin: &Origin,
        config: Arc<ClientConfig>,
    ) -> Result<TlsStream<TcpStream>, DialError> {
        let name = ServerName::try_from(origin.host.clone()).map_err(|_| DialError::Trust {
            what: format!("{} is no name for a certificate", origin.host),
        })?;
        let stream = self.plain(origin).await?;
        TlsConnector::from(config)
            .connect(name, stream)
            .await
            .map_err(|source| DialError::Tls {
                host: origin.host.clone(),
                source: Arc::new(source),
            })
    }
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
