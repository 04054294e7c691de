//! Records in the order of their keys.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::escape::unescape;
use super::super::{cannot, is_missing};
use super::path::{PIECE, RECORD, dir_of};
use crate::{Key, Listed, Result};

/// At most `limit` records below a key, from the first one behind `after`.
pub(super) fn list(root: &Path, under: &Key, after: Option<&Key>, limit: usize) -> Result<Vec<Listed>> {
    let mut walk = Walk {
        after: after.map_or("", Key::as_str),
        limit,
        found: Vec::new(),
    };
    walk.go(&dir_of(root, under), &format!("{under}/"))?;
    Ok(walk.found)
}

/// The longest key, in bytes: deeper there is nothing.
const MAX_KEY: usize = 1024;

/// The longest escaped segment, in bytes.
const MAX_SEGMENT_NAME: usize = 3 * 255;

struct Walk<'a> {
    /// Nothing up to this key is wanted.
    after: &'a str,
    limit: usize,
    found: Vec<Listed>,
}

/// Something in a directory.
struct Item {
    /// The text of a key, or of the beginning of keys, which then ends in `/`.
    text: String,
    /// Where to go on; `None` for a record.
    dir: Option<PathBuf>,
}

impl Walk<'_> {
    /// Takes what lies in a directory, all of whose keys begin with a text. The depth is that of keys, so bounded.
    fn go(&mut self, dir: &Path, prefix: &str) -> Result<()> {
        if self.found.len() >= self.limit {
            return Ok(());
        }
        let mut items = Vec::new();
        self.read(dir, prefix, "", &mut items)?;
        // A directory sorts as its keys do, which begin with its text and the slash.
        items.sort_unstable_by(|one, other| one.text.cmp(&other.text));
        for item in items {
            match item.dir {
                Some(dir) => self.go(&dir, &item.text)?,
                None => {
                    if let Ok(key) = Key::parse(&item.text) {
                        self.found.push(Listed::new(key, None));
                    }
                }
            }
            if self.found.len() >= self.limit {
                break;
            }
        }
        Ok(())
    }

    /// Reads a directory, and those that only hold the rest of long names as if it were one with them.
    fn read(&self, dir: &Path, prefix: &str, begun: &str, items: &mut Vec<Item>) -> Result<()> {
        let failed = |error| cannot("list", dir, error);
        let entries = match fs::read_dir(dir) {
            Err(error) if is_missing(&error) => return Ok(()),
            entries => entries.map_err(failed)?,
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if let Some(piece) = name.strip_suffix(PIECE) {
                if begun.len() > MAX_SEGMENT_NAME {
                    continue;
                }
                self.read(&entry.path(), prefix, &format!("{begun}{piece}"), items)?;
                continue;
            }
            let (name, is_record) = name
                .strip_suffix(RECORD)
                .map_or((name, false), |name| (name, true));
            // Files of others are passed over.
            let Some(segment) = unescape(&format!("{begun}{name}")) else {
                continue;
            };
            if is_record {
                let text = format!("{prefix}{segment}");
                if text.as_str() > self.after {
                    items.push(Item { text, dir: None });
                }
            } else {
                let text = format!("{prefix}{segment}/");
                let wanted = text.as_str() > self.after || self.after.starts_with(&text);
                // No key is so long; whatever is there was not made here.
                if wanted && text.len() <= MAX_KEY {
                    let dir = Some(entry.path());
                    items.push(Item { text, dir });
                }
            }
        }
        Ok(())
    }
}
