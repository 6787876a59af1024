//! The seam to the disk: every step that can fail or be the last one before a crash is a call of its own.

use super::{StateError, StateLock};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Bytes that are gathered before they are written.
const BUFFER: usize = 256 * 1024;

/// One flat directory of files. Names are plain file names without a separator.
///
/// The order that makes a file durable under its final name: `write_temp`, `sync_file`, `rename`, `sync_dir`.
pub trait Disk {
    /// Creates `name` or empties it, and writes `pieces` one after the other. A crash may leave any part of them.
    fn write_temp(&mut self, name: &str, pieces: &[&[u8]]) -> io::Result<()>;
    /// Makes the content of `name` durable.
    fn sync_file(&mut self, name: &str) -> io::Result<()>;
    /// Gives `from` the name `to`, replacing what bore it. Durable only after [`Disk::sync_dir`].
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;
    /// Makes the names in the directory durable.
    fn sync_dir(&mut self) -> io::Result<()>;
    /// The whole content of `name`.
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;
    /// `length` bytes of `name` from `offset` on. Errors: there are fewer.
    fn read_range(&self, name: &str, offset: u64, length: u64) -> io::Result<Vec<u8>>;
    /// Names of all files, in any order.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Removes `name`.
    fn remove(&mut self, name: &str) -> io::Result<()>;
}

/// A real directory, held by one process at a time.
#[derive(Debug)]
pub struct DirDisk {
    directory: PathBuf,
    /// The file written last. Syncing the same handle that wrote makes sure that a write-back error is seen here.
    written: Option<(String, File)>,
    _lock: StateLock,
}

impl DirDisk {
    /// Creates the directory if need be and locks it. Errors: it cannot be created, or another process holds it.
    pub fn open(directory: &Path) -> Result<Self, StateError> {
        let lock = StateLock::acquire(directory)?;
        Ok(Self { directory: directory.to_owned(), written: None, _lock: lock })
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Disk for DirDisk {
    fn write_temp(&mut self, name: &str, pieces: &[&[u8]]) -> io::Result<()> {
        self.written = None;
        let mut file = BufWriter::with_capacity(BUFFER, File::create(self.directory.join(name))?);
        for piece in pieces {
            file.write_all(piece)?;
        }
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        self.written = Some((name.to_owned(), file));
        Ok(())
    }

    fn sync_file(&mut self, name: &str) -> io::Result<()> {
        match self.written.take() {
            Some((written, file)) if written == name => file.sync_all(),
            _ => File::open(self.directory.join(name))?.sync_all(),
        }
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.directory.join(from), self.directory.join(to))
    }

    fn sync_dir(&mut self) -> io::Result<()> {
        File::open(&self.directory)?.sync_all()
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.directory.join(name))
    }

    fn read_range(&self, name: &str, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let file = File::open(self.directory.join(name))?;
        let left = file.metadata()?.len().checked_sub(offset).filter(|&left| left >= length);
        // a length that a damaged file says must not take memory
        let length = left.and(usize::try_from(length).ok()).ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            if let (true, Ok(name)) = (entry.file_type()?.is_file(), entry.file_name().into_string()) {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        fs::remove_file(self.directory.join(name))
    }
}
