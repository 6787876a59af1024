//! Where the entries of an id are: a hash table from keys to places, in parts that grow on their own.
//!
//! A bucket is one line of the processor's cache: seven tags (32 bits of the key) with their places. An entry whose bucket is full goes to the next
//! one, and every bucket that it passes counts it: so an unknown key is mostly known to be unknown after one line, whatever is taken out leaves no
//! mark behind, and no step of a search depends on what another entry holds. A tag is not the key: who asks compares the key of what he finds.
//!
//! Invariant: from 448 cells a part is between half and four fifths full once anything is taken out of it; so a place takes 18.3 bytes at most.

use std::hint::black_box;

/// Parts of the table; the top byte of a key says which. Each grows by itself, so that no growth is long and little memory is held twice.
const PARTS: usize = 256;

/// Entries of a bucket.
const LANES: usize = 7;

/// Where the entries that passed a full bucket are counted.
const PASSED: usize = 7;

/// Buckets of a part below which it does not shrink.
const SMALL: usize = 64;

/// Places by key; several entries may have one key.
#[derive(Debug, Clone)]
pub(super) struct Index {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Default)]
struct Part {
    buckets: Vec<Bucket>,
    n: usize,
}

/// Tags of 0 are free cells; the last one is no tag, see [`PASSED`].
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Bucket {
    tags: [u32; 8],
    places: [u32; 8],
}

const FREE: Bucket = Bucket { tags: [0; 8], places: [0; 8] };

impl Index {
    pub(super) fn new() -> Self {
        Self { parts: vec![Part::default(); PARTS] }
    }

    /// An index that holds `n` entries without growing much.
    pub(super) fn with_capacity(n: usize) -> Self {
        let mut index = Self::new();
        let buckets = buckets_for(n.div_ceil(PARTS));
        index.parts.iter_mut().filter(|_| buckets > SMALL).for_each(|part| part.resize(buckets));
        index
    }

    /// Notes that an entry of this key is at `place`.
    pub(super) fn insert(&mut self, key: u64, place: u32) {
        let part = &mut self.parts[part_of(key)];
        if part.n * 5 >= part.cells() * 4 {
            part.resize((part.buckets.len() * 5 / 4).max(part.buckets.len() + 4));
        }
        part.put(tag_of(key), place);
        part.n += 1;
    }

    /// The first place under this key (or one that looks like it) that `is` it.
    pub(super) fn find(&self, key: u64, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        let part = &self.parts[part_of(key)];
        let (tag, n) = (tag_of(key), part.buckets.len());
        let mut at = home(tag, n);
        for _ in 0..n {
            let bucket = &part.buckets[at];
            for lane in lanes(bucket.lanes_of(tag)) {
                if is(bucket.places[lane]) {
                    return Some(bucket.places[lane]);
                }
            }
            if bucket.tags[PASSED] == 0 {
                return None;
            }
            at = next(at, n);
        }
        None
    }

    /// Forgets that an entry of this key is at `place`; whether it was there.
    pub(super) fn remove(&mut self, key: u64, place: u32) -> bool {
        let part = &mut self.parts[part_of(key)];
        let removed = part.remove(tag_of(key), place);
        if removed {
            part.n -= 1;
            if part.n * 2 < part.cells() && part.buckets.len() > SMALL {
                part.resize(buckets_for(part.n).max(SMALL));
            }
        }
        removed
    }

    /// Reads where the searches for these keys begin, so that they are in the cache when they are wanted: the processor waits for many of them at once.
    pub(super) fn touch(&self, keys: impl Iterator<Item = u64>) {
        let first = |key| {
            let buckets = &self.parts[part_of(key)].buckets;
            buckets.get(home(tag_of(key), buckets.len())).map_or(0, |bucket| bucket.tags[0])
        };
        // what comes of it is of no use to anybody, and may not be left out for that
        black_box(keys.fold(0, |sum, key| sum ^ first(key)));
    }

    /// Bytes that are allocated.
    #[cfg(test)]
    pub(super) fn allocated(&self) -> usize {
        self.parts.iter().map(|part| part.buckets.capacity() * size_of::<Bucket>() + size_of::<Part>()).sum()
    }
}

impl Part {
    fn cells(&self) -> usize {
        self.buckets.len() * LANES
    }

    /// Puts an entry into the first bucket with a free cell; there is one.
    fn put(&mut self, tag: u32, place: u32) {
        let n = self.buckets.len();
        let mut at = home(tag, n);
        loop {
            let bucket = &mut self.buckets[at];
            if let Some(lane) = lanes(bucket.lanes_of(0)).next() {
                (bucket.tags[lane], bucket.places[lane]) = (tag, place);
                return;
            }
            bucket.tags[PASSED] += 1;
            at = next(at, n);
        }
    }

    fn remove(&mut self, tag: u32, place: u32) -> bool {
        let n = self.buckets.len();
        let first = home(tag, n);
        let mut at = first;
        for _ in 0..n {
            let bucket = &mut self.buckets[at];
            if let Some(lane) = lanes(bucket.lanes_of(tag)).find(|&lane| bucket.places[lane] == place) {
                bucket.tags[lane] = 0;
                let mut passed = first;
                while passed != at {
                    self.buckets[passed].tags[PASSED] -= 1;
                    passed = next(passed, n);
                }
                return true;
            }
            if bucket.tags[PASSED] == 0 {
                return false;
            }
            at = next(at, n);
        }
        false
    }

    fn resize(&mut self, buckets: usize) {
        for bucket in std::mem::replace(&mut self.buckets, vec![FREE; buckets]) {
            for lane in 0..LANES {
                if bucket.tags[lane] != 0 {
                    self.put(bucket.tags[lane], bucket.places[lane]);
                }
            }
        }
    }
}

impl Bucket {
    /// One bit for each cell with this tag. Without a branch, so that the processor need not guess.
    fn lanes_of(&self, tag: u32) -> u32 {
        let mut found = 0;
        for lane in 0..LANES {
            found |= u32::from(self.tags[lane] == tag) << lane;
        }
        found
    }
}

/// The places of the bits that are set.
fn lanes(mut set: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lane = set.trailing_zeros() as usize;
        set &= set.wrapping_sub(1);
        (lane < LANES).then_some(lane)
    })
}

/// Buckets that `n` entries fill to about 0.72, in the middle of what is allowed.
fn buckets_for(n: usize) -> usize {
    (n / 5).max(1)
}

fn part_of(key: u64) -> usize {
    (key >> 56) as usize
}

fn tag_of(key: u64) -> u32 {
    ((key >> 24) as u32).max(1)
}

/// Where a tag belongs among `n` buckets; any number of them will do.
fn home(tag: u32, n: usize) -> usize {
    ((u64::from(tag) * n as u64) >> 32) as usize
}

fn next(at: usize, n: usize) -> usize {
    if at + 1 == n { 0 } else { at + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn places(index: &Index, key: u64) -> BTreeSet<u32> {
        let mut found = BTreeSet::new();
        index.find(key, |place| {
            assert!(found.insert(place), "{place} twice");
            false
        });
        found
    }

    /// Keys that meet in few parts and buckets, or are spread.
    fn key() -> impl Strategy<Value = u64> {
        prop_oneof![
            4 => (1u64..40).prop_map(|k| k << 24),
            1 => (1u64..40).prop_map(|k| u64::MAX - (k << 24)),
            1 => any::<u64>(),
        ]
    }

    proptest! {
        #[test]
        fn it_is_a_set_of_pairs(steps in prop::collection::vec((key(), 0u32..6, prop::bool::weighted(0.6)), 0..1500)) {
            let (mut index, mut model) = (Index::new(), BTreeSet::new());
            for &(key, place, add) in &steps {
                if !add {
                    prop_assert_eq!(index.remove(key, place), model.remove(&(key, place)));
                } else if model.insert((key, place)) {
                    index.insert(key, place);
                }
            }
            for &(key, _, _) in &steps {
                let want: BTreeSet<u32> = (0..6).filter(|&place| model.contains(&(key, place))).collect();
                // a tag is a part of the key: what has the same tag is found too
                let found = places(&index, key);
                prop_assert!(found.is_superset(&want), "{found:?} {want:?}");
            }
            for &(key, place) in &model {
                prop_assert!(index.remove(key, place));
            }
            prop_assert!(index.parts.iter().all(|p| p.n == 0 && p.buckets.iter().all(|b| b.tags == [0; 8])), "marks are left behind");
        }
    }

    /// Growing, standing and shrinking, a place takes 18.3 bytes at most; and no growth moves more than one part.
    #[test]
    fn memory_follows_the_number_of_entries() {
        let key = |i: u64| xxhash_rust::xxh3::xxh3_64(&i.to_le_bytes());
        let (mut index, n) = (Index::new(), 300_000u64);
        let fixed = PARTS * (size_of::<Part>() + SMALL * size_of::<Bucket>());
        let check = |index: &Index, live: u64, when: &str| {
            let most = live as usize * 183 / 10 + fixed;
            assert!(index.allocated() <= most, "{when} {live}: {} of {most}", index.allocated());
        };
        for i in 0..n {
            index.insert(key(i), i as u32);
            if i % 1000 == 0 {
                check(&index, i + 1, "growing");
            }
        }
        for i in n..2 * n {
            assert!(index.remove(key(i - n), (i - n) as u32));
            index.insert(key(i), i as u32);
        }
        check(&index, n, "standing");
        for i in n..2 * n {
            assert!(index.remove(key(i), i as u32));
            if i % 1000 == 0 {
                check(&index, 2 * n - i - 1, "shrinking");
            }
        }
        check(&Index::with_capacity(n as usize), n, "foreseen");
    }
}
