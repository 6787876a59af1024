//! Which ids are in a sample.

use crate::engine::join::in_sample;
use proptest::prelude::*;

/// The same ids for ever. Python: `xxhash.xxh3_64_intdigest(id, seed=0x6472696674640001) / 2**64`
const KNOWN: &[(&str, f64)] = &[
    ("", 0.058553426173998065),
    ("a", 0.7790820330878923),
    ("1", 0.04385584345800016),
    ("req-000017", 0.2333673917969787),
    ("0b7e7d60-7a1f-4b0c-9d3e-2f5d9f3f7c11", 0.5003133758232245),
    ("zażółć", 0.4928562543167547),
];

#[test]
fn an_id_is_in_or_out_for_ever() {
    for &(id, at) in KNOWN {
        assert!(!in_sample(id, at - 1e-9) && in_sample(id, at + 1e-9), "{id}");
    }
}

#[test]
fn the_share_is_that_of_ids_of_any_form() {
    let forms: [fn(u64) -> String; 4] = [
        |i| i.to_string(),
        |i| format!("prediction-{i:012}"),
        |i| format!("{:08x}-0000-4000-8000-{:012x}", i / 7, i),
        |i| format!("{}", 1_800_000_000_000u64 + 1000 * i),
    ];
    for (share, n) in [(0.5, 40_000u64), (0.1, 100_000), (0.01, 200_000)] {
        for id in forms {
            let taken = (0..n).filter(|&i| in_sample(&id(i), share)).count() as f64;
            let (mean, sd) = (n as f64 * share, (n as f64 * share * (1.0 - share)).sqrt());
            assert!((taken - mean).abs() < 4.5 * sd, "{share} {}: {taken} of {mean}", id(1));
        }
    }
}

proptest! {
    #[test]
    fn what_is_in_stays_in_where_the_share_grows(id in ".{0,40}", a in 0.0..=1.0f64, b in 0.0..=1.0f64) {
        let (low, high) = (a.min(b), a.max(b));
        prop_assert!(!in_sample(&id, low) || in_sample(&id, high));
        prop_assert!(in_sample(&id, 1.0) && !in_sample(&id, 0.0));
    }
}
