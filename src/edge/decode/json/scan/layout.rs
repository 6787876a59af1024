//! What earlier messages said about the names of the next one.
//!
//! A layout only makes a message faster to read, never different: a name it does not expect is read letter by letter.
//!
//! Invariant: the names of a layout are distinct where it was learned from distinct names, and a reader moves through it forwards only, so that
//! names found in it need not be compared with each other. Memory is bounded by [`MAX_MODELS`], [`MAX_NAMES`] and [`MAX_BYTES`].

use super::cursor::Cursor;

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
    misses: u32,
}

/// `"name":` as it stands in a message.
#[derive(Debug)]
struct Name {
    /// The first sixteen bytes, and which bits of them count.
    head: u128,
    mask: u128,
    quoted: Box<[u8]>,
}

impl Name {
    fn new(name: &str) -> Self {
        let quoted = format!("\"{name}\":").into_bytes().into_boxed_slice();
        let n = quoted.len().min(16);
        let mut head = [0; 16];
        head[..n].copy_from_slice(&quoted[..n]);
        Self { head: u128::from_le_bytes(head), mask: u128::MAX >> (128 - 8 * n), quoted }
    }

    #[inline(always)]
    fn begins(&self, rest: &[u8]) -> bool {
        match rest.split_first_chunk::<16>() {
            Some((chunk, behind)) => {
                (u128::from_le_bytes(*chunk) ^ self.head) & self.mask == 0
                    && (self.quoted.len() <= 16 || behind.starts_with(&self.quoted[16..]))
            }
            None => rest.starts_with(&self.quoted),
        }
    }
}

impl Layout {
    /// A layout of names that need no escape.
    pub(super) fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        Self { names: names.map(Name::new).collect(), misses: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Passes over the name that is next, its colon and the space behind them, if it is one of those expected from place `from` on;
    /// its place and its text.
    #[inline(always)]
    pub(super) fn find<'a>(&self, cursor: &mut Cursor<'a>, from: usize) -> Option<(usize, &'a str)> {
        let rest = cursor.rest();
        let place = if self.names.get(from)?.begins(rest) { from } else { self.ahead(rest, from)? };
        let name = self.names.get(place)?;
        let start = cursor.at() + 1;
        cursor.skip(name.quoted.len() - 2);
        let text = cursor.since(start)?;
        cursor.skip(2);
        cursor.space();
        Some((place, text))
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

    /// Replaces the names.
    pub(super) fn learn<'n>(&mut self, names: impl Iterator<Item = &'n str>) {
        self.names.clear();
        self.names.extend(names.map(Name::new));
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
