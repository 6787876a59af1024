//! Bytes → events or rejections, one file per format.

mod settings;

pub use settings::{DecodeSettings, TopicRole};
