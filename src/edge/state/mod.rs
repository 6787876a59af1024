//! The snapshot on disk.
