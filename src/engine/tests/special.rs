//! Features that are more than one column, and figures about all of them, through the whole engine.

use super::script::{Script, rule};
use super::*;
use crate::engine::metric::{Measurement, Reading, Verdict};
use crate::engine::settings::ColumnKind;

/// Tumbling windows of 10 s over a reference learned from the first 50 predictions, with these rules.
fn watched(rules: Vec<Arc<crate::engine::verdict::Rule>>, metrics: &[Metric], kinds: &[(&str, ColumnKind)]) -> Script {
    let mut settings = tumbling();
    let mut model = (*settings.models[0]).clone();
    model.kinds = kinds.iter().map(|&(name, kind)| (name.into(), kind)).collect();
    model.metrics = model.metrics.iter().chain(metrics.iter().copied()).chain(rules.iter().map(|r| r.conditions[0].metric)).collect();
    model.rules = rules;
    settings.models = vec![Arc::new(model)];
    Script::new(settings)
}

fn above(name: &str, subject: SubjectPattern, metric: Metric, level: f64) -> Arc<crate::engine::verdict::Rule> {
    rule(name, subject, metric, Bound::Above(Threshold::Absolute(level)))
}

/// A prediction every 50 ms in `[from, to)` seconds with these features.
fn play(script: &mut Script, from: i64, to: i64, features: impl Fn(i64) -> Vec<(&'static str, Scalar<'static>)>) {
    for n in from * 20..to * 20 {
        script.predict(&format!("p{n}"), "v1", n * 50, if n % 2 == 0 { "1" } else { "0" }, &features(n));
    }
}

fn of<'a>(script: &'a Script, start: i64, subject: &str, metric: Metric) -> &'a Measurement {
    let subject = Subject::parse(subject).unwrap();
    let found = script.measurements().filter(|m| m.window.start.millis() == start && m.subject == subject && m.metric == metric);
    found.last().unwrap_or_else(|| panic!("{} of {subject} at {start}", metric.as_str()))
}

/// The values behind the KS of a feature that runs through 0 to 19 over and over; it is the same in every window, because 50 rows of a reference end in
/// the middle of the third run.
fn ks_of_twenty(script: &Script, start: i64, subject: &str) -> u64 {
    let ks = of(script, start, subject, Metric::Ks);
    assert!((ks.reading.value().unwrap() - 0.1).abs() < 1e-12, "{ks:?}");
    ks.n_current
}

const WORDS: [&str; 6] = ["red", "green", "blue", "round", "small", "heavy"];

fn comment(n: i64) -> Scalar<'static> {
    let words: Vec<&str> = (0..3 + n % 4).map(|i| WORDS[((n * 7 + i * 5) % 6) as usize]).collect();
    Scalar::Text(words.join(" ").into())
}

#[test]
fn the_share_of_drifted_features_is_known_after_the_verdicts_and_judged_itself() {
    let ks = above("ks", SubjectPattern::AnyFeature, Metric::Ks, 0.5);
    let share = above("share", SubjectPattern::Exactly(Subject::Features), Metric::DriftedShare, 0.3);
    let mut share = Arc::unwrap_or_clone(share);
    share.conditions[0].min_events = 4;
    let mut script = watched(vec![ks, Arc::new(share)], &[], &[]);
    play(&mut script, 0, 40, |n| {
        let value = Scalar::Number((n % 20) as f64);
        let moved = Scalar::Number((n % 20 + if n >= 400 { 100 } else { 0 }) as f64);
        vec![("a", value.clone()), ("b", moved.clone()), ("c", moved), ("d", value)]
    });
    script.finish();
    let quiet = of(&script, 10_000, "features", Metric::DriftedShare);
    assert_eq!((quiet.reading, quiet.n_current, quiet.verdict), (Reading::Value(0.0), 4, Some(Verdict::Ok)));
    let loud = of(&script, 20_000, "features", Metric::DriftedShare);
    assert_eq!((loud.reading, loud.n_current, loud.verdict), (Reading::Value(0.5), 4, Some(Verdict::Breach)));
    assert_eq!(loud.parts.iter().map(|p| (&*p.name, p.current, p.contribution)).collect::<Vec<_>>(), [("b", 1.0, 0.25), ("c", 1.0, 0.25)]);
    let fired = script.alerts().into_iter().filter(|(state, _)| *state == "firing").count();
    assert_eq!(fired, 2, "the features' own rule and the share's");
}

#[test]
fn where_no_rule_looks_at_a_feature_there_is_no_share() {
    let mut script = watched(vec![], &[Metric::DriftedShare], &[]);
    play(&mut script, 0, 20, |n| vec![("a", Scalar::Number((n % 20) as f64))]);
    script.finish();
    let share = of(&script, 10_000, "features", Metric::DriftedShare);
    assert_eq!((share.reading, share.verdict), (Reading::Undefined(crate::engine::metric::UndefinedReason::NoData), None));
}

#[test]
fn a_text_is_watched_by_what_is_made_of_it() {
    let ks = above("ks", SubjectPattern::AnyFeature, Metric::Ks, 0.6);
    let mut script = watched(vec![ks], &[Metric::DriftedShare], &[("comment", ColumnKind::Text)]);
    play(&mut script, 0, 40, |n| {
        let text = match n {
            // other words of the same length
            400.. if n % 2 == 0 => Scalar::Text("qqq zzzzz xxxx".into()),
            _ => comment(n),
        };
        vec![("comment", text), ("x", Scalar::Number((n % 20) as f64))]
    });
    script.finish();
    let names: Vec<String> = script.measurements().filter(|m| m.metric == Metric::Psi).map(|m| m.subject.to_string()).collect();
    for name in ["feature:comment#length", "feature:comment#words", "feature:comment#unseen_words", "feature:comment#ngrams", "feature:x"] {
        assert!(names.iter().any(|n| n == name), "{name}");
    }
    assert!(names.iter().all(|n| n != "feature:comment"));
    let ks = |start, name: &str| of(&script, start, name, Metric::Ks).reading.value().unwrap();
    assert!(ks(10_000, "feature:comment#unseen_words") < 0.01);
    assert!(ks(20_000, "feature:comment#unseen_words") > 0.49, "half of the texts have new words");
    let grams = |start| of(&script, start, "feature:comment#ngrams", Metric::TotalVariation).clone();
    assert!(grams(10_000).reading.value().unwrap() < 0.1);
    assert!(grams(20_000).reading.value().unwrap() > 0.25);
    assert!(grams(10_000).n_current > 200 * 10, "an event counts many");
    assert_eq!(of(&script, 20_000, "features", Metric::DriftedShare).n_current, 2, "what is made of one text is one feature");
}

#[test]
fn what_is_no_text_is_invalid_in_every_column_of_it_and_costs_no_other() {
    let mut script = watched(vec![], &[], &[("comment", ColumnKind::Text)]);
    play(&mut script, 0, 20, |n| {
        let text = match n % 4 {
            _ if n < 200 => comment(n),
            0 => Scalar::Number(3.0),
            1 => Scalar::Null,
            2 => Scalar::Structured,
            _ => comment(n),
        };
        // a name of its own does not reach a column that is made of a text
        vec![("comment", text), ("comment#length", Scalar::Number(1e9)), ("x", Scalar::Number((n % 20) as f64))]
    });
    script.finish();
    for name in ["feature:comment#length", "feature:comment#words", "feature:comment#unseen_words"] {
        assert_eq!(of(&script, 10_000, name, Metric::InvalidRate).reading, Reading::Value(0.5), "{name}");
        assert_eq!(of(&script, 10_000, name, Metric::MissingRate).reading, Reading::Value(0.25), "{name}");
    }
    assert_eq!(ks_of_twenty(&script, 10_000, "feature:x"), 200);
    assert_eq!(script.counts().invalid_values[0], 100, "one value is counted once");
}

fn embedding(n: i64, shift: f64) -> Scalar<'static> {
    let x = (n * 37 % 101) as f64 / 101.0;
    Scalar::Vector(vec![x + shift, (7.0 * x).sin(), 1.0 - x * x].into())
}

#[test]
fn a_vector_is_watched_as_a_whole_and_a_broken_one_costs_no_other() {
    let mmd = above("mmd", SubjectPattern::AnyFeature, Metric::Mmd, 0.05);
    let mut script = watched(vec![mmd], &[], &[]);
    play(&mut script, 0, 50, |n| {
        let odd = match n % 4 {
            0 => Scalar::Vector(vec![1.0].into()),
            1 => Scalar::Number(1.0),
            2 => Scalar::Vector(vec![1.0, f64::INFINITY, 1.0].into()),
            _ => Scalar::Null,
        };
        let odd = if n < 400 { embedding(n, 0.0) } else { odd };
        let moved = if n < 600 { embedding(n, 0.0) } else { embedding(n, 1.0) };
        vec![("e", moved), ("odd", odd), ("x", Scalar::Number((n % 20) as f64))]
    });
    script.finish();
    let e = |start| of(&script, start, "feature:e", Metric::Mmd);
    assert_eq!((e(10_000).verdict, e(10_000).n_current, e(10_000).n_reference), (Some(Verdict::Ok), 200, 50));
    assert_eq!((e(20_000).verdict, e(30_000).verdict), (Some(Verdict::Ok), Some(Verdict::Breach)));
    assert!(e(10_000).p_value.unwrap() > 0.01 && e(30_000).p_value.unwrap() < 1e-6);
    let odd = |metric| of(&script, 20_000, "feature:odd", metric).reading;
    assert_eq!(odd(Metric::Mmd), Reading::Undefined(crate::engine::metric::UndefinedReason::NoData));
    assert_eq!((odd(Metric::InvalidRate), odd(Metric::MissingRate)), (Reading::Value(0.75), Reading::Value(0.25)));
    assert_eq!(ks_of_twenty(&script, 20_000, "feature:x"), 200);
}

#[test]
fn a_vector_that_nobody_asks_about_is_counted_only() {
    let mut script = watched(vec![], &[], &[]);
    play(&mut script, 0, 20, |n| vec![("e", embedding(n, 0.0)), ("x", Scalar::Vector(vec![0.5].into()))]);
    script.finish();
    assert!(script.measurements().all(|m| m.metric != Metric::Mmd));
    assert_eq!(of(&script, 10_000, "feature:e", Metric::InvalidRate).reading, Reading::Value(0.0));
}

#[test]
fn inputs_that_go_together_no_longer_are_seen_though_each_alone_is_as_before() {
    let mut script = watched(vec![], &[Metric::PcaError, Metric::Frechet], &[("comment", ColumnKind::Text)]);
    play(&mut script, 0, 40, |n| {
        let (a, b) = (n % 20, if n < 400 { n % 20 } else { (n * 7) % 20 });
        vec![("a", Scalar::Number(a as f64)), ("b", Scalar::Number(b as f64)), ("comment", comment(n))]
    });
    script.finish();
    let at = |start, metric| of(&script, start, "features", metric).clone();
    assert_eq!(ks_of_twenty(&script, 20_000, "feature:b"), 200);
    let (before, after) = (at(10_000, Metric::PcaError), at(20_000, Metric::PcaError));
    assert!((before.reading.value().unwrap() - before.on_reference.unwrap()).abs() < 0.1, "{before:?}");
    assert!(after.reading.value().unwrap() > 1.2 * before.reading.value().unwrap(), "{before:?} {after:?}");
    assert!(["a", "b"].contains(&&*after.parts[0].name), "{after:?}");
    let (before, after) = (at(10_000, Metric::Frechet), at(20_000, Metric::Frechet));
    assert!(before.reading.value().unwrap() < 0.1 && after.reading.value().unwrap() > 0.3, "{before:?} {after:?}");
    assert_eq!((after.n_current, after.n_reference), (200, 50));
}

#[test]
fn what_is_watched_survives_a_restart() {
    let run = |restarted: bool| {
        let metrics = [Metric::PcaError, Metric::Frechet, Metric::Mmd, Metric::DriftedShare];
        let mut script = watched(vec![], &metrics, &[("comment", ColumnKind::Text)]);
        let features = |n: i64| vec![("comment", comment(n)), ("e", embedding(n, 0.0)), ("x", Scalar::Number((n % 20) as f64))];
        play(&mut script, 0, 15, features);
        if restarted {
            script.restart();
        }
        play(&mut script, 15, 40, features);
        script.finish();
        script.effects.clone()
    };
    assert_eq!(run(true), run(false));
}
