//! Sparse files of old GNU tar: type `S`, the map in the header and in blocks behind it.

use super::Map;
use crate::tar::block::{BLOCK, Block, unsigned};
use crate::tar::error::Fault;

/// Bytes of an offset and a length, 12 each.
const PAIR: usize = 24;

/// The map as far as the blocks seen so far have it.
#[derive(Debug)]
pub(in crate::tar) struct OldGnu {
    map: Map,
    /// Bytes of the file, holes included.
    size: u64,
    ended: bool,
}

/// Whether another block of the map follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tar) enum Continuation {
    Follows,
    None,
}

impl OldGnu {
    /// Takes the four pairs that fit into the header.
    pub(in crate::tar) fn of_header(block: Block<'_>, limit: usize) -> Result<(Self, Continuation), Fault> {
        let mut gnu = Self {
            map: Map::default(),
            size: unsigned(&block.0[483..495], "its size when unpacked")?,
            ended: false,
        };
        gnu.take(&block.0[386..386 + 4 * PAIR], limit)?;
        let more = gnu.continuation(block.0[482])?;
        Ok((gnu, more))
    }

    /// Takes the 21 pairs of a block behind the header.
    pub(in crate::tar) fn extend(
        &mut self,
        block: &[u8; BLOCK],
        limit: usize,
    ) -> Result<Continuation, Fault> {
        self.take(&block[..21 * PAIR], limit)?;
        self.continuation(block[21 * PAIR])
    }

    fn take(&mut self, pairs: &[u8], limit: usize) -> Result<(), Fault> {
        for pair in pairs.chunks_exact(PAIR) {
            let (offset, length) = pair.split_at(PAIR / 2);
            // GNU tar ends at a pair without length, Go at one without offset.
            if offset[0] == 0 || length[0] == 0 {
                if pair.iter().any(|byte| *byte != 0) {
                    return Err("the map of a sparse file has half an entry".into());
                }
                self.ended = true;
                continue;
            }
            if self.ended {
                return Err("the map of a sparse file goes on behind its end".into());
            }
            let offset = unsigned(offset, "an offset in the map of a sparse file")?;
            let length = unsigned(length, "a length in the map of a sparse file")?;
            self.map.push(offset, length, limit)?;
        }
        Ok(())
    }

    fn continuation(&self, flag: u8) -> Result<Continuation, Fault> {
        match flag {
            0 => Ok(Continuation::None),
            // A chain of blocks that have nothing to say could go on for ever.
            _ if self.ended => Err("the map of a sparse file goes on behind its end".into()),
            _ => Ok(Continuation::Follows),
        }
    }

    /// The size of the file, and its map.
    pub(in crate::tar) fn finish(self) -> (u64, Map) {
        (self.size, self.map)
    }
}
