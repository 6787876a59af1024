//! What must come out, by plain counting.

use super::traffic::Request;
use serde_json::Value;
use std::collections::BTreeMap;

/// A window of event time in milliseconds, its end not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Window {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

/// Answers against truths.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quality {
    pub(crate) n: u64,
    pub(crate) accuracy: f64,
    pub(crate) precision: f64,
    pub(crate) recall: f64,
}

/// Quality of the requests of a window, with 1 as the positive class.
pub(crate) fn quality(requests: &[Request], window: Window) -> Quality {
    let mut confusion = [[0_u32; 2]; 2];
    for request in requests.iter().filter(|r| (window.start..window.end).contains(&r.at_ms)) {
        confusion[usize::from(request.label)][usize::from(request.prediction)] += 1;
    }
    let [[true_negative, false_positive], [false_negative, true_positive]] = confusion.map(|row| row.map(f64::from));
    let n = true_negative + false_positive + false_negative + true_positive;
    Quality {
        n: n as u64,
        accuracy: (true_negative + true_positive) / n,
        precision: true_positive / (true_positive + false_positive),
        recall: true_positive / (true_positive + false_negative),
    }
}

/// What names a reading: end of its window, subject, metric.
pub(crate) type Key = (String, String, String);

/// The readings of closed windows up to `until_ms`, without what depends on when they were printed: the labels that had come by then. Of a reading that was
/// printed more than once, each different version is kept, in order.
pub(crate) fn readings(lines: &[Value], until_ms: i64) -> BTreeMap<Key, Vec<Value>> {
    let until = super::traffic::timestamp(until_ms);
    let mut readings = BTreeMap::<Key, Vec<Value>>::new();
    for line in lines.iter().filter(|line| line["kind"] == "measurement" && line["window"]["end"].as_str().unwrap() <= until.as_str()) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let key = (text(&line["window"]["end"]), text(&line["subject"]), text(&line["metric"]));
        let mut line = line.clone();
        if !["quality", "label"].contains(&key.1.split(':').next().unwrap()) {
            line["window"].as_object_mut().unwrap().remove("labels");
        }
        let versions = readings.entry(key).or_default();
        if versions.last() != Some(&line) {
            versions.push(line);
        }
    }
    readings
}
