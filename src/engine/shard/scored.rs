//! Scores by whether their class was predicted: what estimated quality is made of.

use super::model::{ModelRecord, ModelRuntime};
use crate::engine::join::Outcome;
use crate::engine::reference::Expectation;
use crate::engine::settings::{ModelSettings, Task};
use crate::engine::summary::score_cell;
use crate::event::{Prediction, Scalar, class_place};
use std::sync::Arc;

/// A class whose scores are calibrated on the reference.
#[derive(Debug, Clone)]
pub(super) struct ScoredClass {
    name: Arc<str>,
    /// Its place in the label map.
    place: Option<u16>,
}

/// One score: its class by place among the scored ones, its cell, and whether the class was predicted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Score {
    pub(super) class: usize,
    pub(super) cell: u16,
    pub(super) predicted: bool,
}

/// The classes whose scores are counted: those that the reference has calibrated, where estimates are wanted. Of a binary model the reference must have
/// calibrated the class that its settings call positive, because `score` speaks of that.
pub(super) fn scored_classes(settings: &ModelSettings, record: &ModelRecord) -> Vec<ScoredClass> {
    let expectation = record.reference.as_ref().and_then(|r| r.outputs.expectation.as_ref()).filter(|_| settings.estimate);
    let Some(Expectation::Classes(calibrations)) = expectation else { return Vec::new() };
    let place = |name: &str| record.classes.find(&Scalar::Text(name.into()));
    let scored = calibrations.iter().map(|c| ScoredClass { name: c.class.clone(), place: place(&c.class) });
    match settings.task {
        Task::Multiclass => scored.collect(),
        Task::Binary => {
            let positive = settings.positive.as_ref().and_then(|name| place(name));
            scored.filter(|class| class.place.is_some() && class.place == positive).collect()
        }
        Task::Regression | Task::Ranking => Vec::new(),
    }
}

/// Adds the scores of a prediction to `scores`; none without an answer. A class without a usable score (0 to 1) is left out. `of_positive`: that of the
/// positive class of a binary model, wherever the event says it.
pub(super) fn place_scores(
    scores: &mut Vec<Score>,
    runtime: &ModelRuntime,
    prediction: &Prediction<'_>,
    of_positive: &Scalar<'_>,
    answer: Option<&Outcome>,
) {
    let Some(&Outcome::Class(answer)) = answer else { return };
    for (place, class) in runtime.scored.iter().enumerate() {
        let score = match runtime.settings.task {
            Task::Binary => Some(of_positive),
            _ => score_of(prediction, place, &class.name),
        };
        if let Some(Scalar::Number(score)) = score
            && (0.0..=1.0).contains(score)
        {
            scores.push(Score { class: place, cell: score_cell(*score), predicted: class.place == Some(answer) });
        }
    }
}

/// The score of a class; events usually name the classes in the order of the label map.
fn score_of<'p>(prediction: &'p Prediction<'_>, place: usize, class: &str) -> Option<&'p Scalar<'p>> {
    let scores = &prediction.scores;
    let by_name = || scores.iter().find(|(name, _)| **name == *class);
    let by_meaning = || scores.iter().find(|(name, _)| class_place(&[class], &Scalar::Text(name.as_ref().into())).is_some());
    let found = scores.get(place).filter(|(name, _)| **name == *class).or_else(by_name).or_else(by_meaning);
    found.map(|(_, score)| score)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Scalar::Number};

    #[test]
    fn a_class_finds_its_score_whatever_the_order_and_the_name() {
        let Event::Prediction(mut prediction) = crate::engine::tests::predicted("a", "v1", 0, "1", &[]) else { return };
        prediction.scores = vec![("b".into(), Number(0.5)), ("1.0".into(), Number(0.3)), ("false".into(), Number(0.2))];
        for (place, class, want) in [(0, "b", Some(0.5)), (2, "b", Some(0.5)), (1, "1", Some(0.3)), (0, "0", Some(0.2)), (0, "c", None)] {
            let got = score_of(&prediction, place, class);
            assert_eq!(got, want.map(Number).as_ref(), "{class}");
        }
    }
}
