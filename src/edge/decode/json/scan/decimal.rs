//! A decimal fraction → the nearest `f64`, in two multiplications.
//!
//! Source: D. Lemire, "Number Parsing at a Gigabyte per Second", Software: Practice and Experience 51 (2021), section 5 onwards; what the standard library
//! does too, once it has read the digits a second time. Only the exponents of ordinary fractions are here: with those the result is
//! normal, and the product of 128 bits always decides (section 8).

/// Most digits behind the point.
pub(super) const MAX_FRACTION: usize = 19;

/// Reciprocals of the powers of five from 0 on, rounded up at the 128th significant bit.
const RECIPROCALS: [u128; MAX_FRACTION + 1] = reciprocals();

const fn reciprocals() -> [u128; MAX_FRACTION + 1] {
    let (mut table, mut power, mut k) = ([0; MAX_FRACTION + 1], 1_u128, 0);
    while k <= MAX_FRACTION {
        // 2^(z + 127) / power, where 2^z is the least power of two that is not below it; bit by bit
        let mut z = 0;
        while (1_u128 << z) < power {
            z += 1;
        }
        let (mut quotient, mut remainder, mut bit) = (0_u128, 1_u128, 0);
        while bit < z + 127 {
            remainder *= 2;
            quotient *= 2;
            if remainder >= power {
                remainder -= power;
                quotient += 1;
            }
            bit += 1;
        }
        table[k] = quotient + 1;
        power *= 5;
        k += 1;
    }
    table
}

/// `mantissa` / 10^`n_fraction`, rounded to nearest, ties to even. `n_fraction` is 1 to [`MAX_FRACTION`].
#[inline(always)]
pub(super) fn fraction(mantissa: u64, n_fraction: usize) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    let shift = mantissa.leading_zeros();
    let w = mantissa << shift;
    let reciprocal = RECIPROCALS[n_fraction];
    let product = u128::from(w) * (reciprocal >> 64);
    let (mut high, mut low) = ((product >> 64) as u64, product as u64);
    // the nine bits below those of the result and its rounding: all ones may carry
    if high & 0x1ff == 0x1ff {
        let more = ((u128::from(w) * (reciprocal & u128::from(u64::MAX))) >> 64) as u64;
        let carry;
        (low, carry) = low.overflowing_add(more);
        high += u64::from(carry);
    }
    let upper = high >> 63;
    let mut bits = high >> (upper + 9);
    // exactly half way: to even, not up. A product can be exact for small powers only
    if low <= 1 && n_fraction <= 4 && bits & 3 == 1 && bits << (upper + 9) == high {
        bits &= !1;
    }
    bits = (bits + (bits & 1)) >> 1;
    // floor(log2(10^-n)) by a multiplication; the leading bit of `bits` adds one, and one more where rounding carried into it
    let power = ((-(n_fraction as i64) * 217_706) >> 16) + 63 + 1023 + upper as i64 - i64::from(shift);
    f64::from_bits((((power - 1) as u64) << 52).wrapping_add(bits))
}
