//! What a compiler of references noticed and a person should know, without it being an error.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// One remark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// The column it is about; `None`: the whole table.
    pub column: Option<Arc<str>>,
    /// What was noticed.
    pub kind: NoteKind,
}

/// What was noticed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum NoteKind {
    /// So few rows that most windows will read `not_enough`.
    FewRows {
        /// Rows there are.
        rows: u64,
    },
    /// All values are equal.
    Constant,
    /// There is no usable value.
    NoValues,
    /// More names than have a slot of their own.
    ManyCategories {
        /// Distinct names.
        distinct: u64,
        /// Names with a slot of their own.
        kept: u64,
    },
    /// Numbers and names in one column; the rarer of the two were counted as invalid, or read as names.
    MixedTypes {
        /// Cells that are numbers.
        numbers: u64,
        /// Cells that are names.
        names: u64,
    },
    /// Values that were counted as invalid.
    Invalid {
        /// How many.
        values: u64,
    },
    /// Nothing but arrays, objects or types without a single value: left out.
    Structured,
    /// An output column that the task has no use for.
    NotUsed,
    /// More inputs than are looked at together (principal components, Fréchet distance).
    TooManyInputs {
        /// How many are: the first by name.
        kept: u64,
        /// The first that is not.
        first: String,
    },
    /// It has the name of a column that is made of a text: left out.
    NameTaken,
    /// The settings name a column that the table does not have.
    NoSuchColumn,
}

impl Note {
    pub(super) fn on(column: &Arc<str>, kind: NoteKind) -> Self {
        Self { column: Some(column.clone()), kind }
    }
}

impl NoteKind {
    /// The name used in output.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::FewRows { .. } => "few_rows",
            Self::Constant => "constant",
            Self::NoValues => "no_values",
            Self::ManyCategories { .. } => "many_categories",
            Self::MixedTypes { .. } => "mixed_types",
            Self::Invalid { .. } => "invalid",
            Self::Structured => "structured",
            Self::NotUsed => "not_used",
            Self::TooManyInputs { .. } => "too_many_inputs",
            Self::NameTaken => "name_taken",
            Self::NoSuchColumn => "no_such_column",
        }
    }
}

impl fmt::Display for NoteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FewRows { rows } => write!(f, "only {rows} rows: most metrics will read not_enough"),
            Self::Constant => f.write_str("constant"),
            Self::NoValues => f.write_str("no usable value"),
            Self::ManyCategories { distinct, kept } => {
                write!(f, "{distinct} names, {kept} counted apart; ignore the column if it is an identifier")
            }
            Self::MixedTypes { numbers, names } => write!(f, "{numbers} numbers and {names} names in one column"),
            Self::Invalid { values } => write!(f, "{values} invalid values"),
            Self::Structured => f.write_str("holds arrays, objects or bytes, and is left out"),
            Self::NotUsed => f.write_str("not used by this task"),
            Self::TooManyInputs { kept, first } => {
                write!(f, "pca_reconstruction_error and frechet_distance look at the first {kept} inputs by name: not at {first} and after")
            }
            Self::NameTaken => f.write_str("has the name of a column that is made of a text, and is left out; rename it"),
            Self::NoSuchColumn => f.write_str("no such column"),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column {
            Some(column) => write!(f, "{column}: {}", self.kind),
            None => write!(f, "{}", self.kind),
        }
    }
}
