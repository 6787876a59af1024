//! The classes of a model: one canonical form, so that `1`, `"1"`, `1.0` and `true` meet.

use crate::event::{Scalar, canonical_text, class_place};
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

    /// Whether it still grows.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// The classes by place.
    pub fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// The place of a class; `None` where the map does not have it (or is full, at `cap`), or the value is none.
    pub fn place(&mut self, value: &Scalar<'_>, cap: usize) -> Option<u16> {
        if let Some(place) = self.find(value) {
            return Some(place);
        }
        if !self.open || self.names.len() >= cap.min(usize::from(u16::MAX)) {
            return None;
        }
        self.names.push(canonical_text(value)?.as_ref().into());
        u16::try_from(self.names.len() - 1).ok()
    }

    /// The place of a class that is in the map already. `true` and `false` meet `1` and `0`, whichever of them the map has.
    pub fn find(&self, value: &Scalar<'_>) -> Option<u16> {
        class_place(&self.names, value).and_then(|place| u16::try_from(place).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str) -> Scalar<'_> {
        Scalar::Text(name.into())
    }

    #[test]
    fn an_open_map_grows_to_its_cap_and_a_closed_one_never() {
        let mut classes = Classes::open();
        assert_eq!(classes.place(&text("b"), 2), Some(0));
        assert_eq!(classes.place(&text("a"), 2), Some(1));
        assert_eq!(classes.place(&text("c"), 2), None);
        assert_eq!(classes.place(&text("b"), 2), Some(0));
        classes.close();
        assert_eq!(classes.place(&text("d"), 9), None);
    }
}
