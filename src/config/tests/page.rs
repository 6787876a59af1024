//! The reference page, and that the commented file tells the truth.

use super::*;
use crate::config::load::read;
use crate::config::page::switched_on;
use crate::config::reader::Fallback;

const FILE: &str = "docs/CONFIGURATION.md";
/// Keys whose examples are no defaults: they are the point of the block they stand in.
const EXAMPLES: [&str; 3] = ["kafka.properties", "kafka.secrets", "receiver[2].headers"];

/// The commented configuration with its examples switched on.
pub(super) fn commented() -> String {
    switched_on(include_str!("../../../config/driftd.toml"))
}

#[test]
fn the_page_is_the_one_the_program_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let made = reference_page();
    if std::env::var_os("DRIFTD_BLESS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == made, "{FILE} is not what src/config says; regenerate it: DRIFTD_BLESS=1 cargo test --lib config::tests::page");
}

#[test]
fn the_commented_file_has_every_key_and_every_value_is_the_default() {
    let options = LoadOptions { secrets: SecretPolicy::Unread, ..options() };
    let (_, entries) = read(&commented(), Path::new("driftd.toml"), &env(&[]), &options).unwrap_or_else(|error| panic!("{error}"));
    let mut n_compared = 0;
    for entry in entries.iter().filter(|entry| !EXAMPLES.contains(&entry.path.as_str())) {
        if let Fallback::Text(default) = entry.fallback {
            assert_eq!(entry.value, default, "{}", entry.path);
            // keys that all receivers have stand at the first one
            let repeated = entry.path.starts_with("receiver[") && !entry.path.starts_with("receiver[0]");
            assert!(repeated || !entry.origin.is_default(), "{} does not stand in config/driftd.toml", entry.path);
            n_compared += 1;
        }
    }
    assert!(n_compared > 50, "{n_compared}");
}
