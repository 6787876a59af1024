//! One model version as a shard knows it.

use super::detect::Detectors;
use super::known::Known;
use super::sample::Sample;
use super::scored::{ScoredClass, scored_classes};
use crate::engine::catalogue::{Metric, MetricSet};
use crate::engine::join::Classes;
use crate::engine::published::ModelFacts;
use crate::engine::reference::vectors::{Projection, VectorReference};
use crate::engine::reference::{ByName, Place, Reference};
use crate::engine::settings::{DEFAULT_BETA, DEFAULT_BINS, DEFAULT_K, DetectorSettings, ModelSettings, NewVersion, ReferencePolicy, Task};
use crate::event::{Features, ModelKey, Scalar, SharedNames};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Compiled references by the path under which the configuration names them.
pub type References = BTreeMap<Arc<str>, Arc<Reference>>;

/// What the state remembers of a model version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ModelRecord {
    pub(super) key: ModelKey,
    pub(super) classes: Classes,
    /// What its windows are compared with, as far as it is known.
    pub(super) reference: Known,
    /// Id of the configured file behind it, so that a changed file is noticed.
    pub(super) file_id: Option<Arc<str>>,
    pub(super) learning: Option<Sample>,
    /// Centre and spread for the exact sums of a regression; fixed for the life of the state, because sums of one scale only can be added.
    pub(super) scale: Option<(f64, f64)>,
    /// The change detectors that rules look at.
    pub(super) detectors: Detectors,
    /// The stream of the whole.
    pub(super) whole: u32,
    pub(super) segments: BTreeMap<String, u32>,
}

/// What is derived from a record and its settings.
#[derive(Debug, Clone)]
pub(super) struct ModelRuntime {
    pub(super) settings: Arc<ModelSettings>,
    /// Where each feature of an event goes.
    inputs: ByName<Source>,
    /// The same for the shared names of the last event, in their order.
    order: Option<(SharedNames, Box<[Option<Source>]>)>,
    /// Whether the event at hand has just those names.
    in_order: bool,
    /// The route of predictions that are counted in the whole stream only, once there was one.
    pub(super) whole_route: Option<u32>,
    /// Where each class is counted in the reference's prediction column, in the order of the label map.
    class_slots: Vec<Place>,
    /// Whether a metric is read from the scores that are remembered.
    pub(super) needs_scores: bool,
    /// The classes whose scores are counted for estimated quality.
    pub(super) scored: Vec<ScoredClass>,
    /// Maps of the reference's vectors to features; empty where nobody asks for them.
    pub(super) projections: Vec<Projection>,
    /// For each input its place among the inputs that are looked at together; empty where nobody asks for them.
    pub(super) dimensions: Vec<Option<usize>>,
    /// Whether the evaluator has yet to hear of the record's reference and classes.
    pub(super) changed: bool,
}

/// Where a feature of an event goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Into the input at this place of the reference.
    Input(usize),
    /// Into the inputs that are made of the text at this place of the reference's texts.
    Text(usize),
    /// Into the input of the vector at this place of the reference's vectors.
    Vector(usize),
}

/// Where each feature goes; what is made of a text goes by the name of the text, never by its own.
fn sources(reference: &Reference) -> ByName<Source> {
    let encodings = &reference.encodings;
    let inputs = reference.inputs.iter().enumerate().filter(|(_, f)| encodings.source_of(&f.name).is_none());
    let inputs = inputs.map(|(place, f)| {
        let vector = encodings.vectors.iter().position(|vector| vector.input == place);
        (Arc::clone(&f.name), vector.map_or(Source::Input(place), Source::Vector))
    });
    inputs.chain(encodings.texts.iter().enumerate().map(|(place, text)| (Arc::clone(&text.source), Source::Text(place)))).collect()
}

impl ModelRecord {
    /// Begins to watch a model version.
    pub(super) fn new(key: ModelKey, settings: &ModelSettings, references: &References, whole: u32) -> Self {
        let (reference, learning, file_id) = starting_reference(&key, settings, references);
        let known = reference.as_ref().map(|r| r.outputs.classes.clone()).unwrap_or_default();
        let classes = match (settings.classes.is_empty(), known.is_empty()) {
            (false, _) => Classes::closed(settings.classes.clone()),
            (true, false) => Classes::closed(known),
            (true, true) => Classes::open(),
        };
        let detectors = Detectors::new(settings);
        let mut record = Self { key, classes, reference, file_id, learning, scale: None, detectors, whole, segments: BTreeMap::new() };
        record.scale = record.reference_scale();
        record
    }

    /// Continues under the present settings; `true` where the configured reference file is another one, so that the panes counted by the old one are void.
    pub(super) fn adopt(&mut self, settings: &ModelSettings, references: &References) -> bool {
        let (reference, learning, file_id) = starting_reference(&self.key, settings, references);
        if file_id == self.file_id {
            if let Some(file) = configured(settings, references) {
                self.reference.find_in(file);
            }
            return false;
        }
        (self.reference, self.learning, self.file_id) = (reference, learning, file_id);
        if let Some(reference) = self.reference.as_ref().filter(|r| !r.outputs.classes.is_empty()) {
            self.classes = Classes::closed(reference.outputs.classes.clone());
        }
        self.scale = self.reference_scale();
        true
    }

    fn reference_scale(&self) -> Option<(f64, f64)> {
        let outputs = &self.reference.as_ref()?.outputs;
        let moments = outputs.label.as_ref().or(outputs.prediction.as_ref())?.moments?;
        Some((moments.mean, moments.std))
    }

    /// What the evaluator must know.
    pub(super) fn facts(&self, settings: &Arc<ModelSettings>) -> ModelFacts {
        ModelFacts {
            key: self.key.clone(),
            settings: Arc::clone(settings),
            reference: self.reference.as_ref().map(Arc::clone),
            classes: self.classes.names().into(),
            learning: self.learning.is_some(),
        }
    }
}

impl ModelRuntime {
    pub(super) fn new(settings: Arc<ModelSettings>, record: &ModelRecord) -> Self {
        let (inputs, scored, projections, dimensions) = Default::default();
        let needs_scores = settings.needs_scores();
        let mut runtime = Self {
            settings,
            inputs,
            order: None,
            in_order: false,
            whole_route: None,
            class_slots: Vec::new(),
            needs_scores,
            scored,
            projections,
            dimensions,
            changed: true,
        };
        runtime.refresh(record);
        runtime
    }

    /// Follows a change of the record's reference or classes.
    pub(super) fn refresh(&mut self, record: &ModelRecord) {
        self.inputs = record.reference.as_deref().map(sources).unwrap_or_default();
        self.order = None;
        self.class_slots.clear();
        let wants = |metric| self.settings.metrics.contains(metric);
        let reference = record.reference.as_deref();
        let projections =
            reference.filter(|_| wants(Metric::Mmd)).map(|r| r.encodings.vectors.iter().map(VectorReference::projection).collect());
        let together = reference.filter(|_| wants(Metric::PcaError) || wants(Metric::Frechet));
        let dimensions = together.and_then(|r| {
            let mut places = vec![None; r.inputs.len()];
            r.encodings.moments.as_ref()?.dimensions.iter().enumerate().for_each(|(d, dimension)| places[dimension.input] = Some(d));
            Some(places)
        });
        (self.projections, self.dimensions) = (projections.unwrap_or_default(), dimensions.unwrap_or_default());
        self.scored = scored_classes(&self.settings, record);
        self.changed = true;
    }

    /// Takes in the names of an event's features before [`ModelRuntime::source`] is asked.
    pub(super) fn learn_names(&mut self, features: &Features<'_>) {
        let shared = features.shared_names();
        self.in_order = shared.is_some();
        if let Some(names) = shared
            && !self.order.as_ref().is_some_and(|(known, _)| Arc::ptr_eq(known, names))
        {
            let sources = names.iter().map(|name| self.inputs.get(&**name).copied()).collect();
            self.order = Some((Arc::clone(names), sources));
        }
    }

    /// Where the feature at that place of an event goes; `None`: the reference does not have it.
    #[inline]
    pub(super) fn source(&self, at: usize, features: &Features<'_>) -> Option<Source> {
        match &self.order {
            Some((_, sources)) if self.in_order => sources.get(at).copied().flatten(),
            _ => self.inputs.get(features.name(at)).copied(),
        }
    }

    /// The slot of a class in the reference's prediction column.
    pub(super) fn class_slot(&mut self, record: &ModelRecord, class: u16) -> Place {
        let Some(column) = record.reference.as_ref().and_then(|r| r.outputs.prediction.as_ref()) else { return Place::Missing };
        let names = record.classes.names();
        // a label map that is open grows at its end
        let new = names.iter().skip(self.class_slots.len()).map(|name| column.place(&Scalar::Text(name.as_ref().into())));
        self.class_slots.extend(new);
        self.class_slots.get(usize::from(class)).copied().unwrap_or(Place::Missing)
    }

    /// Whether the model answers with numbers.
    pub(super) fn is_regression(&self) -> bool {
        self.settings.task == Task::Regression
    }

    /// Whether the model answers with lists.
    pub(super) fn is_ranking(&self) -> bool {
        self.settings.task == Task::Ranking
    }
}

/// The reference file that the settings name.
fn configured<'a>(settings: &ModelSettings, references: &'a References) -> Option<&'a Arc<Reference>> {
    match &settings.reference {
        ReferencePolicy::File { path, .. } => references.get(path),
        ReferencePolicy::Learn { .. } => None,
    }
}

/// The reference a version begins with, what it has yet to learn, and the id of the file behind it.
fn starting_reference(key: &ModelKey, settings: &ModelSettings, references: &References) -> (Known, Option<Sample>, Option<Arc<str>>) {
    let owner = match &settings.reference {
        ReferencePolicy::Learn { rows } => return (Known::default(), Some(Sample::everything(*rows)), None),
        ReferencePolicy::File { version, .. } => version,
    };
    let Some(file) = configured(settings, references) else { return (Known::default(), None, None) };
    let id = Some(Arc::clone(&file.id));
    if owner.as_ref().is_none_or(|v| *v == key.version) {
        return (Known::of_file(file), None, id);
    }
    match settings.new_version {
        NewVersion::Learn { rows } => (Known::default(), Some(Sample::everything(rows)), id),
        NewVersion::Inherit { rows } => (Known::inherited(file), Some(Sample::outputs(rows)), id),
    }
}

/// Settings for a model of the state that the configuration no longer takes: its panes end, nothing is judged.
pub(super) fn unwatched(name: &str) -> ModelSettings {
    ModelSettings {
        name: name.into(),
        task: Task::Binary,
        positive: None,
        classes: Vec::new(),
        reference: ReferencePolicy::Learn { rows: usize::MAX },
        new_version: NewVersion::Inherit { rows: usize::MAX },
        cells: 1,
        bins: DEFAULT_BINS,
        kinds: BTreeMap::new(),
        segments: Vec::new(),
        ignore: Vec::new(),
        metrics: MetricSet::default(),
        estimate: false,
        k: DEFAULT_K,
        beta: DEFAULT_BETA,
        costs: None,
        decision_thresholds: Vec::new(),
        detectors: DetectorSettings::default(),
        rules: Vec::new(),
    }
}

/// Whether `name` fits a pattern in which `*` stands for any text.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns() {
        for (pattern, name, want) in [
            ("fraud", "fraud", true),
            ("fraud", "fraud-eu", false),
            ("fraud-*", "fraud-eu", true),
            ("*", "", true),
            ("*-eu", "fraud-eu", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abde", false),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(fits(pattern, name), want, "{pattern} {name}");
        }
    }
}
