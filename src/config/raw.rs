//! One raw value, and what it can be read as.
//!
//! A variable of the environment is always a text, so a text from there is read as a number, a flag or a list where one is wanted;
//! a text of the file never is.

use super::duration;
use super::layers::ENVIRONMENT;
use ::config::{Value, ValueKind};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// One raw value, and what it can be read as. Errors are sentences that go behind the key's path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw<'a>(pub(crate) &'a Value);

/// Longest duration that is believed, in ms: ten years. It keeps sums of times far from the end of the number range.
const LONGEST: i64 = 3_650 * 86_400_000;

impl<'a> Raw<'a> {
    fn is_from_environment(self) -> bool {
        self.0.origin() == Some(ENVIRONMENT)
    }

    /// What stands there, in words.
    pub(crate) fn found(self) -> String {
        match &self.0.kind {
            ValueKind::Nil => "nothing".to_owned(),
            ValueKind::Boolean(flag) => format!("the flag {flag}"),
            ValueKind::Float(number) => format!("the number {number}"),
            ValueKind::String(text) => format!("the text {text:?}"),
            ValueKind::Table(_) => "a table".to_owned(),
            ValueKind::Array(_) => "a list".to_owned(),
            other => format!("the number {other}"),
        }
    }

    /// A text that is not blank, without blanks around it.
    pub(crate) fn text(self) -> Result<String, String> {
        match &self.0.kind {
            ValueKind::String(text) if text.trim().is_empty() => Err("is empty".to_owned()),
            ValueKind::String(text) => Ok(text.trim().to_owned()),
            _ => Err(format!("is a text, but {} stands there: put it in quotes", self.found())),
        }
    }

    /// `true` or `false`.
    pub(crate) fn flag(self) -> Result<bool, String> {
        match &self.0.kind {
            ValueKind::Boolean(flag) => Ok(*flag),
            ValueKind::String(text) if self.is_from_environment() && matches!(text.as_str(), "true" | "false") => Ok(text == "true"),
            _ => Err(format!("is true or false, but {} stands there", self.found())),
        }
    }

    /// A whole number within `range`.
    pub(crate) fn count(self, range: &RangeInclusive<u64>) -> Result<u64, String> {
        let whole = match &self.0.kind {
            ValueKind::I64(number) => Some(i128::from(*number)),
            ValueKind::String(text) if self.is_from_environment() => text.trim().parse::<i64>().ok().map(i128::from),
            _ => None,
        };
        let Some(whole) = whole else { return Err(format!("is a whole number, but {} stands there", self.found())) };
        let within = u64::try_from(whole).ok().filter(|count| range.contains(count));
        within.ok_or_else(|| format!("{whole} is not within {} to {}", range.start(), range.end()))
    }

    /// A finite number within `range`.
    pub(crate) fn number(self, range: &RangeInclusive<f64>) -> Result<f64, String> {
        let number = match &self.0.kind {
            // whole numbers beyond 2^53 lose their last digits here; no setting has such values
            ValueKind::I64(number) => Some(*number as f64),
            ValueKind::Float(number) => Some(*number),
            ValueKind::String(text) if self.is_from_environment() => text.trim().parse().ok(),
            _ => None,
        };
        let Some(number) = number else { return Err(format!("is a number, but {} stands there", self.found())) };
        if range.contains(&number) { Ok(number) } else { Err(format!("{number} is not within {} to {}", range.start(), range.end())) }
    }

    /// A duration of `least` to ten years, in ms.
    pub(crate) fn duration(self, least: i64) -> Result<i64, String> {
        let text = self.text().map_err(|_| format!("is a duration like \"5m\", but {} stands there", self.found()))?;
        match duration::parse_duration(&text)? {
            ms if ms < least => Err(format!("{text:?} is shorter than {}", duration::print_duration(least))),
            ms if ms > LONGEST => Err(format!("{text:?} is longer than {}", duration::print_duration(LONGEST))),
            ms => Ok(ms),
        }
    }

    /// A list without repetition; from the environment separated by commas.
    pub(crate) fn list(self, item: impl Fn(Raw<'_>) -> Result<String, String>) -> Result<Vec<String>, String> {
        let mut taken: Vec<String> = Vec::new();
        match &self.0.kind {
            ValueKind::Array(items) => {
                for (i, value) in items.iter().enumerate() {
                    taken.push(item(Raw(value)).map_err(|message| format!("item {i} {message}"))?);
                }
            }
            ValueKind::String(text) if self.is_from_environment() => {
                taken.extend(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned));
            }
            _ => return Err(format!("is a list, but {} stands there: write [\"…\"]", self.found())),
        }
        match taken.iter().enumerate().find(|(i, item)| taken[..*i].contains(item)) {
            Some((_, item)) => Err(format!("{item:?} stands there twice")),
            None => Ok(taken),
        }
    }

    /// Names and single values, these as texts.
    pub(crate) fn map(self) -> Result<BTreeMap<String, String>, String> {
        let ValueKind::Table(table) = &self.0.kind else {
            return Err(format!("is a table, but {} stands there: write {{ \"name\" = \"value\" }}", self.found()));
        };
        let sorted: BTreeMap<&'a String, &'a Value> = table.iter().collect();
        let pairs = sorted.into_iter().map(|(name, value)| match &value.kind {
            ValueKind::String(_) | ValueKind::Boolean(_) | ValueKind::I64(_) | ValueKind::Float(_) => {
                Ok((name.clone(), value.kind.to_string()))
            }
            _ => Err(format!("{name:?} is a single value, but {} stands there", Raw(value).found())),
        });
        pairs.collect()
    }
}
