//! Identities: pure functions of the state, so that a restart, a retry and a replay say the same (invariant I6).

use super::Incident;
use crate::engine::window::StreamKey;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// `"driftd"` and 1, the version of the recipe. Changing it renames every open incident.
const SEED: u64 = 0x6472_6966_7464_0001;
/// Longest part of an id that names the receiver as it is.
const MAX_RECEIVER: usize = 48;

impl Incident {
    /// The incident of the `episode`-th firing of `rule` on `stream`.
    ///
    /// Recipe: XXH3-64 with the seed above over environment, rule, model, version and (where there is one) segment, each as UTF-8 behind its length as
    /// eight little-endian bytes; 16 hex digits, `-`, the episode in decimal.
    pub fn new(environment: &str, rule: &str, stream: &StreamKey, episode: u64) -> Self {
        let mut bytes = Vec::with_capacity(128);
        let parts = [environment, rule, &stream.model.model, &stream.model.version];
        for part in parts.into_iter().chain(stream.segment.as_deref()) {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        Self(format!("{:016x}-{episode}", xxh3_64_with_seed(&bytes, SEED)).into())
    }
}

impl std::fmt::Display for Incident {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of one message about `incident` to `receiver`: `<incident>-<meaning>-<receiver>`, at most 128 characters of `[A-Za-z0-9_-]`.
///
/// A receiver name with other characters, or a long one, is cut down to the allowed ones and told apart by `--` and its hash.
pub(super) fn notification_id(incident: &Incident, meaning: &str, receiver: &str) -> Arc<str> {
    format!("{incident}-{meaning}-{}", receiver_part(receiver)).into()
}

fn receiver_part(receiver: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if receiver.len() <= MAX_RECEIVER && receiver.chars().all(allowed) && !receiver.contains("--") {
        return receiver.to_owned();
    }
    let readable: String = receiver.chars().filter(|&c| allowed(c)).take(MAX_RECEIVER - 18).collect();
    format!("{readable}--{:016x}", xxh3_64_with_seed(receiver.as_bytes(), SEED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::ModelKey;
    use proptest::prelude::*;

    fn stream(model: &str, version: &str, segment: Option<&str>) -> StreamKey {
        StreamKey { model: ModelKey::new(model, version), segment: segment.map(Into::into) }
    }

    /// `xxhash.xxh3_64_hexdigest(b"".join(len(p).to_bytes(8, "little") + p for p in parts), seed=0x6472696674640001)` (python-xxhash).
    #[test]
    fn the_recipe_is_fixed() {
        let incident = Incident::new("prod", "feature-drift", &stream("fraud", "v1", None), 1);
        assert_eq!(&*incident.0, "4f62f92247d21d9f-1");
        let segment = Incident::new("prod", "feature-drift", &stream("fraud", "v1", Some("country=DE")), 12);
        assert_eq!(&*segment.0, "40e3e0143efef8bc-12");
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let ids: std::collections::BTreeSet<_> =
            [stream("ab", "c", None), stream("a", "bc", None), stream("ab", "", Some("c")), stream("ab", "c", Some(""))]
                .iter()
                .map(|stream| Incident::new("e", "r", stream, 1))
                .collect();
        assert_eq!(ids.len(), 4);
    }

    #[test]
    fn receivers_in_ids() {
        let incident = Incident("0123456789abcdef-1".into());
        assert_eq!(&*notification_id(&incident, "firing", "team-slack"), "0123456789abcdef-1-firing-team-slack");
        let odd = notification_id(&incident, "repeat-3", "on.call @ night");
        assert!(odd.starts_with("0123456789abcdef-1-repeat-3-oncallnight--"), "{odd}");
        assert_ne!(odd, notification_id(&incident, "repeat-3", "on.call@night"));
    }

    proptest! {
        #[test]
        fn ids_are_short_and_plain(receiver in "\\PC{0,200}", episode: u64, n: u64) {
            let incident = Incident::new("e", "r", &stream("m", "v", None), episode);
            let id = notification_id(&incident, &format!("repeat-{n}"), &receiver);
            prop_assert!(id.len() <= 128, "{}", id);
            prop_assert!(id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'), "{}", id);
        }
    }
}
