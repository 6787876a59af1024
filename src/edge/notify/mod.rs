//! Delivery of notifications: one worker per receiver, so that one that hangs delays no other.
//!
//! Flow: [`Workers::offer`] → the receiver's queue → [`Notifier::render`] (pure) → [`Notifier::deliver`] (one POST) → [`Outcome`] back to the outbox, which
//! decides when to offer again ([`backoff_ms`]). Delivery is at least once: the same id goes out on every attempt, so a receiver can tell.
//! Invariant: a URL, a secret or a header value is in no log line, error or `Debug` output (invariant I10). What it does not do: keep, order or group messages.

mod backoff;
pub mod contract;
mod deliver;
mod explain;
mod figure;
mod notifier;
mod pagerduty;
mod request;
mod sample;
mod settings;
mod sign;
mod slack;
mod templates;
mod text;
mod webhook;
mod words;
mod workers;

#[cfg(test)]
mod tests;

pub use backoff::backoff_ms;
pub use notifier::{Notifier, SetupError};
pub use request::{RenderError, Request};
pub use settings::{Channel, ChannelSettings};
pub use sign::SecretError;
pub use templates::TemplateError;
pub use workers::{Busy, Outcome, Workers};
