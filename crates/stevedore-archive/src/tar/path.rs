//! Paths of entries as they are looked up.

use super::error::escaped;

/// Brings the path of an entry into the one form under which it is looked up: names with single slashes between, none at the
/// ends. The root is empty.
///
/// `/`, `./` and empty names are taken out. This makes no path safe to write to: links are not looked at.
///
/// # Errors
/// A path with `..` or a NUL in it.
pub fn normalize(path: &[u8]) -> Result<Vec<u8>, PathError> {
    let refused = |reason| PathError {
        path: escaped(path),
        reason,
    };
    if path.contains(&0) {
        return Err(refused("has a NUL in it"));
    }
    let mut normal = Vec::with_capacity(path.len());
    for name in names(path) {
        if name == b".." {
            return Err(refused("leads upwards"));
        }
        if !normal.is_empty() {
            normal.push(b'/');
        }
        normal.extend_from_slice(name);
    }
    Ok(normal)
}

/// The names in a path, but for those that lead nowhere.
pub(super) fn names(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/')
        .filter(|name| !name.is_empty() && *name != b".")
}

/// A path that is not looked up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the path {path} {reason}")]
#[non_exhaustive]
pub struct PathError {
    /// The escaped path.
    pub path: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_path_become_one() {
        for path in [
            &b"a/b"[..],
            b"/a/b",
            b"./a/b",
            b"a/b/",
            b"//a/.//b/.",
            b"././a/b//",
        ] {
            assert_eq!(normalize(path).unwrap(), b"a/b", "{path:?}");
        }
        for path in [&b""[..], b".", b"./", b"/", b"//./"] {
            assert_eq!(normalize(path).unwrap(), b"", "{path:?}");
        }
        assert_eq!(normalize(b"..a/b../...").unwrap(), b"..a/b../...");
        assert_eq!(normalize(b"\xff").unwrap(), b"\xff");
    }

    #[test]
    fn what_leads_upwards_or_has_a_nul_is_refused() {
        for path in [&b".."[..], b"../a", b"a/../b", b"a/..", b"/../a"] {
            let error = normalize(path).unwrap_err();
            assert_eq!(error.reason, "leads upwards", "{path:?}");
        }
        assert_eq!(
            normalize(b"a\0b").unwrap_err().to_string(),
            r#"the path "a\0b" has a NUL in it"#
        );
    }
}
