//! The store against the plain one that it took the place of, over random histories; and what sampling promises.

pub(super) mod entries;
mod histories;
mod kept;
mod plain;
mod sampling;
mod snapshot;
