//! Where a value stands in a document.

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
};

/// Characters of a key that an error message shows; the rest is cut off.
const SHOWN_KEY: usize = 80;

/// One step on the way from a document's root to a value: into a member of an object, or an element of an array.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Step<'a> {
    /// The member of that key, unescaped.
    Key(Cow<'a, str>),
    /// The element of that index, from 0.
    Index(usize),
}

/// The way from a document's root to a value.
///
/// A single key, an array of keys, and a tuple that mixes keys and indexes all convert into one. A key is never
/// taken apart, so dots in it are just dots. It prints as `manifests[0].platform` and `annotations["a.b"]`.
///
/// ```
/// use stevedore_core::edit::Path;
///
/// assert_eq!(Path::from("created").to_string(), "created");
/// assert_eq!(Path::from(["annotations", "a.b"]).to_string(), r#"annotations["a.b"]"#);
/// assert_eq!(Path::from(("manifests", 0, "platform")).to_string(), "manifests[0].platform");
/// ```
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Path<'a> {
    steps: Vec<Step<'a>>,
}

impl<'a> Path<'a> {
    /// The path of the document itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// Goes one step further.
    pub fn push(&mut self, step: impl Into<Step<'a>>) {
        self.steps.push(step.into());
    }

    /// The path one step further.
    #[must_use]
    pub fn join(mut self, step: impl Into<Step<'a>>) -> Self {
        self.push(step);
        self
    }

    /// The steps, from the root on.
    pub fn steps(&self) -> &[Step<'a>] {
        &self.steps
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, step) in self.steps.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if is_plain(key) => {
                    let dot = if depth == 0 { "" } else { "." };
                    write!(f, "{dot}{key}")?;
                }
                Step::Key(key) => write_quoted(f, key)?,
            }
        }
        Ok(())
    }
}

/// Whether a key reads well after a dot.
fn is_plain(key: &str) -> bool {
    (1..=SHOWN_KEY).contains(&key.len())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// Keys come from hostile documents: escaped, so that they move no terminal, and cut.
fn write_quoted(f: &mut fmt::Formatter<'_>, key: &str) -> fmt::Result {
    match key.char_indices().nth(SHOWN_KEY) {
        Some((cut, _)) => write!(f, "[{:?}", &key[..cut]).and_then(|()| f.write_str("…]")),
        None => write!(f, "[{key:?}").and_then(|()| f.write_char(']')),
    }
}

impl<'a> From<&'a str> for Step<'a> {
    fn from(key: &'a str) -> Self {
        Self::Key(Cow::Borrowed(key))
    }
}

impl<'a> From<&'a String> for Step<'a> {
    fn from(key: &'a String) -> Self {
        Self::Key(Cow::Borrowed(key))
    }
}

impl From<String> for Step<'_> {
    fn from(key: String) -> Self {
        Self::Key(Cow::Owned(key))
    }
}

impl From<usize> for Step<'_> {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

impl<'a> From<&'a str> for Path<'a> {
    fn from(key: &'a str) -> Self {
        Self::root().join(key)
    }
}

impl From<usize> for Path<'_> {
    fn from(index: usize) -> Self {
        Self::root().join(index)
    }
}

impl<'a, S: Into<Step<'a>>, const N: usize> From<[S; N]> for Path<'a> {
    fn from(steps: [S; N]) -> Self {
        steps.into_iter().collect()
    }
}

impl From<&Self> for Path<'_> {
    fn from(path: &Self) -> Self {
        path.clone()
    }
}

impl<'a, S: Into<Step<'a>>> FromIterator<S> for Path<'a> {
    fn from_iter<I: IntoIterator<Item = S>>(steps: I) -> Self {
        Self {
            steps: steps.into_iter().map(Into::into).collect(),
        }
    }
}

macro_rules! path_of_tuple {
    ($($Step:ident $step:ident),+) => {
        impl<'a, $($Step: Into<Step<'a>>),+> From<($($Step,)+)> for Path<'a> {
            fn from(($($step,)+): ($($Step,)+)) -> Self {
                Self { steps: vec![$($step.into()),+] }
            }
        }
    };
}

path_of_tuple!(A a, B b);
path_of_tuple!(A a, B b, C c);
path_of_tuple!(A a, B b, C c, D d);
path_of_tuple!(A a, B b, C c, D d, E e);
