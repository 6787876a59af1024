//! Text features: each becomes columns that are counted as any other (`comment#length`, `comment#words`, …).

use super::numeric::{Names, Range, Resolution, numeric_column};
use super::{CompileSpec, CompiledColumn, Note, note_column};
use crate::engine::reference::table::{Column, ColumnValues};
use crate::engine::reference::text::{GRAM_BUCKETS, TextFigures, TextReference, Vocabulary, WordCounts, derived_names};
use crate::engine::reference::{ColumnReference, FeatureReference, Slots};
use crate::engine::summary::ColumnCounts;
use crate::event::{InvalidReason, Scalar};
use std::sync::Arc;

/// Whether a column has the name of one that is made of a text.
pub(super) fn is_derived(name: &str, spec: &CompileSpec) -> bool {
    name.contains('#') && spec.text.iter().any(|text| derived_names(text).iter().any(|derived| **derived == *name))
}

/// Compiles text features, which are sorted by name; their columns are put among `inputs` (and `distinct`) in the order of names. Beside them
/// the cells of those that are numbers.
pub(super) fn compile_texts<'a>(
    columns: impl Iterator<Item = &'a Column>,
    spec: &CompileSpec,
    inputs: &mut Vec<FeatureReference>,
    distinct: &mut Vec<u64>,
    notes: &mut Vec<Note>,
) -> (Vec<TextReference>, Vec<(Arc<str>, ColumnValues)>) {
    let (mut texts, mut cells) = (Vec::new(), Vec::new());
    for column in columns {
        let (vocabulary, numbers, compiled) = text_columns(&column.values, spec.resolution());
        let names = derived_names(&column.name);
        cells.extend(names.iter().cloned().zip(numbers));
        for (name, compiled) in names.iter().zip(compiled) {
            note_column(name, &compiled, notes);
            let place = inputs.partition_point(|input| input.name < *name);
            inputs.insert(place, FeatureReference { name: Arc::clone(name), column: compiled.column });
            distinct.insert(place, compiled.distinct);
        }
        texts.push((Arc::clone(&column.name), vocabulary));
    }
    // only now, because a later text moves the columns of an earlier one
    let place = |name: &Arc<str>| inputs.partition_point(|input| input.name < *name);
    let reference = |(source, vocabulary): (Arc<str>, Vocabulary)| {
        let [length, words, unseen, grams] = derived_names(&source).each_ref().map(place);
        TextReference { source, length, words, unseen, grams, vocabulary }
    };
    (texts.into_iter().map(reference).collect(), cells)
}

/// The words of a text column, the cells of its columns of numbers, and its columns in the order of [`derived_names`].
fn text_columns(values: &ColumnValues, resolution: Resolution) -> (Vocabulary, [ColumnValues; 3], [CompiledColumn; 4]) {
    let mut words = WordCounts::default();
    for value in values.iter() {
        if let Scalar::Text(text) = &value {
            words.add(text);
        }
    }
    let vocabulary = words.vocabulary();
    let mut numbers: [ColumnValues; 3] = Default::default();
    let mut grams = ColumnCounts::new(GRAM_BUCKETS);
    for value in values.iter() {
        let cells = match &value {
            Scalar::Text(text) => {
                let TextFigures { length, words, unseen, grams: counts } = words.figures(&vocabulary, text);
                grams.slots.iter_mut().zip(&counts).for_each(|(sum, count)| *sum += count);
                [Scalar::Number(length), Scalar::Number(words), unseen.map_or(Scalar::Null, Scalar::Number)]
            }
            Scalar::Null => {
                grams.missing += 1;
                [Scalar::Null, Scalar::Null, Scalar::Null]
            }
            _ => {
                grams.add_invalid(InvalidReason::WrongType);
                [Scalar::Structured, Scalar::Structured, Scalar::Structured]
            }
        };
        numbers.iter_mut().zip(&cells).for_each(|(column, cell)| column.push(cell));
    }
    let [length, words, unseen] = numbers.each_ref().map(|values| numeric_column(values, resolution, Range::Finite, Names::Invalid));
    (vocabulary, numbers, [length, words, unseen, gram_column(grams)])
}

fn gram_column(counts: ColumnCounts) -> CompiledColumn {
    let distinct = counts.slots.iter().filter(|&&count| count > 0).count() as u64;
    let bins = (0..GRAM_BUCKETS as u16).collect();
    let column = ColumnReference { slots: Slots::Hashed(GRAM_BUCKETS), counts, bins, n_bins: GRAM_BUCKETS as u16, moments: None };
    CompiledColumn { column, distinct }
}
