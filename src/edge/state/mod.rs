//! The snapshot on disk.

pub mod reference_file;
