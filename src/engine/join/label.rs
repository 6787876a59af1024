//! What a label says.

use super::ALLOCATION_BYTES;
use crate::event::{Position, Timestamp};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A relevant item: its hash and its gain.
pub type RelevantItem = (u64, f64);

/// What a label says, wherever that is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Told<'a> {
    /// The label in canonical text; empty where it is a list.
    pub label: Cow<'a, str>,
    /// The relevant items where the label is a list, each once, by hash.
    pub items: Option<Cow<'a, [RelevantItem]>>,
    /// When it became known.
    pub timestamp: Timestamp,
    /// Name of the model, where the label says it.
    pub model: Option<&'a str>,
    /// Where it stood in the log.
    pub position: Position,
}

/// A label that came before its prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaitingLabel {
    /// The label in canonical text; empty where it is a list.
    pub label: Box<str>,
    /// The relevant items where the label is a list, each once, by hash.
    pub items: Option<Box<[RelevantItem]>>,
    /// When it became known.
    pub timestamp: Timestamp,
    /// Name of the model, where the label says it.
    pub model: Option<Box<str>>,
    /// Where it stood in the log.
    pub position: Position,
}

impl WaitingLabel {
    /// What it says.
    pub fn told(&self) -> Told<'_> {
        let items = self.items.as_deref().map(Cow::Borrowed);
        let (label, model) = (Cow::Borrowed(self.label.as_ref()), self.model.as_deref());
        Told { label, items, timestamp: self.timestamp, model, position: self.position }
    }

    /// Most bytes that it takes outside of itself.
    pub(super) fn heap_bytes(&self) -> usize {
        let texts = [Some(self.label.len()), self.model.as_ref().map(|model| model.len())];
        let items = self.items.as_ref().map(|items| size_of_val(items.as_ref()));
        texts.into_iter().chain([items]).flatten().filter(|&bytes| bytes > 0).map(|bytes| ALLOCATION_BYTES + bytes).sum()
    }
}

impl From<Told<'_>> for WaitingLabel {
    fn from(told: Told<'_>) -> Self {
        Self {
            label: told.label.into(),
            items: told.items.map(|items| items.into_owned().into()),
            timestamp: told.timestamp,
            model: told.model.map(Into::into),
            position: told.position,
        }
    }
}
