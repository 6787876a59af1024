//! Layout of a snapshot file, little-endian: magic `DRFSNAP`, format version (u16), sequence (u64), length of the body (u64), body, CRC-32 of all before it.
//!
//! Invariant: bytes that decode are bytes that were encoded, whole and unchanged (up to the strength of CRC-32).

use super::RefusalReason;

/// Version of this layout and of the body's encoding; one more with each change that an older driftd could not read.
pub(super) const FORMAT_VERSION: u16 = 2;

const MAGIC: &[u8; 7] = b"DRFSNAP";
const HEADER_BYTES: usize = MAGIC.len() + 2 + 8 + 8;
const CHECKSUM_BYTES: usize = 4;

/// The file for `body`.
pub(super) fn encode(sequence: u64, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len() + CHECKSUM_BYTES);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&sequence.to_le_bytes());
    bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
    bytes.extend_from_slice(body);
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// The body of a file whose name says `sequence`.
pub(super) fn decode(sequence: u64, mut bytes: Vec<u8>) -> Result<Vec<u8>, RefusalReason> {
    let found = bytes.len() as u64;
    if !bytes.starts_with(&MAGIC[..bytes.len().min(MAGIC.len())]) {
        return Err(RefusalReason::NotASnapshot);
    }
    let torn = |expected: u64| RefusalReason::Torn { expected, found };
    let (Some(version), Some(in_file), Some(length)) = (field::<2>(&bytes, 7), field::<8>(&bytes, 9), field::<8>(&bytes, 17)) else {
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
    if field::<4>(&bytes, body_end).map(u32::from_le_bytes) != Some(crc32fast::hash(&bytes[..body_end])) {
        return Err(RefusalReason::Checksum);
    }
    let in_file = u64::from_le_bytes(in_file);
    if in_file != sequence {
        return Err(RefusalReason::WrongSequence { found: in_file });
    }
    bytes.truncate(body_end);
    bytes.drain(..HEADER_BYTES);
    Ok(bytes)
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_and_every_flipped_bit_is_refused() {
        let bytes = encode(7, b"the body");
        assert_eq!(decode(7, bytes.clone()).unwrap(), b"the body");
        for cut in 0..bytes.len() {
            assert!(matches!(decode(7, bytes[..cut].to_vec()), Err(RefusalReason::Torn { .. })), "cut at {cut}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(7, flipped).is_err(), "bit {bit}");
        }
        let longer = [bytes.as_slice(), b"x"].concat();
        assert!(matches!(decode(7, longer), Err(RefusalReason::Torn { .. })));
        assert_eq!(decode(8, bytes), Err(RefusalReason::WrongSequence { found: 7 }));
    }

    #[test]
    fn a_zero_filled_file_is_no_snapshot() {
        assert_eq!(decode(1, vec![0; 100]), Err(RefusalReason::NotASnapshot));
        assert!(matches!(decode(1, Vec::new()), Err(RefusalReason::Torn { found: 0, .. })));
    }

    /// A change of the layout must come with a new version: this is what version 2 writes.
    #[test]
    fn the_layout_of_version_2_stands() {
        let mut expected = b"DRFSNAP\x02\x00\x02\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0ab".to_vec();
        // python3: zlib.crc32(b"DRFSNAP\x02\x00\x02" + b"\0"*7 + b"\x02" + b"\0"*7 + b"ab")
        expected.extend_from_slice(&GOLDEN_CRC.to_le_bytes());
        assert_eq!(encode(2, b"ab"), expected);
    }

    const GOLDEN_CRC: u32 = 3983186430;
}
