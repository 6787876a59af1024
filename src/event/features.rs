//! The inputs of a prediction: names and values.

use super::Scalar;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Names in one order.
///
/// Messages of one producer mostly have the same names in the same order. Where their reader noticed, they share one allocation, and whoever has found out
/// what belongs to each name need not look at the names again.
pub type SharedNames = Arc<[Box<str>]>;

/// Inputs by name, each name once, in the message's order.
#[derive(Clone)]
pub struct Features<'a> {
    names: Names<'a>,
    values: Vec<Scalar<'a>>,
}

#[derive(Clone)]
enum Names<'a> {
    Own(Vec<Cow<'a, str>>),
    Shared(SharedNames),
}

impl<'a> Features<'a> {
    /// Features that share their names; both are as long.
    pub fn shared(names: SharedNames, values: Vec<Scalar<'a>>) -> Self {
        debug_assert_eq!(names.len(), values.len());
        Self { names: Names::Shared(names), values }
    }

    /// Features with names of their own; both are as long.
    pub fn own(names: Vec<Cow<'a, str>>, values: Vec<Scalar<'a>>) -> Self {
        debug_assert_eq!(names.len(), values.len());
        Self { names: Names::Own(names), values }
    }

    /// The names, where they are shared.
    pub fn shared_names(&self) -> Option<&SharedNames> {
        if let Names::Shared(names) = &self.names { Some(names) } else { None }
    }

    /// Number of features.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The name at that place; empty beyond the last.
    pub fn name(&self, place: usize) -> &str {
        match &self.names {
            Names::Own(names) => names.get(place).map_or("", |name| name),
            Names::Shared(names) => names.get(place).map_or("", |name| name),
        }
    }

    /// The values, in order.
    pub fn values(&self) -> &[Scalar<'a>] {
        &self.values
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Scalar<'a>)> {
        self.values.iter().enumerate().map(|(place, value)| (self.name(place), value))
    }

    /// The value of that name.
    pub fn get(&self, name: &str) -> Option<&Scalar<'a>> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

impl Default for Features<'_> {
    fn default() -> Self {
        Self::own(Vec::new(), Vec::new())
    }
}

impl<'a> FromIterator<(Cow<'a, str>, Scalar<'a>)> for Features<'a> {
    fn from_iter<I: IntoIterator<Item = (Cow<'a, str>, Scalar<'a>)>>(features: I) -> Self {
        let (names, values) = features.into_iter().unzip();
        Self::own(names, values)
    }
}

/// Equal where names and values are, whoever holds the names.
impl PartialEq for Features<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Features<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
