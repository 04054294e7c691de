//! A small server that answers as a test says, and remembers what it was asked.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Collected};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use stevedore_core::reference::Registry;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// What a server was asked.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    /// The path with its query.
    pub(crate) path: String,
    /// The target as it stands in the request: a proxy is told a whole URL.
    pub(crate) target: String,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What it answers.
#[derive(Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<Piece>,
    before: Duration,
}

/// A piece of a body.
#[derive(Clone, Debug)]
enum Piece {
    Bytes(Bytes),
    Pause(Duration),
    Cut,
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

type Handler = dyn Fn(&Seen) -> Reply + Send + Sync;

impl Server {
    /// A server without TLS on 127.0.0.1.
    pub(crate) async fn plain(handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(Ipv4Addr::LOCALHOST.into(), None, handler)
            .await
            .expect("127.0.0.1 is there")
    }

    /// A server with TLS on 127.0.0.1.
    pub(crate) async fn tls(
        acceptor: TlsAcceptor,
        handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start(Ipv4Addr::LOCALHOST.into(), Some(acceptor), handler)
            .await
            .expect("127.0.0.1 is there")
    }

    /// A server at an address, if this machine has it.
    pub(crate) async fn start(
        address: IpAddr,
        acceptor: Option<TlsAcceptor>,
        handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Option<Self> {
        let listener = TcpListener::bind((address, 0)).await.ok()?;
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let handler: Arc<Handler> = Arc::new(handler);
        let task = {
            let seen = Arc::clone(&seen);
            tokio::spawn(async move {
                // Connections end with the server.
                let mut connections = tokio::task::JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    let (seen, handler, acceptor) =
                        (Arc::clone(&seen), Arc::clone(&handler), acceptor.clone());
                    connections.spawn(async move {
                        let Some(acceptor) = acceptor else {
                            return serve(stream, false, seen, handler).await;
                        };
                        if let Ok(stream) = acceptor.accept(stream).await {
                            let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                            serve(stream, h2, seen, handler).await;
                        }
                    });
                }
            })
        };
        Some(Self { address, seen, task })
    }

    /// The server as a registry.
    pub(crate) fn registry(&self) -> Registry {
        self.address
            .to_string()
            .parse()
            .expect("an address is a registry")
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// All that was asked so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }

    /// Method and path of all that was asked.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.seen()
            .iter()
            .map(|seen| format!("{} {}", seen.method, seen.path))
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve<S>(stream: S, h2: bool, seen: Arc<Mutex<Vec<Seen>>>, handler: Arc<Handler>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let (seen, handler) = (Arc::clone(&seen), Arc::clone(&handler));
        async move {
            let (head, body) = request.into_parts();
            let path = head
                .uri
                .path_and_query()
                .map(ToString::to_string)
                .unwrap_or_default();
            let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
            let asked = Seen {
                method: head.method,
                path,
                target: head.uri.to_string(),
                version: head.version,
                headers: head.headers,
                body,
            };
            seen.lock().expect("no panic").push(asked.clone());
            let reply = handler(&asked);
            tokio::time::sleep(reply.before).await;
            Ok::<_, Infallible>(reply.into_response())
        }
    });
    let io = TokioIo::new(stream);
    // A connection that breaks is what some tests are about.
    if h2 {
        hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(io, service)
            .await
            .ok();
    } else {
        hyper::server::conn::http1::Builder::new()
            .serve_connection(io, service)
            .await
            .ok();
    }
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn authorization(&self) -> Option<&str> {
        self.header("authorization")
    }

    /// Everything of the request as one text, to look for secrets in.
    pub(crate) fn all(&self) -> String {
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or("?")))
            .collect();
        format!(
            "{} {}\n{}\n\n{}",
            self.method,
            self.path,
            headers.join("\n"),
            String::from_utf8_lossy(&self.body)
        )
    }
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        Self {
            status: StatusCode::from_u16(status).expect("a status"),
            headers: HeaderMap::new(),
            body: Vec::new(),
            before: Duration::ZERO,
        }
    }

    pub(crate) fn ok(body: impl Into<Bytes>) -> Self {
        Self::new(200).body(body)
    }

    pub(crate) fn redirect(status: u16, location: impl AsRef<str>) -> Self {
        Self::new(status).header("location", location)
    }

    /// A 401 with a challenge.
    pub(crate) fn challenge(challenge: impl AsRef<str>) -> Self {
        Self::new(401)
            .header("www-authenticate", challenge)
            .body(r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#)
    }

    /// The same, which wants a user and a password.
    pub(crate) fn ask_for_password() -> Self {
        Self::challenge(r#"Basic realm="x""#)
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        self.headers
            .append(name, value.as_ref().parse().expect("a header"));
        self
    }

    pub(crate) fn body(mut self, bytes: impl Into<Bytes>) -> Self {
        self.body.push(Piece::Bytes(bytes.into()));
        self
    }

    pub(crate) fn pause(mut self, pause: Duration) -> Self {
        self.body.push(Piece::Pause(pause));
        self
    }

    /// Breaks the connection here.
    pub(crate) fn cut(mut self) -> Self {
        self.body.push(Piece::Cut);
        self
    }

    /// Waits before the head.
    pub(crate) fn after(mut self, wait: Duration) -> Self {
        self.before = wait;
        self
    }

    fn into_response(self) -> Response<Pieces> {
        let whole = self.body.iter().all(|piece| matches!(piece, Piece::Bytes(_)));
        let mut response = Response::new(Pieces {
            left: self.body.into(),
            pause: None,
        });
        *response.status_mut() = self.status;
        if whole && !self.headers.contains_key("content-length") {
            let length: usize = response.body().left.iter().map(Piece::len).sum();
            response.headers_mut().insert("content-length", length.into());
        }
        response.headers_mut().extend(self.headers);
        response
    }
}

impl Piece {
    fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            _ => 0,
        }
    }
}

struct Pieces {
    left: std::collections::VecDeque<Piece>,
    pause: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        loop {
            if let Some(pause) = &mut self.pause {
                std::task::ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            return Poll::Ready(match self.left.pop_front() {
                Some(Piece::Bytes(bytes)) => Some(Ok(Frame::data(bytes))),
                Some(Piece::Pause(pause)) => {
                    self.pause = Some(Box::pin(tokio::time::sleep(pause)));
                    continue;
                }
                Some(Piece::Cut) => Some(Err(std::io::Error::other("cut"))),
                None => None,
            });
        }
    }
}
