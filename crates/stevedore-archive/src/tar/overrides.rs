//! What PAX headers say about entries in place of the entries' own headers.

use std::collections::BTreeMap;

use super::entry::Timestamp;
use super::error::{Fault, escaped};
use super::limits::Limits;
use super::number::decimal;
use super::pax::{self, next_record};
use super::sparse::PaxSparse;

/// The values of a PAX header: of an `x` header for one entry, of `g` headers for all entries behind them.
#[derive(Debug, Default)]
pub(super) struct Overrides {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Setting<u64>,
    pub(super) gid: Setting<u64>,
    pub(super) uname: Setting<Vec<u8>>,
    pub(super) gname: Setting<Vec<u8>>,
    pub(super) mtime: Setting<Timestamp>,
    pub(super) xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(super) sparse: PaxSparse,
}

/// A value that a PAX header can set, or take back with an empty one.
#[derive(Clone, Debug, Default)]
pub(super) enum Setting<T> {
    #[default]
    Absent,
    Unset,
    Set(T),
}

impl<T> Setting<T> {
    /// What holds for an entry: its own value, else the global one, else none.
    pub(super) fn or<'a>(&'a self, global: &'a Self) -> Option<&'a T> {
        match (self, global) {
            (Self::Set(value), _) | (Self::Absent, Self::Set(value)) => Some(value),
            _ => None,
        }
    }
}

/// For what a PAX header holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Next,
    Global,
}

impl Overrides {
    /// Takes the records of a header; the last one with a key counts.
    ///
    /// Records with unknown keys are ignored, as POSIX wants it, but for those that change what an entry's data means.
    pub(super) fn take(&mut self, mut records: &[u8], scope: Scope, limits: &Limits) -> Result<(), Fault> {
        while let Some((key, value)) = next_record(&mut records)? {
            self.take_one(key, value, scope, limits)?;
        }
        Ok(())
    }

    fn take_one(&mut self, key: &[u8], value: &[u8], scope: Scope, limits: &Limits) -> Result<(), Fault> {
        match key {
            b"path" | b"linkpath" | b"size" if scope == Scope::Global => return Err(for_all(key)),
            b"path" => self.path = Some(name(key, value, limits)?),
            b"linkpath" => self.link = Some(name(key, value, limits)?),
            // Readers take an empty one for no size, for 0, or for an error.
            b"size" => self.size = Some(number(key, value)?),
            b"uid" => self.uid = setting(value, |value| number(key, value))?,
            b"gid" => self.gid = setting(value, |value| number(key, value))?,
            b"uname" => self.uname = setting(value, |value| name(key, value, limits))?,
            b"gname" => self.gname = setting(value, |value| name(key, value, limits))?,
            b"mtime" => {
                self.mtime = setting(value, |value| timestamp(value).ok_or_else(|| wrong(key, value)))?;
            }
            // star's own way to store sparse files; read without it, they are something else.
            b"SCHILY.realsize" => return Err("a sparse file in the manner of star cannot be read".into()),
            _ => {
                let xattr = key.strip_prefix(pax::XATTR);
                let sparse = key.strip_prefix(b"GNU.sparse.");
                match (xattr, sparse) {
                    (None, None) => {}
                    _ if scope == Scope::Global => return Err(for_all(key)),
                    (Some(name), _) => return self.take_xattr(name, value, limits),
                    (_, Some(key)) => return self.sparse.take(key, value, limits),
                }
            }
        }
        Ok(())
    }

    fn take_xattr(&mut self, name: &[u8], value: &[u8], limits: &Limits) -> Result<(), Fault> {
        let name = pax::decode_xattr_name(name);
        if name.is_empty() || name.contains(&0) {
            return Err("an extended attribute has no name, or a NUL in it".into());
        }
        self.xattrs.insert(name, value.to_vec());
        if self.xattrs.len() > limits.xattrs {
            return Err(Fault::limit("extended attributes", limits.xattrs));
        }
        Ok(())
    }
}

/// Readers differ in whether such a value, in a global header, holds for every entry behind it, or for none.
fn for_all(key: &[u8]) -> Fault {
    let key = escaped(key);
    format!("a global PAX header sets {key}, which means something else to each reader").into()
}

fn setting<T>(value: &[u8], parse: impl FnOnce(&[u8]) -> Result<T, Fault>) -> Result<Setting<T>, Fault> {
    if value.is_empty() {
        return Ok(Setting::Unset);
    }
    parse(value).map(Setting::Set)
}

/// A name in a PAX record is as long as the record says, but half the world's readers stop at a NUL.
fn name(key: &[u8], value: &[u8], limits: &Limits) -> Result<Vec<u8>, Fault> {
    if value.is_empty() || value.contains(&0) {
        return Err(wrong(key, value));
    }
    // That of an owner in a global header is copied for each entry.
    if value.len() > limits.path {
        return Err(Fault::limit("bytes of a name in a PAX header", limits.path));
    }
    Ok(value.to_vec())
}

pub(super) fn number(key: &[u8], value: &[u8]) -> Result<u64, Fault> {
    decimal(value).ok_or_else(|| wrong(key, value))
}

pub(super) fn wrong(key: &[u8], value: &[u8]) -> Fault {
    format!("the PAX record {} is {}", escaped(key), escaped(value)).into()
}

/// Decimal seconds, perhaps negative, perhaps with a fraction. Digits beyond the nanosecond are cut off, downwards.
fn timestamp(value: &[u8]) -> Option<Timestamp> {
    let (negative, value) = match value.strip_prefix(b"-") {
        Some(value) => (true, value),
        None => (false, value),
    };
    let point = value.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = match point {
        Some(point) => (&value[..point], &value[point + 1..]),
        None => (value, &b""[..]),
    };
    let seconds = i128::from(decimal(whole)?);
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut nanoseconds = 0_u32;
    for place in 0..9 {
        let digit = fraction.get(place).map_or(0, |digit| u32::from(digit - b'0'));
        nanoseconds = nanoseconds * 10 + digit;
    }
    let beyond = fraction.iter().skip(9).any(|digit| *digit != b'0');
    let seconds = if negative {
        nanoseconds += u32::from(beyond);
        if nanoseconds == 0 {
            -seconds
        } else {
            nanoseconds = 1_000_000_000 - nanoseconds;
            -seconds - 1
        }
    } else {
        seconds
    };
    let seconds = i64::try_from(seconds).ok()?;
    Some(Timestamp { seconds, nanoseconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_down() {
        let at = |seconds, nanoseconds| Some(Timestamp { seconds, nanoseconds });
        assert_eq!(timestamp(b"0"), at(0, 0));
        assert_eq!(timestamp(b"1.5"), at(1, 500_000_000));
        assert_eq!(timestamp(b"1."), at(1, 0));
        assert_eq!(timestamp(b"1.0000000019"), at(1, 1));
        assert_eq!(timestamp(b"-1"), at(-1, 0));
        assert_eq!(timestamp(b"-1.5"), at(-2, 500_000_000));
        assert_eq!(timestamp(b"-0.0000000001"), at(-1, 999_999_999));
        assert_eq!(timestamp(b"-0.9999999999"), at(-1, 0));
        assert_eq!(timestamp(b"9223372036854775807"), at(i64::MAX, 0));
        assert_eq!(timestamp(b"-9223372036854775808"), at(i64::MIN, 0));
        for text in [
            &b""[..],
            b"-",
            b".5",
            b"+1",
            b"1e5",
            b"1.5.5",
            b"--1",
            b"1,5",
            b" 1",
            b"9223372036854775808",
            b"-9223372036854775808.1",
        ] {
            assert_eq!(timestamp(text), None, "{text:?}");
        }
    }

    #[test]
    fn an_own_value_hides_the_global_one_and_an_empty_one_both() {
        let (absent, unset, one, two) = (Setting::Absent, Setting::Unset, Setting::Set(1), Setting::Set(2));
        assert_eq!(one.or(&two), Some(&1));
        assert_eq!(absent.or(&two), Some(&2));
        assert_eq!(unset.or(&two), None);
        assert_eq!(absent.or(&unset), None);
        assert_eq!(one.or(&absent), Some(&1));
    }
}
