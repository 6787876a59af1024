//! `[model.detectors]`: what change detectors go by.

use super::reader::Section;
use crate::engine::settings::DetectorSettings;

/// The table of one model.
pub(crate) fn detectors(section: Section<'_>) -> DetectorSettings {
    let settings = DetectorSettings {
        adwin_delta: section.number("adwin_delta", "0.002", 1e-12..=0.5, "ADWIN: chance of a false cut, by its bound."),
        page_hinkley_threshold: section.number(
            "page_hinkley_threshold",
            "50",
            0.1..=1e9,
            "Page–Hinkley: sum of deviations from the mean that is a change. Numbers (latencies, errors of a regression) are first brought to a \
             standard deviation of 1/4.",
        ),
        hddm_confidence: section.number("hddm_confidence", "0.001", 1e-12..=0.2, "HDDM-A, HDDM-W: chance of a false change, by their bounds."),
        kswin_alpha: section.number("kswin_alpha", "0.000001", 1e-16..=0.5, "KSWIN: chance of a false change with every value."),
        cusum_arl: section.number("cusum_arl", "1000000", 100.0..=1e15, "CUSUM: mean number of values between two false changes."),
        warm_up: section.count(
            "warm_up",
            "1000",
            30..=1_000_000,
            "Values from which mean and spread are learned, at the beginning and after a change: by ADWIN and Page–Hinkley on numbers, by CUSUM \
             always (and more, where values are skewed).",
        ),
        refractory: section.count(
            "refractory",
            "100",
            0..=1_000_000,
            "Values after a change during which a detector rests: one change is not told twice.",
        ),
    };
    section.finish();
    settings
}
