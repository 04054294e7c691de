//! Content and bodies for the cases.

use bytes::Bytes;

use super::run::Dice;
use crate::stream;
use crate::{Algorithm, Blob, Digest, Error, ErrorKind};

/// So many bytes that follow from a text, unlike those of any other text.
pub(super) fn content(text: &str, size: usize) -> Bytes {
    let seed = text.bytes().fold(0, |seed, byte| {
        Dice::new(seed ^ u64::from(byte)).next().rotate_left(9)
    });
    let mut dice = Dice::new(seed);
    let mut bytes = Vec::with_capacity(size);
    while bytes.len() < size {
        bytes.extend_from_slice(&dice.next().to_le_bytes());
    }
    bytes.truncate(size);
    bytes.into()
}

/// The usual digest of bytes.
pub(super) fn sha256(bytes: &[u8]) -> Digest {
    Algorithm::Sha256.digest(bytes)
}

/// A body of chunks of at most so many bytes, with an empty one at either end. It claims no size.
pub(super) fn chunked(bytes: &Bytes, chunk: usize) -> Blob {
    Blob::from_stream(stream::iter(pieces(bytes, chunk)), None)
}

/// The same, which breaks behind its last byte.
pub(super) fn broken(bytes: &Bytes, chunk: usize) -> Blob {
    let mut pieces = pieces(bytes, chunk);
    pieces.push(Err(Error::new(ErrorKind::Interrupted, "the body broke")));
    Blob::from_stream(stream::iter(pieces), None)
}

fn pieces(bytes: &Bytes, chunk: usize) -> Vec<crate::Result<Bytes>> {
    let mut pieces = vec![Ok(Bytes::new())];
    pieces.extend(bytes.chunks(chunk).map(|piece| Ok(bytes.slice_ref(piece))));
    pieces.push(Ok(Bytes::new()));
    pieces
}
