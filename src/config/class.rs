//! The canonical form of a class, so that `1`, `1.0` and `"1"` in a configuration name the same one.

use super::raw::Raw;
use ::config::{Value, ValueKind};

/// The canonical form: flags are `true` and `false`, whole numbers have no decimals, other numbers their shortest form, texts are
/// trimmed and otherwise kept.
///
/// # Errors
/// Where the value is no class: a sentence that goes behind its key path.
pub fn canonical_class(value: &Value) -> Result<String, String> {
    match &value.kind {
        ValueKind::Boolean(flag) => Ok(flag.to_string()),
        ValueKind::I64(number) => Ok(number.to_string()),
        // adding zero turns -0 into 0; a whole float prints without decimals
        ValueKind::Float(number) if number.is_finite() => Ok((number + 0.0).to_string()),
        ValueKind::String(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
        _ => Err(format!("is a class (a text, a number or a flag), but {} stands there", Raw(value).found())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: impl Into<ValueKind>, expected: Option<&str>) {
        assert_eq!(canonical_class(&Value::new(None, kind)).ok().as_deref(), expected);
    }

    #[test]
    fn one_form_per_class() {
        check(1_i64, Some("1"));
        check(1.0, Some("1"));
        check("1", Some("1"));
        check(-0.0, Some("0"));
        check(0.5, Some("0.5"));
        check(true, Some("true"));
        check(" Yes ", Some("Yes"));
        check(f64::NAN, None);
        check("  ", None);
        check(Vec::<Value>::new(), None);
    }
}
