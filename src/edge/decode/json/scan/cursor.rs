//! A place in the text of a message, and the tokens that can be read from there: space, strings, words.
//!
//! Invariant: whatever is not read to its end leaves `None`, and `None` means "not understood", never "wrong". The text is UTF-8
//! already; tokens begin and end at ASCII bytes, so that every slice of it is whole characters.
//!
//! All of it is inlined, and what is not takes no reference to the cursor: in a register the place moves on at once, in memory each step waits for the last.

/// One bit at the top of each of eight bytes.
const HIGH: u64 = 0x8080_8080_8080_8080;
/// One at each of eight bytes.
const ONES: u64 = 0x0101_0101_0101_0101;

/// Where the scanner stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Bytes read so far.
    #[inline(always)]
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What was read since `start`.
    #[inline(always)]
    pub(super) fn since(&self, start: usize) -> Option<&'a str> {
        self.text.get(start..self.at)
    }

    /// So many bytes from `start`.
    #[inline(always)]
    pub(super) fn slice(&self, start: usize, n_bytes: usize) -> Option<&'a str> {
        self.text.get(start..start + n_bytes)
    }

    /// The bytes that are left.
    #[inline(always)]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// The next byte; 0 at the end, which stands nowhere in JSON.
    #[inline(always)]
    pub(super) fn byte(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// The next eight bytes, first one lowest; zeros beyond the end.
    #[inline(always)]
    pub(super) fn eight(&self) -> u64 {
        let rest = self.rest();
        match rest.first_chunk::<8>() {
            Some(chunk) => u64::from_le_bytes(*chunk),
            None => last_bytes(rest),
        }
    }

    #[inline(always)]
    pub(super) fn skip(&mut self, n_bytes: usize) {
        self.at += n_bytes;
    }

    /// Passes over `byte`, which must be next.
    #[inline(always)]
    pub(super) fn take(&mut self, byte: u8) -> Option<()> {
        (self.byte() == byte).then(|| self.at += 1)
    }

    /// Passes over the space between tokens: none, as most writers have it, or one, as Python's has it, or any.
    #[inline(always)]
    pub(super) fn space(&mut self) {
        if self.byte() <= b' ' {
            self.at += usize::from(self.byte() == b' ');
            if self.byte() <= b' ' {
                self.at += space_of(self.rest());
            }
        }
    }

    /// After an element: whether another one follows. `None` where there is neither a comma nor the closing byte.
    #[inline(always)]
    pub(super) fn more(&mut self, close: u8) -> Option<bool> {
        self.space();
        let byte = self.byte();
        self.at += 1;
        if byte == b',' {
            self.space();
            Some(true)
        } else if byte == close {
            Some(false)
        } else {
            None
        }
    }

    /// Passes over an opening byte and the space behind it; whether there is an element before the closing one, which is passed over too.
    #[inline(always)]
    pub(super) fn open(&mut self, open: u8, close: u8) -> Option<bool> {
        self.take(open)?;
        self.space();
        let empty = self.byte() == close;
        self.at += usize::from(empty);
        Some(!empty)
    }

    /// Nothing but space is left.
    pub(super) fn end(&mut self) -> Option<()> {
        self.space();
        (self.at == self.text.len()).then_some(())
    }

    /// A string without escapes.
    #[inline(always)]
    pub(super) fn string(&mut self) -> Option<&'a str> {
        self.take(b'"')?;
        let start = self.at;
        // ends at the end of the text too: what lies behind it reads as zeros, which are control characters
        loop {
            let stops = stops(self.eight());
            if stops != 0 {
                self.at += (stops.trailing_zeros() / 8) as usize;
                break;
            }
            self.at += 8;
        }
        let text = self.since(start)?;
        // a backslash, a control character or the end: the reference knows what to make of it
        self.take(b'"')?;
        Some(text)
    }

    /// A string with escapes, and the place behind it. What it says is left to whom the reference asks.
    #[inline(never)]
    pub(super) fn escaped(mut self) -> Option<(String, Self)> {
        let start = self.at;
        self.take(b'"')?;
        loop {
            match self.byte() {
                b'"' => break,
                b'\\' => self.at += 2,
                // a control character, or the end
                ..b' ' => return None,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        let text = serde_json::from_str(self.since(start)?).ok()?;
        Some((text, self))
    }

    /// A name of an object's entry, and the place of its value.
    #[inline(never)]
    pub(super) fn name(mut self) -> Option<(&'a str, Self)> {
        let name = self.string()?;
        self.space();
        self.take(b':')?;
        self.space();
        Some((name, self))
    }

    /// Passes over `word`, which must be next and whole: what follows a value is looked at by whoever asked for it.
    #[inline(always)]
    pub(super) fn word(&mut self, word: &str) -> Option<()> {
        self.rest().starts_with(word.as_bytes()).then(|| self.at += word.len())
    }
}

/// Up to seven bytes, and zeros behind them.
#[cold]
fn last_bytes(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte))
}

/// How many bytes of space there are first.
#[cold]
fn space_of(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r')).count()
}

/// The top bit of each byte that a string cannot simply go on with (a quote, a backslash, a control character). Only the lowest is
/// exact: a borrow may set bits above it.
#[inline(always)]
fn stops(bytes: u64) -> u64 {
    let zero = |x: u64| x.wrapping_sub(ONES) & !x;
    let quote = zero(bytes ^ (ONES * 0x22));
    let backslash = zero(bytes ^ (ONES * 0x5c));
    let control = bytes.wrapping_sub(ONES * 0x20) & !bytes;
    (quote | backslash | control) & HIGH
}
