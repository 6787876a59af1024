//! What the shard tells the evaluator: panes, and what the model versions behind them are compared with.

use crate::engine::reference::Reference;
use crate::engine::settings::ModelSettings;
use crate::engine::window::PaneUpdate;
use crate::event::ModelKey;
use std::sync::Arc;

/// What the evaluator is to hear.
#[derive(Debug, Default)]
pub struct Published {
    /// Model versions that are new or whose reference or classes changed.
    pub models: Vec<ModelFacts>,
    /// Panes that closed or changed, cumulative.
    pub panes: Vec<PaneUpdate>,
}

/// What the evaluator must know of a model version.
#[derive(Debug, Clone)]
pub struct ModelFacts {
    /// The model version.
    pub key: ModelKey,
    /// Its settings.
    pub settings: Arc<ModelSettings>,
    /// What its windows are compared with, as far as it is known.
    pub reference: Option<Arc<Reference>>,
    /// Its classes by place.
    pub classes: Arc<[Arc<str>]>,
    /// Whether (a part of) the reference is still being learned.
    pub learning: bool,
}
