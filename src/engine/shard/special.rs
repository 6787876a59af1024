//! What the place of a value does not say: the n-grams of a text, the features of a vector, and all inputs together.
//!
//! Invariant: a model that has none of it, or of which nobody asks it, pays for a look at empty lists.

use super::block::Block;
use super::model::ModelRuntime;
use crate::engine::reference::text::TextFigures;
use crate::engine::reference::{Place, Reference};
use crate::engine::summary::{MomentSums, VectorSums};
use crate::engine::window::InputPane;
use crate::event::{InvalidReason, Scalar};

/// What the places of one prediction do not say; used again for every prediction.
#[derive(Debug, Default)]
pub(super) struct Special {
    /// Features of each vector of the reference; empty where none came.
    vectors: Vec<Vec<i32>>,
    /// All inputs together, in the units of [`MomentSums`]; those that did not come are at the reference's mean.
    together: Vec<i32>,
}

impl Special {
    /// Forgets the last prediction, whatever model it was of.
    pub(super) fn clear(&mut self) {
        self.vectors.clear();
        self.together.clear();
    }

    /// Begins a prediction of this model.
    pub(super) fn begin(&mut self, runtime: &ModelRuntime, reference: &Reference) {
        self.clear();
        self.vectors.resize_with(runtime.projections.len(), Vec::new);
        if !runtime.dimensions.is_empty() {
            self.together.resize(reference.encodings.moments.as_ref().map_or(0, |moments| moments.dimensions.len()), 0);
        }
    }

    /// Notes the value of an input that is looked at together with others.
    #[inline]
    pub(super) fn note_value(&mut self, runtime: &ModelRuntime, reference: &Reference, input: usize, value: &Scalar<'_>, place: Place) {
        let Some(&Some(dimension)) = runtime.dimensions.get(input) else { return };
        if let (Some(moments), Some(units)) = (&reference.encodings.moments, self.together.get_mut(dimension)) {
            *units = moments.dimensions[dimension].units(value, place);
        }
    }

    /// Counts the inputs that are made of a text; the place of the text as a whole.
    pub(super) fn tell_text(
        &mut self,
        runtime: &ModelRuntime,
        reference: &Reference,
        text: usize,
        value: &Scalar<'_>,
        block: &mut Block,
    ) -> Place {
        let text = &reference.encodings.texts[text];
        let whole = match value {
            Scalar::Text(words) => {
                let TextFigures { length, words, unseen, grams } = text.figures(words);
                let numbers = [(text.length, Some(length)), (text.words, Some(words)), (text.unseen, unseen)];
                for (input, number) in numbers {
                    let number = number.map_or(Scalar::Null, Scalar::Number);
                    let place = reference.inputs[input].column.place(&number);
                    block.tell(input, place);
                    self.note_value(runtime, reference, input, &number, place);
                }
                block.tell_many(text.grams, &grams);
                return Place::Many;
            }
            Scalar::Null => Place::Missing,
            Scalar::NonFinite => Place::Invalid(InvalidReason::NonFinite),
            _ => Place::Invalid(InvalidReason::WrongType),
        };
        text.places().into_iter().for_each(|input| block.tell(input, whole));
        whole
    }

    /// Counts a vector, and notes its features where they are asked for.
    pub(super) fn tell_vector(
        &mut self,
        runtime: &ModelRuntime,
        reference: &Reference,
        vector: usize,
        value: &Scalar<'_>,
        block: &mut Block,
    ) -> Place {
        let input = reference.encodings.vectors[vector].input;
        let mut place = reference.inputs[input].column.place(value);
        if let (Place::Slot(_), Scalar::Vector(numbers), Some(projection)) = (place, value, runtime.projections.get(vector))
            && !projection.features(numbers, &mut self.vectors[vector])
        {
            place = Place::Invalid(InvalidReason::OutOfRange);
        }
        block.tell(input, place);
        place
    }

    /// Whether there is anything for [`Special::add_moments`].
    pub(super) fn has_moments(&self) -> bool {
        !self.together.is_empty()
    }

    /// Adds the vectors to a pane.
    pub(super) fn add_to(&self, pane: &mut InputPane) {
        if self.vectors.is_empty() {
            return;
        }
        pane.vectors.resize_with(self.vectors.len(), VectorSums::default);
        let present = pane.vectors.iter_mut().zip(&self.vectors).filter(|(_, features)| !features.is_empty());
        present.for_each(|(sums, features)| sums.add(features));
    }

    /// Adds all inputs together to the pane of the whole stream.
    pub(super) fn add_moments(&self, pane: &mut InputPane) {
        if !self.together.is_empty() {
            pane.moments.get_or_insert_with(|| MomentSums::new(self.together.len())).add(&self.together);
        }
    }
}
