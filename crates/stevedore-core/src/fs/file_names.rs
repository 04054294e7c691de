//! How the files of blobs are called.

use std::path::{Path, PathBuf};

use crate::{Algorithm, Digest};

/// How the files of blobs are called, below their directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileNames {
    /// `<algorithm>/<hex>`, as in an OCI layout (image-spec, "Image Layout").
    #[default]
    ByAlgorithm,
    /// `<hex>` for sha256, `<algorithm>-<hex>` for others, beside each other: as in skopeo's `dir:`.
    Flat,
}

impl FileNames {
    /// The digest of the blob in a file, by its path below the directory, if it is called as one is.
    ///
    /// ```
    /// use stevedore_core::Algorithm;
    /// use stevedore_core::fs::FileNames;
    ///
    /// let digest = Algorithm::Sha256.digest(b"content");
    /// let hex = digest.hex();
    /// assert_eq!(FileNames::Flat.digest_of(&hex), Some(digest));
    /// assert_eq!(FileNames::ByAlgorithm.digest_of(&format!("sha256/{hex}")), Some(digest));
    /// assert_eq!(FileNames::Flat.digest_of("manifest.json"), None);
    /// ```
    pub fn digest_of(self, path: &str) -> Option<Digest> {
        let (algorithm, hex) = match self {
            Self::ByAlgorithm => path.split_once('/')?,
            Self::Flat => path.split_once('-').unwrap_or((Algorithm::Sha256.as_str(), path)),
        };
        parse(algorithm, hex)
    }

    /// The path of a blob.
    pub(super) fn path(self, dir: &Path, digest: &Digest) -> PathBuf {
        let (algorithm, hex) = (digest.algorithm(), digest.hex());
        match self {
            Self::ByAlgorithm => dir.join(algorithm.as_str()).join(hex),
            Self::Flat if algorithm == Algorithm::Sha256 => dir.join(hex),
            Self::Flat => dir.join(format!("{algorithm}-{hex}")),
        }
    }

    /// The directories in which blobs lie, each with the algorithm of its blobs where it is one only.
    pub(super) fn dirs(self, dir: &Path) -> Vec<(Option<Algorithm>, PathBuf)> {
        let of = |algorithm: &Algorithm| (Some(*algorithm), dir.join(algorithm.as_str()));
        match self {
            Self::ByAlgorithm => Algorithm::ALL.iter().map(of).collect(),
            Self::Flat => vec![(None, dir.to_owned())],
        }
    }

    /// The digest of the blob in a file of one of the [`dirs`](Self::dirs).
    pub(super) fn digest(algorithm: Option<Algorithm>, name: &str) -> Option<Digest> {
        match algorithm {
            Some(algorithm) => parse(algorithm.as_str(), name),
            None => Self::Flat.digest_of(name),
        }
    }
}

fn parse(algorithm: &str, hex: &str) -> Option<Digest> {
    format!("{algorithm}:{hex}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_leads_back_to_its_digest() {
        let dir = Path::new("dir");
        for algorithm in Algorithm::ALL {
            let digest = algorithm.digest(b"content");
            for names in [FileNames::ByAlgorithm, FileNames::Flat] {
                let path = names.path(dir, &digest);
                let within = names
                    .dirs(dir)
                    .into_iter()
                    .find(|(_, dir)| path.parent() == Some(dir))
                    .filter(|(only, _)| only.is_none_or(|only| only == *algorithm));
                let (only, _) = within.expect("one of the directories");
                let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
                assert_eq!(FileNames::digest(only, name), Some(digest));
            }
        }
        let digest = Algorithm::Sha256.digest(b"content");
        assert_eq!(FileNames::Flat.path(dir, &digest), dir.join(digest.hex()));
    }

    #[test]
    fn other_files_have_no_digest() {
        let hex = Algorithm::Sha256.digest(b"content").hex();
        for name in [
            "version",
            "manifest.json",
            "signature-1",
            "",
            &format!("{hex}.manifest.json"),
            &format!("sha256-{hex}x"),
        ] {
            assert_eq!(FileNames::digest(None, name), None, "{name}");
        }
    }
}
