//! What earlier messages said about the names of the next one.
//!
//! A layout only makes a message faster to read, never different: a name it does not expect is read letter by letter.
//!
//! Invariant: the names of a layout are distinct where it was learned from distinct names, and a reader moves through it forwards only, so that
//! names found in it need not be compared with each other. Memory is bounded by [`MAX_MODELS`], [`MAX_NAMES`] and [`MAX_BYTES`].

use super::cursor::Cursor;
use crate::event::SharedNames;
use std::collections::HashMap;

/// Most models whose layouts are kept.
const MAX_MODELS: usize = 32;
/// Most names of a layout, and most bytes of them.
const MAX_NAMES: usize = 2000;
const MAX_BYTES: usize = 64 << 10;
/// Names looked ahead where one is left out.
const AHEAD: usize = 8;
/// Every how many misses a layout is learned anew: a stream of ever other names should not pay for it each time.
const PATIENCE: u32 = 8;
/// Every how many messages of models without a layout one of them takes the place of another, once all places are taken.
const STRANGERS: u32 = 64;

/// Names in the order in which they are expected.
#[derive(Debug, Default)]
pub(super) struct Layout {
    names: Vec<Name>,
    /// The same, for events that have all of them in this order.
    shared: SharedNames,
    misses: u32,
}

/// `"name":` as it stands in a message.
#[derive(Debug)]
struct Name {
    /// The first sixteen bytes, and which bits of them count.
    head: u128,
    mask: u128,
    quoted: Box<str>,
}

impl Name {
    fn new(name: &str) -> Self {
        let quoted = format!("\"{name}\":").into_boxed_str();
        let n = quoted.len().min(16);
        let mut head = [0; 16];
        head[..n].copy_from_slice(&quoted.as_bytes()[..n]);
        Self { head: u128::from_le_bytes(head), mask: u128::MAX >> (128 - 8 * n), quoted }
    }

    fn plain(&self) -> &str {
        &self.quoted[1..self.quoted.len() - 2]
    }

    #[inline(always)]
    fn begins(&self, rest: &[u8]) -> bool {
        match rest.split_first_chunk::<16>() {
            Some((chunk, behind)) => {
                (u128::from_le_bytes(*chunk) ^ self.head) & self.mask == 0
                    && (self.quoted.len() <= 16 || behind.starts_with(&self.quoted.as_bytes()[16..]))
            }
            None => rest.starts_with(self.quoted.as_bytes()),
        }
    }
}

impl Layout {
    /// A layout of names that need no escape.
    pub(super) fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let mut layout = Self { names: names.map(Name::new).collect(), ..Self::default() };
        layout.share();
        layout
    }

    fn share(&mut self) {
        self.shared = self.names.iter().map(|name| name.plain().into()).collect();
    }

    /// Its names, to be shared by events that have all of them in this order.
    pub(super) fn shared(&self) -> &SharedNames {
        &self.shared
    }

    /// Length in bytes of the name at that place.
    #[inline(always)]
    pub(super) fn n_bytes(&self, place: usize) -> usize {
        self.names.get(place).map_or(0, |name| name.quoted.len() - 3)
    }

    /// The names, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(Name::plain)
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Passes over the name that is next, its colon and the space behind them, if it is one of those expected from place `from` on;
    /// its place, and where its text begins.
    #[inline(always)]
    pub(super) fn find(&self, cursor: &mut Cursor<'_>, from: usize) -> Option<(usize, usize)> {
        let rest = cursor.rest();
        let place = if self.names.get(from)?.begins(rest) { from } else { self.ahead(rest, from)? };
        let name = self.names.get(place)?;
        let start = cursor.at() + 1;
        cursor.skip(name.quoted.len());
        cursor.space();
        Some((place, start))
    }

    /// The place of the name that is next, where the one expected first is left out.
    #[inline(never)]
    fn ahead(&self, rest: &[u8], from: usize) -> Option<usize> {
        (from + 1..self.names.len()).take(AHEAD).find(|place| self.names[*place].begins(rest))
    }

    /// Takes in that a message had a name that was not expected; whether its names should be learned.
    pub(super) fn missed(&mut self) -> bool {
        self.misses = self.misses.wrapping_add(1);
        self.misses % PATIENCE == 1
    }

    /// Expects these names from now on, and between them the others that were expected before: messages that leave some out say in turn
    /// what the whole is. Where both do not go together, or the others are the larger part, only these.
    pub(super) fn learn<'n>(&mut self, names: impl Iterator<Item = &'n str> + Clone) {
        let before = std::mem::take(&mut self.names);
        let known: HashMap<&str, usize> = before.iter().enumerate().map(|(place, name)| (name.plain(), place)).collect();
        let places: Vec<Option<usize>> = names.clone().map(|name| known.get(name).copied()).collect();
        let n_all = before.len() + places.iter().filter(|place| place.is_none()).count();
        let n_bytes = before.iter().map(|name| name.quoted.len()).sum::<usize>();
        if !places.iter().flatten().is_sorted_by(|a, b| a < b) || n_all > MAX_NAMES.min(2 * places.len()) || n_bytes > MAX_BYTES {
            self.names = names.map(Name::new).collect();
            return self.share();
        }
        let (mut others, mut n_taken) = (before.into_iter(), 0);
        for (name, place) in names.zip(places) {
            match place {
                Some(place) => {
                    self.names.extend(others.by_ref().take(place + 1 - n_taken));
                    n_taken = place + 1;
                }
                None => self.names.push(Name::new(name)),
            }
        }
        self.names.extend(others);
        self.share();
    }
}

/// The layout of the features of each model.
#[derive(Debug, Default)]
pub(super) struct Layouts {
    models: Vec<(Box<str>, Layout)>,
    /// The place that was used last.
    last: usize,
    /// Messages of models without a layout, while all places were taken.
    strangers: u32,
    none: Layout,
}

impl Layouts {
    /// The layout of a model; an empty one if it has none.
    #[inline(always)]
    pub(super) fn of_model(&mut self, model: &str) -> &Layout {
        if self.models.get(self.last).is_none_or(|(name, _)| **name != *model) {
            match self.models.iter().position(|(name, _)| **name == *model) {
                Some(place) => self.last = place,
                None => return &self.none,
            }
        }
        &self.models[self.last].1
    }

    /// Takes in the distinct names of a message that had one which was not expected.
    pub(super) fn missed<'n>(&mut self, model: &str, names: impl Iterator<Item = &'n str> + Clone) {
        let known = self.models.iter().position(|(name, _)| **name == *model);
        let due = match known {
            Some(place) => self.models[place].1.missed(),
            None if self.models.len() < MAX_MODELS => true,
            None => {
                self.strangers = self.strangers.wrapping_add(1);
                self.strangers.is_multiple_of(STRANGERS)
            }
        };
        if !due || names.clone().count() > MAX_NAMES || names.clone().map(str::len).sum::<usize>() > MAX_BYTES {
            return;
        }
        match known {
            Some(place) => self.models[place].1.learn(names),
            None if self.models.len() < MAX_MODELS => self.models.push((model.into(), Layout::of(names))),
            None => {
                let place = (self.strangers / STRANGERS) as usize % MAX_MODELS;
                self.models[place] = (model.into(), Layout::of(names));
            }
        }
    }
}
