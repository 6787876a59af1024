//! Native JSON → events (DESIGN §4): one message is one object, or an array of objects (a batch).
//!
//! Invariant: every event of a message ends in exactly one call of the sink, and no input makes the decoder panic or recurse
//! with its depth. Each number equals `str::parse::<f64>` of its text; integers beyond 2^53 are the nearest `f64`.
//!
//! What the format leaves open is decided here:
//! - **Duplicate keys**: the last one counts, among features too; a feature then stands where its last value stood.
//! - **Unknown keys** are skipped. Within what is skipped only the syntax is checked, not surrogate pairs.
//! - **Non-finite numbers**: `NaN`, `Infinity`, `-Infinity` (written by Python's `json.dumps`) and numbers beyond `f64` (`1e999`) become
//!   [`Scalar::NonFinite`](crate::event::Scalar::NonFinite) for that value only. They are read by a second, tolerant pass, so that ordinary messages pay nothing.
//! - **Null** is the same as a missing key, except that it is enough for [`TopicRole::Both`] to tell predictions from labels.
//! - **`scores`** that is not an object: `score` becomes `Structured` unless `score` itself is given, so that it is counted as an invalid value.
//! - **Batches**: a broken element (a lone surrogate, a missing id) costs that element only; a broken array is one rejection, and so is an empty one.
//! - **Lists** are read under `prediction` and `label` only: arrays of strings and integers, and in a label objects of gains. Integers in them are numbers, as
//!   everywhere but in ids: beyond 2^53 the nearest `f64`.
//! - **Integers as ids or versions** are taken up to 64 bits, in their canonical text.

mod event;
mod list;
mod object;
mod scan;
mod tolerant;

#[cfg(test)]
mod tests;

pub use scan::{Decoder, Scanner};

use super::{DecodeSettings, TopicRole};
use crate::event::{Event, RejectReason};
use object::Object;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// Decodes one message and hands each of its events, or the reason why it is none, to `sink`. This is the reference: [`Decoder`] gives the
/// same, sooner.
///
/// `bytes` is `None` for a tombstone; a value of no bytes counts as the same.
pub fn decode(bytes: Option<&[u8]>, role: TopicRole, settings: &DecodeSettings, sink: &mut dyn FnMut(Result<Event<'_>, RejectReason>)) {
    let text = match bytes {
        None | Some([]) => return sink(Err(RejectReason::Empty)),
        Some(bytes) if bytes.len() > settings.max_bytes => return sink(Err(RejectReason::TooLarge)),
        Some(bytes) => match str::from_utf8(bytes) {
            Ok(text) => text,
            Err(_) => return sink(Err(RejectReason::NotUtf8)),
        },
    };
    match first_byte(text) {
        Some(b'{') => decode_object(text, None, role, settings, sink),
        Some(b'[') => decode_batch(text, role, settings, sink),
        _ if is_json(text) => sink(Err(RejectReason::NotAnObject)),
        _ => sink(Err(RejectReason::NotJson)),
    }
}

/// Decodes one object; `sentinel` is the text that stands for a non-finite number where the tolerant pass has run already.
fn decode_object(
    text: &str,
    sentinel: Option<&str>,
    role: TopicRole,
    settings: &DecodeSettings,
    sink: &mut dyn FnMut(Result<Event<'_>, RejectReason>),
) {
    if let Ok(object) = Object::parse(text, sentinel, settings.max_features) {
        return sink(event::from_object(object, role, settings));
    }
    let rewritten = if sentinel.is_none() { tolerant::rewrite(text) } else { None };
    let object = rewritten.as_ref().and_then(|r| Object::parse(&r.text, Some(&r.sentinel), settings.max_features).ok());
    match object {
        Some(object) => sink(event::from_object(object, role, settings)),
        None => sink(Err(RejectReason::NotJson)),
    }
}

/// Decodes an array: its elements are told apart first, so that nothing of a broken array is applied.
fn decode_batch(text: &str, role: TopicRole, settings: &DecodeSettings, sink: &mut dyn FnMut(Result<Event<'_>, RejectReason>)) {
    let mut each = |elements: Vec<&RawValue>, sentinel: Option<&str>| {
        if elements.is_empty() {
            sink(Err(RejectReason::NotAnObject));
        }
        for element in elements {
            match first_byte(element.get()) {
                Some(b'{') => decode_object(element.get(), sentinel, role, settings, sink),
                _ => sink(Err(RejectReason::NotAnObject)),
            }
        }
    };
    if let Ok(elements) = serde_json::from_str(text) {
        return each(elements, None);
    }
    if let Some(rewritten) = tolerant::rewrite(text)
        && let Ok(elements) = serde_json::from_str(&rewritten.text)
    {
        return each(elements, Some(&rewritten.sentinel));
    }
    sink(Err(RejectReason::NotJson));
}

/// The first byte that is not JSON whitespace.
fn first_byte(text: &str) -> Option<u8> {
    text.bytes().find(|b| !matches!(b, b' ' | b'\t' | b'\n' | b'\r'))
}

/// Whether the text is one JSON value, a bare non-finite number included.
fn is_json(text: &str) -> bool {
    let strict = |text: &str| serde_json::from_str::<IgnoredAny>(text).is_ok();
    strict(text) || tolerant::rewrite(text).is_some_and(|r| strict(&r.text))
}
