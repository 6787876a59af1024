//! Which ids are joined where not all of them can be.
//!
//! Invariant: it depends on the id alone. So a prediction and its labels are both in or both out, in any order, on every shard, after every restart
//! and in every version of driftd; and what is in at one share is in at every greater one.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Not the seed of any state, and the same for ever: another one would part predictions from labels that come after an upgrade.
const SEED: u64 = 0x6472_6966_7464_0001;

/// Whether an id is in a sample of this `share` of all ids (0 to 1).
pub fn in_sample(id: &str, share: f64) -> bool {
    // 2⁶⁴: exact, and a conversion to whole numbers ends at the greatest one
    share >= 1.0 || xxh3_64_with_seed(id.as_bytes(), SEED) < (share * 18_446_744_073_709_551_616.0) as u64
}
