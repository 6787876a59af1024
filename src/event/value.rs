//! One value of an event, before any schema was applied to it.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Most numbers of a vector; a longer array is structured.
pub const MAX_DIMENSIONS: usize = 4096;

/// A JSON value reduced to what a feature, a prediction or a label can be.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar<'a> {
    /// `null`, or a key that is not there.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A finite number, parsed exactly (equal to `str::parse::<f64>`).
    Number(f64),
    /// A string, unescaped.
    Text(Cow<'a, str>),
    /// `NaN`, an infinity, or a number too large for `f64`.
    NonFinite,
    /// An array of numbers, of 1 to [`MAX_DIMENSIONS`]; one that is not finite is an infinity.
    Vector(Cow<'a, [f64]>),
    /// Any other array, or an object, where a single value was expected.
    Structured,
}

impl Scalar<'_> {
    /// Whether nothing was said.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// Why a single value was counted as invalid; the rest of its event still counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum InvalidReason {
    /// The value has another type than the reference's column.
    WrongType,
    /// NaN, infinite, or beyond the range of `f64`.
    NonFinite,
    /// A class that is not in the model's label map.
    UnknownClass,
    /// A number outside the field's meaning (a negative latency, a score outside 0 to 1).
    OutOfRange,
}

impl InvalidReason {
    /// Every reason, for tables and suites.
    pub const ALL: [Self; 4] = [Self::WrongType, Self::NonFinite, Self::UnknownClass, Self::OutOfRange];

    /// The name used in output and metric labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WrongType => "wrong_type",
            Self::NonFinite => "non_finite",
            Self::UnknownClass => "unknown_class",
            Self::OutOfRange => "out_of_range",
        }
    }
}
