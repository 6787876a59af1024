//! Timestamps in the one form that nearly every writer uses: `2026-11-22T09:40:00.123Z`, or `+00:00` for `Z`.
//!
//! What has another form, or lies outside of the years 1970 to 9998, is left to [`Timestamp::parse`]; both agree where both know.

use crate::event::Timestamp;

/// Days before each month of a common year.
const DAYS_BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const DAYS_IN: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Parses RFC 3339; `None` where it is none.
pub(super) fn timestamp(text: &str) -> Option<Timestamp> {
    usual(text.as_bytes()).or_else(|| Timestamp::parse(text).ok())
}

/// The usual form.
pub(super) fn usual(text: &[u8]) -> Option<Timestamp> {
    let (head, tail) = text.split_first_chunk::<19>()?;
    let [y1, y2, y3, y4, b'-', o1, o2, b'-', d1, d2, b'T', h1, h2, b':', m1, m2, b':', s1, s2] = *head else { return None };
    let year = two(y1, y2)? * 100 + two(y3, y4)?;
    let (month, day) = (two(o1, o2)?, two(d1, d2)?);
    let (hour, minute, second) = (two(h1, h2)?, two(m1, m2)?, two(s1, s2)?);
    if !(1970..=9998).contains(&year) || !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let place = (month - 1) as usize;
    if day < 1 || day > DAYS_IN[place] + i64::from(leap && month == 2) {
        return None;
    }
    let before = year - 1;
    let leap_days = before / 4 - before / 100 + before / 400 - 477 + i64::from(leap && month > 2);
    let days = (year - 1970) * 365 + leap_days + DAYS_BEFORE[place] + day - 1;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    Some(Timestamp(seconds * 1000 + millis(tail)?))
}

/// The milliseconds of a fraction of up to nine digits, where UTC follows; finer ones are cut off.
fn millis(tail: &[u8]) -> Option<i64> {
    let (mut ms, mut rest) = (0, tail);
    if let Some(fraction) = tail.strip_prefix(b".") {
        let n_digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
        if !(1..=9).contains(&n_digits) {
            return None;
        }
        let digit = |place: usize| if place < n_digits { i64::from(fraction[place] - b'0') } else { 0 };
        ms = digit(0) * 100 + digit(1) * 10 + digit(2);
        rest = &fraction[n_digits..];
    }
    (rest == b"Z" || rest == b"+00:00").then_some(ms)
}

/// A number of two digits.
#[inline]
fn two(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i64::from(tens) * 10 + i64::from(ones))
}
