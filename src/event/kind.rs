//! Predictions and labels, and the reasons why a record is neither.

use super::{Features, Scalar, Timestamp};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// One thing that was said about a model.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<'a> {
    /// A model answered (or failed to).
    Prediction(Prediction<'a>),
    /// The truth about an earlier answer.
    Label(Label<'a>),
}

/// A model's answer to one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction<'a> {
    /// Joins the prediction with its label.
    pub id: Cow<'a, str>,
    /// Name of the model.
    pub model: Cow<'a, str>,
    /// Version of the model.
    pub version: Cow<'a, str>,
    /// When the request was answered.
    pub timestamp: Timestamp,
    /// Inputs by name, each once.
    pub features: Features<'a>,
    /// The answer: a class, a number for a regression, a list of items for a ranking. `Null` where the request failed.
    pub prediction: Scalar<'a>,
    /// Probability of the positive class (binary).
    pub score: Scalar<'a>,
    /// Probability by class (multiclass).
    pub scores: Vec<(Cow<'a, str>, Scalar<'a>)>,
    /// Time the request took, in milliseconds.
    pub latency_ms: Scalar<'a>,
    /// How the request ended.
    pub status: Status,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// `"ok"`, or not said.
    Ok,
    /// `"error"`: the model gave no answer.
    Failed,
    /// Any other text: counted as an invalid value, the request as answered.
    Unrecognised,
}

/// The truth about one prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct Label<'a> {
    /// Id of the prediction it belongs to.
    pub prediction_id: Cow<'a, str>,
    /// The true class or number; of a ranking the relevant item or a list of them.
    pub label: Scalar<'a>,
    /// When the label became known.
    pub timestamp: Timestamp,
    /// Name of the model, where the label says it.
    pub model: Option<Cow<'a, str>>,
}

impl Event<'_> {
    /// Event time.
    pub fn timestamp(&self) -> Timestamp {
        match self {
            Self::Prediction(p) => p.timestamp,
            Self::Label(l) => l.timestamp,
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)*) => {
        /// Why a record was not applied. Each record ends in exactly one counter (invariant I1).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum RejectReason { $($(#[$doc])* $name,)* }

        impl RejectReason {
            /// Every reason, for tables and suites.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name used in output and metric labels.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

reasons! {
    /// The message is larger than `events.max_bytes`.
    TooLarge => "too_large",
    /// A message without a value (a tombstone).
    Empty => "empty",
    /// The message is not UTF-8.
    NotUtf8 => "not_utf8",
    /// The message is not JSON.
    NotJson => "not_json",
    /// The message is JSON, but neither an object nor an array of objects.
    NotAnObject => "not_an_object",
    /// More nested or more numerous than the decoder allows.
    TooComplex => "too_complex",
    /// `prediction_id` is missing or empty.
    MissingId => "missing_id",
    /// `prediction_id` is not a string or an integer, or longer than 256 bytes.
    InvalidId => "invalid_id",
    /// `model` is missing or empty.
    MissingModel => "missing_model",
    /// `model` is not a string, or longer than 256 bytes.
    InvalidModel => "invalid_model",
    /// `version` is missing or empty.
    MissingVersion => "missing_version",
    /// `version` is not a string or an integer, or longer than 256 bytes.
    InvalidVersion => "invalid_version",
    /// `timestamp` is missing.
    MissingTimestamp => "missing_timestamp",
    /// `timestamp` is neither RFC 3339 nor an integer of epoch milliseconds.
    InvalidTimestamp => "invalid_timestamp",
    /// `timestamp` lies outside `events.earliest` to `events.latest`.
    TimestampOutOfRange => "timestamp_out_of_range",
    /// `timestamp` lies further in the future of its arrival than `window.max_future`.
    TimestampInFuture => "timestamp_in_future",
    /// `features` is not an object.
    InvalidFeatures => "invalid_features",
    /// A label message without `label`, or with `null`.
    MissingLabel => "missing_label",
    /// `label` is not finite, no number for a regression, or a list of items for a model that ranks none; or no list of items, or one that is too long.
    InvalidLabel => "invalid_label",
    /// No `[[model]]` block takes this model.
    UnknownModel => "unknown_model",
    /// `limits.models` model versions are watched already.
    TooManyModels => "too_many_models",
    /// A label whose class is not in the model's label map.
    UnknownLabelClass => "unknown_label_class",
    /// A label whose prediction did not come within `join.keep`.
    LabelWithoutPrediction => "label_without_prediction",
    /// A label that was pushed out of the full store of waiting labels.
    LabelEvicted => "label_evicted",
    /// A label whose prediction is too old for its window to be amended.
    LabelTooLate => "label_too_late",
    /// A label of a failed request, or of one whose prediction was invalid: there is nothing to compare it with.
    LabelWithoutOutcome => "label_without_outcome",
}

impl std::fmt::Display for RejectReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
