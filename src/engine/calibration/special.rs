//! What a column by itself does not say: texts, which are four columns, the features of vectors, and all inputs of a row together. Counted as the shard
//! counts live events.

use crate::engine::reference::moments::MomentReference;
use crate::engine::reference::table::ColumnValues;
use crate::engine::reference::text::{TextFigures, TextReference, WordCounts};
use crate::engine::reference::vectors::Projection;
use crate::engine::reference::{Place, Reference};
use crate::engine::summary::{ColumnCounts, MomentSums};
use crate::engine::window::InputPane;
use crate::event::{InvalidReason, Scalar};

/// Rows that are looked at side by side at once: what their values take of memory is bounded by it.
pub(super) const CHUNK: usize = 4096;

/// Vectors of a table that are projected; of more, every so many-th is (128 multiplications for each number of a vector, twice).
const MOST_VECTORS: usize = 100_000;

/// All inputs of rows together.
pub(super) struct Together<'a> {
    moments: &'a MomentReference,
    /// The dimension of each input, where it is one.
    dimensions: Vec<Option<usize>>,
    /// By row of the chunk, then dimension; what does not come is at the reference's mean.
    units: Vec<i32>,
    sums: MomentSums,
}

impl<'a> Together<'a> {
    /// `None` where the reference does not know its inputs together.
    pub(super) fn new(reference: &'a Reference) -> Option<Self> {
        let moments = reference.encodings.moments.as_ref()?;
        let mut dimensions = vec![None; reference.inputs.len()];
        for (place, dimension) in moments.dimensions.iter().enumerate() {
            *dimensions.get_mut(dimension.input)? = Some(place);
        }
        Some(Self { moments, dimensions, units: Vec::new(), sums: MomentSums::new(moments.dimensions.len()) })
    }

    /// Begins a chunk of so many rows.
    pub(super) fn begin(&mut self, rows: usize) {
        self.units.clear();
        self.units.resize(rows * self.moments.dimensions.len(), 0);
    }

    /// Notes the value of an input in row `at` of the chunk.
    pub(super) fn note(&mut self, input: usize, at: usize, value: &Scalar<'_>, place: Place) {
        let Some(dimension) = self.dimensions.get(input).copied().flatten() else { return };
        if let Some(units) = self.units.get_mut(at * self.moments.dimensions.len() + dimension) {
            *units = self.moments.dimensions[dimension].units(value, place);
        }
    }

    /// Adds the rows of the chunk.
    pub(super) fn end(&mut self) {
        for row in self.units.chunks_exact(self.moments.dimensions.len().max(1)) {
            self.sums.add(row);
        }
    }

    /// What was added up.
    pub(super) fn sums(self) -> MomentSums {
        self.sums
    }
}

/// A text feature of a table.
pub(super) struct TextRows<'a> {
    text: &'a TextReference,
    values: &'a ColumnValues,
    /// In how many of its texts a word occurs: a text of the reference's own has unseen words by the others.
    words: WordCounts,
}

impl<'a> TextRows<'a> {
    pub(super) fn new(text: &'a TextReference, values: &'a ColumnValues) -> Self {
        let mut words = WordCounts::default();
        for value in values.iter() {
            if let Scalar::Text(text) = &value {
                words.add(text);
            }
        }
        Self { text, values, words }
    }

    /// Counts the four columns of these rows.
    pub(super) fn count(
        &self,
        reference: &Reference,
        rows: &[usize],
        counts: &mut [ColumnCounts],
        mut together: Option<&mut Together<'_>>,
    ) {
        for (at, &row) in rows.iter().enumerate() {
            let whole = match self.values.get(row) {
                Scalar::Text(words) => {
                    let TextFigures { length, words, unseen, grams } = self.words.figures(&self.text.vocabulary, &words);
                    let numbers = [(self.text.length, Some(length)), (self.text.words, Some(words)), (self.text.unseen, unseen)];
                    for (input, number) in numbers {
                        let number = number.map_or(Scalar::Null, Scalar::Number);
                        let place = reference.inputs[input].column.place(&number);
                        reference.inputs[input].column.count(place, &mut counts[input]);
                        together.iter_mut().for_each(|together| together.note(input, at, &number, place));
                    }
                    counts[self.text.grams].slots.iter_mut().zip(&grams).for_each(|(sum, count)| *sum += count);
                    continue;
                }
                Scalar::Null => Place::Missing,
                Scalar::NonFinite => Place::Invalid(InvalidReason::NonFinite),
                _ => Place::Invalid(InvalidReason::WrongType),
            };
            self.text.places().into_iter().for_each(|input| reference.inputs[input].column.count(whole, &mut counts[input]));
        }
    }
}

/// A vector feature of a table.
pub(super) struct VectorRows<'a> {
    input: usize,
    values: &'a ColumnValues,
    reference: &'a Reference,
    /// Its place among the reference's vectors and the map to features; `None`: it has no vector there, or they are not asked for.
    projection: Option<(usize, Projection)>,
    /// Every so many-th row is projected.
    every: usize,
}

impl<'a> VectorRows<'a> {
    /// The vectors of the input at that place, in a table of so many rows.
    pub(super) fn new(reference: &'a Reference, input: usize, values: &'a ColumnValues, projected: bool, rows: usize) -> Self {
        let known = reference.encodings.vectors.iter().enumerate().find(|(_, vector)| projected && vector.input == input);
        let projection = known.map(|(place, vector)| (place, vector.projection()));
        Self { input, values, reference, projection, every: rows.div_ceil(MOST_VECTORS).max(1) }
    }

    /// Counts these rows, and adds the features of their vectors.
    pub(super) fn count(&self, rows: &[usize], pane: &mut InputPane) {
        let mut units = Vec::new();
        for (at, &row) in rows.iter().enumerate() {
            let value = self.values.get(row);
            let mut place = self.reference.inputs[self.input].column.place(&value);
            if let (Place::Slot(_), Scalar::Vector(vector), Some((known, projection))) = (place, &value, &self.projection)
                && at % self.every == 0
            {
                if projection.features(vector, &mut units) {
                    pane.vectors[*known].add(&units);
                } else {
                    place = Place::Invalid(InvalidReason::OutOfRange);
                }
            }
            self.reference.inputs[self.input].column.count(place, &mut pane.inputs[self.input]);
        }
    }
}
