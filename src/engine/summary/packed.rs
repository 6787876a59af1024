//! Columns as bytes: how closed panes are kept. Most of the cells of a slide hold nothing, and what the others hold is small.
//!
//! A number is written in groups of seven bits, the least first, each but the last with its high bit set. A column is written as
//! 1. number of slots; values in slots; whether there are sums, and whether anything is missing or invalid (two bits of one number), each followed by them;
//! 2. number of slots that are not 0, and each of these as `(empty slots before it) · 4 + min(count − 1, 3)`, followed by `count − 4` where that is 3.
//!
//! So a slot takes one byte where few values fell into it and its neighbour is near. Invariant: what is unpacked is what was packed, and merging packed
//! columns is merging them unpacked (the suite holds the two together).

use super::{ColumnCounts, FixedSum, NumberSums};
use crate::event::InvalidReason;

/// Columns in the making.
#[derive(Debug, Default)]
pub struct Packer {
    bytes: Vec<u8>,
}

/// Columns that are read one after the other. Behind the end of the bytes everything is 0.
#[derive(Debug, Clone, Copy)]
pub struct Unpacker<'a> {
    rest: &'a [u8],
}

/// What stands before the slots of a packed column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) n_slots: usize,
    /// Values in slots.
    pub(super) valid: u64,
    pub(super) missing: u64,
    pub(super) invalid: [u64; InvalidReason::ALL.len()],
    pub(super) sums: Option<NumberSums>,
}

const HAS_SUMS: u64 = 1;
const HAS_OTHERS: u64 = 2;
/// Counts below this are told together with the place.
const SHORT: u64 = 4;

impl Packer {
    /// Writes a number.
    pub fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn signed(&mut self, number: i128) {
        let mut folded = ((number << 1) ^ (number >> 127)) as u128;
        while folded >= 0x80 {
            self.bytes.push(folded as u8 | 0x80);
            folded >>= 7;
        }
        self.bytes.push(folded as u8);
    }

    fn sum(&mut self, sum: &FixedSum) {
        let (scale, units, saturated) = sum.parts();
        self.signed(scale.into());
        self.signed(units);
        self.number(saturated);
    }

    /// Writes a column.
    pub fn column(&mut self, column: &ColumnCounts) {
        self.number(column.slots.len() as u64);
        self.number(column.valid());
        let others = column.missing > 0 || column.invalid.iter().any(|&n| n > 0);
        self.number(if column.sums.is_some() { HAS_SUMS } else { 0 } + if others { HAS_OTHERS } else { 0 });
        if let Some(sums) = &column.sums {
            [&sums.deviation, &sums.below, &sums.above].into_iter().for_each(|sum| self.sum(sum));
        }
        if others {
            self.number(column.missing);
            column.invalid.iter().for_each(|&n| self.number(n));
        }
        self.number(column.slots.iter().filter(|&&count| count > 0).count() as u64);
        let mut next = 0;
        for (slot, &count) in column.slots.iter().enumerate().filter(|&(_, &count)| count > 0) {
            self.number((slot - next) as u64 * SHORT + (count - 1).min(SHORT - 1));
            if count >= SHORT {
                self.number(count - SHORT);
            }
            next = slot + 1;
        }
    }

    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl<'a> Unpacker<'a> {
    /// Reads from the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What is not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything was read.
    pub fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// Reads a number.
    #[inline]
    pub fn number(&mut self) -> u64 {
        match self.rest {
            [first @ 0..0x80, rest @ ..] => {
                self.rest = rest;
                u64::from(*first)
            }
            _ => self.wide() as u64,
        }
    }

    fn wide(&mut self) -> u128 {
        let (mut number, mut shift) = (0, 0);
        while let [byte, rest @ ..] = self.rest {
            self.rest = rest;
            number |= u128::from(byte & 0x7f) << shift;
            shift += 7;
            if *byte < 0x80 || shift >= 128 {
                break;
            }
        }
        number
    }

    fn signed(&mut self) -> i128 {
        let folded = self.wide();
        (folded >> 1) as i128 ^ -((folded & 1) as i128)
    }

    fn sum(&mut self) -> FixedSum {
        let (scale, units) = (self.signed() as i32, self.signed());
        FixedSum::of_parts(scale, units, self.number())
    }

    pub(super) fn head(&mut self) -> Head {
        let (n_slots, valid, has) = (self.number() as usize, self.number(), self.number());
        let sums = (has & HAS_SUMS != 0).then(|| NumberSums { deviation: self.sum(), below: self.sum(), above: self.sum() });
        let mut head = Head { n_slots, valid, missing: 0, invalid: [0; InvalidReason::ALL.len()], sums };
        if has & HAS_OTHERS != 0 {
            head.missing = self.number();
            head.invalid.iter_mut().for_each(|n| *n = self.number());
        }
        head
    }

    /// Reads the slots of the column whose head was read last: each that is not 0, with its count.
    #[inline]
    pub(super) fn slots(&mut self, mut see: impl FnMut(usize, u64)) {
        let mut next = 0;
        for _ in 0..self.number() {
            if self.is_done() {
                break;
            }
            let token = self.number();
            let slot = (token / SHORT).saturating_add(next);
            let short = token % SHORT + 1;
            let count = if short == SHORT { self.number().saturating_add(SHORT) } else { short };
            see(slot as usize, count);
            next = slot.saturating_add(1);
        }
    }

    /// Reads a column.
    pub fn column(&mut self) -> ColumnCounts {
        let head = self.head();
        let mut column = ColumnCounts::new(head.n_slots);
        (column.missing, column.invalid, column.sums) = (head.missing, head.invalid, head.sums);
        self.slots(|slot, count| {
            if let Some(mine) = column.slots.get_mut(slot) {
                *mine = count;
            }
        });
        column
    }

    /// Passes a column over.
    pub fn skip_column(&mut self) {
        self.head();
        self.slots(|_, _| {});
    }
}

#[cfg(test)]
mod tests;
