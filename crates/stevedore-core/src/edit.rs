//! Editing JSON documents byte by byte: what an edit does not mean stays exactly as it was.
//!
//! A document's digest is over its bytes, and others put keys into it that are unknown here. So an edit never parses
//! a document and writes it anew: it finds the place in the text and changes only that. White space, the order of
//! keys, unknown keys and the spelling of numbers and strings elsewhere survive.
//!
//! ```
//! use stevedore_core::edit::Edit;
//!
//! let document = br#"{ "schemaVersion": 2, "x-weight": 2.50, "annotations": { "a": "1" } }"#;
//! let mut edit = Edit::new(document)?;
//! edit.set(["annotations", "b.c"], "2")?;
//! edit.remove(["annotations", "a"])?;
//! assert_eq!(
//!     edit.as_str(),
//!     r#"{ "schemaVersion": 2, "x-weight": 2.50, "annotations": { "b.c": "2" } }"#
//! );
//! # Ok::<(), stevedore_core::edit::EditError>(())
//! ```

mod error;
mod style;

use bytes::Bytes;
use serde::Serialize;

pub use self::error::EditError;
use self::style::Style;
use crate::json::{self, Kind, MAX_DEPTH, Member, Value};
pub use crate::json::{Path, Step};
use crate::raw::ParseError;

/// A JSON document under edit.
///
/// Edits apply one by one, in the order in which they are asked for, each to what the ones before left. One that
/// fails leaves the document as it was. What is new is put at the end of its object or array, in the style of the
/// document around it: on lines of its own with the same indent where the others are, compact where they are not.
/// Objects on the way to a new member are made where they are missing or `null`.
///
/// The text is a valid document at any time, without a duplicate key. [`Raw::edit`](crate::raw::Raw::edit) goes on
/// from there to a new document with its own digest.
#[derive(Clone, Debug)]
pub struct Edit {
    /// Checked JSON, always.
    text: String,
}

impl Edit {
    /// Begins to edit a document.
    ///
    /// # Errors
    ///
    /// [`EditError::Document`] if the bytes are not strict JSON or hold a duplicate key.
    pub fn new(bytes: &[u8]) -> Result<Self, EditError> {
        Value::parse(bytes).map_err(ParseError::from)?;
        let text = String::from_utf8(bytes.to_vec()).expect("because JSON that was checked is UTF-8");
        Ok(Self { text })
    }

    /// The document as it stands.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Ends the edit with the document's bytes.
    pub fn into_bytes(self) -> Bytes {
        self.text.into()
    }

    /// The value at a path as the document spells it, if there is one.
    pub fn get<'p>(&self, path: impl Into<Path<'p>>) -> Option<&str> {
        let mut value = self.root();
        for step in path.into().steps() {
            value = match step {
                Step::Key(key) => value.member(key)?.value,
                Step::Index(index) => value.elements().nth(*index)?,
            };
        }
        Some(value.as_written())
    }

    /// Puts a value at a path: replaces what is there, or adds a member at the end of its object.
    ///
    /// Nothing changes if the same is there already: then strings may be escaped and white space set in another way,
    /// but members stand in the same order and numbers are spelled alike.
    ///
    /// # Errors
    ///
    /// [`EditError::Kind`] if the path leads through something that is neither the container it takes it for nor
    /// `null`, [`EditError::NoElement`] if an index on it is not there, [`EditError::Value`] if the value does not
    /// become JSON or is nested too deep.
    pub fn set<'p>(
        &mut self,
        path: impl Into<Path<'p>>,
        value: &(impl Serialize + ?Sized),
    ) -> Result<(), EditError> {
        let path = path.into();
        let value = spell(&path, value)?;
        self.put(&path, &value, Form::Styled)
    }

    /// [`set`](Self::set) with JSON that is put in as it stands, byte for byte.
    ///
    /// # Errors
    ///
    /// As for [`set`](Self::set); [`EditError::Value`] if the text is not one strict JSON value.
    pub fn set_raw<'p>(
        &mut self,
        path: impl Into<Path<'p>>,
        json: impl AsRef<[u8]>,
    ) -> Result<(), EditError> {
        let path = path.into();
        let json = checked(&path, json.as_ref())?;
        self.put(&path, json, Form::Verbatim)
    }

    /// Takes out the member or element at a path, with one comma beside it and the white space that goes with it, and
    /// says whether there was one.
    ///
    /// # Errors
    ///
    /// [`EditError::Kind`] as for [`set`](Self::set); [`EditError::Root`] for the document itself.
    pub fn remove<'p>(&mut self, path: impl Into<Path<'p>>) -> Result<bool, EditError> {
        let path = path.into();
        let Some((last, way)) = path.steps().split_last() else {
            return Err(EditError::Root);
        };
        let way: Path<'_> = way.iter().cloned().collect();
        let place = self.find(&way)?;
        if !place.missing.is_empty() || place.value.is_null() {
            return Ok(false);
        }
        expect_container(place.value, &way, last)?;
        let entries = entries(place.value);
        let here = match last {
            Step::Key(key) => place.value.members().position(|member| member.key == *key),
            Step::Index(index) => Some(*index).filter(|index| *index < entries.len()),
        };
        let Some(here) = here else { return Ok(false) };
        let Entry { start, end } = entries[here];
        let (start, end) = match (
            here.checked_sub(1).map(|before| entries[before]),
            entries.get(here + 1),
        ) {
            (_, Some(next)) => (start, next.start),
            (Some(before), None) => (before.end, end),
            // The only one. White space before it came with it; without, what is behind was there before.
            (None, None) if start > place.value.start() + 1 => {
                (place.value.start() + 1, place.value.end() - 1)
            }
            (None, None) => (start, end),
        };
        self.text.replace_range(start..end, "");
        Ok(true)
    }

    /// Puts a value at the end of the array at a path. An array that is missing or `null` is made.
    ///
    /// # Errors
    ///
    /// As for [`set`](Self::set).
    pub fn push<'p>(
        &mut self,
        path: impl Into<Path<'p>>,
        value: &(impl Serialize + ?Sized),
    ) -> Result<(), EditError> {
        self.add(&path.into(), None, value)
    }

    /// Puts a value into the array at a path, before the element of that index; an index that is the array's length
    /// is its end. An array that is missing or `null` is made.
    ///
    /// # Errors
    ///
    /// As for [`set`](Self::set); [`EditError::NoElement`] if the array is shorter than the index.
    pub fn insert<'p>(
        &mut self,
        path: impl Into<Path<'p>>,
        index: usize,
        value: &(impl Serialize + ?Sized),
    ) -> Result<(), EditError> {
        self.add(&path.into(), Some(index), value)
    }

    fn root(&self) -> Value<'_> {
        Value::of_checked(&self.text)
    }

    fn put(&mut self, path: &Path<'_>, value: &str, form: Form) -> Result<(), EditError> {
        let Place {
            value: there,
            style,
            missing,
        } = self.find(path)?;
        let new = Value::of_checked(value);
        match missing.split_first() {
            None if form == Form::Styled && json::same(there, new) => {}
            Some((key, rest)) if !there.is_null() => {
                let inner = style.within(there);
                let member = inner.member(key, &inner.wrap(rest, new, form));
                let last = entries(there).pop();
                self.append(there.start(), last, &style, &inner, &member);
            }
            _ => {
                let new = style.wrap(&missing, new, form);
                let range = there.start()..there.end();
                self.text.replace_range(range, &new);
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        path: &Path<'_>,
        index: Option<usize>,
        value: &(impl Serialize + ?Sized),
    ) -> Result<(), EditError> {
        let element = path.clone().join(index.unwrap_or(0));
        let value = spell(&element, value)?;
        let Place {
            value: array,
            style,
            missing,
        } = self.find(path)?;
        if !missing.is_empty() || array.is_null() {
            return match index {
                None | Some(0) => self.put(path, &format!("[{value}]"), Form::Styled),
                Some(_) => Err(EditError::NoElement {
                    path: element.to_string(),
                    length: 0,
                }),
            };
        }
        expect_container(array, path, &Step::Index(0))?;
        let inner = style.within(array);
        let value = inner.spell(Value::of_checked(&value), Form::Styled);
        let entries = entries(array);
        let index = index.unwrap_or(entries.len());
        match entries.get(index) {
            Some(next) => {
                let at = next.start;
                self.text.insert_str(at, &format!("{value},{}", inner.lead()));
            }
            None if index == entries.len() => {
                self.append(array.start(), entries.last().copied(), &style, &inner, &value);
            }
            None => {
                return Err(EditError::NoElement {
                    path: element.to_string(),
                    length: entries.len(),
                });
            }
        }
        Ok(())
    }

    /// Adds an entry at the end of the container that starts at `open`. `outer` is the style the container stands
    /// in, `inner` the one of its entries.
    fn append(&mut self, open: usize, last: Option<Entry>, outer: &Style, inner: &Style, entry: &str) {
        if let Some(last) = last {
            self.text
                .insert_str(last.end, &format!(",{}{entry}", inner.lead()));
            return;
        }
        let blank = self.text[open + 1..].starts_with(|c: char| c.is_ascii_whitespace());
        // White space in an empty container stays behind the entry, where `remove` leaves it.
        let entry = if blank {
            entry.to_owned()
        } else {
            inner.enclose(outer, entry)
        };
        self.text.insert_str(open + 1, &entry);
    }

    /// Follows a path as far as there is something.
    fn find<'e>(&'e self, path: &'e Path<'_>) -> Result<Place<'e>, EditError> {
        let mut value = self.root();
        let mut style = Style::default();
        let mut steps = path.steps();
        let mut way = Path::root();
        while let Some((step, rest)) = steps.split_first() {
            expect_container(value, &way, step)?;
            let next = match step {
                Step::Key(key) => value.member(key).map(|Member { value, .. }| value),
                Step::Index(index) => value.elements().nth(*index),
            };
            let Some(next) = next else { break };
            style = style.within(value);
            way.push(step.clone());
            (value, steps) = (next, rest);
        }
        let missing = steps.iter().map(|step| match step {
            Step::Key(key) => Ok(&**key),
            Step::Index(_) => Err(EditError::NoElement {
                path: path.to_string(),
                length: value.elements().count(),
            }),
        });
        let missing = missing.collect::<Result<_, _>>()?;
        Ok(Place {
            value,
            style,
            missing,
        })
    }
}

/// How a new value is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    /// Like the document around it.
    Styled,
    /// As it stands.
    Verbatim,
}

/// Where a path leads.
struct Place<'e> {
    /// The last value that is there.
    value: Value<'e>,
    /// The style in which that value stands.
    style: Style,
    /// The keys that are not there.
    missing: Vec<&'e str>,
}

/// The offsets of a member (from its key) or of an element.
#[derive(Clone, Copy)]
struct Entry {
    start: usize,
    end: usize,
}

fn entries(container: Value<'_>) -> Vec<Entry> {
    match container.kind() {
        Kind::Object => container
            .members()
            .map(|member| Entry {
                start: member.name.start(),
                end: member.value.end(),
            })
            .collect(),
        _ => container
            .elements()
            .map(|value| Entry {
                start: value.start(),
                end: value.end(),
            })
            .collect(),
    }
}

/// Refuses a value that a step cannot go into. A `null` may become an object or an array.
fn expect_container(value: Value<'_>, path: &Path<'_>, step: &Step<'_>) -> Result<(), EditError> {
    let expected = match step {
        Step::Key(_) => Kind::Object,
        Step::Index(_) => Kind::Array,
    };
    if value.kind() == expected || value.is_null() {
        return Ok(());
    }
    Err(EditError::Kind {
        path: path.to_string(),
        expected: expected.name(),
        found: value.kind().name(),
    })
}

fn spell(path: &Path<'_>, value: &(impl Serialize + ?Sized)) -> Result<String, EditError> {
    let unusable = |source| EditError::Value {
        path: path.to_string(),
        source,
    };
    let json = serde_json::to_string(value).map_err(|error| unusable(error.into()))?;
    checked(path, json.as_bytes())?;
    Ok(json)
}

fn checked<'v>(path: &Path<'_>, json: &'v [u8]) -> Result<&'v str, EditError> {
    let depth = MAX_DEPTH.saturating_sub(path.steps().len());
    match Value::parse_within(json, depth) {
        Ok(value) => Ok(value.document()),
        Err(error) => Err(EditError::Value {
            path: path.to_string(),
            source: Box::new(ParseError::from(error)),
        }),
    }
}
