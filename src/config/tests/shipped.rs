//! The configurations that come with driftd work as they stand.

use super::*;
use crate::edge::notify::Channel;
use crate::engine::settings::{DetectorSettings, NewVersion, ReferencePolicy, Task};

fn shipped(name: &str, pairs: &[(&str, &str)]) -> Loaded {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name);
    load(&path, &env(pairs)).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_commented_file_is_the_table_of_defaults() {
    let loaded = shipped("driftd.toml", &[("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/x")]);
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    let required = ["model[0].name", "model[0].task", "receiver[0].name", "receiver[0].type", "receiver[0].url_env", "receiver[0].url"];
    for value in loaded.effective.iter().filter(|value| !value.path.contains(".rule.")) {
        assert_eq!(value.is_default, !required.contains(&value.path.as_str()), "{value:?}");
    }
    let model = &loaded.config.engine.models[0];
    assert_eq!((model.task, model.positive.as_deref(), model.cells), (Task::Binary, Some("1"), 256));
    assert_eq!((&model.reference, model.new_version), (&ReferencePolicy::Learn { rows: 10_000 }, NewVersion::Inherit { rows: 10_000 }));
    assert_eq!(model.detectors, DetectorSettings::default());
    assert_eq!(loaded.config.engine.window.size_ms, 3_600_000);
    assert_eq!(loaded.config.daemon.listen.to_string(), "127.0.0.1:9464");
    assert_eq!(loaded.config.events, crate::edge::decode::DecodeSettings::default());
}

#[test]
fn the_minimal_file_says_the_same_as_nothing_but_a_model() {
    let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let variables = [("SLACK_WEBHOOK_URL", "https://hooks.slack.com/x"), ("RETRAIN_URL", "https://ci/x"), ("RETRAIN_SECRET", secret)];
    let loaded = shipped("minimal.toml", &variables);
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    let names: Vec<&str> = loaded.config.channels.iter().map(|channel| channel.name.as_ref()).collect();
    assert_eq!(names, ["team", "retrain"]);
    assert!(matches!(loaded.config.channels[1].channel, Channel::Webhook { secret: Some(_), .. }));
    assert_eq!(
        loaded.config.engine.alerting.retrain.as_ref().map(|r| (r.cooldown_ms, r.daily_budget, r.min_labels)),
        Some((21_600_000, 4, 1000))
    );
}
