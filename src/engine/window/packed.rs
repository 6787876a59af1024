//! Closed panes: what was counted, as bytes (invariant of [`Packed`]: unpacked they are what was packed).
//!
//! First the columns as [`Packer`] writes them, then what else a pane has (postcard). Beside the bytes stands what is asked for more often than a sum.

use super::{InputPane, OutcomePane};
use crate::engine::part::{PartError, PartId, PartSource, Parts};
use crate::engine::summary::{ColumnCounts, NameCounts, Packer, Unpacker};
use crate::event::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A pane that has a closed form.
pub trait Pane: Sized {
    /// What is known of a closed one without unpacking it.
    type Head: fmt::Debug + Clone + PartialEq + Serialize + for<'de> Deserialize<'de>;

    /// The closed form.
    fn pack(&self) -> Packed<Self::Head>;
    /// The pane that was packed.
    fn unpack(packed: &Packed<Self::Head>) -> Self;
}

/// A closed pane.
#[derive(Debug, Clone, PartialEq)]
pub struct Packed<H> {
    head: H,
    /// The name of its bytes, in a snapshot.
    part: PartId,
    bytes: Arc<[u8]>,
}

/// A closed pane as it stands in a snapshot: its bytes are a part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PackedRecord<H> {
    head: H,
    part: PartId,
}

/// A closed pane of requests.
pub type PackedInput = Packed<InputHead>;

/// A closed pane of outcomes. It is opened again by the next label that belongs to it.
pub type PackedOutcome = Packed<OutcomeHead>;

/// What is known of an [`InputPane`] without unpacking it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputHead {
    /// See [`InputPane::requests`].
    pub requests: u64,
    /// See [`InputPane::span`].
    pub span: Option<(Timestamp, Timestamp)>,
    /// See [`InputPane::new_features`].
    pub new_features: NameCounts,
}

/// What is known of an [`OutcomePane`] without unpacking it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeHead {
    /// See [`OutcomePane::expected`].
    pub expected: u64,
    /// See [`OutcomePane::labelled`].
    pub labelled: u64,
    /// See [`OutcomePane::revised`].
    pub revised: u64,
    /// See [`OutcomePane::last_label`].
    pub last_label: Option<Timestamp>,
}

impl<H> Packed<H> {
    /// What is known without unpacking.
    pub fn head(&self) -> &H {
        &self.head
    }

    fn new(head: H, bytes: Vec<u8>) -> Self {
        Self { head, part: PartId::of(&bytes), bytes: bytes.into() }
    }

    /// The packed columns, and behind them the rest.
    pub(super) fn columns(&self) -> Unpacker<'_> {
        Unpacker::new(&self.bytes)
    }

    /// Bytes that it has on the heap, but for names of new features, of which there are hardly any.
    pub fn heap_bytes(&self) -> usize {
        self.bytes.len()
    }
}

impl<H: Clone> Packed<H> {
    /// What stands of it in a snapshot.
    pub fn record(&self, parts: &mut Parts<'_>) -> PackedRecord<H> {
        parts.add(self.part, || Arc::clone(&self.bytes));
        PackedRecord { head: self.head.clone(), part: self.part }
    }
}

impl<H> PackedRecord<H> {
    /// The pane again.
    pub fn open(self, parts: &PartSource) -> Result<Packed<H>, PartError> {
        let bytes = Arc::clone(parts.get(self.part)?);
        Ok(Packed { head: self.head, part: self.part, bytes })
    }
}

/// What stands behind the columns; nothing where it is not what was packed, which a checksum keeps from happening.
pub(super) fn rest<'a, T: Deserialize<'a>>(bytes: Unpacker<'a>) -> Option<T> {
    let rest = postcard::from_bytes(bytes.rest()).ok();
    debug_assert!(rest.is_some(), "a pane is unpacked by the types that packed it");
    rest
}

/// The columns of a pane with what else it has.
fn packed<'a>(columns: impl Iterator<Item = &'a ColumnCounts>, present: &[bool], n_inputs: usize, pane: &impl Serialize) -> Vec<u8> {
    let mut packer = Packer::default();
    packer.number(n_inputs as u64);
    packer.number(present.iter().rev().fold(0, |bits, &bit| bits << 1 | u64::from(bit)));
    columns.for_each(|column| packer.column(column));
    let written = postcard::to_extend(pane, packer.into_bytes());
    debug_assert!(written.is_ok(), "plain data can be written");
    written.unwrap_or_default()
}

/// How many columns of inputs come first, and which of the two others follow.
pub(super) fn layout(from: &mut Unpacker<'_>) -> (usize, [bool; 2]) {
    let (n_inputs, present) = (from.number(), from.number());
    (n_inputs as usize, [present & 1 != 0, present & 2 != 0])
}

impl Pane for InputPane {
    type Head = InputHead;

    fn pack(&self) -> PackedInput {
        let outputs = [&self.prediction, &self.score];
        let columns = self.inputs.iter().chain(outputs.into_iter().flatten());
        let head = InputHead { requests: self.requests, span: self.span, new_features: self.new_features.clone() };
        Packed::new(head, packed(columns, &outputs.map(Option::is_some), self.inputs.len(), self))
    }

    fn unpack(packed: &PackedInput) -> Self {
        let mut from = packed.columns();
        let (n_inputs, [has_prediction, has_score]) = layout(&mut from);
        let inputs = (0..n_inputs).map(|_| from.column()).collect();
        let (prediction, score) = (has_prediction.then(|| from.column()), has_score.then(|| from.column()));
        let InputHead { requests, span, new_features } = packed.head.clone();
        Self { requests, span, new_features, inputs, prediction, score, ..rest(from).unwrap_or_default() }
    }
}

impl Pane for OutcomePane {
    type Head = OutcomeHead;

    fn pack(&self) -> PackedOutcome {
        let columns = [&self.labels, &self.residuals];
        let Self { expected, labelled, revised, last_label, .. } = *self;
        let head = OutcomeHead { expected, labelled, revised, last_label };
        Packed::new(head, packed(columns.into_iter().flatten(), &columns.map(Option::is_some), 0, self))
    }

    fn unpack(packed: &PackedOutcome) -> Self {
        let mut from = packed.columns();
        let (_, [has_labels, has_residuals]) = layout(&mut from);
        let (labels, residuals) = (has_labels.then(|| from.column()), has_residuals.then(|| from.column()));
        let OutcomeHead { expected, labelled, revised, last_label } = packed.head;
        let rest = rest(from).unwrap_or_else(|| Self::new(super::Quality::Classes(Default::default()), None));
        Self { expected, labelled, revised, last_label, labels, residuals, ..rest }
    }
}
