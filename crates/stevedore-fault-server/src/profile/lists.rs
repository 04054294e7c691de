//! Habits of lists.

/// How tags and repositories are listed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ListHabits {
    /// Entries in a page if `n` is not given; `None`: all.
    pub page: Option<usize>,
    /// Most entries in a page whatever `n` says; `None`: no bound.
    pub max_page: Option<usize>,
    /// What a larger `n` is answered with.
    pub excess: Excess,
    /// How the next page is named.
    pub cursor: Cursor,
    /// The URL in `Link` is absolute.
    pub absolute_link: bool,
    /// The path in `Link` lacks the first segment of the repository's name, so that it leads nowhere.
    pub stripped_link: bool,
    /// What the tags of a repository are that is not there.
    pub unknown: UnknownRepository,
}

impl Default for ListHabits {
    fn default() -> Self {
        Self {
            page: None,
            max_page: None,
            excess: Excess::Clamp,
            cursor: Cursor::Last,
            absolute_link: false,
            stripped_link: false,
            unknown: UnknownRepository::NotFound,
        }
    }
}

/// What a page is answered with that is larger than the registry likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Excess {
    /// A shorter page, and a `Link`.
    Clamp,
    /// 413.
    TooLarge,
}

/// How the next page is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cursor {
    /// By the last entry of this one (`last`).
    Last,
    /// By an opaque token (`next_page`); `last` is not looked at.
    Token,
}

/// What the tags of a repository are that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnknownRepository {
    /// 404 `NAME_UNKNOWN`.
    NotFound,
    /// 200 and an empty list.
    Empty,
}

/// How referrers are listed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReferrerHabits {
    /// What becomes of the referrers API.
    pub api: ReferrersApi,
    /// Entries in a page; `None`: all.
    pub page: Option<usize>,
    /// `artifactType` is obeyed, and `OCI-Filters-Applied` says so; else all referrers come.
    pub filter: bool,
    /// A PUT of a manifest with a subject is answered with `OCI-Subject`.
    pub subject_header: bool,
    /// A manifest whose subject is not there is refused: 404 `MANIFEST_UNKNOWN`. The spec forbids that.
    pub subject_first: bool,
    /// `<algorithm>-<hex>` in place of a tag is read as that digest, if no tag has this name.
    pub dashed_digest: bool,
    /// The API's answer has what an index under the fallback tag names, too.
    pub merge_fallback: bool,
}

impl Default for ReferrerHabits {
    fn default() -> Self {
        Self {
            api: ReferrersApi::Served,
            page: None,
            filter: true,
            subject_header: true,
            subject_first: false,
            dashed_digest: false,
            merge_fallback: false,
        }
    }
}

/// What becomes of the referrers API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReferrersApi {
    /// It is there.
    Served,
    /// 404.
    NotFound,
    /// 200 and an empty list, whatever refers (sigstore/sigstore-js#1187 met it, without saying where).
    Empty,
    /// 303 to a web page on another host, which answers 429 and HTML.
    SeeOther,
    /// 401 without a challenge.
    Unauthorized,
}
