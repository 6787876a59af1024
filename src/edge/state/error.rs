//! What can go wrong with the state, and which file was refused why.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// A call of [`Disk`](super::Disk).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DiskStep {
    /// Writing a temporary file.
    Write,
    /// Syncing a file.
    SyncFile,
    /// Renaming a file.
    Rename,
    /// Syncing the directory.
    SyncDirectory,
    /// Reading a file.
    Read,
    /// Listing the directory.
    List,
    /// Removing a file.
    Remove,
}

impl DiskStep {
    /// Every step, for tables and suites.
    pub const ALL: [Self; 7] = [Self::Write, Self::SyncFile, Self::Rename, Self::SyncDirectory, Self::Read, Self::List, Self::Remove];

    /// The name used in output and metric labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::SyncFile => "sync_file",
            Self::Rename => "rename",
            Self::SyncDirectory => "sync_directory",
            Self::Read => "read",
            Self::List => "list",
            Self::Remove => "remove",
        }
    }
}

impl fmt::Display for DiskStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a snapshot file was not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefusalReason {
    /// Shorter or longer than its header says, or too short for a header.
    #[error("torn: {found} bytes instead of {expected}")]
    Torn {
        /// Length that the header promises (the header's own if that is cut off).
        expected: u64,
        /// Length of the file.
        found: u64,
    },
    /// The checksum does not fit the content.
    #[error("its checksum does not match")]
    Checksum,
    /// It does not begin as a snapshot does.
    #[error("not a driftd snapshot")]
    NotASnapshot,
    /// Written in a format that this version does not read.
    #[error("format version {found}, but this driftd reads version {known}")]
    OtherFormat {
        /// Version in the file.
        found: u16,
        /// Version that is read.
        known: u16,
    },
    /// The file carries another sequence number than its name.
    #[error("it holds sequence {found}, not the one in its name")]
    WrongSequence {
        /// Number in the file.
        found: u64,
    },
    /// A part of the state that stands in another file is not there, or not as it was written.
    #[error("a part of it in {file} is damaged or missing")]
    Part {
        /// Name of that file.
        file: String,
    },
    /// The disk would not give it back.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

/// A snapshot file that was not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Name of the file.
    pub file: String,
    /// What is wrong with it.
    pub reason: RefusalReason,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.reason)
    }
}

/// Why the state could not be opened, saved or loaded.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The directory cannot be used.
    #[error("cannot use the state directory {directory:?}: {source}; check daemon.state_dir, its owner and its free space")]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process holds the directory.
    #[error("the state directory {directory:?} is in use by process {holder}; stop it, or give this one another daemon.state_dir")]
    Locked {
        /// The directory.
        directory: PathBuf,
        /// Process id of the holder, or `unknown`.
        holder: String,
    },
    /// A step on the disk failed. See [`StateError::must_stop`].
    #[error("cannot {step} {file}: {source}")]
    Disk {
        /// The step.
        step: DiskStep,
        /// The file, or the directory as `.`.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// A part of the state was given without its bytes, and is in no file.
    #[error("a part of the state is in no snapshot")]
    PartUnknown,
    /// The head of the snapshot cannot be written as bytes.
    #[error("cannot encode the head of the snapshot")]
    Encode(#[source] postcard::Error),
    /// The number does not come after all others in the directory, refused ones included.
    #[error("snapshot sequence {sequence} does not come after {highest}")]
    SequenceNotAfter {
        /// The number given.
        sequence: u64,
        /// Highest number in the directory.
        highest: u64,
    },
    /// There are snapshots, but none can be used.
    #[error(
        "no usable snapshot: {}; put a backup in their place, use the driftd version that wrote them, or move them away to start again \
         from the oldest messages in Kafka",
        list(refused)
    )]
    NothingUsable {
        /// All of them, newest first.
        refused: Vec<Refusal>,
    },
}

impl StateError {
    /// Whether the process must end and start again from the last good snapshot.
    ///
    /// After a failed sync nobody knows what the disk holds, and asking again may report success for pages that were dropped; the same
    /// goes for a failed rename. A failed write to a temporary file (a full disk) left every snapshot as it was: saving may be tried
    /// again later, as long as no offset is committed and nothing is sent that the last snapshot does not hold.
    pub fn must_stop(&self) -> bool {
        match self {
            Self::Disk { step, .. } => matches!(step, DiskStep::SyncFile | DiskStep::Rename | DiskStep::SyncDirectory),
            Self::Directory { .. }
            | Self::Locked { .. }
            | Self::PartUnknown
            | Self::Encode(_)
            | Self::SequenceNotAfter { .. }
            | Self::NothingUsable { .. } => true,
        }
    }
}

fn list(refused: &[Refusal]) -> String {
    refused.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
