//! The parts of the engine one by one, in wall time: `make bench`, or `cargo bench --bench parts -- cell` for some of them.

mod columns;
mod engine;
mod messages;

#[allow(dead_code, unused_imports, reason = "each benchmark uses its part")]
#[path = "../traffic/mod.rs"]
mod traffic;

fn main() {
    divan::main();
}

/// A stream of well spread numbers, without a generator's state: what is looked up must not be what was looked up last.
fn scattered(n: usize) -> impl Iterator<Item = u64> {
    (1..=n as u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23))
}
