//! A TOML table that is read key by key: what is wrong is noted with its key path, and reading goes on.

use crate::config::Problem;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// Where problems are noted.
pub(in crate::config) type Problems = RefCell<Vec<Problem>>;

/// One table, and the keys that were asked for.
#[derive(Debug)]
pub(in crate::config) struct Table<'a> {
    path: String,
    table: &'a toml::Table,
    known: RefCell<BTreeSet<&'static str>>,
    problems: &'a Problems,
}

/// Parses a whole file; a syntax error is one problem at its line.
pub(in crate::config) fn parse(text: &str) -> Result<toml::Table, Problem> {
    text.parse::<toml::Table>().map_err(|error| {
        let start = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = text.as_bytes()[..start].iter().filter(|&&byte| byte == b'\n').count() + 1;
        Problem { path: format!("line {line}"), message: error.message().lines().next().unwrap_or_default().to_owned() }
    })
}

impl<'a> Table<'a> {
    /// The table at `path` (empty for the whole file).
    pub(in crate::config) fn new(path: String, table: &'a toml::Table, problems: &'a Problems) -> Self {
        Self { path, table, known: RefCell::default(), problems }
    }

    /// The key path of `key`.
    pub(in crate::config) fn path_of(&self, key: &str) -> String {
        match (self.path.is_empty(), key.is_empty()) {
            (true, _) => key.to_owned(),
            (false, true) => self.path.clone(),
            (false, false) => format!("{}.{key}", self.path),
        }
    }

    /// Notes that something is wrong with `key`.
    pub(in crate::config) fn refuse(&self, key: &str, message: impl Into<String>) {
        self.problems.borrow_mut().push(Problem { path: self.path_of(key), message: message.into() });
    }

    /// The value of `key`.
    pub(in crate::config) fn value(&self, key: &'static str) -> Option<&'a toml::Value> {
        self.known.borrow_mut().insert(key);
        self.table.get(key)
    }

    /// The value of `key`, read by `read`; what it refuses is noted.
    pub(in crate::config) fn read<T>(&self, key: &'static str, read: impl FnOnce(&'a toml::Value) -> Result<T, String>) -> Option<T> {
        match read(self.value(key)?) {
            Ok(value) => Some(value),
            Err(message) => {
                self.refuse(key, message);
                None
            }
        }
    }

    /// The value of a key that must be there.
    pub(in crate::config) fn required<T>(
        &self,
        key: &'static str,
        what: &str,
        read: impl FnOnce(&'a toml::Value) -> Result<T, String>,
    ) -> Option<T> {
        if self.value(key).is_none() {
            self.refuse(key, format!("is required: {what}"));
        }
        self.read(key, read)
    }

    /// The blocks `[[key]]`, in the file's order.
    pub(in crate::config) fn blocks(&self, key: &'static str) -> Vec<Table<'a>> {
        let read = |value: &'a toml::Value| {
            let items = value.as_array().ok_or(())?;
            items.iter().map(|item| item.as_table().ok_or(())).collect::<Result<Vec<_>, ()>>()
        };
        let refusal = |()| format!("is a list of blocks: write [[{}]]", self.path_of(key));
        let tables = self.read(key, |value| read(value).map_err(refusal)).unwrap_or_default();
        let path = |i: usize| format!("{}[{i}]", self.path_of(key));
        tables.into_iter().enumerate().map(|(i, table)| Table::new(path(i), table, self.problems)).collect()
    }

    /// Refuses every key that nobody asked for.
    pub(in crate::config) fn finish(&self) {
        let known = self.known.borrow();
        for key in self.table.keys().filter(|key| !known.contains(key.as_str())) {
            let names: Vec<_> = known.iter().copied().collect();
            self.refuse(key, format!("no such key; known are {}", names.join(", ")));
        }
    }
}

/// A text that is not blank.
pub(in crate::config) fn text(value: &toml::Value) -> Result<&str, String> {
    let text = value.as_str().ok_or_else(|| format!("is a text, but {value} stands there"))?;
    if text.trim().is_empty() { Err("is empty".to_owned()) } else { Ok(text) }
}

/// `true` or `false`.
pub(in crate::config) fn flag(value: &toml::Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| format!("is true or false, but {value} stands there"))
}

/// A finite number.
pub(in crate::config) fn number(value: &toml::Value) -> Result<f64, String> {
    let number = value.as_float().or_else(|| value.as_integer().map(|n| n as f64));
    number.filter(|n| n.is_finite()).ok_or_else(|| format!("is a finite number, but {value} stands there"))
}

/// A whole number within `range`.
pub(in crate::config) fn count(range: RangeInclusive<u64>) -> impl Fn(&toml::Value) -> Result<u64, String> {
    move |value| {
        let count = value.as_integer().and_then(|n| u64::try_from(n).ok()).filter(|n| range.contains(n));
        count.ok_or_else(|| format!("is a whole number from {} to {}, but {value} stands there", range.start(), range.end()))
    }
}

/// One of `all`, by name.
pub(in crate::config) fn choice<T: Copy>(all: &[(&str, T)]) -> impl Fn(&toml::Value) -> Result<T, String> {
    let all: Vec<(String, T)> = all.iter().map(|(name, item)| ((*name).to_owned(), *item)).collect();
    move |value| {
        let found = text(value).ok().and_then(|text| all.iter().find(|(name, _)| name == text));
        let names = || all.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        found.map(|(_, item)| *item).ok_or_else(|| format!("is one of {}, but {value} stands there", names()))
    }
}

/// A list whose items `item` reads.
pub(in crate::config) fn list<'a, T>(
    item: impl Fn(&'a toml::Value) -> Result<T, String>,
) -> impl Fn(&'a toml::Value) -> Result<Vec<T>, String> {
    move |value| {
        let items = value.as_array().ok_or_else(|| format!("is a list, but {value} stands there"))?;
        items.iter().enumerate().map(|(i, value)| item(value).map_err(|message| format!("item {i} {message}"))).collect()
    }
}
