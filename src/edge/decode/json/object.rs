//! One JSON object reduced to the keys an event has, in one pass and without a tree of values.
//!
//! Invariant: text is borrowed unless it was escaped, and nesting is skipped iteratively.

use super::list::{self, Lists};
use crate::event::{Item, MAX_DIMENSIONS, Scalar};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use xxhash_rust::xxh3::xxh3_64;

/// A single JSON value; integers are kept apart because ids need all their digits.
#[derive(Debug, Default)]
pub(super) enum Value<'a> {
    /// `null`, or a key that is not there.
    #[default]
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(Cow<'a, str>),
    NonFinite,
    /// An array of numbers.
    Vector(Vec<f64>),
    /// Items, under a key that may have them.
    List(Box<[Item<'a>]>),
    /// Any other array, or an object.
    Structured,
}

impl<'a> From<Value<'a>> for Scalar<'a> {
    fn from(value: Value<'a>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(b),
            // `as` rounds to the nearest, ties to even, as `str::parse` does
            Value::Unsigned(n) => Self::Number(n as f64),
            Value::Signed(n) => Self::Number(n as f64),
            Value::Float(x) => Self::Number(x),
            Value::Text(text) => Self::Text(text),
            Value::NonFinite => Self::NonFinite,
            Value::Vector(numbers) => Self::Vector(Cow::Owned(numbers)),
            Value::List(items) => Self::List(items),
            Value::Structured => Self::Structured,
        }
    }
}

/// What stood under a key that should hold an object of single values.
#[derive(Debug, Default)]
pub(super) enum Entries<'a> {
    /// `null`, or a key that is not there.
    #[default]
    Missing,
    /// Names and values, each name once.
    Given(Vec<(Cow<'a, str>, Scalar<'a>)>),
    /// More entries than allowed.
    TooMany,
    /// Something other than an object.
    Invalid,
}

/// The keys of an event; for each the last value the object had.
#[derive(Debug, Default)]
pub(super) struct Object<'a> {
    pub(super) prediction_id: Value<'a>,
    pub(super) model: Value<'a>,
    pub(super) version: Value<'a>,
    pub(super) timestamp: Value<'a>,
    pub(super) features: Entries<'a>,
    pub(super) prediction: Value<'a>,
    pub(super) score: Value<'a>,
    pub(super) scores: Entries<'a>,
    pub(super) latency_ms: Value<'a>,
    pub(super) status: Value<'a>,
    pub(super) label: Value<'a>,
    /// Whether the key `label` is there, `null` or not.
    pub(super) has_label: bool,
    /// Whether one of `features`, `prediction`, `status` is there, `null` or not.
    pub(super) has_answer: bool,
}

impl<'a> Object<'a> {
    /// Reads one object and nothing after it. Errors: not JSON, or a number beyond `f64` in a place that is read.
    pub(super) fn parse(text: &'a str, sentinel: Option<&str>, max_entries: usize) -> serde_json::Result<Self> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let object = deserializer.deserialize_map(ObjectVisitor { sentinel, max_entries })?;
        deserializer.end()?;
        Ok(object)
    }
}

struct ObjectVisitor<'s> {
    sentinel: Option<&'s str>,
    max_entries: usize,
}

impl<'de> Visitor<'de> for ObjectVisitor<'_> {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let single = SingleSeed { sentinel: self.sentinel, lists: Lists::None };
        let entries = EntriesSeed { sentinel: self.sentinel, max_entries: self.max_entries };
        let mut object = Object::default();
        while let Some(key) = map.next_key_seed(KeySeed)? {
            match key.as_ref() {
                "prediction_id" => object.prediction_id = map.next_value_seed(single)?,
                "model" => object.model = map.next_value_seed(single)?,
                "version" => object.version = map.next_value_seed(single)?,
                "timestamp" => object.timestamp = map.next_value_seed(single)?,
                "score" => object.score = map.next_value_seed(single)?,
                "scores" => object.scores = map.next_value_seed(entries)?,
                "latency_ms" => object.latency_ms = map.next_value_seed(single)?,
                "features" => {
                    object.features = map.next_value_seed(entries)?;
                    object.has_answer = true;
                }
                "prediction" => {
                    object.prediction = map.next_value_seed(SingleSeed { lists: Lists::Best, ..single })?;
                    object.has_answer = true;
                }
                "status" => {
                    object.status = map.next_value_seed(single)?;
                    object.has_answer = true;
                }
                "label" => {
                    object.label = map.next_value_seed(SingleSeed { lists: Lists::Relevant, ..single })?;
                    object.has_label = true;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(object)
    }
}

/// A key, borrowed unless it was escaped.
pub(super) struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeySeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

#[derive(Clone, Copy)]
struct SingleSeed<'s> {
    sentinel: Option<&'s str>,
    lists: Lists,
}

impl<'de> DeserializeSeed<'de> for SingleSeed<'_> {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for SingleSeed<'_> {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value<'de>, E> {
        Ok(Value::Unsigned(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value<'de>, E> {
        Ok(Value::Signed(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value<'de>, E> {
        Ok(if value.is_finite() { Value::Float(value) } else { Value::NonFinite })
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(if self.sentinel == Some(text) { Value::NonFinite } else { Value::Text(Cow::Borrowed(text)) })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value<'de>, A::Error> {
        if self.lists != Lists::None {
            return Ok(list::of_array(seq, self.sentinel, self.lists)?.map_or(Value::Structured, Value::List));
        }
        let mut numbers = Vec::new();
        while let Some(element) = seq.next_element_seed(ElementSeed { sentinel: self.sentinel })? {
            match element {
                Some(number) if numbers.len() < MAX_DIMENSIONS => numbers.push(number),
                _ => {
                    while seq.next_element::<IgnoredAny>()?.is_some() {}
                    return Ok(Value::Structured);
                }
            }
        }
        Ok(if numbers.is_empty() { Value::Structured } else { Value::Vector(numbers) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        if self.lists == Lists::Relevant {
            return Ok(list::of_gains(map, self.sentinel)?.map_or(Value::Structured, Value::List));
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Structured)
    }
}

/// One element of an array: a number, one that is not finite as an infinity; `None` for anything else, which is skipped.
#[derive(Clone, Copy)]
pub(super) struct ElementSeed<'s> {
    pub(super) sentinel: Option<&'s str>,
}

impl<'de> DeserializeSeed<'de> for ElementSeed<'_> {
    type Value = Option<f64>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<f64>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ElementSeed<'_> {
    type Value = Option<f64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an element")
    }

    fn visit_unit<E: Error>(self) -> Result<Option<f64>, E> {
        Ok(None)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Option<f64>, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Option<f64>, E> {
        Ok(Some(value as f64))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Option<f64>, E> {
        Ok(Some(value as f64))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Option<f64>, E> {
        Ok(Some(if value.is_finite() { value } else { f64::INFINITY }))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Option<f64>, E> {
        Ok((self.sentinel == Some(text)).then_some(f64::INFINITY))
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Option<f64>, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<f64>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<f64>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

#[derive(Clone, Copy)]
struct EntriesSeed<'s> {
    sentinel: Option<&'s str>,
    max_entries: usize,
}

impl<'de> DeserializeSeed<'de> for EntriesSeed<'_> {
    type Value = Entries<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Entries<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for EntriesSeed<'_> {
    type Value = Entries<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of single values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
        let single = SingleSeed { sentinel: self.sentinel, lists: Lists::None };
        let mut entries = Vec::with_capacity(16);
        while let Some(name) = map.next_key_seed(KeySeed)? {
            if entries.len() == self.max_entries {
                map.next_value::<IgnoredAny>()?;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Ok(Entries::TooMany);
            }
            entries.push((name, Scalar::from(map.next_value_seed(single)?)));
        }
        keep_last_of_each_name(&mut entries);
        Ok(Entries::Given(entries))
    }

    fn visit_unit<E: Error>(self) -> Result<Entries<'de>, E> {
        Ok(Entries::Missing)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Entries<'de>, E> {
        Ok(Entries::Invalid)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Entries<'de>, E> {
        Ok(Entries::Invalid)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Entries<'de>, E> {
        Ok(Entries::Invalid)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Entries<'de>, E> {
        Ok(Entries::Invalid)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Entries<'de>, E> {
        Ok(Entries::Invalid)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Entries<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Entries::Invalid)
    }
}

/// Removes all but the last entry of each name.
///
/// Names are marked in a table of 4096 bits first: only when two share a bit (nearly always a true repetition) are they sorted.
/// Sorting keeps the cost at n log n, whatever names an adversary picks.
pub(super) fn keep_last_of_each_name(entries: &mut Vec<(Cow<'_, str>, Scalar<'_>)>) {
    let mut seen = [0_u64; 64];
    let shared = entries.iter().any(|(name, _)| {
        let hash = xxh3_64(name.as_bytes());
        let (word, bit) = ((hash % 64) as usize, 1 << (hash / 64 % 64));
        let taken = seen[word] & bit != 0;
        seen[word] |= bit;
        taken
    });
    if !shared {
        return;
    }
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by(|a, b| entries[*a].0.cmp(&entries[*b].0).then(a.cmp(b)));
    let mut keep = vec![true; entries.len()];
    for pair in order.windows(2) {
        if entries[pair[0]].0 == entries[pair[1]].0 {
            keep[pair[0]] = false;
        }
    }
    let mut kept = keep.iter();
    entries.retain(|_| *kept.next().expect("one mark per entry"));
}
