//! Features that one place cannot say everything about: a text, which is counted in several columns, one of them many times.
//!
//! Invariant: a model without such features pays for none of this but a look at empty lists.

use crate::engine::reference::text::{TextFigures, TextReference};
use crate::engine::reference::{Place, Reference};
use crate::engine::window::InputPane;
use crate::event::{InvalidReason, Scalar};

/// What the places of one prediction do not say; used again for every prediction.
#[derive(Debug, Default)]
pub(super) struct Special {
    /// Places of inputs, and what is counted in their slots.
    grams: Vec<(usize, Vec<u64>)>,
}

impl Special {
    /// Forgets the last prediction.
    pub(super) fn clear(&mut self) {
        self.grams.clear();
    }

    /// Puts the places of the inputs that are made of a text into `places`; the place of the text as a whole.
    pub(super) fn place_text(&mut self, text: &TextReference, reference: &Reference, value: &Scalar<'_>, places: &mut [Place]) -> Place {
        let whole = match value {
            Scalar::Text(words) => {
                let TextFigures { length, words, unseen, grams } = text.figures(words);
                let numbers = [(text.length, Some(length)), (text.words, Some(words)), (text.unseen, unseen)];
                for (input, number) in numbers {
                    let number = number.map_or(Scalar::Null, Scalar::Number);
                    places[input] = reference.inputs[input].column.place(&number);
                }
                places[text.grams] = Place::Many;
                self.grams.push((text.grams, grams));
                return Place::Many;
            }
            Scalar::Null => Place::Missing,
            Scalar::NonFinite => Place::Invalid(InvalidReason::NonFinite),
            _ => Place::Invalid(InvalidReason::WrongType),
        };
        text.places().into_iter().for_each(|input| places[input] = whole);
        whole
    }

    /// Adds it to a pane that has the columns of the reference.
    pub(super) fn add_to(&self, pane: &mut InputPane) {
        for (input, grams) in &self.grams {
            if let Some(counts) = pane.inputs.get_mut(*input) {
                counts.slots.iter_mut().zip(grams).for_each(|(sum, count)| *sum += count);
            }
        }
    }
}
