//! Events, measurements and alerts → lines of the long form (DESIGN §4), one file per format.

mod line;

pub use line::Line;
