//! Mathematics on counts and slices. Knows nothing of ours.

pub mod power;
