//! Configuration: raw → validated, every problem reported at once with its key path.
