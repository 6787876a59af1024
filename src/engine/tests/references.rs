//! What versions of a model share of a reference file, and what the state holds of it.

use super::script::{Script, settings};
use super::traffic;
use crate::engine::reference::Reference;
use crate::engine::reference::compile::{CompileSpec, compile};
use crate::engine::reference::table::{Column, Table};
use crate::engine::settings::{NewVersion, ReferencePolicy, Settings, Task};
use crate::engine::shard::References;
use crate::event::Scalar;
use std::sync::Arc;

/// Values of `x` and answers as the scripts' traffic has them.
fn file(rows: usize) -> Arc<Reference> {
    let number = |n: usize| Scalar::Number(n as f64);
    let x = Column::of("x", (0..rows).map(|n| number(n % 20))).within_features();
    let columns =
        vec![x, Column::of("prediction", (0..rows).map(|n| number(n % 2))), Column::of("label", (0..rows).map(|n| number(n % 2)))];
    let spec = CompileSpec { task: Some(Task::Binary), positive: Some("1".into()), ..CompileSpec::default() };
    Arc::new(compile(&Table::new(columns), &spec).unwrap().reference)
}

/// The scripts' model with a file that is of version `v1`; later versions inherit its inputs.
fn with_file() -> Settings {
    let mut settings = settings();
    let mut model = (*settings.models[0]).clone();
    model.reference = ReferencePolicy::File { path: "m.reference".into(), version: Some("v1".into()) };
    model.new_version = NewVersion::Inherit { rows: 50 };
    settings.models = vec![Arc::new(model)];
    settings
}

fn files(file: &Arc<Reference>) -> References {
    References::from([("m.reference".into(), Arc::clone(file))])
}

fn known(script: &Script, version: &str) -> Option<Arc<Reference>> {
    script.evaluator.models().find(|model| *model.key.version == *version)?.reference.clone()
}

#[test]
fn versions_share_the_inputs_of_a_file_over_a_restart() {
    let file = file(400);
    let mut script = Script::with_references(with_file(), files(&file));
    traffic(&mut script, "v1", 0, 20, |_| false);
    // v2 learns its outputs, v3 has not come so far
    traffic(&mut script, "v2", 20, 40, |_| false);
    traffic(&mut script, "v3", 40, 42, |_| false);
    for restarts in 0..2 {
        let versions: Vec<Arc<Reference>> = ["v1", "v2", "v3"].iter().filter_map(|version| known(&script, version)).collect();
        assert_eq!(versions.len(), 3, "{restarts}");
        assert!(Arc::ptr_eq(&versions[0], &file));
        assert!(versions.iter().all(|reference| Arc::ptr_eq(&reference.inputs, &file.inputs)), "{restarts}");
        assert!(versions[1].outputs.prediction.is_some() && versions[2].outputs.prediction.is_none());
        script.restart();
        // the evaluator hears of its models with the next slide
        traffic(&mut script, "v3", 42, 44, |_| false);
    }
}

#[test]
fn a_snapshot_holds_nothing_that_the_file_says() {
    let size = |file: Arc<Reference>| {
        let mut script = Script::with_references(with_file(), files(&file));
        traffic(&mut script, "v1", 0, 1, |_| false);
        script.written_bytes()
    };
    assert!(size(file(20_000)).abs_diff(size(file(20))) < 20, "the same but for the length of a number or two");
}

#[test]
fn a_model_that_comes_back_finds_its_file_again() {
    let file = file(400);
    let mut script = Script::with_references(with_file(), files(&file));
    traffic(&mut script, "v1", 0, 20, |_| false);
    let without = Settings { models: Vec::new(), ..with_file() };
    script.restart_with_notes(without, 1);
    script.restart_with(with_file());
    traffic(&mut script, "v1", 20, 40, |_| false);
    assert!(known(&script, "v1").is_some_and(|reference| Arc::ptr_eq(&reference, &file)));
}
