//! The keys of one object → an event, or the first reason why it is none.
//!
//! Where several things are wrong the reason is the first in this order: id, model, version, timestamp, features for a prediction;
//! id, model, timestamp, label for a label.

use super::object::{Entries, Object, Value};
use crate::edge::decode::{DecodeSettings, TopicRole};
use crate::event::{Event, Features, Label, Prediction, RejectReason, Scalar, Status, Timestamp};
use std::borrow::Cow;

/// Longest id, model or version, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// Builds the event that the topic's role makes of the object.
pub(super) fn from_object<'a>(object: Object<'a>, role: TopicRole, settings: &DecodeSettings) -> Result<Event<'a>, RejectReason> {
    let is_label = match role {
        TopicRole::Predictions => false,
        TopicRole::Labels => true,
        TopicRole::Both => object.has_label && !object.has_answer,
    };
    if is_label { label(object, settings).map(Event::Label) } else { prediction(object, settings).map(Event::Prediction) }
}

fn prediction<'a>(object: Object<'a>, settings: &DecodeSettings) -> Result<Prediction<'a>, RejectReason> {
    let id = name(object.prediction_id, Integers::Taken, RejectReason::InvalidId)?.ok_or(RejectReason::MissingId)?;
    let model = name(object.model, Integers::Refused, RejectReason::InvalidModel)?.ok_or(RejectReason::MissingModel)?;
    let version = name(object.version, Integers::Taken, RejectReason::InvalidVersion)?.ok_or(RejectReason::MissingVersion)?;
    let timestamp = timestamp(&object.timestamp, settings)?;
    let features = match object.features {
        Entries::Missing => Features::default(),
        Entries::Given(features) => features.into_iter().collect(),
        Entries::TooMany => return Err(RejectReason::TooComplex),
        Entries::Invalid => return Err(RejectReason::InvalidFeatures),
    };
    let mut score = Scalar::from(object.score);
    let scores = match object.scores {
        Entries::Missing => Vec::new(),
        Entries::Given(scores) => scores,
        Entries::TooMany => return Err(RejectReason::TooComplex),
        Entries::Invalid => {
            if score.is_null() {
                score = Scalar::Structured;
            }
            Vec::new()
        }
    };
    Ok(Prediction {
        id,
        model,
        version,
        timestamp,
        features,
        prediction: object.prediction.into(),
        score,
        scores,
        latency_ms: object.latency_ms.into(),
        status: status(&object.status),
    })
}

fn label<'a>(object: Object<'a>, settings: &DecodeSettings) -> Result<Label<'a>, RejectReason> {
    let prediction_id = name(object.prediction_id, Integers::Taken, RejectReason::InvalidId)?.ok_or(RejectReason::MissingId)?;
    let model = name(object.model, Integers::Refused, RejectReason::InvalidModel)?;
    let timestamp = timestamp(&object.timestamp, settings)?;
    let label = match Scalar::from(object.label) {
        Scalar::Null => return Err(RejectReason::MissingLabel),
        Scalar::NonFinite | Scalar::Vector(_) | Scalar::Structured => return Err(RejectReason::InvalidLabel),
        label => label,
    };
    Ok(Label { prediction_id, label, timestamp, model })
}

/// Whether an integer stands for its canonical text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Integers {
    Taken,
    Refused,
}

/// An id or a name: `None` where it is missing or empty, `invalid` where it is of another type or too long.
fn name<'a>(value: Value<'a>, integers: Integers, invalid: RejectReason) -> Result<Option<Cow<'a, str>>, RejectReason> {
    match value {
        Value::Null => Ok(None),
        Value::Text(text) if text.is_empty() => Ok(None),
        Value::Text(text) if text.len() <= MAX_NAME_BYTES => Ok(Some(text)),
        Value::Unsigned(n) if integers == Integers::Taken => Ok(Some(Cow::Owned(n.to_string()))),
        Value::Signed(n) if integers == Integers::Taken => Ok(Some(Cow::Owned(n.to_string()))),
        _ => Err(invalid),
    }
}

fn timestamp(value: &Value<'_>, settings: &DecodeSettings) -> Result<Timestamp, RejectReason> {
    let timestamp = match value {
        Value::Null => return Err(RejectReason::MissingTimestamp),
        Value::Unsigned(ms) => Timestamp(i64::try_from(*ms).map_err(|_| RejectReason::TimestampOutOfRange)?),
        Value::Signed(ms) => Timestamp(*ms),
        Value::Text(text) => Timestamp::parse(text).map_err(|_| RejectReason::InvalidTimestamp)?,
        _ => return Err(RejectReason::InvalidTimestamp),
    };
    if timestamp < settings.earliest || timestamp >= settings.latest {
        return Err(RejectReason::TimestampOutOfRange);
    }
    Ok(timestamp)
}

fn status(value: &Value<'_>) -> Status {
    match value {
        Value::Null => Status::Ok,
        Value::Text(text) if text == "ok" => Status::Ok,
        Value::Text(text) if text == "error" => Status::Failed,
        _ => Status::Unrecognised,
    }
}
