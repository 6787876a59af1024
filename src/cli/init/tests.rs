use super::*;
use clap::Parser;
use std::collections::BTreeSet;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: InitArgs,
}

/// Runs `driftd init …` in a folder of its own.
fn driftd(folder: &Path, words: &[&str]) -> Result<String, String> {
    let out = folder.join("driftd.toml").display().to_string();
    let line = Line::try_parse_from(["init", "--out", &out].iter().chain(words)).map_err(|error| error.to_string())?;
    let mut said = Vec::new();
    run(&line.args, &mut said).map_err(|error| format!("{error:#}"))?;
    Ok(String::from_utf8(said).unwrap())
}

fn data(name: &str) -> String {
    format!("{}/tests/data/reference/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The text with its commented examples switched on.
fn uncommented(text: &str) -> String {
    let is_example = |rest: &str| {
        rest.starts_with('[') || rest.split_once(" = ").is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
    };
    let lines = text.lines().map(|line| line.strip_prefix("# ").filter(|rest| is_example(rest)).unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// Every key with its path; inside arrays of tables and below `properties`, `secrets` and `headers` the keys are free.
fn keys(value: &toml::Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        toml::Value::Table(table) if !["properties", "secrets", "headers", "reference"].iter().any(|free| path.ends_with(free)) => {
            table.iter().for_each(|(key, value)| keys(value, &format!("{path}.{key}"), found));
        }
        toml::Value::Array(list) if list.iter().any(toml::Value::is_table) => list.iter().for_each(|item| keys(item, path, found)),
        _ => drop(found.insert(path.to_owned())),
    }
}

fn key_paths(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    keys(&toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}")), "", &mut found);
    found
}

#[test]
fn the_configuration_has_the_keys_of_the_contract() {
    // the contract has a receiver of each type, of which only the first is not a comment; severities of an override stand in a comment there
    let contract = include_str!("../../../config/driftd.toml");
    let mut known = key_paths(&uncommented(contract));
    known.extend(["above", "below", "enabled", "severity"].map(|key| format!(".model.override.{key}")));
    for (name, words) in
        [("elec2-500.parquet", &["--categorical", "day"][..]), ("car-price-500.csv", &[]), ("credit-card-500.parquet", &["--version", "2"])]
    {
        let folder = tempfile::tempdir().unwrap();
        driftd(folder.path(), &[&["--reference", &data(name), "--model", "m"], words].concat()).unwrap();
        let text = fs::read_to_string(folder.path().join("driftd.toml")).unwrap();
        assert!(key_paths(&text).is_subset(&known));
        let all = key_paths(&uncommented(&text));
        assert!(all.is_subset(&known), "{name}: {:?}", all.difference(&known).collect::<Vec<_>>());
        for key in [".receiver.routing_key_file", ".model.override.below", ".retrain.min_labels", ".model.numeric", ".model.segments"] {
            assert!(all.contains(key), "{name}: {key}");
        }
    }
}

#[test]
fn what_was_asked_for_stands_in_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let mut words = vec!["--reference", "", "--model", "fraud \"é\"/eu", "--window", "2h", "--slide", "90s", "--brokers", "a:1,b:2"];
    words.extend(["--predictions-topic", "p", "--labels-topic", "l", "--task", "binary", "--positive", "1.0", "--categorical", "day"]);
    words.extend(["--ignore", "transfer", "--version", "v1"]);
    let input = data("elec2-500.csv");
    words[1] = &input;
    let said = driftd(folder.path(), &words).unwrap();
    assert!(said.contains("6 features, 500 rows") && said.contains("vicprice: constant"), "{said}");
    let toml: toml::Value = toml::from_str(&fs::read_to_string(folder.path().join("driftd.toml")).unwrap()).unwrap();
    let model = &toml["model"][0];
    assert_eq!(model["name"].as_str(), Some("fraud \"é\"/eu"));
    assert_eq!((model["task"].as_str(), model["positive"].as_integer()), (Some("binary"), Some(1)));
    assert_eq!((toml["window"]["size"].as_str(), toml["window"]["slide"].as_str()), (Some("2h"), Some("1m30s")));
    assert_eq!((toml["kafka"]["brokers"].as_str(), toml["kafka"]["labels"][0].as_str()), (Some("a:1,b:2"), Some("l")));
    assert_eq!((model["categorical"][0].as_str(), model["ignore"][0].as_str()), (Some("day"), Some("transfer")));
    assert_eq!(model["reference"]["version"].as_str(), Some("v1"));
    let reference = ReferenceFile::load(&folder.path().join(model["reference"]["file"].as_str().unwrap())).unwrap();
    assert_eq!((reference.reference.rows, reference.positive.as_deref()), (500, Some("1")));
    assert!(toml.get("receiver").is_none());
}

#[test]
fn a_compiled_reference_is_taken_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let input = data("credit-card-500.csv");
    driftd(folder.path(), &["--reference", &input, "--model", "cards"]).unwrap();
    let compiled = folder.path().join("cards.reference").display().to_string();
    let refused = driftd(folder.path(), &["--reference", &compiled, "--model", "cards"]).unwrap_err();
    assert!(refused.contains("driftd.toml exists already") && refused.contains("--force"), "{refused}");
    driftd(folder.path(), &["--reference", &compiled, "--model", "cards", "--force"]).unwrap();
    let (before, other) = (fs::read(&compiled).unwrap(), tempfile::tempdir().unwrap());
    driftd(other.path(), &["--reference", &compiled, "--model", "other"]).unwrap();
    assert_eq!(fs::read(other.path().join("other.reference")).unwrap(), before);
    let late = driftd(folder.path(), &["--reference", &compiled, "--model", "cards", "--force", "--cells", "16"]).unwrap_err();
    assert!(late.contains("--cells comes too late"), "{late}");
    let task = driftd(folder.path(), &["--reference", &compiled, "--model", "cards", "--force", "--task", "binary"]).unwrap_err();
    assert!(task.contains("3 classes (highstreet_card, prepaid_card, upmarket_card)"), "{task}");
}

#[test]
fn what_cannot_work_is_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let refused =
        |name: &str, words: &[&str]| driftd(folder.path(), &[&["--reference", &data(name), "--model", "m"], words].concat()).unwrap_err();
    assert!(refused("elec2-500.csv", &["--slide", "7m"]).contains("not a multiple of --slide 7m"));
    assert!(refused("elec2-500.csv", &["--slide", "100ms"]).contains("whole number of seconds"));
    assert!(refused("elec2-500.csv", &["--window", "soon"]).contains("write e.g. 30s"));
    assert!(refused("elec2-500.csv", &["--positive", "yes"]).contains("not among the classes of the reference (0, 1)"));
    assert!(refused("elec2-500.csv", &["--task", "multiclass", "--positive", "1"]).contains("leave --positive out"));
    assert!(refused("credit-card-500.csv", &["--task", "regression"]).contains("needs numbers"));
    assert!(refused("nothing.csv", &[]).contains("cannot read"));
    let inputs_only = folder.path().join("inputs.csv");
    fs::write(&inputs_only, "a,b\n1,x\n2,y\n").unwrap();
    let words = ["--reference", inputs_only.to_str().unwrap(), "--model", "m"];
    assert!(driftd(folder.path(), &words).unwrap_err().contains("say --task"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    driftd(folder.path(), &[&words[..], &["--task", "regression"]].concat()).unwrap();
}

#[test]
fn names_of_models_become_names_of_files() {
    for (model, stem) in [("fraud", "fraud"), ("eu/fraud v2", "eu-fraud-v2"), ("fraud-*", "fraud"), ("*", "model"), ("../x", "-x")] {
        assert_eq!(file_stem(model), stem.trim_matches('-'), "{model}");
    }
}
