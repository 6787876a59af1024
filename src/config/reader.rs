//! Typed reading of raw tables. One call names a key with its kind, default and meaning; from it come the validated value, the
//! effective listing and the reference page.
//!
//! Invariant: a getter always returns a usable value, and whenever that value is not what the configuration says, a problem was
//! recorded at the key's path. So one pass finds everything, and no caller stops at the first fault.

use super::layers::{ENVIRONMENT, Table, join, variable_of};
use super::raw::Raw;
use super::{Origin, Problem, duration, suggest};
use ::config::{Value, ValueKind};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// What holds where a key is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fallback {
    /// The key must be there.
    Required,
    /// Nothing; the setting is off.
    Nothing,
    /// This value, as it would stand in the file.
    Text(&'static str),
}

/// One key as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) path: String,
    /// What may stand there: `duration`, `text`, …
    pub(crate) kind: &'static str,
    /// The value in force, as it would stand in the file; a secret as `***`.
    pub(crate) value: String,
    pub(crate) origin: Origin,
    pub(crate) fallback: Fallback,
    pub(crate) doc: &'static str,
}

/// What one pass over the configuration collects.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    pub(crate) problems: RefCell<Vec<Problem>>,
    pub(crate) warnings: RefCell<Vec<Problem>>,
    pub(crate) entries: RefCell<Vec<Entry>>,
}

impl Reader {
    /// Records a problem.
    pub(crate) fn refuse(&self, path: impl Into<String>, message: impl Into<String>) {
        self.problems.borrow_mut().push(Problem::new(path, message));
    }

    /// Records what works, but is hardly meant.
    pub(crate) fn warn(&self, path: impl Into<String>, message: impl Into<String>) {
        self.warnings.borrow_mut().push(Problem::new(path, message));
    }

    /// Whether nothing is wrong at these paths or below: only then does a check that combines them make sense.
    pub(crate) fn sound(&self, paths: &[String]) -> bool {
        let problems = self.problems.borrow();
        !paths.iter().any(|path| problems.iter().any(|p| p.path.strip_prefix(path.as_str()).is_some_and(is_boundary)))
    }
}

fn is_boundary(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['.', '['])
}

/// One table of the configuration.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    pub(crate) reader: &'a Reader,
    path: String,
    table: Option<&'a Table>,
    known: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Section<'a> {
    /// The outermost table.
    pub(crate) fn root(reader: &'a Reader, table: &'a Table) -> Self {
        Self::new(reader, String::new(), Some(table))
    }

    fn new(reader: &'a Reader, path: String, table: Option<&'a Table>) -> Self {
        Self { reader, path, table, known: RefCell::default() }
    }

    /// The key path of `key`; of the table itself where `key` is empty.
    pub(crate) fn path(&self, key: &str) -> String {
        if key.is_empty() { self.path.clone() } else { join(&self.path, key) }
    }

    /// Records a problem at `key`.
    pub(crate) fn refuse(&self, key: &str, message: impl Into<String>) {
        self.reader.refuse(self.path(key), message);
    }

    /// Whether nothing is wrong at these keys.
    pub(crate) fn sound(&self, keys: &[&str]) -> bool {
        self.reader.sound(&keys.iter().map(|key| self.path(key)).collect::<Vec<_>>())
    }

    /// Whether the table itself was written.
    pub(crate) fn is_there(&self) -> bool {
        self.table.is_some()
    }

    /// Whether the key was written.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// The raw value; from now on the key is known.
    pub(crate) fn value(&self, key: &'static str) -> Option<&'a Value> {
        self.known.borrow_mut().insert(key);
        self.table.and_then(|table| table.get(key))
    }

    /// Where the value of `key` came from.
    pub(crate) fn origin(&self, key: &str) -> Origin {
        match self.table.and_then(|table| table.get(key)) {
            None => Origin::Default,
            Some(value) => match value.origin() {
                Some(ENVIRONMENT) => Origin::Environment(variable_of(&self.path(key))),
                Some(place) => Origin::File(place.to_owned()),
                // tables that only the environment names are made by the crate and carry no origin
                None => Origin::Environment(variable_of(&self.path(key))),
            },
        }
    }

    /// Lists a key as read.
    pub(crate) fn record(&self, key: &str, kind: &'static str, value: String, origin: Origin, fallback: Fallback, doc: &'static str) {
        self.reader.entries.borrow_mut().push(Entry { path: self.path(key), kind, value, origin, fallback, doc });
    }

    /// Reads one key: `parse` says what it means, `print` how it would stand in the file.
    pub(crate) fn take<T>(
        &self,
        key: &'static str,
        kind: &'static str,
        fallback: Fallback,
        doc: &'static str,
        parse: impl Fn(Raw<'a>) -> Result<T, String>,
        print: impl Fn(&T) -> String,
    ) -> Option<T> {
        match self.value(key) {
            Some(value) => match parse(Raw(value)) {
                Ok(parsed) => {
                    self.record(key, kind, print(&parsed), self.origin(key), fallback, doc);
                    Some(parsed)
                }
                Err(message) => {
                    self.refuse(key, message);
                    None
                }
            },
            None => {
                match fallback {
                    Fallback::Required => self.refuse(key, format!("is required: {}", doc.lines().next().unwrap_or_default())),
                    Fallback::Nothing => self.record(key, kind, "-".to_owned(), Origin::Default, fallback, doc),
                    Fallback::Text(text) => self.record(key, kind, text.to_owned(), Origin::Default, fallback, doc),
                }
                None
            }
        }
    }

    /// A duration of at least `least` ms, in ms.
    pub(crate) fn duration(&self, key: &'static str, default: &'static str, least: i64, doc: &'static str) -> i64 {
        let fallback = unquoted(default);
        self.take(key, "duration", Fallback::Text(default), doc, |raw| raw.duration(least), |ms| quoted(&duration::print_duration(*ms)))
            .unwrap_or_else(|| duration::parse_duration(fallback).unwrap_or(least))
    }

    /// A size in bytes, within `range`.
    pub(crate) fn size(&self, key: &'static str, default: &'static str, range: RangeInclusive<u64>, doc: &'static str) -> usize {
        let parse = |raw: Raw<'_>| {
            let text = raw.text().map_err(|_| format!("is a size like \"1MiB\", but {} stands there", raw.found()))?;
            let bytes = duration::parse_size(&text)?;
            let (low, high) = (duration::print_size(*range.start()), duration::print_size(*range.end()));
            if range.contains(&bytes) { Ok(bytes) } else { Err(format!("{text:?} is not within {low} to {high}")) }
        };
        let bytes = self.take(key, "size", Fallback::Text(default), doc, parse, |bytes| quoted(&duration::print_size(*bytes)));
        usize::try_from(bytes.unwrap_or_else(|| duration::parse_size(unquoted(default)).unwrap_or(*range.start()))).unwrap_or(usize::MAX)
    }

    /// A whole number within `range`.
    pub(crate) fn count(&self, key: &'static str, default: &'static str, range: RangeInclusive<u64>, doc: &'static str) -> u64 {
        self.take(key, "count", Fallback::Text(default), doc, |raw| raw.count(&range), u64::to_string)
            .unwrap_or_else(|| default.parse().unwrap_or(*range.start()))
    }

    /// A number within `range`.
    pub(crate) fn number(&self, key: &'static str, default: &'static str, range: RangeInclusive<f64>, doc: &'static str) -> f64 {
        self.take(key, "number", Fallback::Text(default), doc, |raw| raw.number(&range), f64::to_string)
            .unwrap_or_else(|| default.parse().unwrap_or(*range.start()))
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, key: &'static str, default: bool, doc: &'static str) -> bool {
        let text = if default { "true" } else { "false" };
        self.take(key, "flag", Fallback::Text(text), doc, Raw::flag, bool::to_string).unwrap_or(default)
    }

    /// A text that is not blank; where it is not there and has no default, the empty text.
    pub(crate) fn text(&self, key: &'static str, fallback: Fallback, doc: &'static str) -> String {
        self.checked_text(key, fallback, doc, |_| Ok(()))
    }

    /// A text that passes `check`.
    pub(crate) fn checked_text(
        &self,
        key: &'static str,
        fallback: Fallback,
        doc: &'static str,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> String {
        let parse = |raw: Raw<'_>| raw.text().and_then(|text| check(&text).map(|()| text));
        self.take(key, "text", fallback, doc, parse, |text| quoted(text)).unwrap_or_else(|| match fallback {
            Fallback::Text(text) => unquoted(text).to_owned(),
            Fallback::Required | Fallback::Nothing => String::new(),
        })
    }

    /// One of `all`, by name; `None` where it is not there, or none of them.
    pub(crate) fn choice<T: Copy>(&self, key: &'static str, all: &[(&'static str, T)], fallback: Fallback, doc: &'static str) -> Option<T> {
        let parse = |raw: Raw<'_>| {
            let text = raw.text()?;
            let found = all.iter().copied().find(|(name, _)| *name == text);
            found.ok_or_else(|| {
                let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
                let near = suggest::hint(&text, names.iter().copied());
                format!("{text:?} is none of {}{near}", names.join(", "))
            })
        };
        let taken = self.take(key, "choice", fallback, doc, parse, |(name, _)| quoted(name));
        taken.map(|(_, value)| value).or_else(|| match fallback {
            Fallback::Text(text) => all.iter().find(|(name, _)| *name == unquoted(text)).map(|(_, value)| *value),
            Fallback::Required | Fallback::Nothing => None,
        })
    }

    /// Texts, each once; from the environment separated by commas.
    pub(crate) fn list(&self, key: &'static str, fallback: Fallback, doc: &'static str) -> Vec<String> {
        let taken = self.take(key, "list of texts", fallback, doc, |raw| raw.list(|item| item.text()), |items| print_list(items));
        taken.unwrap_or_else(|| match fallback {
            Fallback::Text(text) if text != "[]" => {
                text.trim_matches(['[', ']']).split(", ").map(|item| unquoted(item).to_owned()).collect()
            }
            _ => Vec::new(),
        })
    }

    /// Names and texts (numbers and flags count as their text).
    pub(crate) fn map(&self, key: &'static str, doc: &'static str) -> BTreeMap<String, String> {
        let print = |map: &BTreeMap<String, String>| {
            let pairs: Vec<String> = map.iter().map(|(name, text)| format!("{name:?} = {text:?}")).collect();
            if pairs.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", pairs.join(", ")) }
        };
        self.take(key, "table", Fallback::Text("{}"), doc, Raw::map, print).unwrap_or_default()
    }

    /// The table at `key`; an empty one where it is not there.
    pub(crate) fn table(&self, key: &'static str) -> Section<'a> {
        let table = self.value(key).and_then(|value| match &value.kind {
            ValueKind::Table(table) => Some(table),
            _ => {
                self.refuse(key, format!("is a table: write [{}]", self.path(key)));
                None
            }
        });
        Section::new(self.reader, self.path(key), table)
    }

    /// The blocks `[[key]]`, in the file's order.
    pub(crate) fn tables(&self, key: &'static str) -> Vec<Section<'a>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let ValueKind::Array(items) = &value.kind else {
            self.refuse(key, format!("is a list of blocks: write [[{}]]", self.path(key)));
            return Vec::new();
        };
        let path = |i: usize| format!("{}[{i}]", self.path(key));
        let blocks = items.iter().enumerate().filter_map(|(i, item)| match &item.kind {
            ValueKind::Table(table) => Some(Section::new(self.reader, path(i), Some(table))),
            _ => {
                self.reader.refuse(path(i), format!("is a block: write [[{}]]", self.path(key)));
                None
            }
        });
        blocks.collect()
    }

    /// Refuses every key that nobody asked for.
    pub(crate) fn finish(self) {
        let known = self.known.borrow();
        let mut unknown: Vec<&String> = self.table.into_iter().flat_map(Table::keys).filter(|key| !known.contains(key.as_str())).collect();
        unknown.sort();
        for key in unknown {
            let near = suggest::hint(key, known.iter().copied());
            let what = if self.path.is_empty() { "no such section" } else { "no such key" };
            self.refuse(key, format!("{what}{near}"));
        }
    }
}

/// As a TOML text.
pub(crate) fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn unquoted(text: &str) -> &str {
    text.trim_matches('"')
}

/// As a TOML list.
pub(crate) fn print_list(items: &[String]) -> String {
    format!("[{}]", items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", "))
}
