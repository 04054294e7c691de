//! A header block: 512 bytes with fields at fixed places.

use super::number;

/// Bytes of a block: headers and data lie on multiples of it.
pub(crate) const BLOCK: usize = 512;
/// As above, for offsets.
pub(crate) const BLOCK_SIZE: u64 = 512;

/// Zero bytes behind data of this length, up to the next block.
pub(crate) fn padding_of(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK_SIZE
}

/// Who laid the header out. What is not common to all lies elsewhere in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    V7,
    Ustar,
    Star,
    Gnu,
}

/// A header that is not understood yet. Fields are at the places of POSIX pax, "ustar Interchange Format".
#[derive(Clone, Copy, Debug)]
pub(super) struct Block<'a>(pub(super) &'a [u8; BLOCK]);

impl<'a> Block<'a> {
    pub(super) fn is_zero(self) -> bool {
        self.0.iter().fold(0, |all, byte| all | byte) == 0
    }

    /// Checks the sum over the header, in which its own field counts as spaces. Old writers added up signed bytes.
    pub(super) fn check_sum(self) -> Result<(), String> {
        let field = &self.0[148..156];
        let stated =
            number::parse(field).map_err(|fault| format!("this is no tar header: its checksum {fault}"))?;
        let add = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        let unsigned = i64::from(add(self.0) - add(field) + 8 * u32::from(b' '));
        if stated == unsigned {
            return Ok(());
        }
        let outside = self.0[..148].iter().chain(&self.0[156..]);
        let high = outside.filter(|byte| **byte >= 0x80).count();
        let signed = unsigned - 256 * i64::try_from(high).unwrap_or_default();
        if stated == signed {
            return Ok(());
        }
        Err(format!(
            "this is no tar header: its checksum is {stated}, its bytes add up to {unsigned}"
        ))
    }

    pub(super) fn dialect(self) -> Dialect {
        match &self.0[257..265] {
            b"ustar  \0" => Dialect::Gnu,
            magic if magic[..6] == *b"ustar\0" => {
                if self.0[508..] == *b"tar\0" {
                    Dialect::Star
                } else {
                    Dialect::Ustar
                }
            }
            _ => Dialect::V7,
        }
    }

    pub(super) fn type_flag(self) -> u8 {
        self.0[156]
    }

    pub(super) fn name(self) -> &'a [u8] {
        until_nul(&self.0[..100])
    }

    /// What stands before the name, with a slash between. GNU has times there.
    pub(super) fn prefix(self) -> &'a [u8] {
        match self.dialect() {
            Dialect::V7 | Dialect::Gnu => &[],
            Dialect::Ustar => until_nul(&self.0[345..500]),
            Dialect::Star => until_nul(&self.0[345..476]),
        }
    }

    pub(super) fn link(self) -> &'a [u8] {
        until_nul(&self.0[157..257])
    }

    pub(super) fn uname(self) -> &'a [u8] {
        until_nul(&self.0[265..297])
    }

    pub(super) fn gname(self) -> &'a [u8] {
        until_nul(&self.0[297..329])
    }

    /// The path as the header alone has it.
    pub(super) fn path_into(self, path: &mut Vec<u8>) {
        path.clear();
        let prefix = self.prefix();
        if !prefix.is_empty() {
            path.extend_from_slice(prefix);
            path.push(b'/');
        }
        path.extend_from_slice(self.name());
    }

    pub(super) fn mode(self) -> Result<u32, String> {
        let mode = number::parse(&self.0[100..108]).map_err(|fault| format!("its mode {fault}"))?;
        // Some writers put the type of the file above the permissions.
        Ok(u32::try_from(mode & 0o7777).unwrap_or_default())
    }

    pub(super) fn uid(self) -> Result<u64, String> {
        unsigned(&self.0[108..116], "its user ID")
    }

    pub(super) fn gid(self) -> Result<u64, String> {
        unsigned(&self.0[116..124], "its group ID")
    }

    pub(super) fn size(self) -> Result<u64, String> {
        unsigned(&self.0[124..136], "its size")
    }

    pub(super) fn mtime(self) -> Result<i64, String> {
        number::parse(&self.0[136..148]).map_err(|fault| format!("its time {fault}"))
    }

    pub(super) fn major(self) -> Result<u32, String> {
        device_number(&self.0[329..337], "its major device number")
    }

    pub(super) fn minor(self) -> Result<u32, String> {
        device_number(&self.0[337..345], "its minor device number")
    }
}

/// A number that cannot be negative.
pub(super) fn unsigned(field: &[u8], what: &str) -> Result<u64, String> {
    let value = number::parse(field).map_err(|fault| format!("{what} {fault}"))?;
    u64::try_from(value).map_err(|_| format!("{what} is negative: {value}"))
}

fn device_number(field: &[u8], what: &str) -> Result<u32, String> {
    let value = unsigned(field, what)?;
    u32::try_from(value).map_err(|_| format!("{what} is too large: {value}"))
}

/// Text that is ended by a NUL, or by the end of its field.
pub(super) fn until_nul(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    &field[..end]
}
