//! Files as a source: predictions and labels merged by event time, ties predictions first, so that a replay is one log with a defined order.
//!
//! Both files are held in memory as bytes; what is sorted is 24 bytes a line.

use crate::event::Timestamp;
use std::io;
use std::path::Path;

/// The lines of one file.
#[derive(Debug, Default)]
pub struct LineFile {
    bytes: Vec<u8>,
    lines: Vec<Span>,
}

#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
}

/// One line in its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn<'a> {
    /// Which file, by its place.
    pub file: usize,
    /// Line number, from 0.
    pub line: usize,
    /// Its event time; a line that has none takes that of the line before it.
    pub at: Timestamp,
    /// Its bytes, without the line's end.
    pub bytes: &'a [u8],
}

impl LineFile {
    /// Reads a file.
    pub fn read(path: &Path) -> io::Result<Self> {
        std::fs::read(path).map(Self::from_bytes)
    }

    /// Cuts bytes at `\n` (a `\r` before it goes too); blank lines are no records.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        let mut lines = Vec::new();
        let mut start = 0;
        while start < bytes.len() {
            let newline = bytes[start..].iter().position(|&b| b == b'\n').map_or(bytes.len(), |at| start + at);
            let end = if newline > start && bytes[newline - 1] == b'\r' { newline - 1 } else { newline };
            lines.push(Span { start, end });
            start = newline + 1;
        }
        Self { bytes, lines }
    }

    /// Number of lines.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no line.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Number of lines that are records: all but blank ones.
    pub fn records(&self) -> usize {
        (0..self.len()).filter(|&line| !is_blank(self.line(line))).count()
    }

    fn line(&self, line: usize) -> &[u8] {
        let span = self.lines[line];
        &self.bytes[span.start..span.end]
    }
}

/// All lines of all files in the order of their event times, ties by file, then by line. `time_of` reads the event time of a line.
pub fn merged<'a>(files: &'a [LineFile], time_of: impl Fn(usize, &[u8]) -> Option<Timestamp>) -> impl Iterator<Item = Turn<'a>> {
    let mut order = Vec::with_capacity(files.iter().map(LineFile::len).sum());
    for (file, lines) in files.iter().enumerate() {
        let mut before = Timestamp::MIN;
        for line in 0..lines.len() {
            let bytes = lines.line(line);
            if is_blank(bytes) {
                continue;
            }
            before = time_of(file, bytes).unwrap_or(before);
            order.push((before, file, line));
        }
    }
    order.sort_unstable();
    order.into_iter().map(|(at, file, line)| Turn { file, line, at, bytes: files[file].line(line) })
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_by_time_with_predictions_first() {
        let predictions = LineFile::from_bytes(b"3\r\n1\n\nx\n".to_vec());
        let labels = LineFile::from_bytes(b"1\n2".to_vec());
        let files = [predictions, labels];
        let time_of = |_: usize, bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse().ok().map(Timestamp);
        let got: Vec<_> = merged(&files, time_of).map(|t| (t.file, t.line, t.at.0)).collect();
        assert_eq!(got, [(0, 1, 1), (0, 3, 1), (1, 0, 1), (1, 1, 2), (0, 0, 3)]);
    }
}
