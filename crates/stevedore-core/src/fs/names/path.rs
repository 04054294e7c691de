//! Where the record of a key lies.
//!
//! Each segment of a key is escaped and becomes a directory, the last one a file with a `=` behind it, so that
//! a key can lie below another. A segment whose escaped form is too long for a file name is cut: all pieces but
//! the last are directories with a `^` behind them. No escaped form ends in either sign.

use std::path::{Path, PathBuf};

use super::super::escape::{escape, pieces};
use crate::Key;

/// Behind the name of a file.
pub(super) const RECORD: char = '=';

/// Behind a piece of a name that goes on within the directory.
pub(super) const PIECE: char = '^';

/// The file of a record.
pub(super) fn path_of(root: &Path, key: &Key) -> PathBuf {
    let mut path = dir_of(root, key);
    let name = path.file_name().map(|name| {
        let mut name = name.to_owned();
        name.push(String::from(RECORD));
        name
    });
    path.set_file_name(name.unwrap_or_default());
    path
}

/// The directory of what lies below a key.
pub(super) fn dir_of(root: &Path, key: &Key) -> PathBuf {
    let mut path = root.to_owned();
    for segment in key.segments() {
        let name = escape(segment);
        let pieces = pieces(&name);
        let (last, cut) = pieces.split_last().unwrap_or((&"", &[]));
        for piece in cut {
            path.push(format!("{piece}{PIECE}"));
        }
        path.push(last);
    }
    path
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn usual_keys_stay_readable() {
        let key = Key::parse("r/library%2Fdebian/tags/Latest").unwrap();
        let path = path_of(Path::new("names"), &key);
        assert_eq!(path, Path::new("names/r/library%2^fdebian/tags/^latest="));
    }

    proptest! {
        #[test]
        fn no_two_records_meet_without_case(
            one in "[aB:]{1,4}(/[aBb.]{1,4}x){0,2}",
            other in "[aB:]{1,4}(/[aBb.]{1,4}x){0,2}",
        ) {
            prop_assume!(one != other);
            let path = |key: &str| path_of(Path::new(""), &Key::parse(key).unwrap());
            let (one, other) = (path(&one), path(&other));
            let fold = |path: &Path| path.to_str().unwrap().to_ascii_lowercase();
            prop_assert_ne!(fold(&one), fold(&other));
            // A file is never where a directory is.
            for dir in other.ancestors().skip(1) {
                prop_assert_ne!(fold(&one), fold(dir));
            }
        }
    }
}
