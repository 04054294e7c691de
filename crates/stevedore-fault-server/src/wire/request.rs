//! Reading requests (RFC 9112).

use std::io;

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HeaderName, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::Stream;

/// Longest request head that is read, in bytes.
const REQUEST_HEAD_LIMIT: usize = 64 * 1024;
/// Most headers in a request.
const HEADER_COUNT: usize = 128;
/// Longest line of chunked framing, in bytes.
const CHUNK_LINE_LIMIT: usize = 4 * 1024;

/// A connection and what was read from it ahead of need.
pub(crate) struct Conn {
    pub(crate) stream: Stream,
    ahead: BytesMut,
}

/// Request line and headers.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) method: Method,
    /// Path and query as sent.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) keep_alive: bool,
}

impl Head {
    pub(crate) fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    pub(crate) fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    pub(crate) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn claimed_length(&self) -> Option<u64> {
        self.header(&CONTENT_LENGTH)?.trim().parse().ok()
    }

    fn chunked(&self) -> bool {
        self.header(&TRANSFER_ENCODING)
            .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
    }
}

/// What came of a request body.
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    /// Whether it came to its end; false if the client went away or the limit was met.
    pub(crate) whole: bool,
}

impl Conn {
    pub(crate) fn new(stream: Stream) -> Self {
        Self {
            stream,
            ahead: BytesMut::new(),
        }
    }

    /// The next request's head, or `None` when the client is done.
    pub(crate) async fn head(&mut self) -> io::Result<Option<Head>> {
        loop {
            if let Some(head) = self.parse_head()? {
                return Ok(Some(head));
            }
            if self.ahead.len() > REQUEST_HEAD_LIMIT {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "request head too long",
                ));
            }
            if self.stream.read_buf(&mut self.ahead).await? == 0 {
                return Ok(None);
            }
        }
    }

    fn parse_head(&mut self) -> io::Result<Option<Head>> {
        let bad = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
        let mut headers = [httparse::EMPTY_HEADER; HEADER_COUNT];
        let mut request = httparse::Request::new(&mut headers);
        let length = match request.parse(&self.ahead) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(error) => return Err(bad(error.to_string())),
        };
        let mut map = HeaderMap::new();
        for header in request.headers.iter() {
            let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|e| bad(e.to_string()))?;
            let value = HeaderValue::from_bytes(header.value).map_err(|e| bad(e.to_string()))?;
            map.append(name, value);
        }
        let method = request
            .method
            .unwrap_or_default()
            .parse()
            .map_err(|_| bad("method".to_owned()))?;
        let target = request.path.unwrap_or("/").to_owned();
        let connection = map
            .get(CONNECTION)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        let keep_alive = if request.version == Some(0) {
            connection.eq_ignore_ascii_case("keep-alive")
        } else {
            !connection.eq_ignore_ascii_case("close")
        };
        let head = Head {
            method,
            target,
            headers: map,
            keep_alive,
        };
        drop(self.ahead.split_to(length));
        Ok(Some(head))
    }

    /// Reads the body, at most `limit` bytes of it, and says 100 first if the client waits for that.
    pub(crate) async fn body(&mut self, head: &Head, limit: Option<u64>) -> Body {
        let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let mut bytes = BytesMut::new();
        let waits = head
            .header(&EXPECT)
            .is_some_and(|v| v.eq_ignore_ascii_case("100-continue"));
        if waits
            && self
                .stream
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                .await
                .is_err()
        {
            return Body {
                bytes: bytes.freeze(),
                whole: false,
            };
        }
        let whole = if head.chunked() {
            self.chunked_body(&mut bytes, limit).await
        } else {
            let length = usize::try_from(head.claimed_length().unwrap_or(0)).unwrap_or(usize::MAX);
            self.take(&mut bytes, length, limit).await
        };
        Body {
            bytes: bytes.freeze(),
            whole,
        }
    }

    async fn chunked_body(&mut self, bytes: &mut BytesMut, limit: usize) -> bool {
        loop {
            let Some(line) = self.line().await else {
                return false;
            };
            let size = line.split(';').next().unwrap_or_default().trim();
            let Ok(size) = usize::from_str_radix(size, 16) else {
                return false;
            };
            if size == 0 {
                // Trailers, up to the empty line.
                loop {
                    match self.line().await {
                        None => return false,
                        Some(line) if line.is_empty() => return true,
                        Some(_) => {}
                    }
                }
            }
            if !self.take(bytes, size, limit).await || self.line().await.is_none() {
                return false;
            }
        }
    }

    /// Moves `length` bytes of the connection into `bytes`, which never grows over `limit`.
    async fn take(&mut self, bytes: &mut BytesMut, mut length: usize, limit: usize) -> bool {
        while length > 0 {
            if bytes.len() >= limit {
                return false;
            }
            if self.ahead.is_empty() && !matches!(self.stream.read_buf(&mut self.ahead).await, Ok(1..)) {
                return false;
            }
            let count = self.ahead.len().min(length).min(limit - bytes.len());
            bytes.extend_from_slice(&self.ahead.split_to(count));
            length -= count;
        }
        true
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.ahead.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.ahead.split_to(end + 2);
                return String::from_utf8(line[..end].to_vec()).ok();
            }
            if self.ahead.len() > CHUNK_LINE_LIMIT
                || !matches!(self.stream.read_buf(&mut self.ahead).await, Ok(1..))
            {
                return None;
            }
        }
    }
}

impl Conn {
    /// Answers 400 to what is no request, and ends the connection.
    pub(crate) async fn refuse(mut self) {
        const ANSWER: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        drop(self.stream.write_all(ANSWER).await);
        self.stream.close().await;
    }

    /// Says nothing until the client is gone.
    pub(crate) async fn until_end(&mut self) {
        let mut scrap = BytesMut::new();
        while matches!(self.stream.read_buf(&mut scrap).await, Ok(1..)) {
            scrap.clear();
        }
    }
}
