//! Own metric names as enums, and logs.
