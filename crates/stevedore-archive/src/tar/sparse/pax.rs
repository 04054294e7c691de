//! Sparse files in PAX headers (GNU tar manual, "Storing Sparse Files"): versions 0.0, 0.1 and 1.0.

use super::Map;
use crate::tar::error::{Fault, escaped};
use crate::tar::limits::Limits;
use crate::tar::number::decimal;
use crate::tar::overrides::{number, wrong};

/// The `GNU.sparse.*` records of an entry.
#[derive(Debug, Default)]
pub(in crate::tar) struct PaxSparse {
    /// The path; that of the entry itself tells readers that know nothing of sparse files.
    pub(in crate::tar) name: Option<Vec<u8>>,
    seen: bool,
    major: Option<u64>,
    minor: Option<u64>,
    size: Option<u64>,
    count: Option<u64>,
    /// An offset of version 0.0 whose length is still to come.
    offset: Option<u64>,
    map: Map,
    /// Pairs in the map, empty ones included.
    pairs: u64,
    has_map: bool,
}

/// Where the map of a sparse file is.
#[derive(Debug)]
pub(in crate::tar) enum Form {
    /// It was in the header.
    Header { map: Map, size: u64 },
    /// It is at the beginning of the data.
    Data { size: u64 },
}

impl PaxSparse {
    /// Takes a record by its key without `GNU.sparse.`.
    pub(in crate::tar) fn take(&mut self, key: &[u8], value: &[u8], limits: &Limits) -> Result<(), Fault> {
        self.seen = true;
        match key {
            b"major" => self.major = Some(number(key, value)?),
            b"minor" => self.minor = Some(number(key, value)?),
            b"size" | b"realsize" => {
                let size = number(key, value)?;
                if self.size.is_some_and(|before| before != size) {
                    return Err("a sparse file has two sizes".into());
                }
                self.size = Some(size);
            }
            b"numblocks" => self.count = Some(number(key, value)?),
            b"name" if value.is_empty() || value.contains(&0) => return Err(wrong(key, value)),
            b"name" => self.name = Some(value.to_vec()),
            b"offset" => {
                if self.offset.replace(number(key, value)?).is_some() {
                    return Err("the map of a sparse file has two offsets in a row".into());
                }
            }
            b"numbytes" => {
                let Some(offset) = self.offset.take() else {
                    return Err("the map of a sparse file has a length without an offset".into());
                };
                self.push(offset, number(key, value)?, limits)?;
            }
            b"map" => {
                if self.has_map {
                    return Err("a sparse file has two maps".into());
                }
                self.take_map(value, limits)?;
            }
            _ => {
                let key = escaped(key);
                return Err(format!("the PAX record of sparse files {key} is not known").into());
            }
        }
        Ok(())
    }

    /// Version 0.1: all numbers in one record, with commas between.
    fn take_map(&mut self, value: &[u8], limits: &Limits) -> Result<(), Fault> {
        self.has_map = true;
        if value.is_empty() {
            return Ok(());
        }
        let mut numbers = value.split(|byte| *byte == b',');
        while let Some(offset) = numbers.next() {
            let length = numbers
                .next()
                .ok_or("the map of a sparse file has an offset without a length")?;
            self.push(number(b"map", offset)?, number(b"map", length)?, limits)?;
        }
        Ok(())
    }

    fn push(&mut self, offset: u64, length: u64, limits: &Limits) -> Result<(), Fault> {
        self.has_map = true;
        self.pairs += 1;
        self.map.push(offset, length, limits.segments)
    }

    /// What the records say together; `None` if there are none.
    pub(in crate::tar) fn finish(self) -> Result<Option<Form>, Fault> {
        if !self.seen {
            return Ok(None);
        }
        let size = self.size.ok_or("a sparse file has no size")?;
        match (self.major, self.minor) {
            (Some(1), Some(0)) if self.has_map || self.offset.is_some() => {
                Err("a sparse file has a map in its header and one in its data".into())
            }
            (Some(1), Some(0)) => Ok(Some(Form::Data { size })),
            (None, None) | (Some(0), Some(0 | 1)) => {
                if self.offset.is_some() {
                    return Err("the map of a sparse file has an offset without a length".into());
                }
                if self.count.is_some_and(|count| count != self.pairs) {
                    return Err(
                        "the map of a sparse file has another number of segments than it says".into(),
                    );
                }
                Ok(Some(Form::Header { map: self.map, size }))
            }
            _ => Err("a sparse file is of a version that is not known".into()),
        }
    }
}

/// Reads the map of version 1.0: lines of decimal numbers, the first one their count of pairs, up to a full block.
#[derive(Debug, Default)]
pub(in crate::tar) struct DataMap {
    map: Map,
    digits: Vec<u8>,
    /// Numbers still to come; `None` before the first one.
    left: Option<u64>,
    offset: Option<u64>,
}

impl DataMap {
    /// Takes a block; true if the map ends in it.
    pub(in crate::tar) fn take(&mut self, block: &[u8], limit: usize) -> Result<bool, Fault> {
        for (at, byte) in block.iter().enumerate() {
            if *byte != b'\n' {
                // Longer ones are no numbers, as `decimal` would say too.
                if self.digits.len() == 20 {
                    return Err("the map of a sparse file is not made of numbers".into());
                }
                self.digits.push(*byte);
                continue;
            }
            let number = decimal(&self.digits).ok_or("the map of a sparse file is not made of numbers")?;
            self.digits.clear();
            self.take_number(number, limit)?;
            if self.left == Some(0) {
                if block[at + 1..].iter().any(|byte| *byte != 0) {
                    return Err("the map of a sparse file has something behind its end".into());
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn take_number(&mut self, number: u64, limit: usize) -> Result<(), Fault> {
        let Some(left) = self.left else {
            // One more for the empty segment at the end, which is not kept.
            if number > u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1) {
                return Err(Fault::limit("segments of sparse files", limit));
            }
            self.left = Some(number.saturating_mul(2));
            return Ok(());
        };
        self.left = Some(left - 1);
        match self.offset.take() {
            None => self.offset = Some(number),
            Some(offset) => self.map.push(offset, number, limit)?,
        }
        Ok(())
    }

    pub(in crate::tar) fn finish(self) -> Map {
        self.map
    }
}
