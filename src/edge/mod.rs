//! The rim: where the world comes in and goes out. Its rooms do not name each other; `app` wires them.

pub mod decode;
pub mod encode;
pub mod ingest;
pub mod notify;
pub mod state;
