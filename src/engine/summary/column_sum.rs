//! A column of a window as a running sum of packed panes.

use super::packed::Unpacker;
use super::{ColumnCounts, NumberSums};
use crate::event::InvalidReason;

/// The sum of packed columns, in numbers as wide as they have to be: no slot holds more than all values together, so their number says how wide that is.
/// An hour of a thousand requests a minute fits two bytes a slot, where [`ColumnCounts`] has eight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnSum {
    slots: Slots,
    /// Values in slots.
    valid: u64,
    missing: u64,
    invalid: [u64; InvalidReason::ALL.len()],
    sums: Option<NumberSums>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Slots {
    Bytes(Box<[u8]>),
    Words(Box<[u16]>),
    Doubles(Box<[u32]>),
    Quads(Box<[u64]>),
}

/// A count of some width. What is added and taken away fits it, see [`ColumnSum`].
trait Count: Copy {
    fn plus(self, count: u64) -> Self;
    fn minus(self, count: u64) -> Self;
    fn wide(self) -> u64;
}

macro_rules! counts {
    ($($width:ty),*) => {
        $(impl Count for $width {
            #[inline]
            fn plus(self, count: u64) -> Self {
                self.wrapping_add(count as Self)
            }
            #[inline]
            fn minus(self, count: u64) -> Self {
                self.wrapping_sub(count as Self)
            }
            #[inline]
            fn wide(self) -> u64 {
                self.into()
            }
        })*
    };
}

counts!(u8, u16, u32, u64);

impl Slots {
    fn empty(n: usize) -> Self {
        Self::Bytes(vec![0; n].into())
    }

    fn len(&self) -> usize {
        match self {
            Self::Bytes(slots) => slots.len(),
            Self::Words(slots) => slots.len(),
            Self::Doubles(slots) => slots.len(),
            Self::Quads(slots) => slots.len(),
        }
    }

    /// Makes room for counts up to `most`.
    fn widen(&mut self, most: u64) {
        let fits = match self {
            Self::Bytes(_) => most <= u8::MAX.into(),
            Self::Words(_) => most <= u16::MAX.into(),
            Self::Doubles(_) => most <= u32::MAX.into(),
            Self::Quads(_) => true,
        };
        if fits {
            return;
        }
        let mut wide = vec![0; self.len()];
        self.copy_to(&mut wide);
        *self = if u16::try_from(most).is_ok() {
            Self::Words(wide.into_iter().map(|count| count as u16).collect())
        } else if u32::try_from(most).is_ok() {
            Self::Doubles(wide.into_iter().map(|count| count as u32).collect())
        } else {
            Self::Quads(wide.into())
        };
    }

    fn copy_to(&self, wide: &mut [u64]) {
        fn copy<T: Count>(narrow: &[T], wide: &mut [u64]) {
            wide.iter_mut().zip(narrow).for_each(|(wide, narrow)| *wide = narrow.wide());
        }
        match self {
            Self::Bytes(slots) => copy(slots, wide),
            Self::Words(slots) => copy(slots, wide),
            Self::Doubles(slots) => copy(slots, wide),
            Self::Quads(slots) => copy(slots, wide),
        }
    }

    fn change(&mut self, from: &mut Unpacker<'_>, add: bool) {
        #[inline]
        fn change<T: Count>(slots: &mut [T], from: &mut Unpacker<'_>, by: impl Fn(T, u64) -> T) {
            from.slots(|slot, count| {
                if let Some(mine) = slots.get_mut(slot) {
                    *mine = by(*mine, count);
                }
            });
        }
        match (self, add) {
            (Self::Bytes(slots), true) => change(slots, from, Count::plus),
            (Self::Words(slots), true) => change(slots, from, Count::plus),
            (Self::Doubles(slots), true) => change(slots, from, Count::plus),
            (Self::Quads(slots), true) => change(slots, from, Count::plus),
            (Self::Bytes(slots), false) => change(slots, from, Count::minus),
            (Self::Words(slots), false) => change(slots, from, Count::minus),
            (Self::Doubles(slots), false) => change(slots, from, Count::minus),
            (Self::Quads(slots), false) => change(slots, from, Count::minus),
        }
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::Bytes(slots) => size_of_val(&**slots),
            Self::Words(slots) => size_of_val(&**slots),
            Self::Doubles(slots) => size_of_val(&**slots),
            Self::Quads(slots) => size_of_val(&**slots),
        }
    }
}

impl ColumnSum {
    /// An empty sum of columns like the next one that `from` has; reads nothing.
    pub fn like(from: &Unpacker<'_>) -> Self {
        let head = { *from }.head();
        let sums = head.sums.map(|mut sums| {
            sums.unmerge(&sums.clone());
            sums
        });
        Self { slots: Slots::empty(head.n_slots), valid: 0, missing: 0, invalid: [0; InvalidReason::ALL.len()], sums }
    }

    /// Adds the next column of `from`, which has the same slots.
    pub fn merge(&mut self, from: &mut Unpacker<'_>) {
        let head = from.head();
        debug_assert_eq!(head.n_slots, self.slots.len());
        self.valid = self.valid.saturating_add(head.valid);
        self.missing = self.missing.saturating_add(head.missing);
        self.invalid.iter_mut().zip(head.invalid).for_each(|(mine, theirs)| *mine = mine.saturating_add(theirs));
        match (&mut self.sums, &head.sums) {
            (Some(mine), Some(theirs)) => mine.merge(theirs),
            (mine @ None, Some(theirs)) => *mine = Some(*theirs),
            (_, None) => {}
        }
        self.slots.widen(self.valid);
        self.slots.change(from, true);
    }

    /// Takes the next column of `from`, which is a part of the sum, out again.
    pub fn unmerge(&mut self, from: &mut Unpacker<'_>) {
        let head = from.head();
        debug_assert!(head.n_slots == self.slots.len() && head.valid <= self.valid);
        self.valid = self.valid.saturating_sub(head.valid);
        self.missing = self.missing.saturating_sub(head.missing);
        self.invalid.iter_mut().zip(head.invalid).for_each(|(mine, theirs)| *mine = mine.saturating_sub(theirs));
        if let (Some(mine), Some(theirs)) = (&mut self.sums, &head.sums) {
            mine.unmerge(theirs);
        }
        self.slots.change(from, false);
    }

    /// Puts it into `column`, whatever that was.
    pub fn copy_to(&self, column: &mut ColumnCounts) {
        column.slots.resize(self.slots.len(), 0);
        self.slots.copy_to(&mut column.slots);
        (column.missing, column.invalid, column.sums) = (self.missing, self.invalid, self.sums);
    }

    /// The sum as a column of its own.
    pub fn counts(&self) -> ColumnCounts {
        let mut column = ColumnCounts::new(0);
        self.copy_to(&mut column);
        column
    }

    /// Bytes that it has on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.slots.heap_bytes()
    }
}
