//! Text that came from events or configuration, made fit for a message: one line, bounded, escaped.
//!
//! Invariant: whatever comes in, [`one_line`] gives a single line without control or direction-changing characters and no longer than asked.

/// Marks that something was cut off.
const ELLIPSIS: char = '…';

/// `text` as one line of at most `max` characters: line breaks, control characters and direction overrides become spaces, a cut is marked by `…`.
pub(super) fn one_line(text: &str, max: usize) -> String {
    let mut line = String::new();
    let (mut gap, mut n_kept) = (false, 0);
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() || redirects(c) {
            gap = n_kept > 0;
            continue;
        }
        if std::mem::take(&mut gap) {
            line.push(' ');
            n_kept += 1;
        }
        line.push(c);
        n_kept += 1;
        // a name may be a megabyte long: what will be cut off is not looked at
        if n_kept > max {
            break;
        }
    }
    cut(&line, max)
}

/// `text` if it has at most `max` characters, else its beginning with `…` as the last of `max` characters.
pub(super) fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(max.saturating_sub(1)).chain((max > 0).then_some(ELLIPSIS)).collect(),
    }
}

/// As [`cut`] for text that is escaped already: never leaves half of `&amp;` behind.
pub(super) fn cut_escaped(text: &str, max: usize) -> String {
    let short = cut(text, max);
    if short == text {
        return short;
    }
    let kept = short.trim_end_matches(ELLIPSIS);
    match kept.rfind('&') {
        Some(at) if !kept[at..].contains(';') => format!("{}{ELLIPSIS}", &kept[..at]),
        _ => short,
    }
}

/// Escapes what has a meaning in Slack's mrkdwn control sequences, so that no name can mention a channel or hide a link.
pub(super) fn escape_slack(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Whether a character changes the direction of the text after it, or hides.
fn redirects(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
pub(super) fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_holds_on_hostile_text() {
        assert_eq!(one_line("  a\r\n\tb\u{202e}c\0 ", 10), "a b c");
        assert_eq!(one_line("äöü€𝄞", 4), "äöü…");
        assert_eq!(one_line("\n\n", 5), "");
        assert_eq!(one_line(&"x".repeat(10_000), 100).chars().count(), 100);
        assert_eq!(one_line("abc", 0), "");
    }

    #[test]
    fn a_cut_never_splits_an_escape() {
        let escaped = escape_slack("ab<cd");
        assert_eq!(escaped, "ab&lt;cd");
        for max in 0..=8 {
            let short = cut_escaped(&escaped, max);
            assert!(short.chars().count() <= max, "{max}: {short}");
            assert!(!short.contains('&') || short.contains("&lt;"), "{max}: {short}");
        }
        assert_eq!(cut_escaped(&escaped, 8), escaped);
    }

    #[test]
    fn percent_encoding_leaves_only_unreserved_characters() {
        assert_eq!(percent_encode("eu west/ü"), "eu%20west%2F%C3%BC");
    }
}
