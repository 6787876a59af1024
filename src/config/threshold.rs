//! The text of a bound: a number, or the reference's own figure times a factor plus an offset plus a number of its standard deviations.
//!
//! Grammar: `number | "reference" [ "*" number ] [ sign number ] [ sign number "sigma" ]` with sign `"+" | "-"`, blanks anywhere between the parts.
//! Every number is finite, the factor is not zero (a zero factor is a plain number in disguise) and neither is the number of sigmas.

use crate::engine::verdict::Threshold;

const WORD: &str = "reference";
const SIGMA: &str = "sigma";

/// Parses `0.25`, `reference`, `reference * 1.2`, `reference - 0.05`, `reference * 0.9 + 0.1`, `reference - 3 sigma`, `reference * 0.9 - 2 sigma`.
///
/// # Errors
/// A sentence that names the part at fault and shows the grammar.
pub fn parse_threshold(text: &str) -> Result<Threshold, String> {
    let trimmed = text.trim();
    let Some(rest) = trimmed.strip_prefix(WORD) else {
        return number(trimmed).map(Threshold::Absolute).ok_or_else(|| refusal(text));
    };
    let rest = rest.trim_start();
    let (factor, rest) = match rest.strip_prefix('*') {
        None => (1.0, rest),
        Some(product) => {
            let product = product.trim_start();
            let end = end_of_number(product);
            (number(&product[..end]).ok_or_else(|| refusal(text))?, product[end..].trim_start())
        }
    };
    if factor == 0.0 {
        return Err(format!("{text:?} takes nothing from the reference (factor 0): write the number alone"));
    }
    let (mut offset, mut sigmas, mut rest) = (None, None, rest);
    while let Some(sign @ ('+' | '-')) = rest.chars().next() {
        let term = rest[1..].trim_start();
        let end = end_of_number(term);
        let size = unsigned(&term[..end]).ok_or_else(|| refusal(text))?;
        let signed = if sign == '-' { -size } else { size };
        let behind = term[end..].trim_start();
        // the order is fixed, so that a bound has one text; each part stands once
        let place = match behind.strip_prefix(SIGMA) {
            Some(behind) if sigmas.is_none() => {
                rest = behind.trim_start();
                &mut sigmas
            }
            None if offset.is_none() && sigmas.is_none() => {
                rest = behind;
                &mut offset
            }
            _ => return Err(refusal(text)),
        };
        *place = Some(signed);
    }
    if sigmas == Some(0.0) {
        return Err(format!("{text:?} adds no sigma (0): leave it out"));
    }
    if !rest.is_empty() {
        return Err(refusal(text));
    }
    Ok(Threshold::Reference { factor, offset: offset.unwrap_or(0.0), sigmas: sigmas.unwrap_or(0.0) })
}

/// The text that `parse_threshold` reads back to the same threshold.
pub fn print_threshold(threshold: Threshold) -> String {
    match threshold {
        Threshold::Absolute(value) => value.to_string(),
        Threshold::Reference { factor, offset, sigmas } => {
            let mut text = WORD.to_owned();
            if factor != 1.0 {
                text.push_str(&format!(" * {factor}"));
            }
            if offset != 0.0 {
                text.push_str(&format!(" {} {}", sign(offset), offset.abs()));
            }
            if sigmas != 0.0 {
                text.push_str(&format!(" {} {} {SIGMA}", sign(sigmas), sigmas.abs()));
            }
            text
        }
    }
}

fn sign(number: f64) -> char {
    if number < 0.0 { '-' } else { '+' }
}

fn refusal(text: &str) -> String {
    format!("{text:?} is no threshold: write a number, or \"reference * 1.2\", \"reference - 0.05\", \"reference * 0.9 + 0.1 - 2 sigma\"")
}

/// Where a leading number ends: at the first sign that is neither in front nor that of an exponent, or at any other character.
fn end_of_number(text: &str) -> usize {
    let mut previous = None;
    for (at, c) in text.char_indices() {
        let sign_belongs = matches!(c, '+' | '-') && matches!(previous, None | Some('e' | 'E'));
        if !(c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E') || sign_belongs) {
            return at;
        }
        previous = Some(c);
    }
    text.len()
}

fn number(text: &str) -> Option<f64> {
    // Rust's parser also takes "inf", "nan" and "infinity": no such word is a bound
    text.bytes().any(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten().filter(|v: &f64| v.is_finite())
}

fn unsigned(text: &str) -> Option<f64> {
    number(text).filter(|_| !text.starts_with(['+', '-']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: Threshold) {
        assert_eq!(parse_threshold(text), Ok(expected), "{text:?}");
        assert_eq!(parse_threshold(&print_threshold(expected)), Ok(expected), "{text:?} printed");
    }

    #[test]
    fn every_form_of_the_grammar() {
        check("0.25", Threshold::Absolute(0.25));
        check(" -1e-3 ", Threshold::Absolute(-0.001));
        check("reference", Threshold::Reference { factor: 1.0, offset: 0.0, sigmas: 0.0 });
        check("reference * 1.2", Threshold::Reference { factor: 1.2, offset: 0.0, sigmas: 0.0 });
        check("reference - 0.05", Threshold::Reference { factor: 1.0, offset: -0.05, sigmas: 0.0 });
        check("reference * 0.9 + 0.1", Threshold::Reference { factor: 0.9, offset: 0.1, sigmas: 0.0 });
        check("reference*1e-2-5", Threshold::Reference { factor: 0.01, offset: -5.0, sigmas: 0.0 });
        check("reference * -2", Threshold::Reference { factor: -2.0, offset: 0.0, sigmas: 0.0 });
        check("reference - 3 sigma", Threshold::Reference { factor: 1.0, offset: 0.0, sigmas: -3.0 });
        check("reference * 0.9 - 2 sigma", Threshold::Reference { factor: 0.9, offset: 0.0, sigmas: -2.0 });
        check("reference*0.9+0.1+1.5sigma ", Threshold::Reference { factor: 0.9, offset: 0.1, sigmas: 1.5 });
        check("reference - 1e-2 sigma", Threshold::Reference { factor: 1.0, offset: 0.0, sigmas: -0.01 });
    }

    #[test]
    fn what_is_no_threshold() {
        for text in [
            "",
            "high",
            "nan",
            "inf",
            "1e999",
            "reference *",
            "reference * x",
            "reference + ",
            "reference 2",
            "reference * 1.2 * 3",
            "reference + -1",
            "reference + nan",
            "references",
            "1.2 * reference",
            "reference - 0.05 + 1",
            "reference × 2",
            "3 sigma",
            "reference sigma",
            "reference - sigma",
            "reference * 3 sigma",
            "reference - 3 sigmas",
            "reference - 3 sigma 2",
            "reference - 3 sigma + 0.1",
            "reference - 3 sigma - 1 sigma",
            "reference - -3 sigma",
        ] {
            let refused = parse_threshold(text).expect_err(text);
            assert!(refused.contains(&format!("{text:?}")) && refused.contains("reference * 1.2"), "{refused}");
        }
        assert!(parse_threshold("reference * 0 + 3").unwrap_err().contains("write the number alone"));
        assert!(parse_threshold("reference - 0 sigma").unwrap_err().contains("leave it out"));
    }

    proptest! {
        #[test]
        fn printed_and_read_back(factor in -1e6..1e6f64, offset in -1e6..1e6f64, sigmas in -1e3..1e3f64) {
            prop_assume!(factor != 0.0);
            let threshold = Threshold::Reference { factor, offset, sigmas };
            prop_assert_eq!(parse_threshold(&print_threshold(threshold)), Ok(threshold));
            prop_assert_eq!(parse_threshold(&print_threshold(Threshold::Absolute(offset))), Ok(Threshold::Absolute(offset)));
        }

        #[test]
        fn no_text_panics(text in "(reference)?[ *+\\-0-9.eEsigma\u{e9}]{0,20}( sigma)?") {
            drop(parse_threshold(&text));
        }
    }
}
