//! Tests of rules as data (`alerts/tests/*.toml`): readings window by window, and what verdicts and alerts must come of them.
//!
//! This file reads them; it runs nothing (`driftd check` does).

use super::Problem;
use super::duration::parse_duration;
use super::rules::table::{self, Problems, Table, choice, count, flag, list, number, text};
use super::rules::{share, subject as subject_pattern};
use crate::engine::metric::{Baseline, Metric, Reading, Subject, UndefinedReason};
use crate::engine::settings::{ColumnKind, Task};
use crate::engine::verdict::SubjectPattern;
use std::collections::BTreeSet;
use std::sync::Arc;

const MOST_WINDOWS: u64 = 10_000;
const MOST_VALUES: u64 = 1 << 53;

/// One `[[test]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleTest {
    /// What it shows.
    pub name: Arc<str>,
    /// What the model predicts.
    pub task: Task,
    /// Length of a window, in milliseconds.
    pub size_ms: i64,
    /// From the start of one window to that of the next, in milliseconds.
    pub slide_ms: i64,
    /// `feature=value`; `None`: the whole.
    pub segment: Option<Arc<str>>,
    /// Windows whose labels are still coming.
    pub immature: BTreeSet<usize>,
    /// The readings.
    pub series: Vec<Series>,
    /// What must come of them.
    pub expectations: Vec<Expectation>,
    /// Number of windows.
    pub n_windows: usize,
}

/// One `[[test.series]]`: one metric of one subject over the windows.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What is measured.
    pub subject: Subject,
    /// How.
    pub metric: Metric,
    /// How the column is understood.
    pub kind: Option<ColumnKind>,
    /// By window.
    pub readings: Vec<Reading>,
    /// Values of the window, by window.
    pub n: Vec<u64>,
    /// Values of the reference.
    pub n_reference: u64,
    /// Bins or classes less one.
    pub degrees: u32,
    /// The same metric on the reference.
    pub on_reference: Option<f64>,
    /// By window: probability of such a reading without a change. Empty: no test was made.
    pub p: Vec<f64>,
    /// What windows of the reference itself show.
    pub noise_floor: Option<f64>,
    /// Standard deviation from window to window of the reference.
    pub sigma: Option<f64>,
    /// By window: how far the ends of the confidence interval lie from the reading. Empty: there is none.
    pub interval: Vec<f64>,
    /// What the window is compared with.
    pub against: Baseline,
}

/// One `[[test.expect]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// Its key path, for messages.
    pub path: String,
    /// The window after which it must hold, from 0.
    pub window: usize,
    /// What must hold.
    pub what: Expected,
}

/// What must hold after a window.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// An alert's standing.
    Alert {
        /// The rule.
        rule: Arc<str>,
        /// Where its alert stands.
        state: ExpectedState,
        /// Exactly these, worst first, as `subject metric`; `None`: not looked at.
        worst: Option<Vec<String>>,
        /// Whether a retraining is wanted because of it; `None`: not looked at.
        retrain: Option<bool>,
    },
    /// A measurement's verdict.
    Verdict {
        /// What is measured.
        subject: Subject,
        /// How.
        metric: Metric,
        /// Name of the verdict, or `none`: no rule looks at it.
        verdict: String,
        /// The bound; `None`: not looked at.
        threshold: Option<f64>,
        /// For `not_enough`: the values needed; `None`: not looked at.
        need: Option<u64>,
        /// The baseline of the series that is meant.
        against: Baseline,
    },
}

/// Where an alert stands after a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedState {
    /// There is none.
    Inactive,
    /// Breached, not yet confirmed.
    Pending,
    /// Confirmed.
    Firing,
    /// It resolved by this window.
    Resolved,
}

impl ExpectedState {
    /// Every state, for tables and suites.
    pub const ALL: [Self; 4] = [Self::Inactive, Self::Pending, Self::Firing, Self::Resolved];

    /// The name used in the files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

/// Reads the tests of one file.
///
/// # Errors
/// Every problem of the file, each at its key path (`test[0].series[1].values`).
pub fn parse_rule_tests(text: &str) -> Result<Vec<RuleTest>, Vec<Problem>> {
    let root = table::parse(text).map_err(|problem| vec![problem])?;
    let problems = Problems::default();
    let file = Table::new(String::new(), &root, &problems);
    let blocks = file.blocks("test");
    if blocks.is_empty() {
        file.refuse("test", "is required: write at least one [[test]]");
    }
    file.finish();
    let tests = blocks.iter().filter_map(read_test).collect();
    let problems = problems.into_inner();
    if problems.is_empty() { Ok(tests) } else { Err(problems) }
}

/// `None` only where a problem was noted.
fn read_test(block: &Table<'_>) -> Option<RuleTest> {
    let name = block.required("name", "what the test shows", text);
    let task = block.read("task", choice(&Task::ALL.map(|task| (task.as_str(), task)))).unwrap_or(Task::Binary);
    let size_ms = block.read("size", length).unwrap_or(3_600_000);
    let slide_ms = block.read("slide", length).unwrap_or(size_ms);
    let segment = block.read("segment", text).map(Arc::from);
    let immature = block.read("immature", list(window)).unwrap_or_default().into_iter().collect();
    let series_blocks = block.blocks("series");
    if series_blocks.is_empty() {
        block.refuse("series", "is required: write at least one [[test.series]]");
    }
    let series: Vec<Series> = series_blocks.iter().filter_map(read_series).collect();
    let expect_blocks = block.blocks("expect");
    if expect_blocks.is_empty() {
        block.refuse("expect", "is required: a test that expects nothing cannot fail");
    }
    let expectations: Vec<Expectation> = expect_blocks.iter().filter_map(read_expectation).collect();
    block.finish();
    let n_windows = series.first().map_or(0, |first| first.readings.len());
    if let Some(odd) = series.iter().find(|one| one.readings.len() != n_windows) {
        let (subject, metric) = (&odd.subject, odd.metric.as_str());
        block.refuse(
            "series",
            format!("differ in length: {subject} {metric} has {} windows, the first one {n_windows}", odd.readings.len()),
        );
    }
    for expectation in expectations.iter().filter(|expectation| expectation.window >= n_windows && n_windows > 0) {
        block.refuse("expect", format!("speaks of window {}, but the last one is {}", expectation.window, n_windows - 1));
    }
    Some(RuleTest { name: name?.into(), task, size_ms, slide_ms, segment, immature, series, expectations, n_windows })
}

fn read_series(block: &Table<'_>) -> Option<Series> {
    let subject = block.required("subject", "e.g. \"feature:amount\"", subject);
    let metric = block.required("metric", "e.g. \"psi\"", metric);
    let kind = block.read(
        "kind",
        choice(&[ColumnKind::Numeric, ColumnKind::Categorical, ColumnKind::Vector, ColumnKind::Text].map(|kind| (kind.as_str(), kind))),
    );
    let readings = block.required("values", "one for each window: a number, or why there is none, e.g. \"no_data\"", list(reading));
    let n_windows = readings.as_ref().map_or(0, Vec::len);
    let n = block.read("n", each(n_windows, count(0..=MOST_VALUES))).unwrap_or_else(|| vec![10_000; n_windows]);
    let n_reference = block.read("n_reference", count(0..=MOST_VALUES)).unwrap_or(100_000);
    let degrees = block.read("degrees", count(1..=u64::from(u16::MAX))).map_or(9, |degrees| degrees as u32);
    let on_reference = block.read("on_reference", number);
    let p = block.read("p", each(n_windows, share)).unwrap_or_default();
    let noise_floor = block.read("noise_floor", number);
    let sigma = block.read("sigma", size);
    let interval = block.read("interval", each(n_windows, size)).unwrap_or_default();
    let against = block.read("against", choice(&Baseline::ALL.map(|b| (b.as_str(), b)))).unwrap_or_default();
    block.finish();
    let (subject, metric, readings) = (subject?, metric?, readings?);
    Some(Series { subject, metric, kind, readings, n, n_reference, degrees, on_reference, p, noise_floor, sigma, interval, against })
}

fn read_expectation(block: &Table<'_>) -> Option<Expectation> {
    let window = block.required("window", "the window after which it holds, from 0", window);
    let is_alert = block.value("rule").is_some();
    let is_verdict = block.value("verdict").is_some();
    let what = match (is_alert, is_verdict) {
        (true, false) => expected_alert(block),
        (false, true) => expected_verdict(block),
        _ => {
            block.refuse("", "has either rule and state, or subject, metric and verdict");
            return None;
        }
    };
    block.finish();
    Some(Expectation { path: block.path_of(""), window: window?, what: what? })
}

fn expected_alert(block: &Table<'_>) -> Option<Expected> {
    let rule = block.read("rule", text);
    let state = block.required("state", "where the alert stands", choice(&ExpectedState::ALL.map(|s| (s.as_str(), s))));
    let worst = block.read("worst", list(|item| text(item).map(str::to_owned)));
    let retrain = block.read("retrain", flag);
    Some(Expected::Alert { rule: rule?.into(), state: state?, worst, retrain })
}

fn expected_verdict(block: &Table<'_>) -> Option<Expected> {
    const VERDICTS: [&str; 7] = ["ok", "breach", "not_enough", "not_significant", "immature", "undefined", "none"];
    let subject = block.required("subject", "e.g. \"feature:amount\"", subject);
    let metric = block.required("metric", "e.g. \"psi\"", metric);
    let verdict = block.read("verdict", choice(&VERDICTS.map(|name| (name, name))));
    let threshold = block.read("threshold", number);
    let need = block.read("need", count(0..=MOST_VALUES));
    let against = block.read("against", choice(&Baseline::ALL.map(|b| (b.as_str(), b)))).unwrap_or_default();
    Some(Expected::Verdict { subject: subject?, metric: metric?, verdict: verdict?.to_owned(), threshold, need, against })
}

fn subject(value: &toml::Value) -> Result<Subject, String> {
    match subject_pattern(value)? {
        SubjectPattern::Exactly(subject) => Ok(subject),
        SubjectPattern::AnyFeature => Err("is one feature here, e.g. \"feature:amount\"".to_owned()),
    }
}

fn metric(value: &toml::Value) -> Result<Metric, String> {
    let name = text(value)?;
    Metric::parse(name).ok_or_else(|| format!("{name:?} is no metric"))
}

fn reading(value: &toml::Value) -> Result<Reading, String> {
    let Some(name) = value.as_str() else { return number(value).map(Reading::Value) };
    let reason = UndefinedReason::ALL.into_iter().find(|reason| reason.as_str() == name);
    let names = || UndefinedReason::ALL.map(UndefinedReason::as_str).join(", ");
    reason.map(Reading::Undefined).ok_or_else(|| format!("{name:?} is neither a number nor one of {}", names()))
}

fn window(value: &toml::Value) -> Result<usize, String> {
    count(0..=MOST_WINDOWS)(value).map(|n| n as usize)
}

/// One for every window, or one for each.
fn each<T: Clone>(n_windows: usize, item: impl Fn(&toml::Value) -> Result<T, String>) -> impl Fn(&toml::Value) -> Result<Vec<T>, String> {
    move |value| {
        if !value.is_array() {
            return Ok(vec![item(value)?; n_windows]);
        }
        let items = list(&item)(value)?;
        if items.len() == n_windows { Ok(items) } else { Err(format!("has {} items for {n_windows} windows", items.len())) }
    }
}

/// A number that is not negative.
fn size(value: &toml::Value) -> Result<f64, String> {
    number(value).and_then(|size| if size >= 0.0 { Ok(size) } else { Err(format!("{size} is negative")) })
}

fn length(value: &toml::Value) -> Result<i64, String> {
    let length = parse_duration(text(value)?)?;
    if length >= 1000 { Ok(length) } else { Err("is at least a second".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let problems = parse_rule_tests(text).unwrap_err();
        let found: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(found, expected, "{problems:#?}");
    }

    #[test]
    fn every_problem_at_once() {
        check("", &["test"]);
        check("[[test]]\n", &["test[0].name", "test[0].series", "test[0].expect"]);
        check(
            "[[test]]\nname = \"a\"\nsize = \"0s\"\nimmature = [-1]\nwindows = 3\n\
             [[test.series]]\nsubject = \"feature:*\"\nmetric = \"psy\"\nvalues = [\"gone\"]\n\
             [[test.series]]\nsubject = \"quality\"\nmetric = \"r2\"\nvalues = [1, 0.5]\nn = [1]\np = [0.1, 2]\n\
             sigma = -1\ninterval = [0.1]\nagainst = \"yesterday\"\n\
             [[test.expect]]\nwindow = 0\nrule = \"a\"\nverdict = \"ok\"\n\
             [[test.expect]]\nwindow = 7\nrule = \"a\"\nstate = \"firing\"\n",
            &[
                "test[0].size",
                "test[0].immature",
                "test[0].series[0].subject",
                "test[0].series[0].metric",
                "test[0].series[0].values",
                "test[0].series[1].n",
                "test[0].series[1].p",
                "test[0].series[1].sigma",
                "test[0].series[1].interval",
                "test[0].series[1].against",
                "test[0].expect[0]",
                "test[0].windows",
                "test[0].expect",
            ],
        );
    }

    #[test]
    fn defaults() {
        let tests = parse_rule_tests(
            "[[test]]\nname = \"a\"\n[[test.series]]\nsubject = \"score\"\nmetric = \"psi\"\nvalues = [0, \"no_data\"]\n\
             [[test.expect]]\nwindow = 1\nsubject = \"score\"\nmetric = \"psi\"\nverdict = \"none\"\n",
        );
        let test = &tests.unwrap()[0];
        assert_eq!((test.task, test.size_ms, test.slide_ms, test.n_windows), (Task::Binary, 3_600_000, 3_600_000, 2));
        let series = &test.series[0];
        assert_eq!((&*series.n, series.n_reference, series.degrees), (&[10_000, 10_000][..], 100_000, 9));
        assert_eq!((series.p.len(), series.interval.len(), series.noise_floor, series.sigma), (0, 0, None, None));
        assert_eq!(series.readings, [Reading::Value(0.0), Reading::Undefined(UndefinedReason::NoData)]);
    }
}
