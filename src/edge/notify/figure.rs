//! Numbers and times as people read them: `0.312`, `91.2 %`, `12.4 ms`, `2026-11-22 09:00 – 10:00 UTC`.

use crate::engine::catalogue::{Family, Range};
use crate::engine::metric::{Metric, Subject};
use crate::event::Timestamp;

/// Digits that matter in a reading.
const DIGITS: i32 = 3;
/// Most digits spent on telling a reading from its bound.
const MOST_DIGITS: i32 = 12;

/// What a metric is called in a sentence.
pub(super) fn metric_name(metric: Metric) -> String {
    match metric {
        Metric::Psi => "PSI".to_owned(),
        Metric::Ks => "KS distance".to_owned(),
        Metric::LInfinity => "largest change of a share".to_owned(),
        Metric::CramersV => "Cramér's V".to_owned(),
        Metric::F1 => "F1".to_owned(),
        Metric::Mae => "MAE".to_owned(),
        Metric::Rmse => "RMSE".to_owned(),
        Metric::R2 => "R²".to_owned(),
        Metric::Mape => "MAPE".to_owned(),
        Metric::RocAuc => "ROC AUC".to_owned(),
        Metric::PrAuc => "PR AUC".to_owned(),
        Metric::Throughput => "throughput".to_owned(),
        _ => {
            let name = metric.as_str();
            let unit = ["_seconds", "_ms"].into_iter().find_map(|unit| name.strip_suffix(unit));
            unit.unwrap_or(name).replace('_', " ")
        }
    }
}

/// A metric of a subject in words: `PSI of amount`, `accuracy`, `recall of class 3`.
pub(super) fn what(subject: &Subject, metric: Metric) -> String {
    let name = metric_name(metric);
    match subject {
        Subject::Feature(feature) => format!("{name} of {feature}"),
        Subject::ClassQuality(class) => format!("{name} of class {class}"),
        Subject::Prediction => format!("{name} of the prediction"),
        Subject::Score => format!("{name} of the score"),
        Subject::Label => format!("{name} of the label"),
        Subject::Features => format!("{name} of all features"),
        Subject::Residual => format!("{name} of the residuals"),
        Subject::QualityAt(threshold) => format!("{name} at the decision threshold {threshold}"),
        Subject::EstimatedQuality => format!("estimated {name}"),
        Subject::Fairness(feature) => format!("{name} by {feature}"),
        Subject::Errors => format!("{name} on the errors"),
        Subject::Latency => format!("{name} on the latency"),
        Subject::Quality | Subject::Service | Subject::Data => name,
    }
}

/// A reading and its bound as text: the reading with three significant digits, or as many more as it takes to tell it from the bound
/// (89.996 % is not "90.0 %, below 90 %").
pub(super) fn reading_and_bound(metric: Metric, value: f64, bound: f64) -> (String, String) {
    let (scale, unit) = unit(metric);
    let (value, bound) = (value * scale, bound * scale);
    let bound_text = trimmed(significant(bound, 6));
    let value_text = (DIGITS..=MOST_DIGITS)
        .map(|digits| significant(value, digits))
        .find(|text| value == bound || trimmed(text.clone()) != bound_text)
        .unwrap_or_else(|| significant(value, MOST_DIGITS));
    (format!("{value_text}{unit}"), format!("{bound_text}{unit}"))
}

/// A share as people read it: `31 %`, `0.1 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", trimmed(significant(share * 100.0, 2)))
}

/// A number by itself, with the digits that matter.
pub(super) fn number(value: f64) -> String {
    trimmed(significant(value, DIGITS))
}

/// What a metric is multiplied by, and the unit that follows.
fn unit(metric: Metric) -> (f64, &'static str) {
    let name = metric.as_str();
    match metric {
        Metric::Throughput => (1.0, " requests/s"),
        _ if name.ends_with("_seconds") => (1.0, " s"),
        _ if name.ends_with("_ms") => (1.0, " ms"),
        _ if metric.range() == Range::Unit && metric.family() != Family::Distance => (100.0, " %"),
        _ => (1.0, ""),
    }
}

/// `value` with at least `digits` significant digits; digits before the point are never dropped.
fn significant(value: f64, digits: i32) -> String {
    if !value.is_finite() {
        return "undefined".to_owned();
    }
    let size = value.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    if !(1e-6..1e15).contains(&size) {
        return format!("{value:.*e}", usize::try_from(digits - 1).unwrap_or(0));
    }
    let magnitude = size.log10().floor() as i32;
    let decimals = usize::try_from(digits - 1 - magnitude).unwrap_or(0);
    grouped(&format!("{value:.decimals$}"))
}

/// Cuts zeros off the end of a decimal fraction.
fn trimmed(text: String) -> String {
    let (mantissa, exponent) = text.find('e').map_or((text.as_str(), ""), |at| text.split_at(at));
    if !mantissa.contains('.') {
        return text;
    }
    format!("{}{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'))
}

/// A count with its thousands apart: `48,211`.
pub(super) fn count(n: u64) -> String {
    grouped(&n.to_string())
}

/// Puts a comma between the thousands of a decimal number's integer part.
fn grouped(number: &str) -> String {
    let (sign, rest) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (whole, fraction) = rest.find('.').map_or((rest, ""), |at| rest.split_at(at));
    let mut text = sign.to_owned();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + fraction
}

/// A time in UTC, to the minute, or to the second where it has seconds.
pub(super) fn moment(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.millis()) {
        Ok(t) => format!("{} {} UTC", t.strftime("%Y-%m-%d"), clock(at, &t)),
        Err(_) => at.to_string(),
    }
}

/// A span of time in UTC: `2026-11-22 09:00 – 10:00 UTC`.
pub(super) fn span(start: Timestamp, end: Timestamp) -> String {
    let days = [start, end].map(|t| jiff::Timestamp::from_millisecond(t.millis()));
    let [Ok(from), Ok(to)] = &days else { return format!("{start} – {end}") };
    let (from_day, to_day) = (from.strftime("%Y-%m-%d").to_string(), to.strftime("%Y-%m-%d").to_string());
    let to_clock = clock(end, to);
    if from_day == to_day {
        format!("{from_day} {} – {to_clock} UTC", clock(start, from))
    } else {
        format!("{from_day} {} – {to_day} {to_clock} UTC", clock(start, from))
    }
}

fn clock(at: Timestamp, t: &jiff::Timestamp) -> String {
    let format = if at.millis().rem_euclid(60_000) == 0 { "%H:%M" } else { "%H:%M:%S" };
    t.strftime(format).to_string()
}

/// A length of time in its two largest units: `2 h 35 min`, `48 s`; `None` where it is not positive.
pub(super) fn duration(ms: i64) -> Option<String> {
    const UNITS: [(&str, i64); 4] = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let seconds = ms / 1_000;
    if seconds <= 0 {
        return None;
    }
    let first = UNITS.iter().position(|(_, length)| seconds >= *length)?;
    let (name, length) = UNITS[first];
    let mut text = format!("{} {name}", seconds / length);
    if let Some((name, shorter)) = UNITS.get(first + 1)
        && seconds % length / shorter > 0
    {
        text.push_str(&format!(" {} {name}", seconds % length / shorter));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_have_the_digits_that_matter() {
        for (metric, value, bound, want) in [
            (Metric::Psi, 0.312_345, 0.1, ("0.312", "0.1")),
            (Metric::Ks, 0.100_04, 0.1, ("0.10004", "0.1")),
            (Metric::Accuracy, 0.912_3, 0.9, ("91.2 %", "90 %")),
            (Metric::Accuracy, 0.899_96, 0.9, ("89.996 %", "90 %")),
            (Metric::Accuracy, 0.0, 0.9, ("0 %", "90 %")),
            (Metric::ErrorRate, 0.012_345, 0.01, ("1.23 %", "1 %")),
            (Metric::ErrorRate, 0.07, 0.07, ("7.00 %", "7 %")),
            (Metric::LatencyP95, 12.41, 10.0, ("12.4 ms", "10 ms")),
            (Metric::LatencyP95, 123_456.7, 100.0, ("123,457 ms", "100 ms")),
            (Metric::Throughput, 981.2, 1000.0, ("981 requests/s", "1,000 requests/s")),
            (Metric::R2, -1.5, 0.5, ("-1.50", "0.5")),
            (Metric::Mae, 1.5e20, 2e-9, ("1.50e20", "2e-9")),
            (Metric::Psi, f64::NAN, 0.1, ("undefined", "0.1")),
        ] {
            let got = reading_and_bound(metric, value, bound);
            assert_eq!((got.0.as_str(), got.1.as_str()), want);
        }
    }

    #[test]
    fn times_are_short_and_in_utc() {
        let t = |text| Timestamp::parse(text).unwrap();
        assert_eq!(span(t("2026-11-22T09:00:00Z"), t("2026-11-22T10:00:00Z")), "2026-11-22 09:00 – 10:00 UTC");
        assert_eq!(span(t("2026-11-21T23:30:00Z"), t("2026-11-22T00:30:15Z")), "2026-11-21 23:30 – 2026-11-22 00:30:15 UTC");
        assert_eq!(moment(t("2026-11-22T10:40:05.5+01:00")), "2026-11-22 09:40:05 UTC");
        assert_eq!(moment(Timestamp::MAX), Timestamp::MAX.to_string());
        assert_eq!(duration(9_300_000).as_deref(), Some("2 h 35 min"));
        assert_eq!(duration(172_800_000).as_deref(), Some("2 d"));
        assert_eq!(duration(48_900).as_deref(), Some("48 s"));
        assert_eq!(duration(-5), None);
        assert_eq!(count(1_048_211), "1,048,211");
    }
}
