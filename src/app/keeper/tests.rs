//! The daemon's loop over a disk that fails and a log that is read again, stopped at every step: it converges to the uninterrupted run.

mod crash_model;
mod life;
mod recording_disk;
