//! The scores of a prediction: which of them are remembered until its label comes.

use super::Shard;
use super::apply::reason_of;
use crate::engine::settings::{ModelSettings, Task};
use crate::engine::summary::Scores;
use crate::event::{InvalidReason, Prediction, Scalar, class_place};
use std::sync::Arc;

/// The score of the positive class: `score`, else what `scores` says of that class.
pub(super) fn of_positive<'a>(prediction: &Prediction<'a>, settings: &ModelSettings) -> Scalar<'a> {
    let Some(positive) = settings.positive.as_ref().filter(|_| prediction.score.is_null()) else { return prediction.score.clone() };
    let is_positive = |name: &str| class_place(&[positive], &Scalar::Text(name.into())).is_some();
    prediction.scores.iter().find(|(name, _)| is_positive(name)).map_or(Scalar::Null, |(_, score)| score.clone())
}

impl Shard {
    /// What is remembered of an answer's scores: nothing where no metric of the model is read from them.
    pub(super) fn remembered_scores(&mut self, model: u32, prediction: &Prediction<'_>) -> Scores {
        let runtime = &mut self.runtimes[model as usize];
        let (record, counts) = (&mut self.state.models[model as usize], &mut self.state.counts);
        match runtime.settings.task {
            Task::Binary if runtime.needs_scores => match of_positive(prediction, &runtime.settings) {
                // what is invalid was counted with the inputs
                Scalar::Number(score) if (0.0..=1.0).contains(&score) => Scores::Positive(score),
                _ => Scores::None,
            },
            Task::Multiclass if !prediction.scores.is_empty() && (runtime.needs_scores || record.classes.is_open()) => {
                // while the label map is open, a class that has a score is a class, whether its scores are remembered or not
                let n_classes = record.classes.names().len();
                let mut places = Vec::with_capacity(prediction.scores.len());
                for (name, score) in &prediction.scores {
                    let place = match record.classes.names().get(places.len()) {
                        // classes mostly come in one order
                        Some(next) if **next == **name => Some(places.len()),
                        _ => record.classes.place(&Scalar::Text(name.as_ref().into()), self.settings.limits.classes).map(usize::from),
                    };
                    if place.is_none() {
                        counts.invalid(InvalidReason::UnknownClass);
                    }
                    places.push((place, score));
                }
                runtime.changed |= record.classes.names().len() != n_classes;
                let mut usable: Vec<Option<f64>> = vec![None; record.classes.names().len()];
                for (place, score) in places {
                    match (place, score) {
                        (Some(place), Scalar::Number(score)) if (0.0..=1.0).contains(score) => usable[place] = Some(*score),
                        (_, Scalar::Null) | (None, _) => {}
                        (Some(_), other) => counts.invalid(reason_of(other)),
                    }
                }
                // a class without a score leaves nothing that the others could be compared with
                let all: Option<Box<[f64]>> = usable.into_iter().collect();
                if runtime.needs_scores { all.map_or(Scores::None, Scores::Classes) } else { Scores::None }
            }
            _ => Scores::None,
        }
    }
}

/// The place of the positive class in the label map.
pub(super) fn positive_place(names: &[Arc<str>], settings: &ModelSettings) -> Option<usize> {
    let positive = settings.positive.as_ref()?;
    class_place(names, &Scalar::Text(positive.as_ref().into()))
}
