//! Which layer wins, and what is said about it.

use super::*;
use crate::edge::ingest::StartAt;

#[test]
fn the_environment_lies_over_the_file_over_the_defaults() {
    let text = format!("[window]\nsize = \"2h\"\nslide = \"10m\"\n{MODEL}");
    let variables = [
        ("DRIFTD__WINDOW__SIZE", "4h"),
        ("DRIFTD__EVENTS__MAX_FEATURES", "7"),
        ("DRIFTD__JOIN__MATURE_COVERAGE", "0.5"),
        ("DRIFTD__KAFKA__PREDICTIONS", "a, b"),
        ("DRIFTD__KAFKA__START", "latest"),
        ("DRIFTD__DAEMON__ENVIRONMENT", "42"),
        ("DRIFTD__LOG__LEVEL", ""),
        ("UNRELATED__WINDOW__SIZE", "1s"),
    ];
    let loaded = load_with_env(&text, &variables).unwrap();
    let config = &loaded.config;
    assert_eq!((config.engine.window.size_ms, config.engine.window.slide_ms, config.engine.window.idle_ms), (14_400_000, 600_000, 30_000));
    assert_eq!((config.events.max_features, config.engine.join.mature_coverage), (7, 0.5));
    assert_eq!(config.kafka.predictions, ["a", "b"]);
    assert_eq!(config.kafka.start, StartAt::Latest);
    assert_eq!(config.engine.alerting.environment.as_ref(), "42");
    assert_eq!(config.log.level, "info");

    let said = |path: &str| {
        let Effective { value, origin, is_default, .. } = effective(&loaded, path);
        (value.clone(), origin.to_string(), *is_default)
    };
    assert_eq!(said("window.size"), ("\"4h\"".into(), "environment DRIFTD__WINDOW__SIZE".into(), false));
    assert_eq!(said("window.slide"), ("\"10m\"".into(), "c.toml:3".into(), false));
    assert_eq!(said("window.idle"), ("\"30s\"".into(), "default".into(), true));
    assert_eq!(said("model[0].name"), ("\"m\"".into(), "c.toml:5".into(), false));
    assert_eq!(said("model[0].rule.service.service.throughput_rps").1, "rules alerts/default.toml");
    let warned: Vec<String> = loaded.warnings.iter().map(Problem::to_string).collect();
    assert_eq!(
        warned,
        [
            "DRIFTD__LOG__LEVEL: is set but empty, and was ignored",
            "receiver: is missing, so nobody is told when an alert fires: write a [[receiver]] block",
        ]
    );
}

#[test]
fn variables_that_fit_nothing() {
    for (variable, value, expected) in [
        ("DRIFTD__WINDOW__SIEZ", "1h", "window.siez: no such key, did you mean `size`?"),
        ("DRIFTD__WINDOWS__SIZE", "1h", "windows: no such section, did you mean `window`?"),
        (
            "DRIFTD__WINDOW__SIZE",
            "long",
            "window.size: \"long\" is no duration: write e.g. \"250ms\", \"30s\", \"5m\", \"1h30m\" or \"7d\"",
        ),
        ("DRIFTD__EVENTS__MAX_FEATURES", "many", "events.max_features: is a whole number, but the text \"many\" stands there"),
        ("DRIFTD__MODEL__NAME", "x", "DRIFTD__MODEL__NAME: the environment sets single values; write the [[model]] block in the file"),
        ("DRIFTD__SIZE", "1h", "DRIFTD__SIZE: names no key: write DRIFTD__SECTION__KEY in capitals, e.g. DRIFTD__WINDOW__SIZE"),
    ] {
        assert_eq!(problems(MODEL, &[(variable, value)]), [expected]);
    }
}

#[test]
fn a_table_that_only_the_environment_names() {
    let loaded =
        load_with_env(MODEL, &[("DRIFTD__RETRAIN__URL", "http://localhost:9/retrain"), ("DRIFTD__RETRAIN__COOLDOWN", "1h")]).unwrap();
    assert_eq!(loaded.config.engine.alerting.retrain.as_ref().map(|r| r.cooldown_ms), Some(3_600_000));
    assert_eq!(effective(&loaded, "retrain.cooldown").origin, Origin::Environment("DRIFTD__RETRAIN__COOLDOWN".into()));
}

#[test]
fn paths_count_from_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    std::fs::write(place("f.reference"), "x").unwrap();
    std::fs::write(place("c.toml"), format!("[daemon]\nstate_dir = \"s\"\n{MODEL}reference = {{ file = \"f.reference\", version = 3 }}\n"))
        .unwrap();
    let loaded = load(&place("c.toml"), &env(&[])).unwrap();
    assert_eq!(loaded.config.daemon.state_dir, place("s"));
    assert_eq!(loaded.config.resolve("f.reference"), place("f.reference"));
    assert_eq!(effective(&loaded, "model[0].reference").value, "{ file = \"f.reference\", version = \"3\" }");
}
