//! Broken configurations, and exactly what is said about each.

use super::*;

/// A text behind a right `[[model]]`, and the problems.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(problems(&format!("{text}\n{MODEL}"), &[]), expected, "\n{text}");
}

/// Further keys of a `[[model]]`, and the problems.
#[track_caller]
fn check_model(keys: &str, expected: &[&str]) {
    assert_eq!(problems(&format!("[[model]]\nname = \"m\"\n{keys}\n"), &[]), expected, "\n{keys}");
}

#[test]
fn the_single_tables() {
    check("[windw]\nsize = \"1h\"", &["windw: no such section, did you mean `window`?"]);
    check("[colours]", &["colours: no such section"]);
    check("window = 3", &["window: is a table: write [window]"]);
    check("[window]\nlatenes = \"1m\"", &["window.latenes: no such key, did you mean `lateness`?"]);
    check("[window]\nsize = 60", &["window.size: is a duration like \"5m\", but the number 60 stands there"]);
    check(
        "[window]\nsize = \"1 parsec\"",
        &["window.size: \"1 parsec\" is no duration: write e.g. \"250ms\", \"30s\", \"5m\", \"1h30m\" or \"7d\""],
    );
    check("[window]\nslide = \"60s\"\nsize = \"90s\"", &["window.size: \"1m30s\" is not a multiple of window.slide \"1m\""]);
    check("[window]\nslide = \"1500ms\"\nsize = \"3s\"", &["window.slide: \"1s500ms\" is not a multiple of a second"]);
    check("[window]\nslide = \"0s\"", &["window.slide: \"0s\" is shorter than 1s"]);
    check(
        "[window]\nsize = \"30d\"\nslide = \"1s\"",
        &["window.size: makes 2592000 panes of window.slide \"1s\", more than 10000: slide further"],
    );
    check("[window]\nidle = \"11000d\"", &["window.idle: \"11000d\" is longer than 3650d"]);
    check("[daemon]\nlisten = \"9464\"", &["daemon.listen: \"9464\" is no address: write an IP and a port, e.g. \"0.0.0.0:9464\""]);
    check("[daemon]\nstate_dir = \" \"", &["daemon.state_dir: is empty"]);
    check(
        "[daemon]\nenvironment = \"a\\nb\"",
        &["daemon.environment: \"a\\nb\" is no name: at most 64 letters, digits, blanks and - _ . /"],
    );
    check("[log]\nformat = \"jsn\"", &["log.format: \"jsn\" is none of text, json, did you mean `json`?"]);
    check(
        "[log]\nlevel = \"inof\"",
        &["log.level: \"inof\" is no level: write off, error, warn, info, debug or trace, or module=level, did you mean `info`?"],
    );
    check("[events]\nmax_bytes = \"1 mib\"", &["events.max_bytes: \"1 mib\" is no size: write e.g. \"1MiB\", \"512KiB\" or \"100MB\""]);
    check("[events]\nmax_bytes = \"4GiB\"", &["events.max_bytes: \"4GiB\" is not within 64B to 1GiB"]);
    check("[events]\nmax_features = -1", &["events.max_features: -1 is not within 1 to 100000"]);
    check("[events]\nmax_features = \"10\"", &["events.max_features: is a whole number, but the text \"10\" stands there"]);
    check(
        "[events]\nearliest = \"2101-01-01T00:00:00Z\"",
        &["events.latest: \"2100-01-01T00:00:00.000Z\" is not after events.earliest \"2101-01-01T00:00:00.000Z\""],
    );
    check("[events]\nlatest = \"tomorrow\"", &["events.latest: \"tomorrow\" is no time: write e.g. \"2026-01-01T00:00:00Z\""]);
    check("[join]\nhorizon = \"7d\"\nkeep = \"1d\"", &["join.keep: \"1d\" is shorter than join.horizon \"7d\""]);
    check("[join]\nmature_coverage = 1.5", &["join.mature_coverage: 1.5 is not within 0 to 1"]);
    check("[join]\nmature_coverage = nan", &["join.mature_coverage: NaN is not within 0 to 1"]);
    check("[limits]\nmodels = 0", &["limits.models: 0 is not within 1 to 100000"]);
    check("[rules]\nfiles = [\"none.toml\"]", &["rules.files[0]: cannot read /nowhere/none.toml: No such file or directory (os error 2)"]);
}

#[test]
fn kafka() {
    check("[kafka]\nbrokers = \"broker\"", &["kafka.brokers: \"broker\" is no broker: write host:port, comma-separated"]);
    check("[kafka]\ngroup = 7", &["kafka.group: is a text, but the number 7 stands there: put it in quotes"]);
    check("[kafka]\npredictions = \"p\"", &["kafka.predictions: is a list, but the text \"p\" stands there: write [\"…\"]"]);
    check("[kafka]\npredictions = []", &["kafka.predictions: names no topic, so nothing would be read"]);
    check("[kafka]\nlabels = [\"a b\"]", &["kafka.labels: \"a b\" is no topic name: at most 249 letters, digits and . _ -"]);
    check("[kafka]\nlabels = [\"a\", \"a\"]", &["kafka.labels: \"a\" stands there twice"]);
    check("[kafka]\nlabels = [\"a\", 3]", &["kafka.labels: item 1 is a text, but the number 3 stands there: put it in quotes"]);
    check("[kafka]\nproperties = { \"group.id\" = \"x\" }", &["kafka.properties.group.id: is set by driftd: set kafka.group"]);
    check(
        "[kafka]\nproperties = { \"sasl.password\" = \"hunter2\" }",
        &["kafka.properties.sasl.password: is a secret: name the file that holds it in kafka.secrets"],
    );
    check(
        "[kafka]\nsecrets = { \"sasl.password\" = \"no\" }",
        &["kafka.secrets.sasl.password: cannot read /nowhere/no: No such file or directory (os error 2)"],
    );
}

#[test]
fn models() {
    assert_eq!(problems("", &[]), ["model: is missing, so nothing would be watched: write a [[model]] block"]);
    assert_eq!(problems("[model]\nname = \"m\"", &[]), ["model: is a list of blocks: write [[model]]"]);
    assert_eq!(problems("model = [1]", &[]), ["model[0]: is a block: write [[model]]"]);
    assert_eq!(
        problems("[[model]]\n", &[]),
        [
            "model[0].name: is required: Name of the model as its events carry it, or a pattern with `*`; the first block that fits takes an event.",
            "model[0].task: is required: What it predicts: `binary`, `multiclass` or `regression`.",
        ]
    );
    check(
        &format!("{MODEL}[[model]]\nname = \"*\"\ntask = \"regression\"\n"),
        &["model[2].name: \"m\" is never reached: model[0] \"m\" takes its events first"],
    );
    check_model("task = \"clasification\"", &["model[0].task: \"clasification\" is none of binary, multiclass, regression"]);
    check_model("task = \"regression\"\npositive = 1", &["model[0].positive: a regression model has no positive class: leave it out"]);
    check_model("task = \"multiclass\"\nclasses = [\"a\"]", &["model[0].classes: names 1, but a multiclass model has more than two"]);
    check_model("task = \"regression\"\nclasses = [1]", &["model[0].classes: a regression model has no classes: leave it out"]);
    check_model("task = \"binary\"\nclasses = [0, 1, 2]", &["model[0].classes: names 3, but a binary model has two"]);
    check_model(
        "task = \"binary\"\npositive = \"yes\"\nclasses = [0, 1]",
        &["model[0].positive: \"yes\" is none of model classes [\"0\", \"1\"]"],
    );
    check_model("task = \"binary\"\nclasses = [1, 1.0]", &["model[0].classes: \"1\" stands there twice"]);
    check_model(
        "task = \"binary\"\npositive = []",
        &["model[0].positive: is a class (a text, a number or a flag), but a list stands there"],
    );
    check_model(
        "task = \"binary\"\nreference = \"f.reference\"",
        &["model[0].reference: there is no file /nowhere/f.reference: make it with `driftd reference build`"],
    );
    check_model("task = \"binary\"\nreference = { lern = 10 }", &["model[0].reference: lern: no such key, did you mean `learn`?"]);
    check_model("task = \"binary\"\nreference = { learn = 3 }", &["model[0].reference: learn: 3 is not within 10 to 10000000"]);
    check_model(
        "task = \"binary\"\nreference = { file = \"a\", learn = 100 }",
        &["model[0].reference: has either a file (and its version) or learn"],
    );
    check_model(
        "task = \"binary\"\nnew_version = \"inherits\"",
        &["model[0].new_version: is \"inherit\" or { learn = 10000 }, but the text \"inherits\" stands there"],
    );
    check_model("task = \"binary\"\ncells = 1", &["model[0].cells: 1 is not within 2 to 100000"]);
    check_model("task = \"binary\"\nnumeric = [\"a\"]\ncategorical = [\"a\"]", &["model[0].categorical: \"a\" stands in numeric too"]);
    check_model("task = \"binary\"\ntext = [\"a\"]\nnumeric = [\"a\"]", &["model[0].text: \"a\" stands in numeric or categorical too"]);
    check_model(
        "task = \"binary\"\nignore = [\"a\"]\nnumeric = [\"a\"]",
        &["model[0].ignore: \"a\" has a kind in numeric, categorical or text, but is not watched"],
    );
    check_model("task = \"binary\"\nthreshold = 1", &["model[0].threshold: no such key"]);
}

/// Further keys of a `[[model.override]]`, and the problems below it.
#[track_caller]
fn check_override(keys: &str, expected: &[&str]) {
    let expected: Vec<String> = expected.iter().map(|rest| format!("model[0].override[0]{rest}")).collect();
    assert_eq!(problems(&format!("{MODEL}[[model.override]]\n{keys}\n"), &[]), expected, "\n{keys}");
}

#[test]
fn overrides() {
    check_override("rule = \"feature-drif\"\nabove = 1", &[".rule: there is no rule \"feature-drif\", did you mean `feature-drift`?"]);
    check_override(
        "rule = \"feature-drift\"\nmetric = \"accuracy\"\nbelow = 1",
        &[".metric: \"accuracy\" is not judged by rule \"feature-drift\""],
    );
    check_override(
        "metric = \"psy\"\nabove = 1",
        &[&format!(
            ".metric: \"psy\" is none of {}, did you mean `psi`?",
            Metric::ALL.iter().map(|m| m.as_str()).collect::<Vec<_>>().join(", ")
        )],
    );
    check_override(
        "feature = \"a*\"\nmetric = \"psi\"\nabove = 1",
        &[".feature: \"a*\" is a pattern: name one feature a block, or leave feature out for all"],
    );
    check_override("rule = \"service\"\nfeature = \"a\"\nmin_events = 1", &[".feature: features are not judged by rule \"service\""]);
    check_override(
        "rule = \"service\"\nmetric = \"throughput_rps\"\nabove = 1",
        &[".above: \"throughput_rps\" is bounded from the other side here: write below"],
    );
    check_override("rule = \"feature-drift\"\nabove = 1\nbelow = 1", &[".below: stands beside above: a bound has one side"]);
    check_override(
        "rule = \"feature-drift\"",
        &[": changes nothing: add above, below, enabled, min_events, confirm, resolve_after, resolve_level, repeat, severity or alpha"],
    );
    check_override(
        "metric = \"psi\"\nconfirm = 3",
        &[".confirm: holds for a whole rule: leave out feature and metric, or write a block of its own"],
    );
    check_override(
        "rule = \"service\"\nenabled = false\nconfirm = 3",
        &[".enabled: switches off what the block's other settings change: keep one of them"],
    );
    check_override(
        "metric = \"psi\"\nabove = \"reference ^ 2\"",
        &[
            ".above: \"reference ^ 2\" is no threshold: write a number, or \"reference * 1.2\", \"reference - 0.05\", \"reference * 0.9 + 0.1 - 2 sigma\"",
        ],
    );
    check_override("rule = \"service\"\nconfirm = 0", &[".confirm: 0 is not within 1 to 1000"]);
    check_override(
        "rule = \"service\"\nrepeat = \"often\"",
        &[".repeat: \"often\" is no duration: write e.g. \"250ms\", \"30s\", \"5m\", \"1h30m\" or \"7d\""],
    );
    check_override("metric = \"psi\"\nabove = inf", &[&format!(".above: inf is not within {} to {}", f64::MIN, f64::MAX)]);
    let ignored = format!("{MODEL}ignore = [\"a\"]\n[[model.override]]\nfeature = \"a\"\nmetric = \"psi\"\nabove = 1\n");
    assert_eq!(problems(&ignored, &[]), ["model[0].override[0].feature: \"a\" stands in ignore, so nothing judges it"]);
    let two = "rule = \"service\"\nabove = 5\n";
    check_override(two, &[".above: \"throughput_rps\" is bounded from the other side here: write below"]);
}

#[test]
fn one_level_for_metrics_of_different_units() {
    let mut rules = rules();
    rules[1].conditions.truncate(2);
    let options = LoadOptions { default_rules: Some(rules), ..options() };
    let text = format!("{MODEL}[[model.override]]\nrule = \"service\"\nabove = 5\n");
    let error = load_text(&text, Path::new("c.toml"), &env(&[]), &options).unwrap_err();
    assert_eq!(error.to_string(), "c.toml:6: model[0].override[0].above: would set error_rate, latency_p95_ms to one level: name a metric");
}

#[test]
fn rules_that_tell_nobody_known() {
    let mut rules = rules();
    rules[0].receivers = vec!["team-slak".into()];
    rules[1].name = "feature-drift".into();
    let options = LoadOptions { default_rules: Some(rules), ..options() };
    let text = format!("{MODEL}[[receiver]]\nname = \"team-slack\"\ntype = \"slack\"\nurl = \"http://localhost:1/\"\n");
    let found: Vec<String> =
        load_text(&text, Path::new("c.toml"), &env(&[]), &options).unwrap_err().problems().iter().map(Problem::to_string).collect();
    assert_eq!(
        found,
        [
            "rules.files: two rules have the name \"feature-drift\"",
            "rules.files: rule \"feature-drift\" tells \"team-slak\", and there is no such [[receiver]], did you mean `team-slack`?",
        ]
    );
}

#[test]
fn rules_that_inhibit_nobody_known() {
    let check = |inhibits: [&[&str]; 2], expected: &[&str]| {
        let mut rules = rules();
        for (rule, names) in rules.iter_mut().zip(inhibits) {
            rule.inhibits = names.iter().map(|&name| name.into()).collect();
        }
        let options = LoadOptions { default_rules: Some(rules), ..options() };
        let loaded = load_text(MODEL, Path::new("c.toml"), &env(&[]), &options);
        let found: Vec<String> = loaded.err().iter().flat_map(LoadError::problems).map(|problem| problem.to_string()).collect();
        assert_eq!(found, expected);
    };
    check([&[], &["feature-drift"]], &[]);
    check(
        [&["servce"], &["service"]],
        &[
            "rules.files: rule \"feature-drift\" inhibits \"servce\", and there is no such rule, did you mean `service`?",
            "rules.files: rule \"service\" inhibits itself",
        ],
    );
    check([&["service"], &["feature-drift"]], &["rules.files: rules inhibit each other in a circle: feature-drift, service"]);
}

#[test]
fn everything_wrong_is_told_at_once_with_its_line() {
    let text = "[window]\nsize = \"1h\"\nslied = \"5m\"\n[kafka]\nbrokers = \"\"\n[[model]]\nname = \"m\"\ntask = \"binary\"\npositive = [1]\n[[receiver]]\nname = \"r\"\n";
    let error = load_with_env(text, &[("DRIFTD__WINDOW__IDLE", "soon"), ("DRIFTD__RECEIVER__NAME", "x")]).unwrap_err();
    assert_eq!(
        error.to_string().lines().collect::<Vec<_>>(),
        [
            "/nowhere/c.toml: DRIFTD__RECEIVER__NAME: the environment sets single values; write the [[receiver]] block in the file",
            "/nowhere/c.toml:5: kafka.brokers: is empty",
            "/nowhere/c.toml:1: window.idle: \"soon\" is no duration: write e.g. \"250ms\", \"30s\", \"5m\", \"1h30m\" or \"7d\"",
            "/nowhere/c.toml:3: window.slied: no such key, did you mean `slide`?",
            "/nowhere/c.toml:9: model[0].positive: is a class (a text, a number or a flag), but a list stands there",
            "/nowhere/c.toml:10: receiver[0].type: is required: What it speaks: `slack`, `pagerduty` or `webhook`.",
        ]
    );
}

#[test]
fn what_is_no_toml() {
    let error = load_with_env("[window\nsize = \"hunter2", &[]).unwrap_err().to_string();
    assert!(error.starts_with("/nowhere/c.toml:1:8: not TOML: "), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
    let error = load(Path::new("/nowhere/c.toml"), &env(&[])).unwrap_err().to_string();
    assert!(error.starts_with("cannot read /nowhere/c.toml: ") && error.ends_with("or make one with `driftd init`"), "{error}");
}

mod any_text {
    use super::*;
    use proptest::prelude::*;

    fn attempt(text: &str, variable: &str, value: &str) {
        if let Err(error) = load_with_env(text, &[(variable, value)]) {
            assert!(!error.to_string().is_empty());
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,200}", variable in "DRIFTD__[A-Z_\\[\\]0-9.]{0,20}", value in "\\PC{0,20}") {
            attempt(&text, &variable, &value);
        }

        /// Lines of the real file with one value each replaced by something else.
        #[test]
        fn never_panics_near_a_right_file(
            at in 0..200_usize,
            value in prop_oneof!["-?[0-9]{1,30}", "\"\\PC{0,30}\"", "\\[[0-9, \"a-z]{0,10}\\]", "\\{[a-z =0-9\"]{0,12}\\}", "nan|inf|true|1e999|1979-05-27"],
            cut in 0..6000_usize,
        ) {
            let file = page::commented();
            let lines: Vec<String> = file
                .lines()
                .enumerate()
                .map(|(i, line)| match line.split_once(" = ") {
                    Some((key, _)) if i == at => format!("{key} = {value}"),
                    _ => line.to_owned(),
                })
                .collect();
            attempt(&lines.join("\n"), "DRIFTD__WINDOW__SIZE", &value);
            attempt(file.get(..cut).unwrap_or(&file), "DRIFTD__KAFKA__LABELS", &value);
        }
    }
}
