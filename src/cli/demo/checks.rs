//! Whether everything happened as told: every promise of the story, each with what came of it.

use super::message::{Finding, Told, What};
use super::receivers::To;
use super::status::Counts;
use super::story::{DRIFTING, Record, is_healthy};
use super::traffic::Sent;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitStatus;

/// Requests a second that the demo promises.
const LEAST_RATE: f64 = 1500.0;
/// Labelled examples that a retraining must find.
const LEAST_EXAMPLES: u64 = 1000;

/// One promise.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Check {
    /// What was to happen.
    pub promise: &'static str,
    /// What happened; an error where it did not.
    pub outcome: Result<String, String>,
}

/// How the run ended.
#[derive(Debug)]
pub(super) struct Ending {
    /// What the broker took.
    pub sent: Sent,
    /// The daemon's last counts.
    pub counts: Counts,
    /// How the daemon ended; `None`: it had to be killed.
    pub exit: Option<ExitStatus>,
}

/// The promises of the story.
pub(super) fn of_story(record: &Record) -> Vec<Check> {
    let check = |promise, outcome| Check { promise, outcome };
    vec![
        check("no alert while all is well", quiet(record)),
        check("the drift alert names exactly the two inputs", drift(record)),
        check("accuracy below 0.90 reaches Slack and PagerDuty", quality(record)),
        check("one signed retraining request goes out", retraining(record)),
        check("its training data stands in Kafka as it says", harvest(record)),
        check("no rule fires whose cause was not injected", only_expected(record)),
        check("Slack hears of every beginning and every end", pairs(record, To::Slack)),
        check("PagerDuty: trigger and resolve, one dedup_key", pairs(record, To::PagerDuty)),
        check("the retrained version is healthy", healthy(record)),
    ]
}

/// The promises that can be checked when the traffic has ended.
pub(super) fn of_ending(ending: &Ending) -> Vec<Check> {
    let check = |promise, outcome| Check { promise, outcome };
    vec![
        check("at least 1,500 requests a second", rate(&ending.sent)),
        check("every event is accounted for", conservation(ending)),
        check(
            "the daemon drains and ends with 0",
            match ending.exit {
                Some(status) if status.success() => Ok("exit code 0".to_owned()),
                Some(status) => Err(status.to_string()),
                None => Err("it had to be killed".to_owned()),
            },
        ),
    ]
}

fn quiet(record: &Record) -> Result<String, String> {
    let Some(&(_, first)) = record.injected.first() else { return Err("it never came to an end".to_owned()) };
    let mut alarms: BTreeSet<String> = record.early.clone();
    alarms.extend(record.told.iter().filter(|told| told.at <= first).map(describe));
    let seconds = record.time(first).as_secs();
    if alarms.is_empty() { Ok(format!("{seconds} s")) } else { Err(list(alarms)) }
}

fn drift(record: &Record) -> Result<String, String> {
    let told = record.messages(To::Slack, What::Firing).find(|told| told.rule == "feature-drift").ok_or("no feature-drift alert")?;
    let named: BTreeSet<&str> = told.worst.iter().map(Finding::of).collect();
    let text = list(named.iter().map(|name| (*name).to_owned()));
    if named == BTreeSet::from(DRIFTING) { Ok(text) } else { Err(format!("it names {text}")) }
}

fn quality(record: &Record) -> Result<String, String> {
    let fired = |to| record.messages(to, What::Firing).find(|told| told.rule == "model-quality");
    fired(To::Slack).ok_or("Slack got no model-quality alert")?;
    let told = fired(To::PagerDuty).ok_or("PagerDuty got no model-quality alert")?;
    let accuracy = told.worst.iter().find(|finding| finding.what == "accuracy").ok_or("the alert does not name accuracy")?;
    match accuracy.value.parse::<f64>() {
        Ok(value) if value < 0.9 => Ok(format!("accuracy {value:.3}")),
        _ => Err(format!("accuracy {}", accuracy.value)),
    }
}

fn retraining(record: &Record) -> Result<String, String> {
    let incidents: Vec<&Told> = record.messages(To::Pipeline, What::Retrain).collect();
    let [told] = incidents.as_slice() else { return Err(format!("{} requests", incidents.len())) };
    let is_fired = record.told.iter().any(|other| other.what == What::Firing && other.incident == told.incident);
    if is_fired { Ok(format!("because of {}", told.rule)) } else { Err("its incident was told to nobody".to_owned()) }
}

fn harvest(record: &Record) -> Result<String, String> {
    let harvest = record.harvest.as_ref().ok_or("the pipeline read nothing")?;
    let text = format!("{} labelled examples", thousands(harvest.examples));
    if harvest.examples >= LEAST_EXAMPLES { Ok(text) } else { Err(text) }
}

fn only_expected(record: &Record) -> Result<String, String> {
    let is_expected =
        |told: &&Told| ["feature-drift", "model-quality", "concept-drift"].contains(&told.rule.as_str()) && told.model == "fraud/v1";
    let (expected, others): (Vec<_>, Vec<_>) = record.told.iter().filter(|told| told.what == What::Firing).partition(is_expected);
    let rules: BTreeSet<String> = expected.iter().map(|told| told.rule.clone()).collect();
    if others.is_empty() { Ok(list(rules)) } else { Err(list(others.into_iter().map(describe))) }
}

fn pairs(record: &Record, to: To) -> Result<String, String> {
    let count = |what| {
        let mut by_incident = BTreeMap::<&str, u32>::new();
        record.messages(to, what).for_each(|told| *by_incident.entry(&told.incident).or_default() += 1);
        by_incident
    };
    let (begun, ended) = (count(What::Firing), count(What::Resolved));
    if begun.is_empty() {
        return Err("it was told nothing".to_owned());
    }
    let once = |times: &BTreeMap<&str, u32>| times.values().all(|&n| n == 1);
    if !begun.keys().eq(ended.keys()) {
        return Err(format!("{} began, {} ended", begun.len(), ended.len()));
    }
    if once(&begun) && once(&ended) { Ok(format!("{} incidents", begun.len())) } else { Err("it was told something twice".to_owned()) }
}

fn healthy(record: &Record) -> Result<String, String> {
    let (version, _) = record.deployed().ok_or("no version was deployed")?;
    let model = record.status.model(version).ok_or_else(|| format!("{version} was not watched"))?;
    let accuracy = model.accuracy().map_or_else(|| "unknown".to_owned(), |accuracy| format!("{accuracy:.3}"));
    let firing: Vec<String> = record.status.firing().map(|alert| format!("{} of {}", alert.rule, alert.version)).collect();
    if !firing.is_empty() {
        return Err(format!("{} still fires", list(firing)));
    }
    if is_healthy(&record.status, version) {
        Ok(format!("{version}, accuracy {accuracy}"))
    } else {
        Err(format!("{version}, accuracy {accuracy}, inputs as they should be: {}", model.inputs_are_fine()))
    }
}

fn rate(sent: &Sent) -> Result<String, String> {
    let rate = sent.predictions as f64 / sent.took.as_secs_f64().max(1e-9);
    let text = format!("{} a second", thousands(rate as u64));
    if rate >= LEAST_RATE { Ok(text) } else { Err(text) }
}

fn conservation(ending: &Ending) -> Result<String, String> {
    let (sent, counts) = (ending.sent.predictions + ending.sent.labels, &ending.counts);
    let rejected: u64 = counts.rejected.values().sum();
    let (applied, late, duplicate, waiting) = (counts.applied, counts.late, counts.duplicate, counts.labels_waiting);
    let text = format!(
        "{} received = {} applied + {late} late + {duplicate} duplicate + {rejected} rejected + {waiting} in flight",
        thousands(counts.received),
        thousands(applied)
    );
    if counts.received != sent {
        return Err(format!("{} sent, {text}", thousands(sent)));
    }
    if counts.received == counts.accounted() { Ok(text) } else { Err(text) }
}

fn describe(told: &Told) -> String {
    format!("{} of {}", told.rule, told.model)
}

fn list(names: impl IntoIterator<Item = String>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// 12345 → `12,345`.
pub(super) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::demo::story::tests::{good_story, told};
    use std::os::unix::process::ExitStatusExt;
    use std::time::Duration;

    fn failing(record: &Record) -> Vec<&'static str> {
        of_story(record).into_iter().filter(|check| check.outcome.is_err()).map(|check| check.promise).collect()
    }

    #[test]
    fn a_good_story_keeps_every_promise() {
        let (story, _) = good_story();
        assert_eq!(of_story(&story.record).into_iter().filter(|check| check.outcome.is_err()).collect::<Vec<_>>(), []);
    }

    #[test]
    fn each_broken_promise_is_found() {
        let broken = |break_it: &dyn Fn(&mut Record), promise: &str| {
            let (mut story, _) = good_story();
            break_it(&mut story.record);
            let failing = failing(&story.record);
            assert!(failing.iter().any(|found| found.contains(promise)), "{promise}: {failing:?}");
        };
        broken(&|r| r.told[0].at = r.began, "while all is well");
        broken(&|r| r.early.extend(["latency of v1".to_owned()]), "while all is well");
        broken(&|r| r.told[0].worst[1].what = "PSI of country".into(), "exactly the two inputs");
        broken(&|r| r.told[0].worst.truncate(1), "exactly the two inputs");
        broken(&|r| r.told.retain(|t| t.to != To::PagerDuty || t.what != What::Firing), "accuracy below");
        broken(&|r| r.told.iter_mut().for_each(|t| t.worst.retain(|f| f.what != "accuracy")), "accuracy below");
        broken(&|r| r.told.push(told(To::Pipeline, What::Retrain, "concept-drift", "c", r.began)), "one signed retraining");
        broken(&|r| r.harvest = None, "training data");
        broken(&|r| r.told.push(told(To::Slack, What::Firing, "latency", "l", r.began)), "no rule fires");
        broken(&|r| r.told[1].model = "fraud/v2".into(), "no rule fires");
        broken(&|r| r.told.retain(|t| t.rule != "feature-drift" || t.what == What::Firing), "Slack hears");
        broken(&|r| r.told.iter_mut().filter(|t| t.rule.is_empty()).for_each(|t| t.incident = "other".into()), "one dedup_key");
        broken(&|r| r.status.models[0].readings[0].value = Some(0.85), "is healthy");
    }

    #[test]
    fn the_ending_is_checked_to_the_last_event() {
        let ending = |received, applied, exit| {
            let sent = Sent { predictions: 16_000, labels: 15_000, took: Duration::from_secs(10) };
            let counts = Counts { received, applied, late: 2, rejected: BTreeMap::from([("not_json".into(), 3)]), ..Counts::default() };
            of_ending(&Ending { sent, counts, exit }).into_iter().map(|check| check.outcome.is_ok()).collect::<Vec<_>>()
        };
        let fine = Some(ExitStatus::from_raw(0));
        assert_eq!(ending(31_000, 30_995, fine), [true, true, true]);
        assert_eq!(ending(30_999, 30_994, fine), [true, false, true], "one was lost on the way");
        assert_eq!(ending(31_000, 30_994, Some(ExitStatus::from_raw(256))), [true, false, false], "one was lost inside");
        assert_eq!(ending(31_000, 30_995, None), [true, true, false]);
        assert_eq!(thousands(1_234_567), "1,234,567");
    }
}
