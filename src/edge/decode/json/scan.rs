//! The usual messages, much faster than any JSON: a scanner in front of the decoder that decides.
//!
//! Invariant: the scanner never rejects. It gives the very event that [`decode`] gives, or `None`, and then [`decode`] is asked.
//! It leaves alone what is rare or wrong: escapes (but in the features' values), repeated keys, non-finite numbers, lists, gains, nested
//! values (but vectors of features), batches, and everything that would be rejected.
//!
//! What makes it fast: one pass without a tree; eight bytes at a time in strings and numbers; and names that are compared as a whole with
//! what the last messages of the model had, in [`layout`].

mod cursor;
mod decimal;
mod fields;
mod layout;
mod number;
mod time;

#[cfg(test)]
mod tests;

use super::decode;
use super::object::keep_last_of_each_name;
use crate::edge::decode::{DecodeSettings, TopicRole};
use crate::event::{Event, Features, MAX_DIMENSIONS, RejectReason, Scalar};
use cursor::Cursor;
use fields::{Fields, Key, MAX_NAME_BYTES, Single};
use layout::{Layout, Layouts};
use number::number;
use std::borrow::Cow;
use std::sync::Arc;

/// Most keys of an object whose order is learned.
const MAX_KEYS: usize = 16;

/// Decodes messages as [`decode`] does; it remembers the names of earlier ones to be faster.
#[derive(Debug, Default)]
pub struct Decoder {
    scanner: Scanner,
}

impl Decoder {
    /// Decodes one message and hands each of its events, or the reason why it is none, to `sink`: [`decode`] in every respect.
    pub fn decode(
        &mut self,
        bytes: Option<&[u8]>,
        role: TopicRole,
        settings: &DecodeSettings,
        sink: &mut dyn FnMut(Result<Event<'_>, RejectReason>),
    ) {
        if let Some(bytes) = bytes
            && bytes.len() <= settings.max_bytes
            && let Ok(text) = str::from_utf8(bytes)
            && let Some(event) = self.scanner.scan(text, role, settings)
        {
            return sink(Ok(event));
        }
        decode(bytes, role, settings, sink);
    }
}

/// Reads the usual messages.
#[derive(Debug, Default)]
pub struct Scanner {
    /// By role: predictions and labels have keys of their own.
    orders: [Order; 3],
    features: Layouts,
    /// Where the names of the features at hand begin; used again for every message.
    starts: Vec<usize>,
}

/// The keys of an object in the order in which they are expected, and what each is.
#[derive(Debug)]
struct Order {
    names: Layout,
    keys: Vec<Key>,
}

impl Default for Order {
    fn default() -> Self {
        Self { names: Layout::of(Key::NAMES.iter().map(|(name, _)| *name)), keys: Key::NAMES.iter().map(|(_, key)| *key).collect() }
    }
}

impl Scanner {
    /// The event of a message that is an object of the usual shape; `None` where [`decode`] should look at it. Its size is the caller's to check.
    pub fn scan<'a>(&mut self, text: &'a str, role: TopicRole, settings: &DecodeSettings) -> Option<Event<'a>> {
        let mut cursor = Cursor::new(text);
        cursor.space();
        let mut fields = Fields::default();
        self.object(&mut cursor, role, settings.max_features, &mut fields)?;
        cursor.end()?;
        fields.event(role, settings)
    }

    fn object<'a>(&mut self, cursor: &mut Cursor<'a>, role: TopicRole, max_features: usize, fields: &mut Fields<'a>) -> Option<()> {
        let order = &mut self.orders[role as usize];
        let (mut names, mut n_names) = ([""; MAX_KEYS], 0);
        let (mut next, mut missed) = (0, false);
        let mut more = cursor.open(b'{', b'}')?;
        while more {
            let (name, key) = match order.names.find(cursor, next) {
                Some((place, start)) => {
                    next = place + 1;
                    (cursor.slice(start, order.names.n_bytes(place))?, order.keys[place])
                }
                None => {
                    missed = true;
                    let (name, behind) = cursor.name()?;
                    *cursor = behind;
                    (name, Key::of(name))
                }
            };
            if let Some(slot) = names.get_mut(n_names) {
                *slot = name;
            }
            n_names += 1;
            if !fields.first(key) {
                return None;
            }
            match key {
                Key::Features => {
                    let model = if let Single::Text(model) = fields.model { model } else { "" };
                    fields.features = features(cursor, &mut self.features, model, max_features, &mut self.starts)?;
                }
                Key::Scores => {
                    let scores = entries(cursor, &Layout::default(), max_features, &mut self.starts)?;
                    fields.scores = scores.names.unwrap_or_default().into_iter().zip(scores.values).collect();
                }
                _ => fields.set(key, single(cursor)?),
            }
            more = cursor.more(b'}')?;
        }
        if missed && n_names <= MAX_KEYS && order.names.missed() {
            order.names.learn(names[..n_names].iter().copied());
            order.keys = order.names.names().map(Key::of).collect();
        }
        Some(())
    }
}

/// The features of a message, whose model is empty where it was not read yet; what they are called is remembered.
fn features<'a>(cursor: &mut Cursor<'a>, layouts: &mut Layouts, model: &str, max: usize, starts: &mut Vec<usize>) -> Option<Features<'a>> {
    let layout = layouts.of_model(model);
    let Entries { names, values, missed } = entries(cursor, layout, max, starts)?;
    let Some(names) = names else { return Some(Features::shared(Arc::clone(layout.shared()), values)) };
    if missed && model.len() <= MAX_NAME_BYTES {
        layouts.missed(model, names.iter().map(|name| &**name));
    }
    Some(Features::own(names, values))
}

/// What stood in an object.
struct Entries<'a> {
    /// `None`: all those of the layout, in its order.
    names: Option<Vec<Cow<'a, str>>>,
    values: Vec<Scalar<'a>>,
    /// Whether one of its names was not expected.
    missed: bool,
}

/// An object of single values and vectors. `null` is as if it had none.
fn entries<'a>(outer: &mut Cursor<'a>, layout: &Layout, max: usize, starts: &mut Vec<usize>) -> Option<Entries<'a>> {
    if outer.byte() == b'n' {
        outer.word("null")?;
        return Some(Entries { names: Some(Vec::new()), values: Vec::new(), missed: false });
    }
    // a cursor of its own stays in registers
    let mut cursor = *outer;
    let cursor = &mut cursor;
    let mut values = Vec::with_capacity(layout.len().min(max));
    // as long as the names are the first ones of the layout only their places in the text are kept
    let mut names: Option<Vec<Cow<'a, str>>> = None;
    starts.clear();
    let (mut next, mut missed) = (0, false);
    let mut more = cursor.open(b'{', b'}')?;
    while more {
        match layout.find(cursor, next) {
            Some((place, start)) => {
                if names.is_none() && place == values.len() {
                    starts.push(start);
                } else {
                    let name = cursor.slice(start, layout.n_bytes(place))?;
                    names.get_or_insert_with(|| first_names(*cursor, layout, starts)).push(Cow::Borrowed(name));
                }
                next = place + 1;
            }
            None => {
                missed = true;
                let (name, behind) = cursor.name()?;
                *cursor = behind;
                names.get_or_insert_with(|| first_names(*cursor, layout, starts)).push(Cow::Borrowed(name));
            }
        }
        if values.len() == max {
            return None;
        }
        match cursor.byte() {
            b'"' => {
                let start = *cursor;
                let text = if let Some(text) = cursor.string() {
                    Cow::Borrowed(text)
                } else {
                    let (text, behind) = start.escaped()?;
                    *cursor = behind;
                    Cow::Owned(text)
                };
                push(&mut values, Scalar::Text(text));
            }
            b'-' | b'0'..=b'9' => {
                let number = number(cursor)?;
                values.push(Scalar::Number(number.value));
            }
            b'[' => {
                let (vector, behind) = vector(*cursor)?;
                *cursor = behind;
                push(&mut values, vector);
            }
            _ => {
                let word = single_word(cursor)?;
                push(&mut values, word.into());
            }
        }
        more = cursor.more(b'}')?;
    }
    *outer = *cursor;
    if names.is_none() && (values.len() < layout.len() || values.is_empty()) {
        names = Some(first_names(*cursor, layout, starts));
    }
    if missed {
        let mut entries = names.unwrap_or_default().into_iter().zip(values).collect();
        keep_last_of_each_name(&mut entries);
        let (kept, values) = entries.into_iter().unzip();
        return Some(Entries { names: Some(kept), values, missed });
    }
    Some(Entries { names, values, missed })
}

/// Apart from the numbers, so that those are written where they stay: one push for all would copy each as a whole, right behind the writing of its parts.
#[inline(never)]
fn push<'a>(values: &mut Vec<Scalar<'a>>, value: Scalar<'a>) {
    values.push(value);
}

/// The names that begin at `starts`: the first ones of the layout.
#[cold]
fn first_names<'a>(cursor: Cursor<'a>, layout: &Layout, starts: &[usize]) -> Vec<Cow<'a, str>> {
    let names = starts.iter().enumerate().map(|(place, &start)| cursor.slice(start, layout.n_bytes(place)));
    names.map(|name| Cow::Borrowed(name.unwrap_or_default())).collect()
}

/// A value that is neither an array nor an object.
#[inline(always)]
fn single<'a>(cursor: &mut Cursor<'a>) -> Option<Single<'a>> {
    match cursor.byte() {
        b'"' => cursor.string().map(Single::Text),
        b'-' | b'0'..=b'9' => number(cursor).map(Single::Number),
        _ => single_word(cursor),
    }
}

/// `null`, `true` or `false`.
#[inline(always)]
fn single_word<'a>(cursor: &mut Cursor<'a>) -> Option<Single<'a>> {
    match cursor.byte() {
        b'n' => cursor.word("null").map(|()| Single::Null),
        b't' => cursor.word("true").map(|()| Single::Bool(true)),
        b'f' => cursor.word("false").map(|()| Single::Bool(false)),
        _ => None,
    }
}

/// An array of numbers, and the place behind it.
#[inline(never)]
fn vector<'a>(mut cursor: Cursor<'a>) -> Option<(Scalar<'a>, Cursor<'a>)> {
    let cursor = &mut cursor;
    let mut numbers = Vec::new();
    let mut more = cursor.open(b'[', b']')?;
    while more {
        if numbers.len() == MAX_DIMENSIONS {
            return None;
        }
        numbers.push(number(cursor)?.value);
        more = cursor.more(b']')?;
    }
    (!numbers.is_empty()).then_some((Scalar::Vector(Cow::Owned(numbers)), *cursor))
}
