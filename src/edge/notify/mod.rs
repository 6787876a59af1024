//! Delivery of notifications: one worker per receiver, so that one that hangs delays no other.

mod settings;

pub use settings::{Channel, ChannelSettings};
