//! What a model version is compared with, and how much of it belongs into the state.
//!
//! Invariant: what a configured file says is not kept a second time, neither in a snapshot nor in memory: versions that share a file share its cells.

use crate::engine::reference::Reference;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ops::Deref;
use std::sync::Arc;

/// The reference of a model version, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Known {
    reference: Option<Arc<Reference>>,
    origin: Origin,
}

/// Where a reference comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Origin {
    /// It was learned, at least a part of it: it is in the state alone.
    #[default]
    Learned,
    /// The configured file.
    File,
    /// The configured file of another version, without what is that version's own.
    Inherited,
}

impl Known {
    /// One that was learned.
    pub(super) fn learned(reference: Reference) -> Self {
        Self { reference: Some(Arc::new(reference)), origin: Origin::Learned }
    }

    /// That of the configured file.
    pub(super) fn of_file(file: &Arc<Reference>) -> Self {
        Self { reference: Some(Arc::clone(file)), origin: Origin::File }
    }

    /// What another version has of the configured file: the inputs, and what quality was worth. How far scores can be trusted is a property of the model
    /// that gave them.
    pub(super) fn inherited(file: &Reference) -> Self {
        let mut reference = file.clone();
        let outputs = &mut reference.outputs;
        (outputs.prediction, outputs.score, outputs.label, outputs.expectation) = Default::default();
        Self { reference: Some(Arc::new(reference)), origin: Origin::Inherited }
    }

    /// Finds again, in the file that it came from, what a snapshot does not hold.
    pub(super) fn find_in(&mut self, file: &Arc<Reference>) {
        match (self.origin, &mut self.reference) {
            (Origin::File, _) => *self = Self::of_file(file),
            (Origin::Inherited, _) => *self = Self::inherited(file),
            (Origin::Learned, Some(learned)) if learned.inputs == file.inputs => {
                Arc::make_mut(learned).inputs = Arc::clone(&file.inputs);
            }
            (Origin::Learned, _) => {}
        }
    }
}

impl Deref for Known {
    type Target = Option<Arc<Reference>>;

    fn deref(&self) -> &Self::Target {
        &self.reference
    }
}

impl Serialize for Known {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kept = self.reference.as_ref().filter(|_| self.origin == Origin::Learned);
        (self.origin, kept).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Known {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (origin, reference) = Deserialize::deserialize(deserializer)?;
        Ok(Self { reference, origin })
    }
}
