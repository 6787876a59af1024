//! The snapshot on disk: one file holds offsets, panes, pending labels, alerts and outbox (invariant I2), replaced atomically; parts of them that were written
//! before stand in earlier files, and are named.
//!
//! Invariant: whatever step a crash or a full disk stops, the newest completed snapshot, or the one before it, loads; never a mix, and
//! never silently nothing where there was something. This room knows bytes and sequence numbers, not what is in them.

mod disk;
mod error;
mod format;
mod lock;
pub mod memory;
mod parts;
pub mod reference_file;
mod store;

pub use disk::{DirDisk, Disk};
pub use error::{DiskStep, Refusal, RefusalReason, StateError};
pub use lock::StateLock;
pub use store::{Loaded, Snapshot, SnapshotStore};
