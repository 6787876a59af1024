use super::*;
use clap::Parser;
use std::path::Path;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: ReferenceArgs,
}

/// Runs `driftd reference …` and gives what it printed, or the error with its causes.
fn driftd(words: &[&str]) -> Result<String, String> {
    let line = Line::try_parse_from(std::iter::once(&"reference").chain(words)).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    run(&line.args, &mut out).map_err(|error| format!("{error:#}"))?;
    Ok(String::from_utf8(out).unwrap())
}

fn data(name: &str) -> String {
    format!("{}/tests/data/reference/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn out(folder: &Path) -> String {
    folder.join("x.reference").display().to_string()
}

#[test]
fn build_and_show_print_the_same_table() {
    let folder = tempfile::tempdir().unwrap();
    let out = out(folder.path());
    let built = driftd(&["build", &data("elec2-500.parquet"), "--out", &out, "--positive", "1", "--version", "v1"]).unwrap();
    let shown = driftd(&["show", &out]).unwrap();
    assert!(built.starts_with(&shown), "{built}");
    for text in ["version v1, 500 rows", "task binary, classes 0, 1, positive 1, accuracy 0.", "│ transfer ", "constant", "7 names"] {
        assert!(shown.contains(text), "{text} in\n{shown}");
    }
}

#[test]
fn json_names_every_column_with_its_counts() {
    let folder = tempfile::tempdir().unwrap();
    let out = out(folder.path());
    driftd(&["build", &data("car-price-500.csv"), "--out", &out, "--cells", "16", "--ignore", "car_age"]).unwrap();
    let json: serde_json::Value = serde_json::from_str(&driftd(&["show", &out, "--json"]).unwrap()).unwrap();
    let columns = json["columns"].as_array().unwrap();
    let names: Vec<&str> = columns.iter().map(|column| column["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["accident_count", "door_count", "fuel", "km_driven", "price_new", "transmission", "prediction", "label"]);
    assert_eq!((json["task"].as_str(), json["rows"].as_u64()), (Some("regression"), Some(500)));
    for column in columns {
        let counts: u64 = column["counts"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(counts, 500, "{}", column["name"]);
    }
    assert_eq!(columns[3]["slots"]["exact"], false);
    assert!(columns[3]["slots"]["points"].as_array().unwrap().len() <= 16 + 1 + 11);
}

#[test]
fn mistakes_are_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let out = out(folder.path());
    let refused = |words: &[&str]| driftd(&[&["build"], words, &["--out", out.as_str()]].concat()).unwrap_err();
    let cards = data("credit-card-500.csv");
    assert!(refused(&[&cards, "--task", "binary"]).contains("use task multiclass"));
    assert!(refused(&[&cards, "--task", "clustering"]).contains("one of binary, multiclass, regression, ranking"));
    assert!(refused(&[&cards, "--categorical", "is_custmer"]).contains("no column \"is_custmer\"; it has app_behavioral_score, "));
    assert!(refused(&[&cards, "--cells", "1"]).contains("cells = 1 is out of range"));
    assert!(refused(&[&cards, "--bins", "1"]).contains("bins = 1 is out of range"));
    assert!(refused(&[&cards, "--numeric", "is_customer", "--categorical", "is_customer"]).contains("choose one"));
    assert!(refused(&["/nowhere/x.csv"]).contains("cannot read /nowhere/x.csv"));
    assert!(driftd(&["show", &cards]).unwrap_err().contains("no compiled reference"));
    assert!(!Path::new(&out).exists());
}

#[test]
fn the_calibration_is_shown_with_the_windows_it_was_made_from() {
    let folder = tempfile::tempdir().unwrap();
    let out = out(folder.path());
    // half-hourly rows: a day and a half make windows of 72 rows, of which the file has six; one of a day has 48
    let built = |window: &str| driftd(&["build", &data("elec2-500.parquet"), "--out", &out, "--window", window]);
    let text = built("1d").unwrap();
    assert!(text.contains("calibrated on 10 windows of 1d; noise floors"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&driftd(&["show", &out, "--json"]).unwrap()).unwrap();
    let figures = json["calibration"]["figures"].as_array().unwrap();
    let constant = figures.iter().find(|f| f["subject"] == "feature:transfer" && f["metric"] == "psi").unwrap();
    assert_eq!((constant["ceiling"].as_f64(), constant["windows"].as_u64()), (Some(0.0), Some(10)), "constant: nothing of it is noise");
    assert!(built("36h").unwrap().contains("calibrated on 16 blocks of consecutive rows"));
    assert!(built("0s").unwrap_err().contains("is no length of a window"));
}
