//! Why an edit was not done.

use crate::raw::ParseError;

/// Why an edit was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The document is refused: at the start, as no strict JSON, or at the end, as it then breaks a rule of its kind.
    #[error("the edited document is refused")]
    #[non_exhaustive]
    Document {
        /// Why.
        source: ParseError,
    },
    /// The path leads through, or to, a value of another kind.
    #[error("expected {expected} at {}, found {found}", place(path))]
    #[non_exhaustive]
    Kind {
        /// Where that value stands; empty for the document itself.
        path: String,
        /// What the edit needs there.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// The document itself was to be removed, which would leave no document.
    #[error("the document itself cannot be removed")]
    Root,
    /// The array has no element of that index.
    #[error("no element at `{path}`: the array has {length}")]
    #[non_exhaustive]
    NoElement {
        /// The path that was asked for.
        path: String,
        /// How many elements there are.
        length: usize,
    },
    /// The new value is not JSON, or would be nested too deep.
    #[error("the new value at {} is not usable JSON", place(path))]
    #[non_exhaustive]
    Value {
        /// Where it should have gone.
        path: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl From<ParseError> for EditError {
    fn from(source: ParseError) -> Self {
        Self::Document { source }
    }
}

fn place(path: &str) -> String {
    if path.is_empty() {
        "the document".to_owned()
    } else {
        format!("`{path}`")
    }
}
