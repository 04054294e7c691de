//! Through a proxy to a server: CONNECT (RFC 9110, section 9.3.6).

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::dial::{DialError, ProxyFailure};
use super::io::Pipe;
use crate::proxies::Proxy;
use crate::url::Origin;

/// The largest head of an answer of a proxy, in bytes.
const MAX_HEAD: usize = 16 * 1024;

/// Asks a proxy for a connection with a server. From then on what is written goes there.
pub(super) async fn open(pipe: &mut Pipe, proxy: &Proxy, target: &Origin) -> Result<(), DialError> {
    let failed = |failure| DialError::Proxy {
        proxy: proxy.to_string(),
        failure,
    };
    let request = request(proxy, target);
    let exchange = async {
        pipe.write_all(&request).await?;
        pipe.flush().await?;
        read_head(pipe).await
    };
    let head = exchange.await.map_err(|_| failed(ProxyFailure::Broken))?;
    match head.as_deref().and_then(status) {
        Some(200..300) => Ok(()),
        Some(status) => Err(failed(ProxyFailure::of_status(status, proxy))),
        None => Err(failed(ProxyFailure::Nonsense)),
    }
}

fn request(proxy: &Proxy, target: &Origin) -> Vec<u8> {
    let host = if target.host.contains(':') {
        format!("[{}]:{}", target.host, target.port)
    } else {
        format!("{}:{}", target.host, target.port)
    };
    let mut request = format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n").into_bytes();
    if let Some(authorization) = &proxy.authorization {
        request.extend(b"Proxy-Authorization: ");
        request.extend(authorization.as_bytes());
        request.extend(b"\r\n");
    }
    request.extend(b"\r\n");
    request
}

/// The head of an answer, to its empty line. `None` for what is none: too long, or with something behind it, for a
/// server says nothing over TLS before it is spoken to.
async fn read_head(pipe: &mut Pipe) -> std::io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    loop {
        if pipe.read_buf(&mut head).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let end = head.windows(4).position(|window| window == b"\r\n\r\n");
        match end {
            // A refusal has a body, which is not read.
            Some(end) if end + 4 == head.len() || status(&head).is_some_and(|status| status >= 300) => {
                return Ok(Some(head));
            }
            Some(_) => return Ok(None),
            None if head.len() > MAX_HEAD => return Ok(None),
            None => {}
        }
    }
}

/// The status of an answer (RFC 9112, section 4).
fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let rest = line.strip_prefix(b"HTTP/1.")?;
    let [b'0' | b'1', b' ', digits @ ..] = rest else {
        return None;
    };
    let (digits, behind) = digits.split_at_checked(3)?;
    let ends = behind.first().is_none_or(|byte| *byte == b' ');
    let text = str::from_utf8(digits).ok()?;
    let is_number = digits.iter().all(u8::is_ascii_digit);
    (ends && is_number).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn statuses_are_read_from_their_line() {
        assert_eq!(status(b"HTTP/1.1 200 OK\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 407\r\n\r\n"), Some(407));
        for nonsense in [
            &b"HTTP/2 200\r\n"[..],
            b"HTTP/1.1 20\r\n",
            b"HTTP/1.1 2000 \r\n",
            b"HTTP/1.1 +20\r\n",
            b"",
        ] {
            assert_eq!(status(nonsense), None, "{}", nonsense.escape_ascii());
        }
    }

    #[test]
    fn a_target_is_named_with_its_port() {
        let proxy = Proxy::parse("http://me:secret@p.example:1").expect("a proxy");
        let target = Origin::parse(true, "[2001:db8::1]").expect("an origin");
        assert_eq!(
            String::from_utf8(request(&proxy, &target)).expect("UTF-8"),
            "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\nProxy-Authorization: Basic \
             bWU6c2VjcmV0\r\n\r\n"
        );
    }

    proptest! {
        #[test]
        fn no_answer_breaks_it(bytes: Vec<u8>) {
            status(&bytes);
        }
    }
}
