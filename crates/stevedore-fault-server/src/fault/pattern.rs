//! Path patterns.

/// Whether a path fits a pattern: `*` stands for at least one character; the last one of a pattern does not
/// cross a `/`, the others do (repository names have any number of segments). A trailing `**` takes any rest,
/// also none.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    if let Some(start) = pattern.strip_suffix("**") {
        let mut ends = (0..=path.len()).filter(|&end| path.is_char_boundary(end));
        return ends.any(|end| inner(start, &path[..end]));
    }
    if let Some(start) = pattern.strip_suffix('*') {
        let Some(segment) = path.rfind('/').map(|slash| slash + 1) else {
            return !path.is_empty() && start.is_empty();
        };
        let mut ends = (segment..path.len()).filter(|&end| path.is_char_boundary(end));
        return ends.any(|end| inner(start, &path[..end]));
    }
    inner(pattern, path)
}

/// As [`matches`], every `*` crossing slashes.
fn inner(pattern: &str, path: &str) -> bool {
    let Some((literal, rest)) = pattern.split_once('*') else {
        return pattern == path;
    };
    let Some(path) = path.strip_prefix(literal) else {
        return false;
    };
    let mut starts = (1..=path.len()).filter(|&start| path.is_char_boundary(start));
    starts.any(|start| inner(rest, &path[start..]))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_crosses_slashes_only_before_the_last() {
        assert!(matches("/v2/*/blobs/*", "/v2/a/b/blobs/sha256:0"));
        assert!(!matches("/v2/*/blobs/*", "/v2/a/blobs/uploads/1"));
        assert!(!matches("/v2/*/blobs/*", "/v2/a/blobs/"));
        assert!(matches("/v2/*/blobs/uploads/*", "/v2/a/blobs/uploads/1"));
        assert!(!matches("/v2/*/blobs/uploads/*", "/v2/a/blobs/uploads/"));
        assert!(matches("/v2/*/blobs/uploads/", "/v2/a/blobs/uploads/"));
        assert!(matches("/v2/*/manifests/v*", "/v2/a/manifests/v1"));
        assert!(!matches("/v2/*/manifests/v*", "/v2/a/manifests/1"));
        assert!(matches("/v2/", "/v2/"));
        assert!(matches("**", "/anything/at/all"));
        assert!(matches("/v2/**", "/v2/"));
        assert!(matches("/storage/**", "/storage/sha256/0"));
        assert!(!matches("/v2/x", "/v2/y"));
    }
}
