//! HTTP over an immutable view.
