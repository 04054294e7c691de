//! The headers before an entry that say something about it.

use crate::tar::block::until_nul;
use crate::tar::error::Fault;
use crate::tar::limits::Limits;
use crate::tar::overrides::{Overrides, Scope};

/// What the headers since the last entry say about the next one.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Where the first of them begins.
    pub(super) offset: Option<u64>,
    /// What a PAX header says.
    pub(super) local: Option<Box<Overrides>>,
    /// What a GNU header of type `L` says.
    pub(super) long_path: Option<Vec<u8>>,
    /// What a GNU header of type `K` says.
    pub(super) long_link: Option<Vec<u8>>,
    /// A buffer for their data, kept for the next ones.
    pub(super) data: Vec<u8>,
}

impl Pending {
    /// Takes the data of a header of type `x`, `X`, `L` or `K`.
    ///
    /// Of two with one type, GNU tar and Go take the last, and Python the first.
    pub(super) fn take(&mut self, flag: u8, data: &[u8], offset: u64, limits: &Limits) -> Result<(), Fault> {
        self.offset.get_or_insert(offset);
        match flag {
            b'L' => put_name(&mut self.long_path, data),
            b'K' => put_name(&mut self.long_link, data),
            _ => {
                let mut local = Overrides::default();
                local.take(data, Scope::Next, limits)?;
                if self.local.replace(Box::new(local)).is_some() {
                    return Err("there are two PAX headers before one entry".into());
                }
                Ok(())
            }
        }
    }
}

fn put_name(slot: &mut Option<Vec<u8>>, data: &[u8]) -> Result<(), Fault> {
    let name = until_nul(data);
    if name.is_empty() {
        return Err("a long name is empty".into());
    }
    if slot.replace(name.to_vec()).is_some() {
        return Err("there are two long names before one entry".into());
    }
    Ok(())
}

/// The name that a PAX header gives, or a GNU header.
///
/// Where both give one, GNU tar takes that of PAX, Go the other, and Python whichever came first: they have to agree.
pub(super) fn agreed(pax: Option<Vec<u8>>, gnu: Option<Vec<u8>>) -> Result<Option<Vec<u8>>, Fault> {
    match (pax, gnu) {
        (Some(pax), Some(gnu)) if pax != gnu => {
            Err("a PAX header and a GNU header give it different names".into())
        }
        (pax, gnu) => Ok(pax.or(gnu)),
    }
}
