//! Bytes → events or rejections, one file per format.

pub mod json;
mod settings;

pub use settings::{DecodeSettings, TopicRole};
