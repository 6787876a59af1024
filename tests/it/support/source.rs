//! Reads Rust source as text: blanks what is no code, and finds the paths in the rest.

use std::fmt;

/// A forbidden edge and where it stands.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) edge: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.edge)
    }
}

/// A path of at least two parts; one into our own crate is absolute and begins with `crate`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Path {
    /// Byte offset of its last part.
    pub(crate) offset: usize,
    pub(crate) segments: Vec<String>,
}

/// The line of a byte offset, from 1.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// The text with comments, strings, characters and test code blanked out; offsets and lines stay.
pub(crate) fn code_of(text: &str) -> String {
    without_tests(without_literals(text.as_bytes()))
}

fn without_literals(text: &[u8]) -> Vec<u8> {
    let mut code = Vec::with_capacity(text.len());
    while code.len() < text.len() {
        let at = code.len();
        let rest = &text[at..];
        let n_blank = match rest {
            [b'/', b'/', ..] => rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
            [b'/', b'*', ..] => block_comment(rest),
            [b'"', ..] => string(rest),
            [b'r', b'"' | b'#', ..] if !(at > 0 && is_word(text[at - 1]) && text[at - 1] != b'b') => raw_string(rest),
            [b'\'', ..] => character(rest),
            _ => 0,
        };
        if n_blank == 0 {
            code.push(rest[0]);
        } else {
            code.extend(rest[..n_blank].iter().map(|byte| if *byte == b'\n' { b'\n' } else { b' ' }));
        }
    }
    code
}

fn block_comment(text: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        match &text[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] if depth == 1 => return at + 2,
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    text.len()
}

fn string(text: &[u8]) -> usize {
    let mut at = 1;
    while at < text.len() && text[at] != b'"' {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(text.len())
}

/// Length of a raw string, 0 when it is none (a raw identifier).
fn raw_string(text: &[u8]) -> usize {
    let n_hashes = text[1..].iter().take_while(|byte| **byte == b'#').count();
    if text.get(1 + n_hashes) != Some(&b'"') {
        return 0;
    }
    let end: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', n_hashes)).collect();
    let body = &text[n_hashes + 2..];
    body.windows(end.len()).position(|window| window == end).map_or(text.len(), |at| n_hashes + 2 + at + end.len())
}

/// Length of a character literal, 0 for a lifetime.
fn character(text: &[u8]) -> usize {
    match text {
        [_, b'\\', _, rest @ ..] => rest.iter().position(|byte| *byte == b'\'').map_or(0, |at| at + 4),
        [_, first, ..] => {
            let width = if *first < 0x80 { 1 } else { first.leading_ones() as usize };
            if text.get(1 + width) == Some(&b'\'') { width + 2 } else { 0 }
        }
        _ => 0,
    }
}

/// Blanks every item behind `#[cfg(test)]`: up to its semicolon, or its closing brace.
fn without_tests(mut code: Vec<u8>) -> String {
    const MARK: &[u8] = b"#[cfg(test)]";
    while let Some(start) = code.windows(MARK.len()).position(|window| window == MARK) {
        let (mut depth, mut end) = (0_usize, start + MARK.len());
        while end < code.len() {
            let byte = code[end];
            end += 1;
            match byte {
                b'{' => depth += 1,
                b'}' if depth <= 1 => break,
                b'}' => depth -= 1,
                b';' if depth == 0 => break,
                _ => {}
            }
        }
        code[start..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
    }
    String::from_utf8(code).expect("only whole literals and comments were blanked")
}

/// All paths of at least two parts in `code`, the text of module `module`; groups in braces are taken apart.
pub(crate) fn paths_in(code: &str, module: &[String]) -> Vec<Path> {
    let mut scanner = Scanner { code: code.as_bytes(), at: 0 };
    let mut paths = Vec::new();
    while scanner.at < scanner.code.len() {
        if !is_word(scanner.code[scanner.at]) {
            scanner.at += 1;
            continue;
        }
        // `<T as X>::name` and `.method::<T>` begin in the middle of something: only whole paths are read
        let begins = scanner.at == 0 || !matches!(scanner.code[scanner.at - 1], b'.' | b':');
        let start = scanner.at;
        let word = scanner.word();
        if begins && !word.as_bytes()[0].is_ascii_digit() {
            scanner.tree(vec![word], start, &mut paths);
        }
    }
    paths.retain(|path| path.segments.len() > 1);
    paths.iter_mut().for_each(|path| make_absolute(&mut path.segments, module));
    paths
}

struct Scanner<'a> {
    code: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn word(&mut self) -> String {
        let start = self.at;
        while self.code.get(self.at).is_some_and(|byte| is_word(*byte)) {
            self.at += 1;
        }
        String::from_utf8_lossy(&self.code[start..self.at]).into_owned()
    }

    fn skip_blank(&mut self) {
        while self.code.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    /// Reads what follows `prefix`, whose last part stands at `offset`, and adds each path of it.
    fn tree(&mut self, mut prefix: Vec<String>, mut offset: usize, paths: &mut Vec<Path>) {
        loop {
            let before = self.at;
            self.skip_blank();
            if !self.code[self.at..].starts_with(b"::") {
                self.at = before;
                break;
            }
            self.at += 2;
            self.skip_blank();
            match self.code.get(self.at) {
                Some(b'{') => return self.group(&prefix, paths),
                Some(byte) if is_word(*byte) => {
                    offset = self.at;
                    prefix.push(self.word());
                }
                // a glob, or a turbofish
                _ => break,
            }
        }
        paths.push(Path { offset, segments: prefix });
    }

    fn group(&mut self, prefix: &[String], paths: &mut Vec<Path>) {
        self.at += 1;
        while let Some(byte) = self.code.get(self.at) {
            match byte {
                b'}' => {
                    self.at += 1;
                    return;
                }
                byte if is_word(*byte) => {
                    let offset = self.at;
                    let mut path = prefix.to_vec();
                    match self.word().as_str() {
                        // `{self}` names the group's own prefix; `as name` renames the part before it
                        "self" => {}
                        "as" => {
                            self.skip_blank();
                            self.word();
                            continue;
                        }
                        part => path.push(part.to_owned()),
                    }
                    self.tree(path, offset, paths);
                }
                _ => self.at += 1,
            }
        }
    }
}

/// Turns `self::`, `super::` and `driftd::` into paths from `crate`.
fn make_absolute(segments: &mut Vec<String>, module: &[String]) {
    let n_supers = segments.iter().take_while(|part| *part == "super").count();
    let is_own = n_supers > 0 || segments[0] == "self";
    if segments[0] == "driftd" {
        segments[0] = "crate".to_owned();
    } else if is_own {
        let kept = &module[..module.len().saturating_sub(n_supers)];
        let rest = segments.split_off(n_supers.max(1));
        *segments = std::iter::once("crate".to_owned()).chain(kept.iter().cloned()).chain(rest).collect();
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}
