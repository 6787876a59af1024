//! Layout of a snapshot file, little-endian: magic `DRFSNAP`, format version (u16), sequence (u64), length of the body (u64), body, CRC-32 of all before it.
//! The body: the parts that are new in this file, the rest of the state, the head, the length of the head (u64). The head (postcard): every part of the state with
//! the file and the place where it stands and its CRC-32, the other files that hold some of them, and the length of the rest.
//!
//! Invariant: bytes that decode are bytes that were encoded, whole and unchanged (up to the strength of CRC-32).

use super::RefusalReason;
use crate::engine::part::PartId;
use serde::{Deserialize, Serialize};

/// Version of this layout and of the state's encoding; one more with each change that an older driftd could not read.
pub(super) const FORMAT_VERSION: u16 = 3;

const MAGIC: &[u8; 7] = b"DRFSNAP";
pub(super) const HEADER_BYTES: usize = MAGIC.len() + 2 + 8 + 8;
const CHECKSUM_BYTES: usize = 4;
const LENGTH_BYTES: usize = 8;

/// Where a part stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PartPlace {
    /// Its name.
    pub(super) id: PartId,
    /// Sequence of the snapshot in whose file it is.
    pub(super) file: u64,
    /// Its first byte, from the beginning of the file.
    pub(super) offset: u64,
    /// Its length in bytes.
    pub(super) length: u64,
    /// CRC-32 of its bytes.
    pub(super) checksum: u32,
}

/// A file that holds parts of a snapshot, and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PartFile {
    /// Its sequence.
    pub(super) file: u64,
    /// Its length in bytes.
    pub(super) length: u64,
}

/// Where a snapshot stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// Every part of the state.
    pub(super) parts: Vec<PartPlace>,
    /// The other files that hold some of them.
    pub(super) files: Vec<PartFile>,
    /// Length of the rest of the state, which stands before the head.
    pub(super) state_length: u64,
}

/// What stands before `pieces` in a file, and what stands behind them: they are its own parts, and the rest of the state.
pub(super) fn frame(sequence: u64, pieces: &[&[u8]], head: &Head) -> Result<(Vec<u8>, Vec<u8>), postcard::Error> {
    let mut tail = postcard::to_stdvec(head)?;
    let head_length = tail.len() as u64;
    tail.extend_from_slice(&head_length.to_le_bytes());
    let length = pieces.iter().map(|piece| piece.len() as u64).sum::<u64>() + tail.len() as u64;
    let mut header = Vec::with_capacity(HEADER_BYTES);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    header.extend_from_slice(&sequence.to_le_bytes());
    header.extend_from_slice(&length.to_le_bytes());
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&header);
    pieces.iter().for_each(|piece| checksum.update(piece));
    checksum.update(&tail);
    tail.extend_from_slice(&checksum.finalize().to_le_bytes());
    Ok((header, tail))
}

/// The head of a file whose name says `sequence`, and the rest of the state.
pub(super) fn decode(sequence: u64, bytes: &[u8]) -> Result<(Head, &[u8]), RefusalReason> {
    let found = bytes.len() as u64;
    if !bytes.starts_with(&MAGIC[..bytes.len().min(MAGIC.len())]) {
        return Err(RefusalReason::NotASnapshot);
    }
    let torn = |expected: u64| RefusalReason::Torn { expected, found };
    let (Some(version), Some(in_file), Some(length)) = (field::<2>(bytes, 7), field::<8>(bytes, 9), field::<8>(bytes, 17)) else {
        return Err(torn((HEADER_BYTES + CHECKSUM_BYTES) as u64));
    };
    let version = u16::from_le_bytes(version);
    if version != FORMAT_VERSION {
        return Err(RefusalReason::OtherFormat { found: version, known: FORMAT_VERSION });
    }
    let expected = u64::from_le_bytes(length).saturating_add((HEADER_BYTES + CHECKSUM_BYTES) as u64);
    if found != expected {
        return Err(torn(expected));
    }
    let body_end = bytes.len() - CHECKSUM_BYTES;
    if field::<4>(bytes, body_end).map(u32::from_le_bytes) != Some(crc32fast::hash(&bytes[..body_end])) {
        return Err(RefusalReason::Checksum);
    }
    let in_file = u64::from_le_bytes(in_file);
    if in_file != sequence {
        return Err(RefusalReason::WrongSequence { found: in_file });
    }
    let head_and_state = || {
        let head_end = body_end.checked_sub(LENGTH_BYTES)?;
        let before = |end: usize, length: u64| end.checked_sub(usize::try_from(length).ok()?);
        let state_end = before(head_end, u64::from_le_bytes(field::<8>(bytes, head_end)?))?;
        let head: Head = postcard::from_bytes(bytes.get(state_end..head_end)?).ok()?;
        let state = bytes.get(before(state_end, head.state_length)?..state_end)?;
        Some((head, state))
    };
    head_and_state().ok_or(RefusalReason::NotASnapshot)
}

/// Whether these are the bytes of the part that were written.
pub(super) fn is_whole(place: &PartPlace, bytes: &[u8]) -> bool {
    bytes.len() as u64 == place.length && crc32fast::hash(bytes) == place.checksum
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
pub(super) fn encode(sequence: u64, state: &[u8]) -> Vec<u8> {
    let head = Head { parts: Vec::new(), files: Vec::new(), state_length: state.len() as u64 };
    let (header, tail) = frame(sequence, &[state], &head).expect("plain data can be written");
    [&header, state, &tail].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_and_every_flipped_bit_is_refused() {
        let bytes = encode(7, b"the body");
        assert_eq!(decode(7, &bytes).unwrap().1, b"the body");
        for cut in 0..bytes.len() {
            assert!(matches!(decode(7, &bytes[..cut]), Err(RefusalReason::Torn { .. })), "cut at {cut}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(7, &flipped).is_err(), "bit {bit}");
        }
        let longer = [bytes.as_slice(), b"x"].concat();
        assert!(matches!(decode(7, &longer), Err(RefusalReason::Torn { .. })));
        assert_eq!(decode(8, &bytes), Err(RefusalReason::WrongSequence { found: 7 }));
    }

    #[test]
    fn a_zero_filled_file_is_no_snapshot() {
        assert_eq!(decode(1, &[0; 100]), Err(RefusalReason::NotASnapshot));
        assert!(matches!(decode(1, &[]), Err(RefusalReason::Torn { found: 0, .. })));
    }

    /// A change of the layout must come with a new version: this is what version 3 writes.
    #[test]
    fn the_layout_of_version_3_stands() {
        let part = PartPlace { id: PartId::of(b"xyz"), file: 2, offset: 25, length: 3, checksum: crc32fast::hash(b"xyz") };
        let head = Head { parts: vec![part], files: vec![PartFile { file: 1, length: 300 }], state_length: 2 };
        let (header, tail) = frame(2, &[b"xyz", b"ab"], &head).unwrap();
        let head_bytes = postcard::to_stdvec(&head).unwrap();
        let mut expected = b"DRFSNAP\x03\x00\x02\0\0\0\0\0\0\0".to_vec();
        expected.extend_from_slice(&(3 + 2 + head_bytes.len() as u64 + 8).to_le_bytes());
        expected.extend_from_slice(b"xyzab");
        expected.extend_from_slice(&head_bytes);
        expected.extend_from_slice(&(head_bytes.len() as u64).to_le_bytes());
        expected.extend_from_slice(&crc32fast::hash(&expected).to_le_bytes());
        let written = [&header[..], b"xyzab", &tail].concat();
        assert_eq!(written, expected);
        assert_eq!(decode(2, &written).unwrap(), (head, &b"ab"[..]));
        // behind the one part: one other file, its sequence and length; the length of the rest
        assert_eq!(&head_bytes[head_bytes.len() - 5..], [1, 1, 172, 2, 2]);
    }
}
