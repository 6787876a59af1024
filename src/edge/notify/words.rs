//! The facts of a notification as templates see them (listed in `alerts/templates/README.md`).
//!
//! Invariant: every text is one bounded line, whatever the events said. Nothing but facts is handed over: no setting, no secret, no environment.

use super::{explain, figure, text};
use crate::engine::alert::{AlertFacts, Body, Explanation, Notification, NotifyReason, RetrainFacts, Worst};
use crate::engine::metric::Subject;
use minijinja::{Value, context};

/// Longest name in a message, in characters.
const NAME: usize = 100;
/// Longest sentence in a message, in characters.
const SENTENCE: usize = 500;
/// Most breaches a message lists.
const MOST_WORST: usize = 5;

/// What a template may speak of.
pub(super) fn words(notification: &Notification) -> Value {
    let (alert, retrain) = match &notification.body {
        Body::Alert(alert) => (alert, None),
        Body::Retrain(facts) => (&facts.alert, Some(retrain_words(facts))),
    };
    let shown = alert.worst.len().min(MOST_WORST);
    let n_breaching = alert.n_breaching.max(alert.worst.len() as u64);
    context! {
        reason => notification.reason.as_str(),
        environment => name(&alert.environment),
        rule => name(&alert.rule),
        title => name(&alert.title),
        severity => alert.severity.as_str(),
        model => name(&alert.model.model),
        version => name(&alert.model.version),
        segment => alert.segment.as_deref().map(name),
        incident => name(&alert.incident.0),
        state => alert.state.as_str(),
        since => figure::moment(alert.since),
        fired_at => alert.fired_at.map(figure::moment),
        resolved_at => alert.resolved_at.map(figure::moment),
        duration => duration(notification.reason, alert),
        window => context! {
            start => figure::moment(alert.window.start),
            end => figure::moment(alert.window.end),
            span => figure::span(alert.window.start, alert.window.end),
            predictions => figure::count(alert.window.predictions),
            labels => figure::count(alert.window.labels),
        },
        worst => alert.worst.iter().take(MOST_WORST).map(worst_words).collect::<Vec<Value>>(),
        n_breaching => n_breaching,
        n_judged => alert.n_judged.max(n_breaching),
        n_more => n_breaching - shown as u64,
        note => alert.note.as_deref().map(sentence),
        retrain => retrain,
        explanation => alert.explanation.as_ref().map(|explanation| explanation_words(explanation, alert)),
    }
}

fn worst_words(worst: &Worst) -> Value {
    let (value, bound) = figure::reading_and_bound(worst.metric, worst.value, worst.threshold);
    let (subject, bare) = match &worst.subject {
        Subject::Feature(feature) => (Subject::Feature(name(feature).into()), name(feature)),
        Subject::ClassQuality(class) => (Subject::ClassQuality(name(class).into()), name(class)),
        other => (other.clone(), other.to_string()),
    };
    context! {
        what => figure::what(&subject, worst.metric),
        subject => subject.to_string(),
        name => bare,
        metric => figure::metric_name(worst.metric),
        value => value,
        bound => bound,
        side => if worst.above { "above" } else { "below" },
        n => figure::count(worst.n_current),
        share => (worst.share > 0.0 && worst.share < 1.0).then(|| figure::percent(worst.share)),
    }
}

/// Whole sentences, each one bounded line.
fn explanation_words(explanation: &Explanation, alert: &AlertFacts) -> Value {
    context! {
        causes => explanation.causes.iter().map(|cause| sentence(&explain::cause(cause))).collect::<Vec<String>>(),
        prediction => explanation.prediction.as_ref().map(explain::prediction),
        segments => explain::segments(&explanation.segments, alert.worst.first()).as_deref().map(sentence),
    }
}

fn retrain_words(facts: &RetrainFacts) -> Value {
    context! {
        reason => sentence(&facts.reason),
        labelled => figure::count(facts.labelled),
        requested_at => figure::moment(facts.requested_at),
    }
}

/// How long the alert has fired: until it resolved, else until the window judged last.
fn duration(reason: NotifyReason, alert: &AlertFacts) -> Option<String> {
    let until = match reason {
        NotifyReason::Resolved => alert.resolved_at.unwrap_or(alert.window.end),
        NotifyReason::Firing | NotifyReason::Repeat | NotifyReason::Retrain => alert.window.end,
    };
    alert.fired_at.and_then(|fired| figure::duration(until.since(fired)))
}

fn name(text: &str) -> String {
    text::one_line(text, NAME)
}

fn sentence(text: &str) -> String {
    text::one_line(text, SENTENCE)
}
