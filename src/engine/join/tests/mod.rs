//! The store against the plain one that it took the place of, over random histories; and what sampling promises.

pub(super) mod entries;
mod histories;
mod plain;
mod sampling;
mod snapshot;
