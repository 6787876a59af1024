//! Lists of items, under the keys that may have them: a ranked list of answers, and the items that a label calls relevant.

use super::object::{ElementSeed, KeySeed};
use crate::event::{Item, MAX_ITEMS, number_text};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// What an array or an object under a key may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lists {
    /// No list: an array of numbers is a vector.
    None,
    /// The best items: those beyond [`MAX_ITEMS`] are not read.
    Best,
    /// Relevant items, or gains by item: more than [`MAX_ITEMS`] are none at all.
    Relevant,
}

/// The items of an array; `None` where one of them is neither a string nor an integer.
pub(super) fn of_array<'de, A: SeqAccess<'de>>(
    mut seq: A,
    sentinel: Option<&str>,
    lists: Lists,
) -> Result<Option<Box<[Item<'de>]>>, A::Error> {
    let mut items = Vec::new();
    let mut usable = true;
    while usable && items.len() < MAX_ITEMS {
        match seq.next_element_seed(ItemSeed { sentinel })? {
            Some(Some(name)) => items.push(Item { name, gain: 1.0 }),
            Some(None) => usable = false,
            None => return Ok(Some(items.into())),
        }
    }
    let mut more = false;
    while seq.next_element::<IgnoredAny>()?.is_some() {
        more = true;
    }
    Ok((usable && !(more && lists == Lists::Relevant)).then(|| items.into()))
}

/// Gains by item; `None` where one of them is no number.
pub(super) fn of_gains<'de, A: MapAccess<'de>>(mut map: A, sentinel: Option<&str>) -> Result<Option<Box<[Item<'de>]>>, A::Error> {
    let mut items = Vec::new();
    while let Some(name) = map.next_key_seed(KeySeed)? {
        match map.next_value_seed(ElementSeed { sentinel })? {
            Some(gain) if items.len() < MAX_ITEMS => items.push(Item { name, gain }),
            _ => {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Ok(None);
            }
        }
    }
    Ok(Some(items.into()))
}

/// One item in canonical text; `None` for anything else, which is skipped.
#[derive(Clone, Copy)]
struct ItemSeed<'s> {
    sentinel: Option<&'s str>,
}

impl<'de> DeserializeSeed<'de> for ItemSeed<'_> {
    type Value = Option<Cow<'de, str>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ItemSeed<'_> {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an item")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        // by way of f64, as a label that is a single integer comes
        Ok(Some(number_text(value as f64).into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(number_text(value as f64).into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok((value.is_finite() && value.fract() == 0.0).then(|| number_text(value).into()))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok((self.sentinel != Some(text)).then_some(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}
