//! Tar archives: the framing of entries, exactly, and without trust in who wrote it.
//!
//! [`Reader`] reads v7, ustar, GNU and PAX archives (POSIX.1-2017, pax, "EXTENDED DESCRIPTION"; GNU tar manual, "Tar Internals"),
//! [`Writer`] writes one form of each archive, [`Index`] finds entries in a file by their paths.
//!
//! What makes different readers see different archives is refused: readers of PAX and of GNU headers that disagree on
//! names, records that are no records, sizes of what has no data, numbers with something behind them.

mod block;
mod buffered;
mod encode;
mod entry;
mod error;
mod index;
mod input;
mod limits;
mod number;
mod overrides;
mod path;
mod pax;
mod reader;
mod sparse;
mod writer;

pub use self::encode::{END, encode, padding};
pub use self::entry::{Entry, Kind, Segment, Timestamp};
pub use self::error::{Error, Place, Result};
pub use self::index::{Index, Indexed, LookupError};
pub use self::input::{Input, Seekable, Stream};
pub use self::limits::Limits;
pub use self::path::{PathError, normalize};
pub use self::reader::{Member, Reader};
pub use self::writer::Writer;
