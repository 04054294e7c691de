//! Checked values as a serde data format, so that a refusal names the place in the document.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, Error as _, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
        value::{CowStrDeserializer, MapAccessDeserializer},
    },
    forward_to_deserialize_any,
};

use super::{Error, Kind, Member, Reason, Value};

/// Characters of a reason that are kept.
const SHOWN_REASON: usize = 240;

/// Reads a value as a type.
pub(crate) fn typed<'de, T: Deserialize<'de>>(value: Value<'de>) -> Result<T, Error> {
    T::deserialize(value).map_err(|misfit| {
        let offset = misfit.offset.unwrap_or(value.start);
        let path = value.path_of(offset).to_string();
        Error {
            path,
            offset,
            reason: Reason::Value(misfit.reason),
        }
    })
}

/// Why a value is not of the type asked for.
#[derive(Debug)]
pub(crate) struct Misfit {
    /// Where the innermost value at fault starts; unknown as long as only its visitor has spoken.
    offset: Option<usize>,
    reason: String,
}

impl Misfit {
    fn at(mut self, value: Value<'_>) -> Self {
        self.offset.get_or_insert(value.start);
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Misfit {}

impl serde::de::Error for Misfit {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self {
            offset: None,
            reason: shorten(reason.to_string()),
        }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Unit => Kind::Null.name().to_owned(),
            Unexpected::Seq => Kind::Array.name().to_owned(),
            Unexpected::Map => Kind::Object.name().to_owned(),
            other => other.to_string(),
        };
        Self::custom(format_args!("expected {expected}, found {found}"))
    }
}

/// Reasons quote the document, whose strings may have any length.
fn shorten(mut reason: String) -> String {
    if let Some((cut, _)) = reason.char_indices().nth(SHOWN_REASON) {
        reason.truncate(cut);
        reason.push('…');
    }
    reason
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.kind() {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool => visitor.visit_bool(self.as_written() == "true"),
            Kind::Number => number(self.as_written(), visitor),
            Kind::String => {
                let text = self.to_str().unwrap_or_default();
                CowStrDeserializer::new(text).deserialize_any(visitor)
            }
            Kind::Array => {
                let mut elements = Elements(self.elements());
                let value = visitor.visit_seq(&mut elements)?;
                match elements.0.next() {
                    None => Ok(value),
                    Some(left) => Err(Misfit::custom("more elements than expected").at(left)),
                }
            }
            Kind::Object => visitor.visit_map(Members {
                left: self.members(),
                value: None,
            }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.to_str() {
            Some(text) => visitor.visit_enum(IntoDeserializer::<Misfit>::into_deserializer(text)),
            None => MapAccessDeserializer::new(Members {
                left: self.members(),
                value: None,
            })
            .deserialize_enum(name, variants, visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    /// Only objects are structs: serde's own readers also take an array of their fields, which no document means.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.kind() {
            Kind::Array => Err(Misfit::invalid_type(Unexpected::Seq, &Kind::Object.name())),
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier
    }
}

/// Numbers as `serde_json` reads them: whole ones as integers, and what is spelled as a fraction, with an exponent, as
/// `-0` or beyond 64 bits as a float, which no size takes.
fn number<'de, V: Visitor<'de>>(spelled: &str, visitor: V) -> Result<V::Value, Misfit> {
    if let Ok(whole) = spelled.parse::<u64>() {
        return visitor.visit_u64(whole);
    }
    match spelled.parse::<i64>() {
        Ok(whole) if whole != 0 => visitor.visit_i64(whole),
        _ => visitor.visit_f64(spelled.parse().map_err(Misfit::custom)?),
    }
}

struct Elements<I>(I);

impl<'de, I: Iterator<Item = Value<'de>>> SeqAccess<'de> for Elements<I> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        let Some(value) = self.0.next() else {
            return Ok(None);
        };
        seed.deserialize(value)
            .map(Some)
            .map_err(|misfit| misfit.at(value))
    }
}

struct Members<'de, I> {
    left: I,
    /// The value of the key that was given out last.
    value: Option<Value<'de>>,
}

impl<'de, I: Iterator<Item = Member<'de>>> MapAccess<'de> for Members<'de, I> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        let Some(member) = self.left.next() else {
            return Ok(None);
        };
        self.value = Some(member.value);
        seed.deserialize(CowStrDeserializer::new(member.key))
            .map(Some)
            .map_err(|misfit: Misfit| misfit.at(member.value))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Misfit> {
        let value = self
            .value
            .take()
            .ok_or_else(|| Misfit::custom("a value was asked for before its key"))?;
        seed.deserialize(value).map_err(|misfit| misfit.at(value))
    }
}
