//! A remembered prediction in 40 bytes.
//!
//! What an entry usually is goes into a slot as it is, bit by bit; anything else is an [`Entry`] in a box of its chunk, and the slot says which.

use super::entry::{Entry, Outcome, Truth};
use crate::engine::summary::Scores;
use crate::event::Timestamp;

/// An entry of the usual kind, or where to find another one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    /// Hash of the id.
    pub(super) key: u64,
    /// A predicted number; of a class its score; of a rare entry its place among those of the chunk.
    value: u64,
    /// The true number; of classes the predicted one and, from bit 16 on, the true one.
    outcome: u64,
    /// The streams it was counted in.
    pub(super) route: u32,
    /// When the prediction was made; not known of a rare entry.
    at: Short,
    /// Milliseconds from the prediction to its truth in the upper 44 bits, and what there is in the lower 4.
    truth: Short,
}

/// A whole number of 48 bits.
#[derive(Debug, Clone, Copy, Default)]
struct Short([u16; 3]);

const KIND: i64 = 0b11;
/// Nothing that a label could be compared with.
const NOTHING: i64 = 0;
const CLASS: i64 = 1;
const NUMBER: i64 = 2;
const RARE: i64 = 3;
const SCORED: i64 = 0b100;
const TRUE: i64 = 0b1000;

impl Slot {
    /// The slot of an entry; `None` where it is not of the usual kind. Its model goes without saying: it is the route's.
    pub(super) fn of(key: u64, entry: &Entry) -> Option<Self> {
        let (mut value, mut outcome) = (0, 0);
        let mut truth = match (&entry.predicted, &entry.scores) {
            (None, Scores::None) => NOTHING,
            (Some(Outcome::Class(class)), scores) => {
                outcome = u64::from(*class);
                match scores {
                    Scores::None => CLASS,
                    Scores::Positive(score) => {
                        value = score.to_bits();
                        CLASS | SCORED
                    }
                    Scores::Classes(_) => return None,
                }
            }
            (Some(Outcome::Number(number)), Scores::None) => {
                value = number.to_bits();
                NUMBER
            }
            _ => return None,
        };
        if let Some(Truth { outcome: known, at }) = &entry.truth {
            match (truth & KIND, known) {
                (CLASS, Outcome::Class(class)) => outcome |= u64::from(*class) << 16,
                (NUMBER, Outcome::Number(number)) => outcome = number.to_bits(),
                _ => return None,
            }
            truth |= TRUE | at.since(entry.timestamp).checked_mul(16)?;
        }
        Some(Self { key, value, outcome, route: entry.route, at: Short::of(entry.timestamp.0)?, truth: Short::of(truth)? })
    }

    /// The slot of an entry that stands at `place` among the rare ones of its chunk.
    pub(super) fn rare(key: u64, route: u32, place: u32) -> Self {
        let flags = [RARE as u16, 0, 0];
        Self { key, value: u64::from(place), outcome: 0, route, at: Short::default(), truth: Short(flags) }
    }

    /// Where it stands among the rare entries of its chunk, if it does.
    pub(super) fn rare_place(&self) -> Option<usize> {
        (self.truth.value() & KIND == RARE).then_some(self.value as usize)
    }

    /// Whether the truth of an entry of the usual kind is known.
    pub(super) fn is_true(&self) -> bool {
        self.truth.value() & TRUE != 0
    }

    /// When the prediction was made; not known of a rare entry.
    pub(super) fn timestamp(&self) -> Timestamp {
        Timestamp(self.at.value())
    }

    /// The entry; nothing of a rare one.
    pub(super) fn entry(&self, model: u32) -> Entry {
        let (timestamp, truth) = (self.timestamp(), self.truth.value());
        let predicted = match truth & KIND {
            CLASS => Some(Outcome::Class(self.outcome as u16)),
            NUMBER => Some(Outcome::Number(f64::from_bits(self.value))),
            _ => None,
        };
        let scores = if truth & SCORED == 0 { Scores::None } else { Scores::Positive(f64::from_bits(self.value)) };
        let known = || match truth & KIND {
            NUMBER => Outcome::Number(f64::from_bits(self.outcome)),
            _ => Outcome::Class((self.outcome >> 16) as u16),
        };
        let truth = (truth & TRUE != 0).then(|| Truth { outcome: known(), at: timestamp.plus(truth >> 4) });
        Entry { model, route: self.route, timestamp, predicted, scores, truth }
    }
}

impl Short {
    fn of(value: i64) -> Option<Self> {
        let short = Self([value as u16, (value >> 16) as u16, (value >> 32) as u16]);
        (short.value() == value).then_some(short)
    }

    fn value(self) -> i64 {
        let Self([low, middle, high]) = self;
        i64::from(low) | i64::from(middle) << 16 | i64::from(high as i16) << 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::join::tests::entries::entry;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_goes_in_comes_out(entry in entry()) {
            if let Some(slot) = Slot::of(7, &entry) {
                prop_assert_eq!(slot.rare_place(), None);
                // numbers to the last bit
                prop_assert_eq!(format!("{:?}", slot.entry(entry.model)), format!("{entry:?}"));
            }
        }
    }

    #[test]
    fn the_usual_entries_take_40_bytes() {
        assert_eq!(size_of::<Slot>(), 40);
        let at = Timestamp(1_800_000_000_000);
        let truth = |outcome| Some(Truth { outcome, at: at.plus(90 * 86_400_000) });
        let class =
            Entry { model: 1, route: 2, timestamp: at, predicted: Some(Outcome::Class(1)), scores: Scores::Positive(0.1), truth: None };
        let number = Entry { predicted: Some(Outcome::Number(-1.5)), scores: Scores::None, ..class.clone() };
        for usual in [
            Entry { truth: truth(Outcome::Class(65_535)), ..class.clone() },
            Entry { truth: truth(Outcome::Number(f64::MIN)), ..number.clone() },
            Entry { scores: Scores::None, ..class },
            Entry { predicted: None, ..number.clone() },
            number,
        ] {
            assert!(Slot::of(0, &usual).is_some(), "{usual:?}");
        }
    }
}
