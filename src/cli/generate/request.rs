//! One generated request, and the lines that say it (the native event format).

use super::feature::{Feature, N_CATEGORICAL, N_FEATURES, N_NUMERIC};
use crate::event::Timestamp;
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::borrow::Cow;
use std::sync::Arc;

/// Names of the classes of the multiclass model, from low to high risk.
pub(super) const CLASSES: [&str; 3] = ["low", "medium", "high"];

/// A request that was answered, or failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// `prediction_id`, unique for a seed and a start.
    pub id: String,
    /// When it was answered.
    pub at: Timestamp,
    /// Name of the model.
    pub model: Arc<str>,
    /// Version of the model.
    pub version: Arc<str>,
    /// The inputs, as the model saw them.
    pub inputs: Inputs,
    /// The answer; `None`: the request failed.
    pub answer: Option<Answer>,
    /// Time it took, in milliseconds.
    pub latency_ms: f64,
    /// What is true.
    pub truth: Target,
    /// When the truth becomes known; `None`: never, as for failed requests.
    pub label_at: Option<Timestamp>,
}

/// The inputs of one request, `None` where one is missing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inputs {
    /// Numbers, in the order of `Feature::ALL`.
    pub numeric: [Option<f64>; N_NUMERIC],
    /// Categories, in the order of the rest of `Feature::ALL`.
    pub categorical: [Option<Cow<'static, str>>; N_CATEGORICAL],
}

/// A class or a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// Binary: 1 is positive.
    Binary(u8),
    /// Multiclass: place in the list of classes.
    Class(usize),
    /// Regression.
    Number(f64),
}

/// A model's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The class or number.
    pub prediction: Target,
    /// Probabilities by class, from low to high; binary: of 0 and 1; regression: empty.
    pub scores: Vec<f64>,
}

impl Request {
    /// The prediction event, without a line end.
    pub fn prediction_line(&self) -> String {
        to_line(self)
    }

    /// The label event, without a line end; `None` where no label comes.
    pub fn label_line(&self) -> Option<String> {
        let at = self.label_at?;
        Some(to_line(&LabelEvent { id: &self.id, truth: self.truth, at }))
    }
}

impl Inputs {
    /// What the inputs say, 0 where one is missing.
    pub(super) fn signals(&self) -> [f64; N_FEATURES] {
        Feature::ALL.map(|feature| {
            let i = feature.index();
            if feature.is_numeric() {
                self.numeric[i].map_or(0.0, |v| feature.signal(v))
            } else {
                self.categorical[i - N_NUMERIC].as_deref().map_or(0.0, |c| feature.category_signal(c))
            }
        })
    }

    /// Takes an input away.
    pub(super) fn remove(&mut self, feature: Feature) {
        let i = feature.index();
        if feature.is_numeric() { self.numeric[i] = None } else { self.categorical[i - N_NUMERIC] = None }
    }
}

impl Serialize for Inputs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(N_FEATURES))?;
        for feature in Feature::ALL {
            let (i, name) = (feature.index(), feature.as_str());
            match feature.is_numeric() {
                true if feature.is_whole() => map.serialize_entry(name, &self.numeric[i].map(|v| v as i64))?,
                true => map.serialize_entry(name, &self.numeric[i])?,
                false => map.serialize_entry(name, &self.categorical[i - N_NUMERIC])?,
            }
        }
        map.end()
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Binary(class) => serializer.serialize_u8(*class),
            Self::Class(class) => serializer.serialize_str(CLASSES[*class]),
            Self::Number(value) => serializer.serialize_f64(*value),
        }
    }
}

impl Serialize for Request {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("prediction_id", &self.id)?;
        map.serialize_entry("model", &*self.model)?;
        map.serialize_entry("version", &*self.version)?;
        map.serialize_entry("timestamp", &self.at.to_string())?;
        map.serialize_entry("features", &self.inputs)?;
        if let Some(answer) = &self.answer {
            map.serialize_entry("prediction", &answer.prediction)?;
            match (answer.prediction, answer.scores.as_slice()) {
                (Target::Binary(_), [.., positive]) => map.serialize_entry("score", positive)?,
                (Target::Class(_), scores) => map.serialize_entry("scores", &ScoresByClass(scores))?,
                _ => {}
            }
        }
        map.serialize_entry("latency_ms", &self.latency_ms)?;
        map.serialize_entry("status", if self.answer.is_some() { "ok" } else { "error" })?;
        map.end()
    }
}

struct ScoresByClass<'a>(&'a [f64]);

impl Serialize for ScoresByClass<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(CLASSES.iter().zip(self.0))
    }
}

struct LabelEvent<'a> {
    id: &'a str,
    truth: Target,
    at: Timestamp,
}

impl Serialize for LabelEvent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("prediction_id", self.id)?;
        map.serialize_entry("label", &self.truth)?;
        map.serialize_entry("timestamp", &self.at.to_string())?;
        map.end()
    }
}

fn to_line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("the keys are strings and the numbers finite")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request {
            id: "a-1".into(),
            at: Timestamp(0),
            model: "fraud".into(),
            version: "v1".into(),
            inputs: Inputs {
                numeric: [Some(12.5), Some(44.0), Some(300.0), Some(2.0), None, Some(13.0)],
                categorical: [Some("DE".into()), Some("ios".into()), Some("app".into())],
            },
            answer: Some(Answer { prediction: Target::Binary(1), scores: vec![0.07, 0.93] }),
            latency_ms: 7.2,
            truth: Target::Binary(0),
            label_at: Some(Timestamp(1000)),
        }
    }

    #[test]
    fn lines_are_the_native_events() {
        assert_eq!(
            request().prediction_line(),
            r#"{"prediction_id":"a-1","model":"fraud","version":"v1","timestamp":"1970-01-01T00:00:00.000Z","features":{"amount":12.5,"age":44,"account_days":300,"velocity":2,"distance_km":null,"hour":13,"country":"DE","device":"ios","channel":"app"},"prediction":1,"score":0.93,"latency_ms":7.2,"status":"ok"}"#
        );
        assert_eq!(request().label_line().unwrap(), r#"{"prediction_id":"a-1","label":0,"timestamp":"1970-01-01T00:00:01.000Z"}"#);
    }

    #[test]
    fn a_failed_request_says_nothing_of_an_answer() {
        let failed = Request { answer: None, label_at: None, ..request() };
        let line: serde_json::Value = serde_json::from_str(&failed.prediction_line()).unwrap();
        assert_eq!(line["status"], "error");
        assert!(line.get("prediction").is_none() && line.get("score").is_none());
        assert_eq!(failed.label_line(), None);
    }

    #[test]
    fn classes_go_by_name() {
        let answer = Some(Answer { prediction: Target::Class(2), scores: vec![0.125, 0.25, 0.625] });
        let line = Request { answer, truth: Target::Class(1), ..request() };
        assert!(line.prediction_line().contains(r#""prediction":"high","scores":{"low":0.125,"medium":0.25,"high":0.625}"#));
        assert!(line.label_line().unwrap().contains(r#""label":"medium""#));
    }
}
