//! The classes of a model: one canonical form, so that `1`, `"1"`, `1.0` and `true` meet.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The label map of one model: canonical class names and their places.
///
/// Open while a reference is being learned (a class that is seen is added, up to a cap), closed afterwards: then a class outside it is
/// an answer of its own (`None`), for the caller to count and report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classes {
    names: Vec<Arc<str>>,
    open: bool,
}

impl Classes {
    /// A closed map of these classes.
    pub fn closed(names: Vec<Arc<str>>) -> Self {
        Self { names, open: false }
    }

    /// An empty map that grows.
    pub fn open() -> Self {
        Self { names: Vec::new(), open: true }
    }

    /// Stops growing.
    pub fn close(&mut self) {
        self.open = false;
    }

    /// The classes by place.
    pub fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// The place of a class given in canonical form; `None` where the map does not have it (or is full, at `cap`).
    pub fn place(&mut self, canonical: &str, cap: usize) -> Option<u16> {
        if let Some(place) = self.find(canonical) {
            return Some(place);
        }
        if !self.open || self.names.len() >= cap.min(usize::from(u16::MAX)) {
            return None;
        }
        self.names.push(canonical.into());
        u16::try_from(self.names.len() - 1).ok()
    }

    /// The place of a class that is in the map already. `true` and `false` meet `1` and `0`, whichever of them the map has.
    pub fn find(&self, canonical: &str) -> Option<u16> {
        let exactly = |name: &str| self.names.iter().position(|n| **n == *name);
        let alias = match canonical {
            "true" | "True" | "TRUE" => Some("1"),
            "false" | "False" | "FALSE" => Some("0"),
            "1" => Some("true"),
            "0" => Some("false"),
            _ => None,
        };
        let place = exactly(canonical)
            .or_else(|| exactly(alias?))
            .or_else(|| exactly(&canonical_number(canonical)?))
            .or_else(|| exactly(&canonical.to_ascii_lowercase()).filter(|_| alias.is_some()))?;
        u16::try_from(place).ok()
    }
}

/// `"1.0"` as `"1"`: text that is an integral number, in canonical form.
fn canonical_number(text: &str) -> Option<String> {
    let number: f64 = text.trim().parse().ok().filter(|v: &f64| v.fract() == 0.0 && v.abs() < 9e15)?;
    Some(format!("{}", number as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(names: &[&str], asked: &str, want: Option<u16>) {
        let classes = Classes::closed(names.iter().map(|&n| n.into()).collect());
        assert_eq!(classes.find(asked), want, "{asked} in {names:?}");
    }

    #[test]
    fn one_and_true_meet() {
        for asked in ["1", "1.0", "true", "True"] {
            check(&["0", "1"], asked, Some(1));
        }
        for asked in ["0", "false", "0.0"] {
            check(&["false", "true"], asked, if asked == "0.0" { None } else { Some(0) });
        }
        check(&["yes", "no"], "true", None);
        check(&["cat", "dog"], "Dog", None);
    }

    #[test]
    fn an_open_map_grows_to_its_cap_and_a_closed_one_never() {
        let mut classes = Classes::open();
        assert_eq!(classes.place("b", 2), Some(0));
        assert_eq!(classes.place("a", 2), Some(1));
        assert_eq!(classes.place("c", 2), None);
        assert_eq!(classes.place("b", 2), Some(0));
        classes.close();
        assert_eq!(classes.place("d", 9), None);
    }
}
