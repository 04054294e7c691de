//! Which endpoint a path names.

use super::query::decode;

/// An endpoint of the spec, names being decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Ping,
    Catalog,
    Tags {
        repository: String,
    },
    Referrers {
        repository: String,
        digest: String,
    },
    StartUpload {
        repository: String,
    },
    /// A session; its repository, where the path names it.
    Upload {
        repository: Option<String>,
        id: String,
    },
    Blob {
        repository: String,
        digest: String,
    },
    Manifest {
        repository: String,
        reference: String,
    },
    Unknown,
}

impl Route {
    /// Reads a path from its right end, for names have any number of segments.
    pub(crate) fn parse(path: &str, session_path: Option<&str>) -> Self {
        if let Some(id) = session_path.and_then(|prefix| path.strip_prefix(prefix)) {
            return Self::Upload {
                repository: None,
                id: id.to_owned(),
            };
        }
        let Some(rest) = path.strip_prefix("/v2/") else {
            return if path == "/v2" { Self::Ping } else { Self::Unknown };
        };
        if rest.is_empty() {
            return Self::Ping;
        }
        if rest == "_catalog" {
            return Self::Catalog;
        }
        let Some(segments) = rest.split('/').map(decode).collect::<Option<Vec<_>>>() else {
            return Self::Unknown;
        };
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (name, route): (&[&str], Box<dyn FnOnce(String) -> Self>) = match segments.as_slice() {
            [name @ .., "tags", "list"] => (name, Box::new(|repository| Self::Tags { repository })),
            [name @ .., "blobs", "uploads", ""] | [name @ .., "blobs", "uploads"] => {
                (name, Box::new(|repository| Self::StartUpload { repository }))
            }
            [name @ .., "blobs", "uploads", id] => {
                let id = (*id).to_owned();
                (
                    name,
                    Box::new(|repository| Self::Upload {
                        repository: Some(repository),
                        id,
                    }),
                )
            }
            [name @ .., "blobs", digest] => {
                let digest = (*digest).to_owned();
                (name, Box::new(|repository| Self::Blob { repository, digest }))
            }
            [name @ .., "manifests", reference] => {
                let reference = (*reference).to_owned();
                (
                    name,
                    Box::new(|repository| Self::Manifest {
                        repository,
                        reference,
                    }),
                )
            }
            [name @ .., "referrers", digest] => {
                let digest = (*digest).to_owned();
                (
                    name,
                    Box::new(|repository| Self::Referrers { repository, digest }),
                )
            }
            _ => return Self::Unknown,
        };
        if name.is_empty() || !name.iter().all(|segment| is_component(segment)) {
            return Self::Unknown;
        }
        route(name.join("/"))
    }

    /// The repository and what has to be allowed there, in the words of token scopes.
    pub(crate) fn access(&self, method: &http::Method) -> Option<(String, &'static str)> {
        let action = match *method {
            http::Method::GET | http::Method::HEAD => "pull",
            http::Method::DELETE if !matches!(self, Self::Upload { .. }) => "delete",
            _ => "push",
        };
        match self {
            Self::Ping | Self::Catalog | Self::Unknown => None,
            Self::Upload { repository, .. } => Some((repository.clone()?, "push")),
            Self::Tags { repository }
            | Self::Referrers { repository, .. }
            | Self::StartUpload { repository }
            | Self::Blob { repository, .. }
            | Self::Manifest { repository, .. } => Some((repository.clone(), action)),
        }
    }
}

/// One component of a name: `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
fn is_component(component: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let mut separator = String::new();
    for c in component.chars() {
        if alphanumeric(c) {
            let allowed =
                matches!(separator.as_str(), "" | "." | "_" | "__") || separator.chars().all(|c| c == '-');
            if !allowed {
                return false;
            }
            separator.clear();
        } else {
            separator.push(c);
        }
    }
    component.starts_with(alphanumeric) && separator.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_any_number_of_segments_and_may_hold_the_words_of_the_api() {
        let parse = |path| Route::parse(path, None);
        assert_eq!(parse("/v2/"), Route::Ping);
        assert_eq!(
            parse("/v2/a/blobs/b/manifests/v1"),
            Route::Manifest {
                repository: "a/blobs/b".to_owned(),
                reference: "v1".to_owned()
            }
        );
        assert_eq!(
            parse("/v2/a/blobs/uploads/7"),
            Route::Upload {
                repository: Some("a".to_owned()),
                id: "7".to_owned()
            }
        );
        assert_eq!(
            parse("/v2/a/blobs/uploads/"),
            Route::StartUpload {
                repository: "a".to_owned()
            }
        );
        assert_eq!(
            parse("/v2/a/blobs/sha256%3Aff"),
            Route::Blob {
                repository: "a".to_owned(),
                digest: "sha256:ff".to_owned()
            }
        );
        for bad in [
            "/v2/../manifests/a",
            "/v2/%2e%2e/manifests/a",
            "/v2/A/tags/list",
            "/v2/tags/list",
            "/x",
            "/v2/a%zz/tags/list",
        ] {
            assert_eq!(parse(bad), Route::Unknown, "{bad}");
        }
    }

    #[test]
    fn a_foreign_session_path_is_known_where_the_profile_has_one() {
        let route = Route::parse("/elsewhere/7", Some("/elsewhere/"));
        assert_eq!(
            route,
            Route::Upload {
                repository: None,
                id: "7".to_owned()
            }
        );
    }
}
