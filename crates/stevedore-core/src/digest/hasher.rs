//! Streaming computation of digests, and hashing that goes on after a restart.

use std::fmt;
use std::io;

use sha2::digest::common::BlockSizeUser;
use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::{Algorithm, Digest};

/// A digest being computed over bytes that come in pieces.
///
/// It counts the bytes it has seen, so that a sink needs no second counter. A clone goes on from the same point.
///
/// [`save`](Self::save) and [`restore`](Self::restore) carry a half-done computation over a restart, so that half an
/// upload need not be read again:
///
/// ```
/// use stevedore_core::digest::{Algorithm, Hasher};
///
/// let mut hasher = Hasher::new(Algorithm::Sha512);
/// hasher.update(b"half an ");
/// let checkpoint = hasher.save();
///
/// let mut hasher = Hasher::restore(&checkpoint)?;
/// assert_eq!(hasher.len(), 8);
/// hasher.update(b"upload");
/// assert_eq!(hasher.finish(), Algorithm::Sha512.digest(b"half an upload"));
/// # Ok::<(), stevedore_core::digest::RestoreError>(())
/// ```
#[derive(Clone)]
pub struct Hasher {
    state: State,
    len: u64,
}

impl Hasher {
    /// A hasher that has seen nothing yet.
    pub fn new(algorithm: Algorithm) -> Self {
        let state = match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha384 => State::Sha384(Sha384::new()),
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
        };
        Self { state, len: 0 }
    }

    /// Takes up a computation where [`save`](Self::save) left it.
    ///
    /// The checkpoint is not signed: who can write it can make any digest come out. Keep it where the bytes that
    /// were hashed are kept.
    ///
    /// # Errors
    ///
    /// [`RestoreError`] if this is not a whole and consistent checkpoint of a version known here. The answer is then
    /// to hash the bytes again.
    pub fn restore(checkpoint: &[u8]) -> Result<Self, RestoreError> {
        let Some((content, checksum)) = checkpoint.split_last_chunk::<CHECKSUM_SIZE>() else {
            return Err(RestoreError::Damaged);
        };
        let Some((magic, rest)) = content.split_first_chunk::<4>() else {
            return Err(RestoreError::Damaged);
        };
        if magic[..3] != MAGIC[..3] {
            return Err(RestoreError::Damaged);
        }
        if magic[3] != MAGIC[3] {
            return Err(RestoreError::Version { version: magic[3] });
        }
        if *checksum != checksum_of(content) {
            return Err(RestoreError::Damaged);
        }
        let (&tag, rest) = rest.split_first().ok_or(RestoreError::Damaged)?;
        let (len, state) = rest.split_first_chunk().ok_or(RestoreError::Damaged)?;
        let len = u64::from_le_bytes(*len);
        let state = match tag {
            1 => State::Sha256(load::<Sha256, 32, 8>(state, len)?),
            2 => State::Sha384(load::<Sha384, 64, 16>(state, len)?),
            3 => State::Sha512(load::<Sha512, 64, 16>(state, len)?),
            _ => return Err(RestoreError::Damaged),
        };
        Ok(Self { state, len })
    }

    /// Hashes more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Sha256(state) => state.update(bytes),
            State::Sha384(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
        self.len += bytes.len() as u64;
    }

    /// The algorithm it computes.
    pub const fn algorithm(&self) -> Algorithm {
        match self.state {
            State::Sha256(_) => Algorithm::Sha256,
            State::Sha384(_) => Algorithm::Sha384,
            State::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// How many bytes it has hashed so far.
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has hashed nothing so far.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A checkpoint of this computation, of less than 300 bytes, for [`restore`](Self::restore).
    ///
    /// It holds up to a block of the bytes hashed last, so it is as confidential as they are.
    pub fn save(&self) -> Vec<u8> {
        let (tag, state) = match &self.state {
            State::Sha256(state) => (1, state.serialize().to_vec()),
            State::Sha384(state) => (2, state.serialize().to_vec()),
            State::Sha512(state) => (3, state.serialize().to_vec()),
        };
        let mut checkpoint = Vec::with_capacity(MAGIC.len() + 9 + state.len() + CHECKSUM_SIZE);
        checkpoint.extend_from_slice(&MAGIC);
        checkpoint.push(tag);
        checkpoint.extend_from_slice(&self.len.to_le_bytes());
        checkpoint.extend_from_slice(&state);
        let checksum = checksum_of(&checkpoint);
        checkpoint.extend_from_slice(&checksum);
        checkpoint
    }

    /// The digest of everything that was hashed.
    pub fn finish(self) -> Digest {
        let algorithm = self.algorithm();
        match self.state {
            State::Sha256(state) => Digest::filled(algorithm, &state.finalize()),
            State::Sha384(state) => Digest::filled(algorithm, &state.finalize()),
            State::Sha512(state) => Digest::filled(algorithm, &state.finalize()),
        }
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The state is left out: it holds bytes of the content.
        f.debug_struct("Hasher")
            .field("algorithm", &self.algorithm())
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

impl io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Why a checkpoint could not be taken up. The bytes must be hashed again.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The checkpoint was written in a form that is not known here.
    #[error("hash checkpoint is of version {version}, which is not supported")]
    #[non_exhaustive]
    Version {
        /// The version that was found.
        version: u8,
    },
    /// The checkpoint is cut, was changed, or contradicts itself.
    #[error("hash checkpoint is damaged")]
    Damaged,
}

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

/// What a checkpoint begins with. The last byte is the version: of this framing, and of the `sha2` crate's state,
/// which is stable within 0.11 and no further.
const MAGIC: [u8; 4] = *b"SHS\x01";

/// How many bytes of a SHA-256 over the rest end a checkpoint, against torn writes.
const CHECKSUM_SIZE: usize = 8;

fn checksum_of(content: &[u8]) -> [u8; CHECKSUM_SIZE] {
    let mut checksum = [0; CHECKSUM_SIZE];
    checksum.copy_from_slice(&Sha256::digest(content)[..CHECKSUM_SIZE]);
    checksum
}

/// Loads the state of `H`: a chaining value of `CHAIN` bytes, the number of whole blocks (little-endian, in `COUNT`
/// bytes), the number of bytes of the block begun, and that block. The counts must agree with `len`, for an absurd
/// number of blocks would overflow at the end of the computation.
fn load<H, const CHAIN: usize, const COUNT: usize>(state: &[u8], len: u64) -> Result<H, RestoreError>
where
    H: SerializableState + BlockSizeUser,
{
    let counts = state.get(CHAIN..).and_then(<[u8]>::split_first_chunk::<COUNT>);
    let Some((blocks, [begun, ..])) = counts else {
        return Err(RestoreError::Damaged);
    };
    let mut wide = [0; 16];
    wide[..COUNT].copy_from_slice(blocks);
    let counted = u128::from_le_bytes(wide)
        .checked_mul(H::block_size() as u128)
        .and_then(|whole| whole.checked_add(u128::from(*begun)));
    // The length in bits has to fit as well: SHA-256 ends with it in 64 bits.
    if counted != Some(u128::from(len)) || len > u64::MAX / 8 {
        return Err(RestoreError::Damaged);
    }
    let state = SerializedState::<H>::try_from(state).map_err(|_| RestoreError::Damaged)?;
    H::deserialize(&state).map_err(|_| RestoreError::Damaged)
}
