//! One text per value: how a number, a boolean and a string come to be the same category or class.
//!
//! Invariant: values that mean the same have one text (`6`, `6.0` and `"6"` are "6"), whatever source they come from. Category names,
//! class names and positive classes are compared in this form only.

use super::Scalar;
use std::borrow::Cow;

/// From here on a number is written with an exponent, so that its text stays short.
const LARGE: f64 = 1e21;
/// Below this too.
const SMALL: f64 = 1e-7;

/// The canonical text of a finite number: integral numbers without a fraction (`6.0` is "6", `-0.0` is "0"), others as the shortest text that
/// reads back as the same number; with an exponent from 1e21 and below 1e-7.
pub fn number_text(value: f64) -> String {
    let value = value + 0.0;
    let size = value.abs();
    if size != 0.0 && !(SMALL..LARGE).contains(&size) { format!("{value:e}") } else { format!("{value}") }
}

/// The canonical text of a value: numbers as [`number_text`], booleans as "true" and "false", strings as they are.
/// `None` for what is no single usable value (null, not finite, an array or an object).
pub fn canonical_text<'a>(value: &'a Scalar<'_>) -> Option<Cow<'a, str>> {
    match value {
        Scalar::Text(text) => Some(Cow::Borrowed(text)),
        Scalar::Number(number) => {
            digit(*number).map(Cow::Borrowed).or_else(|| number.is_finite().then(|| Cow::Owned(number_text(*number))))
        }
        Scalar::Bool(true) => Some(Cow::Borrowed("true")),
        Scalar::Bool(false) => Some(Cow::Borrowed("false")),
        Scalar::Null | Scalar::NonFinite | Scalar::Vector(_) | Scalar::List(_) | Scalar::Structured => None,
    }
}

/// The text of a number of one digit, which most classes and many codes are: without an allocation.
fn digit(number: f64) -> Option<&'static str> {
    let place = number as usize;
    if place < 10 && place as f64 == number { "0123456789".get(place..=place) } else { None }
}

/// The place of a value among the classes of a model (canonical texts, in any order): by its canonical text, else by what it
/// stands for, so that `1`, `"1"`, `"1.0"` and `true` meet whichever of them the classes are written with.
pub fn class_place<T: AsRef<str>>(classes: &[T], value: &Scalar<'_>) -> Option<usize> {
    let text = canonical_text(value)?;
    let place = |name: &str| classes.iter().position(|class| class.as_ref() == name);
    place(&text).or_else(|| place(&number_behind(&text)?)).or_else(|| place(counterpart(&text)?))
}

/// The canonical text of the number that a text spells otherwise ("1.0", "1e0"); `None` where it spells none.
fn number_behind(text: &str) -> Option<String> {
    text.parse::<f64>().ok().filter(|number| number.is_finite()).map(number_text)
}

/// The other usual name of a truth value.
fn counterpart(text: &str) -> Option<&'static str> {
    Some(match text {
        "true" | "True" | "TRUE" => "1",
        "false" | "False" | "FALSE" => "0",
        "1" | "1.0" => "true",
        "0" | "0.0" => "false",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_booleans_and_strings_meet() {
        for value in [Scalar::Number(6.0), Scalar::Text("6".into())] {
            assert_eq!(canonical_text(&value).unwrap(), "6");
        }
        assert_eq!(canonical_text(&Scalar::Bool(true)).unwrap(), "true");
        assert_eq!(canonical_text(&Scalar::Null), None);
        assert_eq!(canonical_text(&Scalar::NonFinite), None);
        assert_eq!(canonical_text(&Scalar::Number(f64::NAN)), None);
    }

    #[test]
    fn numbers_are_short_and_read_back() {
        for (number, text) in
            [(0.1, "0.1"), (-0.0, "0"), (-3.0, "-3"), (1e20, "100000000000000000000"), (1e300, "1e300"), (5e-324, "5e-324")]
        {
            assert_eq!(number_text(number), text);
            assert_eq!(text.parse::<f64>().unwrap(), number);
        }
    }

    #[test]
    fn a_class_is_found_under_its_other_names() {
        let place = |classes: &[&str], value: Scalar<'_>| class_place(classes, &value);
        assert_eq!(place(&["0", "1"], Scalar::Bool(true)), Some(1));
        assert_eq!(place(&["0", "1"], Scalar::Text("1.0".into())), Some(1));
        assert_eq!(place(&["false", "true"], Scalar::Number(0.0)), Some(0));
        assert_eq!(place(&["1", "true"], Scalar::Bool(true)), Some(1));
        assert_eq!(place(&["0", "1"], Scalar::Number(2.0)), None);
        assert_eq!(place(&["yes", "no"], Scalar::Bool(true)), None);
    }
}
