//! Exact sums of real numbers.

use serde::{Deserialize, Serialize};

/// Fractional bits of a sum whose scale is 1.
const FRACTION_BITS: i32 = 60;
/// A single term is cut at this magnitude (in units), so that 2^27 such terms still fit; the cut is counted.
const MAX_TERM: f64 = 1.267_650_600_228_229_4e30; // 2^100

/// Up to here a number of units fits 64 bits, which a processor converts in one step.
const NARROW: f64 = 4_611_686_018_427_387_904.0; // 2^62
/// Exponents up to here, of either sign, have a normal power of two.
const MAX_STEP: i32 = 1000;
/// From here on every number is whole.
const WHOLE: f64 = 4_503_599_627_370_496.0; // 2^52

/// A sum of reals in fixed point (i128), so that it is the same to the last digit in whatever order its terms come.
///
/// The unit is `2^(scale - 60)`: with `scale` near the binary exponent of a column's spread, terms are exact to
/// about 1e-18 of that spread and may be 2^40 times larger than it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixedSum {
    scale: i32,
    units: i128,
    saturated: u64,
}

impl FixedSum {
    /// An empty sum for terms of magnitude about `2^scale`.
    pub fn new(scale: i32) -> Self {
        Self { scale, units: 0, saturated: 0 }
    }

    /// The binary exponent of `magnitude`, for [`FixedSum::new`]; 0 where it is not positive and finite.
    pub fn scale_for(magnitude: f64) -> i32 {
        if magnitude.is_finite() && magnitude > 0.0 { (magnitude.log2().ceil() as i32).clamp(-1014, 1023) } else { 0 }
    }

    fn to_units(self, term: f64) -> (i128, bool) {
        let scaled = times_power_of_two(term, FRACTION_BITS - self.scale);
        if scaled.abs() <= NARROW {
            return (i128::from(rounded(scaled)), false);
        }
        if scaled.is_finite() && scaled.abs() <= MAX_TERM {
            // so large a number is whole
            (scaled as i128, false)
        } else {
            (MAX_TERM.copysign(term) as i128, true)
        }
    }

    /// Adds a finite term.
    pub fn add(&mut self, term: f64) {
        let (units, cut) = self.to_units(term);
        self.units = self.units.saturating_add(units);
        self.saturated += u64::from(cut);
    }

    /// Adds finite terms: [`FixedSum::add`] of each.
    pub fn add_all(&mut self, terms: impl Iterator<Item = f64>) {
        let exponent = FRACTION_BITS - self.scale;
        if exponent.abs() > MAX_STEP {
            return terms.for_each(|term| self.add(term));
        }
        let (factor, mut units) = (power_of_two(exponent), 0_i128);
        for term in terms {
            let scaled = term * factor;
            if scaled.abs() <= NARROW { units += i128::from(rounded(scaled)) } else { self.add(term) }
        }
        self.units = self.units.saturating_add(units);
    }

    /// Takes a term out again; the sum is then exactly what it would be without it.
    pub fn remove(&mut self, term: f64) {
        let (units, cut) = self.to_units(term);
        self.units = self.units.saturating_sub(units);
        self.saturated = self.saturated.saturating_sub(u64::from(cut));
    }

    /// Adds another sum of the same scale.
    pub fn merge(&mut self, other: &Self) {
        debug_assert_eq!(self.scale, other.scale);
        self.units = self.units.saturating_add(other.units);
        self.saturated += other.saturated;
    }

    /// Takes another sum of the same scale, which is a part of this one, out again.
    pub fn unmerge(&mut self, other: &Self) {
        debug_assert_eq!(self.scale, other.scale);
        self.units = self.units.saturating_sub(other.units);
        self.saturated = self.saturated.saturating_sub(other.saturated);
    }

    /// The sum, rounded once; infinite where a sum of terms near the end of the range of numbers is beyond it.
    pub fn value(&self) -> f64 {
        times_power_of_two(self.units as f64, self.scale - FRACTION_BITS)
    }

    /// Scale, units and terms that were cut: all there is to it, see [`FixedSum::of_parts`].
    pub(super) fn parts(&self) -> (i32, i128, u64) {
        (self.scale, self.units, self.saturated)
    }

    /// A sum of what [`FixedSum::parts`] said of one.
    pub(super) fn of_parts(scale: i32, units: i128, saturated: u64) -> Self {
        Self { scale, units, saturated }
    }

    /// Number of terms that were cut because they were too large for the scale.
    pub fn saturated(&self) -> u64 {
        self.saturated
    }
}

/// The nearest whole number, ties to even, of a value of at most [`NARROW`].
fn rounded(value: f64) -> i64 {
    // a sum with 2^52 has no room for a fraction, and is rounded as every sum is
    if value.abs() < WHOLE { (value.abs() + WHOLE - WHOLE).copysign(value) as i64 } else { value as i64 }
}

/// `value · 2^exponent`, also where the power alone is beyond the range of numbers.
fn times_power_of_two(mut value: f64, mut exponent: i32) -> f64 {
    while exponent.abs() > MAX_STEP {
        let step = exponent.signum() * MAX_STEP;
        value *= power_of_two(step);
        exponent -= step;
    }
    value * power_of_two(exponent)
}

/// `2^exponent`, for at most [`MAX_STEP`] up or down: a normal number, put together from its bits.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn same(value: f64) {
        assert_eq!(i128::from(rounded(value)), value.round_ties_even() as i128, "{value}");
    }

    #[test]
    fn halves_and_borders_are_rounded_like_any_other() {
        for whole in [0.0, 1.0, 2.0, 1e6, WHOLE / 2.0, WHOLE - 1.0, WHOLE, 2.0 * WHOLE, NARROW.next_down(), NARROW] {
            for value in [whole, whole - 0.5, whole + 0.5, whole.next_up(), whole.next_down()] {
                if value <= NARROW {
                    same(value);
                    same(-value);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn many_terms_are_added_as_one_by_one(
            magnitude in prop_oneof![Just(1.0), Just(1e-300), Just(1e300), 1e-6..1e6f64],
            terms in prop::collection::vec(prop_oneof![-1e3..1e3f64, prop::num::f64::NORMAL, prop::num::f64::SUBNORMAL], 0..50),
        ) {
            let mut one_by_one = FixedSum::new(FixedSum::scale_for(magnitude));
            let mut together = one_by_one;
            terms.iter().for_each(|&term| one_by_one.add(term));
            together.add_all(terms.iter().copied());
            prop_assert_eq!(together, one_by_one);
        }

        #[test]
        fn a_usual_term_is_rounded_like_any_other(value in prop_oneof![-1e3..1e3f64, -1e16..1e16f64, -NARROW..NARROW, prop::num::f64::SUBNORMAL]) {
            same(value);
        }
    }
}
