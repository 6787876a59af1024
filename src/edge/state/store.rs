//! Saving and loading snapshots over a [`Disk`].
//!
//! Invariant: a snapshot gets its name only when its content is durable, and older ones go only when the new name is durable.

use super::{Disk, DiskStep, Refusal, RefusalReason, StateError, format};
use std::io;

const PREFIX: &str = "snapshot-";
const SUFFIX: &str = ".driftd";
const TEMP_SUFFIX: &str = ".driftd.tmp";

/// Good snapshots that are kept, and refused ones that are left for inspection.
const KEPT: usize = 2;

/// Snapshots in one directory: `snapshot-<sequence, 20 digits>.driftd`.
#[derive(Debug)]
pub struct SnapshotStore<D> {
    disk: D,
    /// Highest sequence of any file, refused ones included.
    highest: Option<u64>,
    /// Snapshots known to be good, oldest first.
    good: Vec<u64>,
    /// Snapshots refused when loading, oldest first.
    refused: Vec<u64>,
}

/// A snapshot that was read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Its sequence number.
    pub sequence: u64,
    /// What was saved.
    pub body: Vec<u8>,
    /// Newer ones that could not be used: worth a warning and a counter each.
    pub refused: Vec<Refusal>,
}

impl<D: Disk> SnapshotStore<D> {
    /// Looks at what is there. Errors: the directory cannot be listed.
    pub fn open(disk: D) -> Result<Self, StateError> {
        let mut store = Self { disk, highest: None, good: Vec::new(), refused: Vec::new() };
        store.highest = store.sequences()?.last().copied();
        Ok(store)
    }

    /// The number for the next [`SnapshotStore::save`]: after all in the directory, so that a refused file can never be taken for newer later.
    pub fn next_sequence(&self) -> u64 {
        self.highest.map_or(1, |highest| highest + 1)
    }

    /// The newest snapshot that is whole; `None` where there never was one.
    ///
    /// Errors: files are there but none is usable, or the directory cannot be listed. Never starts empty instead.
    pub fn load(&mut self) -> Result<Option<Loaded>, StateError> {
        let mut refused = Vec::new();
        self.refused.clear();
        for sequence in self.sequences()?.into_iter().rev() {
            match self.read_one(sequence) {
                Ok(body) => {
                    self.good = vec![sequence];
                    return Ok(Some(Loaded { sequence, body, refused }));
                }
                Err(reason) => {
                    self.refused.insert(0, sequence);
                    refused.push(Refusal { file: file_name(sequence), reason });
                }
            }
        }
        if refused.is_empty() { Ok(None) } else { Err(StateError::NothingUsable { refused }) }
    }

    /// Makes `body` the newest snapshot. On `Ok` it is durable; offsets may be committed and notifications sent.
    ///
    /// Errors: see [`StateError::must_stop`]. After any error the last snapshot, or this one, loads.
    pub fn save(&mut self, sequence: u64, body: &[u8]) -> Result<(), StateError> {
        if let Some(highest) = self.highest.filter(|highest| sequence <= *highest) {
            return Err(StateError::SequenceNotAfter { sequence, highest });
        }
        let (temp, name) = (temp_name(sequence), file_name(sequence));
        self.disk.write_temp(&temp, &format::encode(sequence, body)).map_err(failed(DiskStep::Write, &temp))?;
        self.disk.sync_file(&temp).map_err(failed(DiskStep::SyncFile, &temp))?;
        self.disk.rename(&temp, &name).map_err(failed(DiskStep::Rename, &name))?;
        self.disk.sync_dir().map_err(failed(DiskStep::SyncDirectory, "."))?;
        self.highest = Some(sequence);
        self.good.push(sequence);
        if self.good.len() > KEPT {
            self.good.remove(0);
        }
        self.remove_old()
    }

    /// The disk below, for tests that crash it.
    pub fn into_disk(self) -> D {
        self.disk
    }

    /// Removes what is neither one of the last good snapshots nor one of the last refused ones, and abandoned temporary files.
    fn remove_old(&mut self) -> Result<(), StateError> {
        let kept_refused = &self.refused[self.refused.len().saturating_sub(KEPT)..];
        let names = self.disk.list().map_err(failed(DiskStep::List, "."))?;
        for name in names {
            let superseded = match sequence_of(&name, SUFFIX) {
                Some(sequence) => !self.good.contains(&sequence) && !kept_refused.contains(&sequence),
                None => sequence_of(&name, TEMP_SUFFIX).is_some(),
            };
            if superseded {
                self.disk.remove(&name).map_err(failed(DiskStep::Remove, &name))?;
            }
        }
        Ok(())
    }

    fn read_one(&self, sequence: u64) -> Result<Vec<u8>, RefusalReason> {
        let bytes = self.disk.read(&file_name(sequence)).map_err(|error| RefusalReason::Unreadable(error.to_string()))?;
        format::decode(sequence, bytes)
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
