//! Writing responses, whole or as badly as a fault asks for.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWriteExt as _;

use super::{Conn, Head};
use crate::answer::Answer;

/// Largest piece of a body in one write, in bytes.
const PIECE: usize = 16 * 1024;
/// How long written bytes get to arrive before the connection is reset over them.
const BEFORE_RESET: Duration = Duration::from_millis(30);

/// What is said about the body's length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Claim {
    #[default]
    Exact,
    Longer(u64),
    Shorter(u64),
    /// Neither length nor chunks: the body ends with the connection.
    Nothing,
    Chunked,
}

/// How a body that is not sent whole ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Close,
    Reset,
    /// Nothing more comes, and the connection stays open.
    Stall,
}

/// How a response is put on the wire.
#[derive(Clone, Debug, Default)]
pub(crate) struct Delivery {
    pub(crate) claim: Claim,
    /// Pause after each byte of the head.
    pub(crate) head_pause: Option<Duration>,
    /// Bytes of the body a second.
    pub(crate) body_rate: Option<u64>,
    /// The body ends after so many bytes.
    pub(crate) cut: Option<(u64, Ending)>,
    /// The response is sent twice.
    pub(crate) twice: bool,
    /// Sent in place of everything, then the connection is closed.
    pub(crate) raw: Option<Bytes>,
}

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    KeepAlive,
    End(Ending),
}

impl Delivery {
    /// Sends the response, and adds the bytes of its body to `sent` as they are written, also where the client goes away.
    pub(crate) async fn send(
        &self,
        conn: &mut Conn,
        head: &Head,
        answer: &Answer,
        sent: &mut u64,
    ) -> io::Result<Then> {
        if let Some(raw) = &self.raw {
            conn.stream.write_all(raw).await?;
            conn.stream.flush().await?;
            return Ok(Then::End(Ending::Close));
        }
        let mut then = self.send_once(conn, head, answer, sent).await?;
        if self.twice && then == Then::KeepAlive {
            then = self.send_once(conn, head, answer, sent).await?;
        }
        Ok(then)
    }

    async fn send_once(
        &self,
        conn: &mut Conn,
        head: &Head,
        answer: &Answer,
        sent: &mut u64,
    ) -> io::Result<Then> {
        let bodiless = head.method == http::Method::HEAD
            || answer.status == http::StatusCode::NO_CONTENT
            || answer.status == http::StatusCode::NOT_MODIFIED;
        let keep = head.keep_alive && matches!(self.claim, Claim::Exact | Claim::Shorter(_) | Claim::Chunked);
        let then = if keep {
            Then::KeepAlive
        } else {
            Then::End(Ending::Close)
        };
        self.send_head(conn, &self.head_text(answer, keep)).await?;
        if bodiless {
            conn.stream.flush().await?;
            return Ok(then);
        }
        let length = answer.body.len();
        let (until, ending) = match self.cut {
            Some((after, ending)) => (
                usize::try_from(after).unwrap_or(usize::MAX).min(length),
                Some(ending),
            ),
            None => (length, None),
        };
        self.send_body(conn, &answer.body[..until], sent).await?;
        if let Some(ending) = ending {
            if ending == Ending::Reset {
                tokio::time::sleep(BEFORE_RESET).await;
            }
            return Ok(Then::End(ending));
        }
        if self.claim == Claim::Chunked {
            conn.stream.write_all(b"0\r\n\r\n").await?;
        }
        conn.stream.flush().await?;
        Ok(then)
    }

    fn head_text(&self, answer: &Answer, keep: bool) -> Vec<u8> {
        let reason = answer.status.canonical_reason().unwrap_or("Unknown");
        let mut text = format!("HTTP/1.1 {} {reason}\r\n", answer.status.as_u16()).into_bytes();
        for (name, value) in &answer.headers {
            text.extend_from_slice(name.as_str().as_bytes());
            text.extend_from_slice(b": ");
            text.extend_from_slice(value.as_bytes());
            text.extend_from_slice(b"\r\n");
        }
        let length = answer.body.len() as u64;
        let claimed = match self.claim {
            Claim::Exact => Some(length),
            Claim::Longer(by) => Some(length.saturating_add(by)),
            Claim::Shorter(by) => Some(length.saturating_sub(by)),
            Claim::Nothing | Claim::Chunked => None,
        };
        match claimed {
            Some(_) if answer.status == http::StatusCode::NO_CONTENT => {}
            Some(length) => text.extend_from_slice(format!("content-length: {length}\r\n").as_bytes()),
            None if self.claim == Claim::Chunked => {
                text.extend_from_slice(b"transfer-encoding: chunked\r\n");
            }
            None => {}
        }
        if !keep {
            text.extend_from_slice(b"connection: close\r\n");
        }
        text.extend_from_slice(b"\r\n");
        text
    }

    async fn send_head(&self, conn: &mut Conn, text: &[u8]) -> io::Result<()> {
        let Some(pause) = self.head_pause else {
            return conn.stream.write_all(text).await;
        };
        for byte in text.chunks(1) {
            conn.stream.write_all(byte).await?;
            conn.stream.flush().await?;
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }

    async fn send_body(&self, conn: &mut Conn, body: &[u8], sent: &mut u64) -> io::Result<()> {
        let (piece, pause) = match self.body_rate {
            None => (PIECE, Duration::ZERO),
            // Fifty pieces a second, or one byte a piece when that is less.
            Some(rate) if rate > 50 => (
                usize::try_from(rate / 50).unwrap_or(PIECE),
                Duration::from_millis(20),
            ),
            Some(rate) => (1, Duration::from_millis(1000 / rate.max(1))),
        };
        for (number, piece) in body.chunks(piece).enumerate() {
            if number > 0 && !pause.is_zero() {
                conn.stream.flush().await?;
                tokio::time::sleep(pause).await;
            }
            if self.claim == Claim::Chunked {
                conn.stream
                    .write_all(format!("{:x}\r\n", piece.len()).as_bytes())
                    .await?;
            }
            conn.stream.write_all(piece).await?;
            if self.claim == Claim::Chunked {
                conn.stream.write_all(b"\r\n").await?;
            }
            *sent += piece.len() as u64;
        }
        conn.stream.flush().await
    }
}
