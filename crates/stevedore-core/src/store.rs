//! The seam to where blobs lie: content by digest, published whole or not at all.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::stream::BoxStream;
use crate::{Algorithm, Blob, ByteRange, Digest, Error, ErrorKind, Result};

/// A store of blobs.
///
/// What it promises to every caller, at once and over restarts:
///
/// - A blob is visible whole or not at all, and durable once [`Ingest::commit`] has answered.
/// - Nothing is published whose digest or size was not what was expected.
/// - What is staged is never visible; it goes by [`expire`](Self::expire).
/// - Each publication of the bytes of a digest has a [`Life`] of its own, and ids of lives never come back. Only
///   [`delete`](Self::delete) ends one.
///
/// Dropping a future leaves each of these as it was. Implementations run the tests of the `suite` feature.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// What is known of a blob, or `None` where there is none. Changes nothing.
    async fn stat(&self, digest: &Digest) -> Result<Option<BlobInfo>>;

    /// The same, and renews the time at which the blob was last wanted, so that a collector leaves it alone.
    ///
    /// A store may skip the write while the time on record is younger than half of its [`grace`](Self::grace). So
    /// the time that this gives is never older than half a grace before the call began, and a touch of anything
    /// older gives the blob a new version.
    async fn touch(&self, digest: &Digest) -> Result<Option<BlobInfo>>;

    /// How long a blob that nothing refers to is left alone after it was touched. The same for every process that
    /// opened the same store, longer than twice the time by which its listings, and those of the
    /// [`Names`](crate::Names) beside it, may be late, and longer by what the clocks of the processes differ.
    fn grace(&self) -> Duration;

    /// The bytes of a blob, not hashed.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where there is none, [`ErrorKind::OutOfRange`] for a range outside of it.
    async fn open(&self, digest: &Digest, range: ByteRange) -> Result<Blob>;

    /// All blobs, in no order. One that is published or deleted meanwhile may or may not be among them, and over
    /// some stores the listing is late.
    fn list(&self) -> BoxStream<Result<BlobInfo>>;

    /// Begins to write a blob, or goes on with what was staged under the plan's key if nobody holds it; this plan
    /// then takes the place of the earlier one.
    ///
    /// Gives [`Staging::There`] (touched) where the plan names a digest that is published, [`Staging::Busy`]
    /// where a living holder stages the same key, else [`Staging::Mine`].
    async fn ingest(&self, plan: IngestPlan) -> Result<Staging>;

    /// Goes on with what is staged under a key; the plan under which it was staged holds on. Gives
    /// [`Staging::None`] where nothing is, and never [`Staging::There`].
    async fn resume(&self, key: &IngestKey, takeover: Takeover) -> Result<Staging>;

    /// Deletes a blob if it is still exactly as it was seen: the same life and the same version. Gives whether it
    /// was, so whether this call deleted it.
    async fn delete(&self, seen: &BlobInfo) -> Result<bool>;

    /// Drops what was staged, or left behind by a crash, and that nobody has held or written since a time. Gives
    /// how many items went.
    async fn expire(&self, idle_since: SystemTime) -> Result<u64>;
}

/// A blob that is being written. `Send`, not `Sync`: one holder writes.
///
/// Dropping it suspends a keyed ingest and aborts one without a key, at once and without waiting.
#[async_trait]
pub trait Ingest: fmt::Debug + Send {
    /// How many bytes are staged: where the next [`append`](Self::append) goes on.
    async fn offset(&mut self) -> Result<u64>;

    /// Writes a body behind what is staged.
    ///
    /// # Errors
    /// What came before an error stays staged, and [`offset`](Self::offset) says how much that is.
    /// [`ErrorKind::Interrupted`] (or the body's own kind) when the body broke, [`ErrorKind::Storage`] when it could
    /// not be written, [`ErrorKind::Conflict`] when somebody took over by [`Takeover::Force`].
    /// [`ErrorKind::Mismatch`] as soon as more came than the plan's size: nothing beyond it is staged, and whether
    /// the rest is the blob shows at the commit.
    async fn append(&mut self, blob: Blob) -> Result<()>;

    /// Checks what is staged and publishes it, durably. Where the blob is published already this gives that one,
    /// touched. What is expected of the plan holds too.
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`] when digest or size are not as expected: what was staged is discarded and the ingest
    /// spent. After any other error the commit can be called again. A spent ingest answers
    /// [`ErrorKind::Conflict`].
    async fn commit(&mut self, expected: Expected) -> Result<BlobInfo>;

    /// Discards what is staged.
    async fn abort(self: Box<Self>) -> Result<()>;
}

/// What a store knows of a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlobInfo {
    /// The digest under which it lies.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Which publication of the bytes this is.
    pub life: Life,
    /// Changes whenever anything on record changes, and never repeats.
    pub version: Version,
    /// When it was last published, written again or touched.
    pub touched: SystemTime,
}

/// The id of one publication of the bytes of a digest. A blob that was deleted and pushed again has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Life(u128);

/// A state of a record. Opaque, compared for equality only; one record never has the same version twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version(Box<str>);

/// What is going to be written.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IngestPlan {
    /// Under which key it is staged, so that it outlives its holder; without one it ends with its holder.
    pub key: Option<IngestKey>,
    /// The digest, where it is known beforehand.
    pub digest: Option<Digest>,
    /// What is hashed while it is written. Another algorithm asked for at the commit costs a second read.
    pub algorithm: Algorithm,
    /// The size in bytes, where it is known beforehand.
    pub size: Option<u64>,
}

/// The name of something staged: an upload session, or the digest that a copy fetches. 1 to 255 bytes of printable
/// ASCII without `/`, and neither `.` nor `..`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IngestKey(Box<str>);

/// What a blob must turn out to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expected {
    /// Its digest; without one the staged bytes get the digest that they have.
    pub digest: Option<Digest>,
    /// Its size in bytes.
    pub size: Option<u64>,
}

/// The answer to a wish to write.
#[derive(Debug)]
#[non_exhaustive]
pub enum Staging {
    /// The blob is published already; nothing needs to be written.
    There(BlobInfo),
    /// Write here.
    Mine(Box<dyn Ingest>),
    /// A living holder writes under the same key.
    Busy,
    /// Nothing is staged under the key. Only [`Store::resume`] says so.
    None,
}

/// What becomes of the holder of something staged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Takeover {
    /// It keeps what it has: [`Staging::Busy`].
    IfIdle,
    /// It loses it; its next call answers [`ErrorKind::Conflict`].
    Force,
}

impl BlobInfo {
    /// What a store knows of a blob.
    pub fn new(digest: Digest, size: u64, life: Life, version: Version, touched: SystemTime) -> Self {
        Self {
            digest,
            size,
            life,
            version,
            touched,
        }
    }
}

impl Life {
    /// The life of everything that was published before its store was opened, from a store that cannot tell such
    /// lives apart (a file system that may have lost power). It begins for nothing while the store is open.
    pub const EARLIER: Self = Self(0);

    /// The life with an id that the store made and will never make again.
    pub fn new(id: u128) -> Self {
        Self(id)
    }

    /// The id.
    pub fn id(self) -> u128 {
        self.0
    }

    /// Whether a record that was made for the life `recorded` counts for bytes of this life: the two are the same,
    /// or nobody can tell any more because these bytes are [`EARLIER`](Self::EARLIER).
    pub fn admits(self, recorded: Self) -> bool {
        self == recorded || self == Self::EARLIER
    }
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for Life {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let digits = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let id = digits.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        id.map(Self)
            .ok_or_else(|| Error::new(ErrorKind::Invalid, format!("{text:?} is not the id of a life")))
    }
}

impl Version {
    /// The version with a text that its store made.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl IngestPlan {
    /// A plan for bytes of which nothing is known, hashed by `algorithm`.
    pub fn new(algorithm: Algorithm) -> Self {
        Self {
            key: None,
            digest: None,
            algorithm,
            size: None,
        }
    }

    /// A plan for a blob of a known digest.
    pub fn of(digest: Digest) -> Self {
        Self {
            digest: Some(digest),
            ..Self::new(digest.algorithm())
        }
    }

    /// The same plan, staged under a key.
    #[must_use]
    pub fn with_key(mut self, key: IngestKey) -> Self {
        self.key = Some(key);
        self
    }

    /// The same plan for a blob of a known size in bytes.
    #[must_use]
    pub fn with_size(mut self, size: u64) -> Self {
        self.size = Some(size);
        self
    }
}

impl IngestKey {
    /// A key that is the text.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a text that breaks the grammar.
    pub fn parse(text: &str) -> Result<Self> {
        if crate::key::is_segment(text) {
            Ok(Self(text.into()))
        } else {
            Err(Error::new(
                ErrorKind::Invalid,
                format!("{text:?} cannot be the key of something staged"),
            ))
        }
    }

    /// The key under which copies stage a blob, so that a later copy of the same blob goes on.
    pub fn of_digest(digest: &Digest) -> Self {
        Self(digest.to_string().into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IngestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Expected {
    /// Whatever was written.
    pub fn anything() -> Self {
        Self::default()
    }

    /// Content of a digest, of any size.
    pub fn digest(digest: Digest) -> Self {
        Self {
            digest: Some(digest),
            size: None,
        }
    }

    /// The same, of a size in bytes.
    #[must_use]
    pub fn with_size(mut self, size: u64) -> Self {
        self.size = Some(size);
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_text_of_a_life() {
        let life = Life::new(0xab);
        assert_eq!(life.to_string(), "000000000000000000000000000000ab");
        for text in [
            "",
            "ab",
            "0x",
            &"0".repeat(31),
            &"0".repeat(33),
            &"A".repeat(32),
            &format!("+{}", "0".repeat(31)),
        ] {
            let error = text.parse::<Life>().expect_err(text);
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn the_grammar_of_ingest_keys() {
        let longest = "k".repeat(255);
        for text in ["k", "...", "sha256:ab", "%2F", "\\", &longest] {
            assert_eq!(IngestKey::parse(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            ".",
            "..",
            "a/b",
            "/",
            "a b",
            "\0",
            "ä",
            &format!("{longest}k"),
        ] {
            let error = IngestKey::parse(text).expect_err(text);
            assert_eq!(error.kind(), ErrorKind::Invalid, "{text:?}");
        }
    }

    #[test]
    fn a_digest_makes_a_key() {
        for algorithm in Algorithm::ALL {
            let digest = algorithm.digest(b"content");
            let key = IngestKey::of_digest(&digest);
            assert_eq!(IngestKey::parse(key.as_str()).unwrap(), key);
            assert_eq!(key.to_string(), digest.to_string());
        }
    }

    proptest! {
        #[test]
        fn lives_survive_their_text(id in any::<u128>()) {
            let life = Life::new(id);
            prop_assert_eq!(life.to_string().parse::<Life>().unwrap(), life);
            prop_assert_eq!(life.id(), id);
        }

        #[test]
        fn no_text_breaks_the_parsers(text in any::<String>()) {
            if let Ok(life) = text.parse::<Life>() {
                prop_assert_eq!(life.to_string(), text.clone());
            }
            if let Ok(key) = IngestKey::parse(&text) {
                prop_assert_eq!(key.as_str(), text);
            }
        }
    }
}
