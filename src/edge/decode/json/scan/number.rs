//! Numbers: JSON's syntax, eight digits at a time, and exact.
//!
//! Invariant: a value has the very bits that `str::parse::<f64>` gives for its text. For numbers with exponents or of many
//! digits `str::parse` is asked.

use super::cursor::Cursor;
use super::decimal::fraction;

/// Most digits that surely fit into 64 bits.
const MAX_DIGITS: usize = 19;
/// Powers of ten by number of digits in a run of less than eight.
const SHIFTS: [u64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// A finite number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number<'a> {
    pub(super) value: f64,
    /// The text of an integer that is canonical and fits into 63 bits: what an id or a timestamp may be.
    pub(super) integer: Option<&'a str>,
}

/// Reads a number; `None` where it is none, or beyond `f64`.
#[inline(always)]
pub(super) fn number<'a>(cursor: &mut Cursor<'a>) -> Option<Number<'a>> {
    let start = cursor.at();
    let negative = cursor.byte() == b'-';
    cursor.skip(usize::from(negative));
    let leading_zero = cursor.byte() == b'0';
    let (whole, n_whole) = digits(cursor, 0);
    if n_whole == 0 || (leading_zero && n_whole > 1) {
        return None;
    }
    let n_whole = if leading_zero { 0 } else { n_whole };
    let signed = |x: f64| if negative { -x } else { x };
    match cursor.byte() {
        b'.' => {
            cursor.skip(1);
            let (mantissa, n_fraction) = digits(cursor, whole);
            if n_fraction == 0 {
                return None;
            }
            let more = matches!(cursor.byte(), b'e' | b'E');
            let value =
                if !more && n_whole + n_fraction <= MAX_DIGITS { signed(fraction(mantissa, n_fraction)) } else { long(cursor, start)? };
            Some(Number { value, integer: None })
        }
        b'e' | b'E' => Some(Number { value: long(cursor, start)?, integer: None }),
        _ if n_whole <= MAX_DIGITS => {
            let canonical = n_whole < MAX_DIGITS && !(negative && whole == 0);
            // `as` rounds to the nearest, ties to even, as `str::parse` does
            Some(Number { value: signed(whole as f64), integer: if canonical { cursor.since(start) } else { None } })
        }
        _ => Some(Number { value: long(cursor, start)?, integer: None }),
    }
}

/// The number from `start`, of which all but the exponent was read.
#[inline(always)]
fn long(cursor: &mut Cursor<'_>, start: usize) -> Option<f64> {
    if matches!(cursor.byte(), b'e' | b'E') {
        let n_bytes = exponent(cursor.rest())?;
        cursor.skip(n_bytes);
    }
    parse(cursor.since(start)?)
}

/// The bytes of an exponent.
#[inline(never)]
fn exponent(bytes: &[u8]) -> Option<usize> {
    let n_sign = usize::from(matches!(bytes.get(1), Some(b'+' | b'-')));
    let n_digits = bytes.get(1 + n_sign..)?.iter().take_while(|b| b.is_ascii_digit()).count();
    (n_digits > 0).then_some(1 + n_sign + n_digits)
}

#[inline(never)]
fn parse(text: &str) -> Option<f64> {
    text.parse().ok().filter(|x: &f64| x.is_finite())
}

/// Appends a run of digits to `value`, and counts them. Beyond [`MAX_DIGITS`] the value wraps and says nothing.
#[inline(always)]
fn digits(cursor: &mut Cursor<'_>, mut value: u64) -> (u64, usize) {
    let mut n_digits = 0;
    loop {
        // digits become 0 to 9, all else is more; no byte carries into the next
        let bytes = cursor.eight() ^ 0x3030_3030_3030_3030;
        let others = (((bytes & 0x7f7f_7f7f_7f7f_7f7f) + 0x7676_7676_7676_7676) | bytes) & 0x8080_8080_8080_8080;
        if others == 0 {
            value = value.wrapping_mul(100_000_000).wrapping_add(eight_digits(bytes));
            cursor.skip(8);
            n_digits += 8;
            continue;
        }
        let n = (others.trailing_zeros() / 8) as usize;
        if n > 0 {
            // moved to the end of the eight, behind zeros
            value = value.wrapping_mul(SHIFTS[n & 7]).wrapping_add(eight_digits(bytes << (64 - 8 * n)));
            cursor.skip(n);
        }
        return (value, n_digits + n);
    }
}

/// The number that eight bytes of 0 to 9 make, the lowest byte being the highest digit: pairs, then fours, then all.
#[inline(always)]
fn eight_digits(bytes: u64) -> u64 {
    let pairs = bytes.wrapping_mul(10).wrapping_add(bytes >> 8);
    let odd = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let even = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    odd.wrapping_add(even) >> 32
}
