//! The formats, and how they are told apart.

use std::fmt;

/// How a stream of bytes is compressed, as its first bytes say.
///
/// What a media type says is a claim; [`sniff`](Self::sniff) looks. Layers in xz are in no specification, but tars that
/// images are made from often are.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all, or in no way that is known here.
    None,
    /// gzip, RFC 1952.
    Gzip,
    /// zstd, RFC 8878.
    Zstd,
    /// xz, version 1.2.1 of its format.
    Xz,
}

/// The first bytes of a gzip member: RFC 1952, section 2.3.1.
pub(super) const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The first bytes of a zstd frame: RFC 8878, section 3.1.1.
pub(super) const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The first bytes of an xz stream: the xz file format, section 2.1.1.1.
pub(super) const XZ_MAGIC: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0x00];

/// Whether a zstd frame that begins like this is one to be skipped: RFC 8878, section 3.1.2.
pub(super) fn is_skippable(magic: [u8; 4]) -> bool {
    matches!(magic, [0x50..=0x5f, 0x2a, 0x4d, 0x18])
}

impl Compression {
    /// How many bytes of a stream [`sniff`](Self::sniff) looks at, at most.
    pub const SNIFFED: usize = XZ_MAGIC.len();

    /// Says how a stream is compressed from its first [`SNIFFED`](Self::SNIFFED) bytes, or all of a shorter one.
    ///
    /// ```
    /// use stevedore_archive::codec::Compression;
    ///
    /// assert_eq!(Compression::sniff(b"\x1f\x8b\x08\x00"), Compression::Gzip);
    /// assert_eq!(Compression::sniff(b"etc/passwd"), Compression::None);
    /// ```
    pub fn sniff(head: &[u8]) -> Self {
        let zstd = |magic: &[u8; 4]| *magic == ZSTD_MAGIC || is_skippable(*magic);
        if head.starts_with(&GZIP_MAGIC) {
            Self::Gzip
        } else if head.first_chunk().is_some_and(zstd) {
            Self::Zstd
        } else if head.starts_with(&XZ_MAGIC) {
            Self::Xz
        } else {
            Self::None
        }
    }

    /// Its name in options and messages: `none`, `gzip`, `zstd` or `xz`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magic_numbers_decide() {
        let cases: [(&[u8], Compression); 12] = [
            (b"", Compression::None),
            (b"\x1f", Compression::None),
            (b"\x1f\x8b", Compression::Gzip),
            (b"\x1f\x8b\x00", Compression::Gzip),
            (b"\x1f\x9d\x90", Compression::None), // compress(1)
            (b"\x28\xb5\x2f\xfd", Compression::Zstd),
            (b"\x28\xb5\x2f", Compression::None),
            (b"\x50\x2a\x4d\x18\x00", Compression::Zstd),
            (b"\x5f\x2a\x4d\x18", Compression::Zstd),
            (b"\x60\x2a\x4d\x18", Compression::None),
            (b"\xfd7zXZ\x00", Compression::Xz),
            (b"\xfd7zXZ", Compression::None),
        ];
        for (head, expected) in cases {
            assert_eq!(Compression::sniff(head), expected, "{head:x?}");
        }
    }
}
