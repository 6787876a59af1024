//! Saving and loading snapshots over a [`Disk`].
//!
//! Invariant: a snapshot gets its name only when its content is durable, and older ones go only when the new name is durable.

use super::format::{self, HEADER_BYTES, Head, PartFile, PartPlace};
use super::parts::PartTable;
use super::{Disk, DiskStep, Refusal, RefusalReason, StateError};
use crate::engine::part::{Part, PartId, PartSource};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io;

const PREFIX: &str = "snapshot-";
const SUFFIX: &str = ".driftd";
const TEMP_SUFFIX: &str = ".driftd.tmp";

/// Good snapshots that are kept, and refused ones that are left for inspection.
const KEPT: usize = 2;

/// What is to be remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// What changes with every one of them.
    pub state: Vec<u8>,
    /// The parts that it names.
    pub parts: Vec<Part>,
}

impl Snapshot {
    /// Bytes that are given: the parts that are kept already are not among them.
    pub fn bytes(&self) -> usize {
        self.state.len() + self.parts.iter().filter_map(|part| part.bytes.as_ref()).map(|bytes| bytes.len()).sum::<usize>()
    }
}

/// Snapshots in one directory: `snapshot-<sequence, 20 digits>.driftd`. A file may be needed long after its own snapshot: for the parts in it.
#[derive(Debug)]
pub struct SnapshotStore<D> {
    disk: D,
    /// Highest sequence of any file, refused ones included.
    highest: Option<u64>,
    /// Snapshots known to be good, oldest first, each with the other files that it needs.
    good: Vec<(u64, BTreeSet<u64>)>,
    /// Where the parts of the newest good one stand.
    parts: PartTable,
    /// Snapshots refused when loading, oldest first.
    refused: Vec<u64>,
}

/// A snapshot that was read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Its sequence number.
    pub sequence: u64,
    /// What changes with every snapshot.
    pub state: Vec<u8>,
    /// The parts that it names.
    pub parts: PartSource,
    /// Bytes of both together.
    pub bytes: usize,
    /// Newer ones that could not be used: worth a warning and a counter each.
    pub refused: Vec<Refusal>,
}

/// Where each part of a snapshot will stand, and the bytes of those that stand in its own file.
type Placed<'p> = (Vec<PartPlace>, Vec<Cow<'p, [u8]>>);

impl<D: Disk> SnapshotStore<D> {
    /// Looks at what is there. Errors: the directory cannot be listed.
    pub fn open(disk: D) -> Result<Self, StateError> {
        let mut store = Self { disk, highest: None, good: Vec::new(), parts: PartTable::default(), refused: Vec::new() };
        store.highest = store.sequences()?.last().copied();
        Ok(store)
    }

    /// The number for the next [`SnapshotStore::save`]: after all in the directory, so that a refused file can never be taken for newer later.
    pub fn next_sequence(&self) -> u64 {
        self.highest.map_or(1, |highest| highest + 1)
    }

    /// The newest snapshot that is whole, or the one before those that are not; `None` where there never was one.
    ///
    /// Errors: files are there but none is usable, or the directory cannot be listed. Never starts empty instead.
    pub fn load(&mut self) -> Result<Option<Loaded>, StateError> {
        let (mut refused, mut oldest) = (Vec::new(), 0);
        self.refused.clear();
        for sequence in self.sequences()?.into_iter().rev() {
            if sequence < oldest {
                break;
            }
            match self.read_one(sequence) {
                Ok((head, length, loaded)) => {
                    self.good = vec![(sequence, head.files.iter().map(|file| file.file).collect())];
                    self.parts = PartTable::new(&head.parts, head.files.into_iter().chain([PartFile { file: sequence, length }]));
                    return Ok(Some(Loaded { refused, ..loaded }));
                }
                Err(reason) => {
                    self.refused.insert(0, sequence);
                    refused.push(Refusal { file: file_name(sequence), reason });
                    // sequences have no gaps but before files that are there for their parts alone: such a one may be whole, and days old
                    oldest = sequence.saturating_sub(1);
                }
            }
        }
        if refused.is_empty() { Ok(None) } else { Err(StateError::NothingUsable { refused }) }
    }

    /// Whether the newest good snapshot has this part, so that its bytes need not be given again.
    pub fn has(&self, id: PartId) -> bool {
        self.parts.get(id).is_some()
    }

    /// Makes this the newest snapshot; the bytes that were written. On `Ok` it is durable; offsets may be committed and notifications sent.
    ///
    /// Errors: see [`StateError::must_stop`]. After any error the last snapshot, or this one, loads.
    pub fn save(&mut self, sequence: u64, snapshot: &Snapshot) -> Result<usize, StateError> {
        if let Some(highest) = self.highest.filter(|highest| sequence <= *highest) {
            return Err(StateError::SequenceNotAfter { sequence, highest });
        }
        let (places, written) = self.place(sequence, &snapshot.parts)?;
        let files: BTreeSet<u64> = places.iter().map(|place| place.file).filter(|&file| file != sequence).collect();
        let part_files = files.iter().map(|&file| PartFile { file, length: self.parts.length_of(file) }).collect();
        let head = Head { parts: places, files: part_files, state_length: snapshot.state.len() as u64 };
        let mut pieces: Vec<&[u8]> = written.iter().map(|part| &**part).chain([&snapshot.state[..]]).collect();
        let (header, tail) = format::frame(sequence, &pieces, &head).map_err(StateError::Encode)?;
        pieces.insert(0, &header);
        pieces.push(&tail);
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        let (temp, name) = (temp_name(sequence), file_name(sequence));
        self.disk.write_temp(&temp, &pieces).map_err(failed(DiskStep::Write, &temp))?;
        self.disk.sync_file(&temp).map_err(failed(DiskStep::SyncFile, &temp))?;
        self.disk.rename(&temp, &name).map_err(failed(DiskStep::Rename, &name))?;
        self.disk.sync_dir().map_err(failed(DiskStep::SyncDirectory, "."))?;
        self.highest = Some(sequence);
        self.parts = PartTable::new(&head.parts, head.files.into_iter().chain([PartFile { file: sequence, length: length as u64 }]));
        self.good.push((sequence, files));
        if self.good.len() > KEPT {
            self.good.remove(0);
        }
        self.remove_old()?;
        Ok(length)
    }

    /// Where each part will stand, and the bytes of those that stand in the new file: those that are new, and those that move there.
    fn place<'p>(&mut self, sequence: u64, parts: &'p [Part]) -> Result<Placed<'p>, StateError> {
        let moving = self.parts.moving(parts);
        let (mut places, mut written, mut offset) = (Vec::with_capacity(parts.len()), Vec::new(), HEADER_BYTES as u64);
        for part in parts {
            let known = self.parts.get(part.id).copied();
            let bytes = match (known, &part.bytes) {
                (Some(place), _) if !moving.contains(&part.id) => {
                    places.push(place);
                    continue;
                }
                (_, Some(bytes)) => Cow::Borrowed(&**bytes),
                (Some(place), None) => Cow::Owned(self.read_part(&place).map_err(|source| {
                    // it is still in memory: whoever has it gives it again with the next snapshot
                    self.parts.lose(place.file);
                    failed(DiskStep::Read, &file_name(place.file))(source)
                })?),
                (None, None) => return Err(StateError::PartUnknown),
            };
            let length = bytes.len() as u64;
            places.push(PartPlace { id: part.id, file: sequence, offset, length, checksum: crc32fast::hash(&bytes) });
            offset += length;
            written.push(bytes);
        }
        Ok((places, written))
    }

    /// The bytes of a part.
    fn read_part(&self, place: &PartPlace) -> io::Result<Vec<u8>> {
        let bytes = self.disk.read_range(&file_name(place.file), place.offset, place.length)?;
        if format::is_whole(place, &bytes) {
            Ok(bytes)
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum does not match"))
        }
    }

    /// The disk below, for tests that crash it.
    pub fn into_disk(self) -> D {
        self.disk
    }

    /// The disk below, for tests that watch it.
    pub fn disk(&self) -> &D {
        &self.disk
    }

    /// Removes what is neither one of the last good snapshots nor one of the last refused ones, and abandoned temporary files.
    fn remove_old(&mut self) -> Result<(), StateError> {
        let needed = |sequence: &u64| self.good.iter().any(|(good, files)| good == sequence || files.contains(sequence));
        let kept_refused = &self.refused[self.refused.len().saturating_sub(KEPT)..];
        let names = self.disk.list().map_err(failed(DiskStep::List, "."))?;
        for name in names {
            let superseded = match sequence_of(&name, SUFFIX) {
                Some(sequence) => !needed(&sequence) && !kept_refused.contains(&sequence),
                None => sequence_of(&name, TEMP_SUFFIX).is_some(),
            };
            if superseded {
                self.disk.remove(&name).map_err(failed(DiskStep::Remove, &name))?;
            }
        }
        Ok(())
    }

    /// Head, length and content of a snapshot.
    fn read_one(&self, sequence: u64) -> Result<(Head, u64, Loaded), RefusalReason> {
        let bytes = self.disk.read(&file_name(sequence)).map_err(|error| RefusalReason::Unreadable(error.to_string()))?;
        let (head, state) = format::decode(sequence, &bytes)?;
        let part = |place: &PartPlace| {
            let damaged = || RefusalReason::Part { file: file_name(place.file) };
            if place.file != sequence {
                return self.read_part(place).map(|bytes| (place.id, bytes.into())).map_err(|_| damaged());
            }
            let own = (place.offset as usize).checked_add(place.length as usize).and_then(|end| bytes.get(place.offset as usize..end));
            own.filter(|own| format::is_whole(place, own)).map(|own| (place.id, own.into())).ok_or_else(damaged)
        };
        let parts = head.parts.iter().map(part).collect::<Result<_, _>>()?;
        let n_bytes = state.len() + head.parts.iter().map(|place| place.length as usize).sum::<usize>();
        let loaded = Loaded { sequence, state: state.to_vec(), parts, bytes: n_bytes, refused: Vec::new() };
        Ok((head, bytes.len() as u64, loaded))
    }

    /// Sequence numbers of all snapshot files, ascending.
    fn sequences(&self) -> Result<Vec<u64>, StateError> {
        let names = self.disk.list().map_err(failed(DiskStep::List, "."))?;
        let mut sequences: Vec<u64> = names.iter().filter_map(|name| sequence_of(name, SUFFIX)).collect();
        sequences.sort_unstable();
        Ok(sequences)
    }
}

fn failed(step: DiskStep, file: &str) -> impl FnOnce(io::Error) -> StateError {
    move |source| StateError::Disk { step, file: file.to_owned(), source }
}

fn file_name(sequence: u64) -> String {
    format!("{PREFIX}{sequence:020}{SUFFIX}")
}

fn temp_name(sequence: u64) -> String {
    format!("{PREFIX}{sequence:020}{TEMP_SUFFIX}")
}

fn sequence_of(name: &str, suffix: &str) -> Option<u64> {
    let digits = name.strip_prefix(PREFIX)?.strip_suffix(suffix)?;
    if digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests;
