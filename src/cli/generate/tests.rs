//! The command over files.

use super::*;
use clap::Parser;

#[derive(Debug, Parser)]
struct Command {
    #[command(flatten)]
    generate: GenerateArgs,
}

fn generate(args: &[&str]) -> anyhow::Result<String> {
    let command = Command::try_parse_from(std::iter::once("generate").chain(args.iter().copied()))?;
    let mut out = Vec::new();
    run(command.generate, &mut out)?;
    Ok(String::from_utf8(out)?)
}

#[test]
fn the_same_seed_gives_the_same_files() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let files = |run: &str, seed: &str| {
        let (p, l, r) = (path(&format!("{run}-p.jsonl")), path(&format!("{run}-l.jsonl")), path(&format!("{run}-r.csv")));
        let args = ["--predictions", &p, "--labels", &l, "--reference", &r, "--reference-rows", "100", "--rate", "20", "--seed", seed];
        let said = generate(&args).unwrap();
        assert!(said.contains("shift amount by 1 deviations") && said.contains("deploy v2"), "{said}");
        [p, l, r].map(|p| std::fs::read_to_string(p).unwrap())
    };
    let first = files("a", "7");
    assert_eq!(first, files("b", "7"));
    assert_ne!(first, files("c", "8"));
    let [predictions, labels, reference] = first;
    assert!((5_700..6_300).contains(&predictions.lines().count()));
    assert!(labels.lines().count() > predictions.lines().count() * 97 / 100);
    assert_eq!(reference.lines().count(), 101);
    assert!(predictions.lines().next().unwrap().contains("\"timestamp\":\"2026-01-01T00:00:00."));
}

#[test]
fn what_cannot_be_made_is_said_with_the_value_at_fault() {
    let fails = |args: &[&str], part: &str| {
        let error = format!("{:#}", generate(args).unwrap_err());
        assert!(error.contains(part), "{part} in {error}");
    };
    fails(&[], "nothing to make");
    fails(&["--reference", "/tmp/x.parquet"], "x.parquet");
    fails(&["--reference", "/nowhere/x.csv"], "/nowhere/x.csv");
    fails(&["--rate", "0", "--reference", "/nowhere/x.csv"], "rate = 0");
    fails(&["--speed", "fast"], "max");
    fails(&["--task", "ranking"], "binary, multiclass, regression");
    fails(&["--start", "yesterday"], "yesterday");
    fails(&["--brokers", "localhost:1", "--predictions", "x"], "cannot be used with");
    fails(&["--scenario", "/nowhere/s.toml"], "/nowhere/s.toml");
}

#[test]
fn events_reach_the_broker_and_a_missing_broker_is_an_error() {
    let broker = crate::edge::ingest::EmbeddedBroker::start().unwrap();
    for topic in ["predictions", "labels"] {
        broker.create_topic(topic, 2).unwrap();
    }
    let run = |brokers: &str, property: &str| {
        generate(&[
            "--brokers",
            brokers,
            "--property",
            property,
            "--duration",
            "2s",
            "--rate",
            "500",
            "--label-delay",
            "100ms",
            "--speed",
            "4",
        ])
    };
    // the producer's flush fails unless every message is acknowledged
    let said = run(broker.bootstrap_servers(), "linger.ms=1").unwrap();
    let n: usize = said.split(' ').next().unwrap().parse().unwrap();
    assert!((850..1_150).contains(&n), "{said}");
    let error = run(broker.bootstrap_servers(), "no.such.property=1").unwrap_err();
    assert!(format!("{error:#}").contains("no.such.property"), "{error:#}");
    let error = run("127.0.0.1:1", "message.timeout.ms=500").unwrap_err();
    assert!(format!("{error:#}").contains("not delivered"), "{error:#}");
}
