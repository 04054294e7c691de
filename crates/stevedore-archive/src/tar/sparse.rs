//! Maps of sparse files: which of their bytes are stored. Old GNU headers have them, and PAX headers in three versions.

mod gnu;
mod pax;

pub(super) use self::gnu::{Continuation, OldGnu};
pub(super) use self::pax::{DataMap, Form, PaxSparse};
use super::entry::Segment;
use super::error::Fault;

/// A map that is being read.
#[derive(Debug, Default)]
pub(super) struct Map {
    segments: Vec<Segment>,
}

impl Map {
    /// Adds a segment behind those that are there.
    pub(super) fn push(&mut self, offset: u64, length: u64, limit: usize) -> Result<(), Fault> {
        let begin = self.segments.last().map_or(0, |last| last.offset + last.length);
        if offset < begin {
            return Err("the map of a sparse file goes backwards".into());
        }
        if offset.checked_add(length).is_none() {
            return Err("the map of a sparse file goes beyond any file".into());
        }
        // Writers end with an empty one, which says no more than the size.
        if length == 0 {
            return Ok(());
        }
        if self.segments.len() >= limit {
            return Err(Fault::limit("segments of sparse files", limit));
        }
        self.segments.push(Segment { offset, length });
        Ok(())
    }

    /// The whole map of a file of this size, of which so many bytes are stored.
    pub(super) fn finish(self, size: u64, stored: u64) -> Result<Vec<Segment>, Fault> {
        let end = self.segments.last().map_or(0, |last| last.offset + last.length);
        if end > size {
            return Err(format!("the map of a sparse file of {size} bytes goes on to byte {end}").into());
        }
        // Segments do not overlap, so their sum is no larger than the last one's end.
        let mapped: u64 = self.segments.iter().map(|segment| segment.length).sum();
        if mapped != stored {
            return Err(format!("the map of a sparse file has {mapped} bytes, the archive {stored}").into());
        }
        Ok(self.segments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(segments: &[(u64, u64)], size: u64, stored: u64) -> Result<Vec<(u64, u64)>, Fault> {
        let mut map = Map::default();
        for (offset, length) in segments {
            map.push(*offset, *length, 4)?;
        }
        let segments = map.finish(size, stored)?;
        Ok(segments
            .iter()
            .map(|segment| (segment.offset, segment.length))
            .collect())
    }

    #[test]
    fn a_map_ascends_and_covers_what_is_stored() {
        assert_eq!(
            map(&[(0, 5), (10, 5), (20, 0)], 20, 10),
            Ok(vec![(0, 5), (10, 5)])
        );
        assert_eq!(map(&[], 20, 0), Ok(vec![]));
        assert_eq!(map(&[(0, 5), (5, 5)], 10, 10), Ok(vec![(0, 5), (5, 5)]));
    }

    #[test]
    fn a_map_that_contradicts_itself_is_refused() {
        for (segments, size, stored) in [
            (&[(5, 5), (0, 5)][..], 20, 10),
            (&[(0, 5), (4, 5)], 20, 10),
            (&[(0, 5), (18, 5)], 20, 10),
            (&[(0, 5)], 20, 6),
            (&[(0, 5)], 20, 4),
            (&[(1, u64::MAX)], 20, 4),
            (&[(0, 1), (2, 1), (4, 1), (6, 1), (8, 1)], 20, 5),
        ] {
            assert!(map(segments, size, stored).is_err(), "{segments:?}");
        }
    }
}
