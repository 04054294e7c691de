//! What a stream may cost whoever decodes it.

use super::{Compression, DecodeError};

/// The bounds within which a [`Decoder`](super::Decoder) works: a small stream must not become a large bill.
///
/// Each stands for something that no layer of an honest image does, so that the defaults fit everybody; whoever knows
/// better sets the fields. Streams that are not compressed are bounded by their own size, and by nothing here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// The most bytes that one stream may expand to.
    ///
    /// 1 TiB: twenty times the largest blob that a large registry takes.
    pub expanded: u64,
    /// How many bytes may come out for each one that went in, once more than [`ratio_from`](Self::ratio_from) came out.
    ///
    /// 500, which only streams reach that are one byte over and over nearly everywhere: programs expand three-fold, text
    /// ten-fold; deflate can do 1032, the others far more.
    pub ratio: u64,
    /// From how many bytes on [`ratio`](Self::ratio) is held.
    ///
    /// 1 GiB: less than that is soon done, and small layers of zeros are made every day, by tests and for swap files.
    pub ratio_from: u64,
    /// The base-2 logarithm of the largest window, in bytes, that a zstd frame may ask for; it is held in memory.
    ///
    /// 27, which is 128 MiB: what the `zstd` program takes without being told, and so what its `--long` makes. The library
    /// knows 10 to 30; beyond stands for the nearest of them.
    pub zstd_window_log: u32,
    /// How many bytes of memory the decoder of an xz stream may take.
    ///
    /// 128 MiB: `xz -9`, the most that its program makes of its own accord, takes 65.
    pub xz_memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            expanded: 1 << 40,
            ratio: 500,
            ratio_from: 1 << 30,
            zstd_window_log: 27,
            xz_memory: 128 << 20,
        }
    }
}

impl Limits {
    /// Whether a stream of which `read` bytes were used may have expanded to so many.
    pub(super) fn check(&self, format: Compression, read: u64, expanded: u64) -> Result<(), DecodeError> {
        let over = |limit, bound| DecodeError::Limit {
            format,
            offset: read,
            limit,
            bound,
        };
        if expanded > self.expanded {
            return Err(over("expanded", self.expanded));
        }
        if expanded > self.ratio_from && expanded > read.saturating_mul(self.ratio) {
            return Err(over("ratio", self.ratio));
        }
        Ok(())
    }
}
