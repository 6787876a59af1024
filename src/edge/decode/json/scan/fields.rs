//! The values that were read from one message → an event.
//!
//! The rules are those of `super::super::event`; whatever they would reject, or read in a way of its own, is `None` here.

use super::number::Number;
use super::time;
use crate::edge::decode::{DecodeSettings, TopicRole};
use crate::event::{Event, Features, Label, Prediction, Scalar, Status, Timestamp};
use std::borrow::Cow;

/// Longest id, model or version, in bytes.
pub(super) const MAX_NAME_BYTES: usize = 256;

/// A value that is neither an array nor an object.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Single<'a> {
    #[default]
    Null,
    Bool(bool),
    Number(Number<'a>),
    Text(&'a str),
}

impl<'a> From<Single<'a>> for Scalar<'a> {
    #[inline]
    fn from(value: Single<'a>) -> Self {
        match value {
            Single::Null => Self::Null,
            Single::Bool(b) => Self::Bool(b),
            Single::Number(number) => Self::Number(number.value),
            Single::Text(text) => Self::Text(Cow::Borrowed(text)),
        }
    }
}

/// What a key of the object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Id,
    Model,
    Version,
    Timestamp,
    Features,
    Prediction,
    Score,
    Scores,
    Latency,
    Status,
    Label,
    /// One that is not read.
    Other,
}

impl Key {
    /// The keys that are read, in the order in which the documentation has them.
    pub(super) const NAMES: [(&str, Self); 11] = [
        ("prediction_id", Self::Id),
        ("model", Self::Model),
        ("version", Self::Version),
        ("timestamp", Self::Timestamp),
        ("features", Self::Features),
        ("prediction", Self::Prediction),
        ("score", Self::Score),
        ("scores", Self::Scores),
        ("latency_ms", Self::Latency),
        ("status", Self::Status),
        ("label", Self::Label),
    ];

    pub(super) fn of(name: &str) -> Self {
        Self::NAMES.iter().find(|(known, _)| *known == name).map_or(Self::Other, |(_, key)| *key)
    }

    fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// What stood under the keys of an event.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    pub(super) prediction_id: Single<'a>,
    pub(super) model: Single<'a>,
    pub(super) version: Single<'a>,
    pub(super) timestamp: Single<'a>,
    pub(super) features: Features<'a>,
    pub(super) prediction: Single<'a>,
    pub(super) score: Single<'a>,
    pub(super) scores: Vec<(Cow<'a, str>, Scalar<'a>)>,
    pub(super) latency_ms: Single<'a>,
    pub(super) status: Single<'a>,
    pub(super) label: Single<'a>,
    /// A bit for each key that is there, `null` or not.
    seen: u16,
}

impl<'a> Fields<'a> {
    /// Takes in that a key is there; `false` where it was there before. Keys that are not read may come again.
    #[inline]
    pub(super) fn first(&mut self, key: Key) -> bool {
        let new = self.seen & key.bit() == 0 || key == Key::Other;
        self.seen |= key.bit();
        new
    }

    /// Takes in the single value of a key.
    pub(super) fn set(&mut self, key: Key, value: Single<'a>) {
        let field = match key {
            Key::Id => &mut self.prediction_id,
            Key::Model => &mut self.model,
            Key::Version => &mut self.version,
            Key::Timestamp => &mut self.timestamp,
            Key::Prediction => &mut self.prediction,
            Key::Score => &mut self.score,
            Key::Latency => &mut self.latency_ms,
            Key::Status => &mut self.status,
            Key::Label => &mut self.label,
            Key::Features | Key::Scores | Key::Other => return,
        };
        *field = value;
    }

    /// The event that the topic's role makes of them.
    #[inline(always)]
    pub(super) fn event(self, role: TopicRole, settings: &DecodeSettings) -> Option<Event<'a>> {
        let is_label = match role {
            TopicRole::Predictions => false,
            TopicRole::Labels => true,
            TopicRole::Both => {
                let answer = Key::Features.bit() | Key::Prediction.bit() | Key::Status.bit();
                self.seen & Key::Label.bit() != 0 && self.seen & answer == 0
            }
        };
        if is_label { self.label(settings).map(Event::Label) } else { self.prediction(settings).map(Event::Prediction) }
    }

    #[inline(always)]
    fn prediction(self, settings: &DecodeSettings) -> Option<Prediction<'a>> {
        let Single::Text(model) = self.model else { return None };
        Some(Prediction {
            id: id(self.prediction_id)?,
            model: name(model)?,
            version: id(self.version)?,
            timestamp: timestamp(self.timestamp, settings)?,
            features: self.features,
            prediction: self.prediction.into(),
            score: self.score.into(),
            scores: self.scores,
            latency_ms: self.latency_ms.into(),
            status: match self.status {
                Single::Null | Single::Text("ok") => Status::Ok,
                Single::Text("error") => Status::Failed,
                _ => Status::Unrecognised,
            },
        })
    }

    fn label(self, settings: &DecodeSettings) -> Option<Label<'a>> {
        let model = match self.model {
            Single::Null | Single::Text("") => None,
            Single::Text(model) => Some(name(model)?),
            _ => return None,
        };
        let label = match self.label {
            Single::Null => return None,
            label => label.into(),
        };
        Some(Label { prediction_id: id(self.prediction_id)?, label, timestamp: timestamp(self.timestamp, settings)?, model })
    }
}

/// An id or a version: text, or an integer, which is canonical as it stands.
fn id(value: Single<'_>) -> Option<Cow<'_, str>> {
    match value {
        Single::Text(text) => name(text),
        Single::Number(number) => number.integer.map(Cow::Borrowed),
        _ => None,
    }
}

fn name(text: &str) -> Option<Cow<'_, str>> {
    (!text.is_empty() && text.len() <= MAX_NAME_BYTES).then_some(Cow::Borrowed(text))
}

fn timestamp(value: Single<'_>, settings: &DecodeSettings) -> Option<Timestamp> {
    let timestamp = match value {
        Single::Text(text) => time::timestamp(text)?,
        Single::Number(number) => Timestamp(number.integer?.parse().ok()?),
        _ => return None,
    };
    (timestamp >= settings.earliest && timestamp < settings.latest).then_some(timestamp)
}
