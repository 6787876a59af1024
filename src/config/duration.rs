//! Durations ("30s", "1h30m", "250ms", "7d") to milliseconds, and sizes ("1MiB", "512KiB", "100MB") to bytes, and back.
//!
//! Invariant: what is printed is read back to the same number. Months and years are refused: they have no fixed length.

use std::time::Duration;

const UNITS: [(&str, i64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
/// Binary before decimal, larger before smaller: the first that divides a size prints it.
const SIZES: [(&str, u64); 7] =
    [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000), ("B", 1)];

/// Parses a duration into milliseconds.
///
/// # Errors
/// A sentence that quotes the text and shows the form.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    let refusal = || format!("{text:?} is no duration: write e.g. \"250ms\", \"30s\", \"5m\", \"1h30m\" or \"7d\"");
    let trimmed = text.trim();
    if trimmed == "0" {
        return Err(format!("{text:?} has no unit: write \"0s\""));
    }
    let words = trimmed.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    if words.into_iter().any(|unit| unit == "M" || unit.starts_with("mo") || unit.starts_with('y')) {
        return Err(format!("{text:?} counts months or years, which have no fixed length: write days, e.g. \"30d\" (\"m\" is minutes)"));
    }
    let duration: Duration = humantime::parse_duration(trimmed).map_err(|_| refusal())?;
    if !duration.subsec_nanos().is_multiple_of(1_000_000) {
        return Err(format!("{text:?} is finer than a millisecond"));
    }
    i64::try_from(duration.as_millis()).map_err(|_| refusal())
}

/// The shortest text for a number of milliseconds: `5400000` is `1h30m`.
pub fn print_duration(ms: i64) -> String {
    let mut left = ms.max(0);
    let mut text = String::new();
    for (unit, length) in UNITS {
        if left >= length {
            text.push_str(&format!("{}{unit}", left / length));
            left %= length;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// Parses a size into bytes; `KiB`, `MiB`, `GiB` count by 1024, `kB`, `MB`, `GB` by 1000.
///
/// # Errors
/// A sentence that quotes the text and shows the form.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let refusal = || format!("{text:?} is no size: write e.g. \"1MiB\", \"512KiB\" or \"100MB\"");
    let trimmed = text.trim();
    let end = trimmed.find(|c: char| !c.is_ascii_digit()).unwrap_or(trimmed.len());
    let count: u64 = trimmed[..end].parse().map_err(|_| refusal())?;
    let unit = trimmed[end..].trim();
    let unit = if unit == "KB" { "kB" } else { unit };
    let (_, length) = SIZES.iter().find(|(name, _)| *name == unit).ok_or_else(refusal)?;
    count.checked_mul(*length).ok_or_else(refusal)
}

/// The shortest text for a number of bytes: `1048576` is `1MiB`.
pub fn print_size(bytes: u64) -> String {
    let (unit, length) = SIZES.iter().find(|(_, length)| bytes != 0 && bytes.is_multiple_of(*length)).unwrap_or(&("B", 1));
    format!("{}{unit}", bytes / length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations() {
        for (text, ms, printed) in [
            ("250ms", 250, "250ms"),
            ("30s", 30_000, "30s"),
            ("5m", 300_000, "5m"),
            ("1h30m", 5_400_000, "1h30m"),
            ("1h 30m", 5_400_000, "1h30m"),
            ("7d", 604_800_000, "7d"),
            ("90s", 90_000, "1m30s"),
            ("24h", 86_400_000, "1d"),
            ("2 hours", 7_200_000, "2h"),
            ("0s", 0, "0s"),
            ("1w", 604_800_000, "7d"),
        ] {
            assert_eq!(parse_duration(text), Ok(ms), "{text}");
            assert_eq!(print_duration(ms), printed);
        }
        for text in ["", "5", "0", "m5", "-5s", "5M", "1month", "1y", "10us", "1.5x", "99999999999999d", "é"] {
            assert!(parse_duration(text).unwrap_err().contains(&format!("{text:?}")), "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, bytes, printed) in [
            ("1MiB", 1 << 20, "1MiB"),
            ("512KiB", 512 << 10, "512KiB"),
            ("100MB", 100_000_000, "100MB"),
            ("10 KB", 10_000, "10kB"),
            ("1500B", 1500, "1500B"),
            ("0B", 0, "0B"),
            ("2048MiB", 2 << 30, "2GiB"),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
            assert_eq!(print_size(bytes), printed);
        }
        for text in ["", "1", "1mib", "MiB", "-1MiB", "1.5MiB", "99999999999999999999B", "18446744073709551615KiB", "1é"] {
            assert!(parse_size(text).unwrap_err().contains(&format!("{text:?}")), "{text}");
        }
    }

    proptest! {
        #[test]
        fn printed_and_read_back(ms in 0..i64::MAX / 2, bytes: u64) {
            prop_assert_eq!(parse_duration(&print_duration(ms)), Ok(ms));
            prop_assert_eq!(parse_size(&print_size(bytes)), Ok(bytes));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,20}") {
            drop((parse_duration(&text), parse_size(&text)));
        }
    }
}
