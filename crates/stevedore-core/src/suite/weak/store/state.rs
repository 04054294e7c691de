//! The record of a digest.

use std::time::{Duration, SystemTime};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

use super::super::bucket::Object;
use super::super::record::version;
use crate::{BlobInfo, Digest, Error, ErrorKind, Life, Result};

/// What is on record of a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Record {
    Live {
        life: Life,
        size: u64,
        touched: SystemTime,
    },
    Gone {
        life: Life,
    },
}

impl Record {
    /// Fixed fields, big-endian: the kind, life, size and time of a live one, nonce.
    pub(super) fn body(self, nonce: u128) -> Bytes {
        let mut body = BytesMut::with_capacity(1 + 16 + 8 + 16 + 16);
        match self {
            Self::Live { life, size, touched } => {
                body.put_u8(b'+');
                body.put_u128(life.id());
                body.put_u64(size);
                body.put_u128(nanos(touched));
            }
            Self::Gone { life } => {
                body.put_u8(b'-');
                body.put_u128(life.id());
            }
        }
        body.put_u128(nonce);
        body.freeze()
    }

    pub(super) fn parse(digest: &Digest, object: &Object) -> Result<(Self, u64)> {
        let parse = || {
            let mut body = object.body.clone();
            let (kind, life) = (body.try_get_u8().ok()?, Life::new(body.try_get_u128().ok()?));
            match kind {
                b'+' => Some(Self::Live {
                    life,
                    size: body.try_get_u64().ok()?,
                    touched: time(body.try_get_u128().ok()?)?,
                }),
                b'-' => Some(Self::Gone { life }),
                _ => None,
            }
        };
        match parse() {
            Some(record) => Ok((record, object.tag)),
            None => Err(Error::new(
                ErrorKind::Storage,
                format!("the record of {digest} is damaged"),
            )),
        }
    }

    pub(super) fn info(self, digest: &Digest, tag: u64) -> Option<BlobInfo> {
        match self {
            Self::Live { life, size, touched } => {
                Some(BlobInfo::new(*digest, size, life, version(tag), touched))
            }
            Self::Gone { .. } => None,
        }
    }
}

/// Nanoseconds since the epoch.
pub(in super::super) fn nanos(time: SystemTime) -> u128 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_nanos()
}

pub(in super::super) fn time(nanos: u128) -> Option<SystemTime> {
    let since = Duration::from_nanos(u64::try_from(nanos).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(since)
}
