//! The second pass for messages that strict JSON refuses: bare non-finite numbers become strings that cannot be confused with others.
//!
//! Invariant: what was valid JSON stays as it is, and what is invalid for another reason stays invalid.

use serde::de::IgnoredAny;

/// A message whose non-finite numbers were replaced.
pub(super) struct Rewritten {
    /// Strict JSON, if nothing else was wrong.
    pub(super) text: String,
    /// The string that stands for a non-finite number: unescaped, and longer than every such run in the message.
    pub(super) sentinel: String,
}

/// Replaces `NaN`, `Infinity`, `-Infinity` and numbers beyond `f64` outside of strings; `None` if there are none.
pub(super) fn rewrite(text: &str) -> Option<Rewritten> {
    let mut sentinel: Option<String> = None;
    let mut output = String::new();
    let mut copied = 0;
    let mut tokens = Tokens { bytes: text.as_bytes(), at: 0 };
    while let Some((start, end)) = tokens.next_bare() {
        if !is_non_finite(&text[start..end]) || is_key(text.as_bytes(), end) {
            continue;
        }
        let sentinel = sentinel.get_or_insert_with(|| unused_text(text));
        output.push_str(&text[copied..start]);
        output.push('"');
        output.push_str(sentinel);
        output.push('"');
        copied = end;
    }
    let sentinel = sentinel?;
    output.push_str(&text[copied..]);
    Some(Rewritten { text: output, sentinel })
}

/// A run of DEL one longer than the longest in the message. DEL may stand in a JSON string without an escape, and the reader takes
/// only unescaped strings for the sentinel, so no string of the message itself can be mistaken for it.
fn unused_text(text: &str) -> String {
    let longest = text.as_bytes().split(|b| *b != 0x7f).map(<[u8]>::len).max().unwrap_or(0);
    "\u{7f}".repeat(longest + 1)
}

/// Whether the bare token that ends at `end` is followed by a colon: a key, which strict JSON must go on to refuse.
fn is_key(bytes: &[u8], end: usize) -> bool {
    bytes[end..].iter().find(|b| !b.is_ascii_whitespace()) == Some(&b':')
}

fn is_non_finite(token: &str) -> bool {
    match token {
        "NaN" | "Infinity" | "-Infinity" => true,
        _ => {
            token.starts_with(|c: char| c == '-' || c.is_ascii_digit())
                && token.parse::<f64>().is_ok_and(f64::is_infinite)
                // `parse` takes more than JSON does (01e999, 1.e999)
                && serde_json::from_str::<IgnoredAny>(token).is_ok()
        }
    }
}

/// Walks over what stands outside of strings and punctuation.
struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Tokens<'_> {
    /// Bounds of the next bare token. They lie at ASCII bytes or ends, so they are character boundaries.
    fn next_bare(&mut self) -> Option<(usize, usize)> {
        while let Some(&byte) = self.bytes.get(self.at) {
            if byte == b'"' {
                self.skip_string();
            } else if is_delimiter(byte) {
                self.at += 1;
            } else {
                let start = self.at;
                while self.bytes.get(self.at).is_some_and(|b| !is_delimiter(*b)) {
                    self.at += 1;
                }
                return Some((start, self.at));
            }
        }
        None
    }

    fn skip_string(&mut self) {
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                return;
            }
        }
    }
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' | b'[' | b']' | b'{' | b'}' | b'"')
}
