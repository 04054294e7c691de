//! Bytes and numbers that follow from a seed.

use bytes::Bytes;
use stevedore_core::Platform;
use stevedore_core::samples::Sample;

/// An image for the host with layers of random bytes.
pub(crate) fn image(seed: u64, sizes: &[usize]) -> Sample {
    let layers = sizes.iter().zip(seed..).map(|(size, seed)| random(seed, *size));
    Sample::image_of(layers, &Platform::host())
}

/// Bytes that follow from a seed, and that nothing makes smaller.
pub(crate) fn random(seed: u64, size: usize) -> Bytes {
    let mut random = Random::new(seed);
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        bytes.extend(random.next().to_le_bytes());
    }
    bytes.truncate(size);
    bytes.into()
}

/// Numbers that follow from a seed (xorshift64*).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        // Not 0, which would stay 0.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below another.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}
