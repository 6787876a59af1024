//! What of a reference cannot be had from its columns one by one: how texts, vectors and all inputs together are read.

use super::moments::MomentReference;
use super::text::TextReference;
use super::vectors::VectorReference;
use super::{FeatureReference, Slots};
use serde::{Deserialize, Serialize};

/// What of a reference cannot be had from its columns one by one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Encodings {
    /// Text features, sorted by name.
    pub texts: Vec<TextReference>,
    /// Vector columns with values, in the order of the inputs.
    pub vectors: Vec<VectorReference>,
    /// All inputs together; `None` where none has a spread.
    pub moments: Option<MomentReference>,
}

impl Encodings {
    /// The feature that an input was made of (`comment` of `comment#length`); `None`: it is a feature itself.
    pub fn source_of(&self, input: &str) -> Option<&str> {
        let (source, _) = input.rsplit_once('#')?;
        let place = self.texts.binary_search_by(|text| (*text.source).cmp(source)).ok()?;
        Some(&self.texts[place].source)
    }

    /// Whether the encodings fit the inputs; says what is wrong.
    pub(super) fn check(&self, inputs: &[FeatureReference]) -> Result<(), String> {
        if !self.texts.is_sorted_by(|a, b| a.source < b.source) {
            return Err("its texts are not sorted".to_owned());
        }
        for text in &self.texts {
            let names = super::text::derived_names(&text.source);
            let fits = text.places().iter().zip(&names).all(|(&place, name)| inputs.get(place).is_some_and(|input| input.name == *name));
            let hashed = inputs.get(text.grams).is_some_and(|input| matches!(input.column.slots, Slots::Hashed(_)));
            if !fits || !hashed || !text.vocabulary.is_sound() {
                return Err(format!("the columns of text {} do not fit", text.source));
            }
        }
        for vector in &self.vectors {
            let fits =
                inputs.get(vector.input).is_some_and(|input| matches!(input.column.slots, Slots::Vector(d) if d == vector.dimension));
            if !fits || !vector.is_sound() {
                return Err("its vectors do not fit their columns".to_owned());
            }
        }
        if self.moments.as_ref().is_some_and(|moments| !moments.is_sound(inputs)) {
            return Err("the moments of its inputs do not fit them".to_owned());
        }
        Ok(())
    }
}
