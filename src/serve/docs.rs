//! Holds the reference tables under `docs/` to the enums they are made of. `DRIFTD_BLESS=1` writes them anew.

use std::path::PathBuf;

const BEGIN: &str = "<!-- table: made from the code, see src/serve/docs.rs -->\n";
const END: &str = "<!-- end of table -->\n";

fn path(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// Compares `expected` with the file, or writes it where the environment asks for that.
#[track_caller]
pub(super) fn assert_file(relative: &str, expected: &str) {
    if std::env::var_os("DRIFTD_BLESS").is_some() {
        std::fs::write(path(relative), expected).unwrap();
    }
    let actual = std::fs::read_to_string(path(relative)).unwrap_or_default();
    assert!(
        actual == expected,
        "{relative} is out of date; run the tests with DRIFTD_BLESS=1 and read the difference\n--- now:\n{expected}"
    );
}

#[track_caller]
fn assert_table(relative: &str, table: &str) {
    let text = std::fs::read_to_string(path(relative)).unwrap();
    let (head, rest) = text.split_once(BEGIN).expect("the file has the begin mark");
    let (_, tail) = rest.split_once(END).expect("the file has the end mark");
    assert_file(relative, &format!("{head}{BEGIN}{table}{END}{tail}"));
}

#[test]
fn metrics_page_lists_every_metric() {
    assert_table("docs/METRICS.md", &crate::telemetry::markdown_table());
}

#[test]
fn http_page_lists_every_route() {
    assert_table("docs/HTTP.md", &super::markdown_table());
}
