//! Traffic of a model of which everything is known. Nothing is random: each value is a low-discrepancy sequence over the request's number, so that
//! healthy windows are healthy beyond doubt, and what is injected is there in full.

use serde_json::{Value, json};

/// Requests of one second of event time.
pub(crate) const PER_SECOND: i64 = 250;
/// Rows of the reference.
const REFERENCE_ROWS: u64 = 5_000;

/// What is wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Healthy,
    /// `amount` is 60 higher.
    AmountDrifts,
    /// The truth has changed: 30 % of the positive answers are wrong, and so many of the others that the labels' distribution stays.
    ConceptShifts,
}

/// One request with its outcome.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    pub(crate) id: String,
    pub(crate) at_ms: i64,
    pub(crate) amount: f64,
    pub(crate) age: f64,
    pub(crate) country: &'static str,
    pub(crate) prediction: u8,
    pub(crate) label: u8,
}

impl Request {
    /// Request number `i` of a stream that began at `start_ms`.
    pub(crate) fn new(start_ms: i64, i: u64, phase: Phase) -> Self {
        let shift = if phase == Phase::AmountDrifts { 60.0 } else { 0.0 };
        let country = match sequence(i, std::f64::consts::E) {
            u if u < 0.5 => "DE",
            u if u < 0.8 => "FR",
            _ => "US",
        };
        let prediction = u8::from(sequence(i, std::f64::consts::SQRT_2) < 0.3);
        let wrong_share = match (phase, prediction) {
            (Phase::ConceptShifts, 1) => 0.3,
            (Phase::ConceptShifts, _) => 0.3 * 0.3 / 0.7,
            _ => 0.01,
        };
        let wrong = sequence(i, 3_f64.sqrt()) < wrong_share;
        Self {
            id: format!("r-{i}"),
            at_ms: start_ms + i as i64 * 1000 / PER_SECOND,
            amount: shift + 100.0 * sequence(i, 1.618_033_988_749_895),
            age: (18.0 + 60.0 * sequence(i, std::f64::consts::PI)).round(),
            country,
            prediction,
            label: if wrong { 1 - prediction } else { prediction },
        }
    }

    /// The prediction event.
    pub(crate) fn prediction(&self) -> Value {
        json!({
            "prediction_id": self.id, "model": "fraud", "version": "v1", "timestamp": timestamp(self.at_ms),
            "features": { "amount": self.amount, "age": self.age, "country": self.country },
            "prediction": self.prediction, "latency_ms": 5.0 + self.age / 10.0, "status": "ok",
        })
    }

    /// The label event, known this long after the prediction.
    pub(crate) fn label(&self, delay_ms: i64) -> Value {
        json!({ "prediction_id": self.id, "label": self.label, "timestamp": timestamp(self.at_ms + delay_ms) })
    }

    /// A partition that depends on nothing but the id, as a producer with keys has it.
    pub(crate) fn partition(&self, n_partitions: i32) -> i32 {
        (xxhash_rust::xxh3::xxh3_64(self.id.as_bytes()) % n_partitions.unsigned_abs() as u64) as i32
    }
}

/// Requests of the seconds `from..to` of a stream that began at `start_ms`.
pub(crate) fn requests(start_ms: i64, from_second: i64, to_second: i64, phase: Phase) -> impl Iterator<Item = Request> + Clone {
    let numbers = (from_second * PER_SECOND) as u64..(to_second * PER_SECOND) as u64;
    numbers.map(move |i| Request::new(start_ms, i, phase))
}

/// The reference as CSV.
pub(crate) fn reference_csv() -> String {
    let mut text = String::from("amount,age,country,prediction,label\n");
    for i in 0..REFERENCE_ROWS {
        let Request { amount, age, country, prediction, label, .. } = Request::new(0, i, Phase::Healthy);
        text.push_str(&format!("{amount},{age},{country},{prediction},{label}\n"));
    }
    text
}

/// The start of a stream whose first `seconds` lie in the past: whole windows of four seconds.
pub(crate) fn start_before_now(seconds: i64) -> i64 {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
    (now - seconds * 1000) / 4_000 * 4_000
}

/// RFC 3339.
pub(crate) fn timestamp(millis: i64) -> String {
    driftd::event::Timestamp(millis).to_string()
}

/// The `i`-th member of the additive sequence of `step`, in 0..1.
fn sequence(i: u64, step: f64) -> f64 {
    (i as f64 * step).fract()
}
