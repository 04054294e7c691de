//! A plain HTTP client: one connection a request, no redirects, no second tries.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{HOST, HeaderName};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Longer than anything here takes, and short enough for a hanging test.
const PATIENCE: Duration = Duration::from_secs(20);

/// A response, as far as it came.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether the body came to the end that the head promised.
    pub(crate) whole: bool,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location").expect("a Location")
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The code of the first error in the body.
    pub(crate) fn code(&self) -> String {
        self.json()["errors"][0]["code"]
            .as_str()
            .expect("an error's code")
            .to_owned()
    }
}

/// A request that can be sent.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Bytes,
}

pub(crate) fn ask(method: Method, base: &str, target: &str) -> Ask {
    let url = if target.starts_with('/') {
        format!("{base}{target}")
    } else {
        target.to_owned()
    };
    Ask {
        method,
        url,
        headers: HeaderMap::new(),
        body: Bytes::new(),
    }
}

pub(crate) fn get(base: &str, target: &str) -> Ask {
    ask(Method::GET, base, target)
}

/// Begins an upload into the repository `a`, and gives where it goes on.
pub(crate) async fn begin_upload(base: &str) -> String {
    let begun = ask(Method::POST, base, "/v2/a/blobs/uploads/").send().await;
    begun.location().to_owned()
}

impl Ask {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.append(
            name.parse::<HeaderName>().expect("a name"),
            value.parse().expect("a value"),
        );
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it over a connection of its own and takes what comes.
    pub(crate) async fn send(self) -> Reply {
        self.try_send().await.expect("a response")
    }

    /// As [`send`](Self::send); an error if there was no response.
    pub(crate) async fn try_send(self) -> Result<Reply, String> {
        tokio::time::timeout(PATIENCE, self.exchange())
            .await
            .expect("an end in time")
    }

    async fn exchange(self) -> Result<Reply, String> {
        let uri: http::Uri = self.url.parse().expect("a URL");
        let authority = uri.authority().expect("an authority").to_string();
        let tcp = TcpStream::connect(&authority)
            .await
            .map_err(|error| error.to_string())?;
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(4 * 1024 * 1024)
            .max_headers(4096)
            .handshake(TokioIo::new(tcp))
            .await
            .map_err(|error| error.to_string())?;
        let driver = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(self.method)
            .uri(uri.path_and_query().expect("a path").as_str())
            .header(HOST, authority)
            .body(Full::new(self.body))
            .expect("a request");
        request.headers_mut().extend(self.headers);
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| error.to_string())?;
        let (parts, mut body) = response.into_parts();
        let mut bytes = BytesMut::new();
        let mut whole = true;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else {
                whole = false;
                break;
            };
            bytes.extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new()));
        }
        drop(sender);
        driver.abort();
        Ok(Reply {
            status: parts.status,
            headers: parts.headers,
            body: bytes.freeze(),
            whole,
        })
    }
}

/// Writes bytes to a server and reads all that comes, with the error that ended it.
pub(crate) async fn raw(
    address: std::net::SocketAddr,
    request: &[u8],
) -> (Vec<u8>, Option<std::io::ErrorKind>) {
    let mut tcp = TcpStream::connect(address).await.expect("a connection");
    drop(tcp.write_all(request).await);
    let mut bytes = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    let all = async {
        loop {
            match tcp.read(&mut piece).await {
                Ok(0) => return None,
                Ok(count) => bytes.extend_from_slice(&piece[..count]),
                Err(error) => return Some(error.kind()),
            }
        }
    };
    let ended = tokio::time::timeout(PATIENCE, all).await.expect("an end in time");
    (bytes, ended)
}

/// A GET as it stands on the wire.
pub(crate) fn plain_get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nhost: registry\r\nconnection: close\r\n\r\n").into_bytes()
}

/// As many bytes, no two stretches alike.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

pub(crate) fn digest_of(bytes: &[u8]) -> String {
    stevedore_core::Algorithm::Sha256.digest(bytes).to_string()
}
