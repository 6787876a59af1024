//! Order, rate and end of a played scenario.

use super::*;
use crate::engine::settings::Task;

const START: Timestamp = Timestamp(1_000_000_000);

fn scenario(text: &str) -> Scenario {
    Scenario::parse(text, Task::Binary).unwrap()
}

fn play(text: &str) -> Vec<Happening> {
    Schedule::new(scenario(text), 1, START).unwrap().collect()
}

fn predictions(happenings: &[Happening], from_ms: i64, to_ms: i64) -> usize {
    let within = |h: &&Happening| matches!(h.what, What::Prediction(_)) && (from_ms..to_ms).contains(&h.at.since(START));
    happenings.iter().filter(within).count()
}

#[test]
fn times_never_go_back_and_every_label_follows_its_prediction() {
    let happenings = play("rate = 1000\nduration = \"10s\"\nlabel_delay = \"2s\"");
    assert!(happenings.is_sorted_by_key(|h| h.at));
    let mut seen = std::collections::BTreeSet::new();
    let mut n_labels = 0;
    for happening in &happenings {
        match &happening.what {
            What::Prediction(message) => assert!(seen.insert(message.key.clone())),
            What::Label(message) => {
                assert!(seen.contains(&message.key));
                n_labels += 1;
            }
            What::Change(_) => {}
        }
    }
    assert!((9_600..10_400).contains(&seen.len()), "{}", seen.len());
    assert!((0.975..1.0).contains(&(n_labels as f64 / seen.len() as f64)), "all labels come, those after the end too: {n_labels}");
    assert_eq!(happenings, play("rate = 1000\nduration = \"10s\"\nlabel_delay = \"2s\""));
}

#[test]
fn steps_come_at_their_time_and_the_rate_follows_at_once() {
    let text = "rate = 2000\nduration = \"6s\"\n[[step]]\nat = \"2s\"\nchange.rate = { factor = 0.0001 }\n[[step]]\nat = \"4s\"\nchange.rate = { factor = 0.5 }";
    let happenings = play(text);
    let changes: Vec<_> = happenings.iter().filter(|h| matches!(h.what, What::Change(_))).map(|h| h.at.since(START)).collect();
    assert_eq!(changes, [2_000, 4_000]);
    assert!((3_800..4_200).contains(&predictions(&happenings, 0, 2_000)));
    assert!(predictions(&happenings, 2_000, 4_000) < 10);
    assert!((1_850..2_150).contains(&predictions(&happenings, 4_000, 6_000)), "a long gap of the low rate ends with it");
    assert!(happenings.is_sorted_by_key(|h| h.at));
}

#[test]
fn a_deploy_shows_in_the_very_next_prediction() {
    let happenings = play("rate = 500\nduration = \"2s\"\n[[step]]\nat = \"1s\"\nchange.deploy = { version = \"v2\" }");
    for happening in happenings {
        if let What::Prediction(message) = happening.what {
            assert_eq!(message.line.contains(r#""version":"v2""#), happening.at.since(START) >= 1_000, "{}", message.line);
        }
    }
}

#[test]
fn a_step_after_the_end_does_not_happen() {
    let happenings = play("rate = 100\nduration = \"1s\"\n[[step]]\nat = \"1s\"\nchange.errors = { share = 1.0 }");
    assert!(happenings.iter().all(|h| !matches!(h.what, What::Change(_))));
}
