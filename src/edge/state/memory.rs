//! A disk in memory for tests: it can stop at any call, and then shows what a real disk could hold after the power went.
//!
//! The model: content is durable after `sync_file`, names are after `sync_dir`; before that a crash may keep all of it, none, or a part.

use super::Disk;
use std::collections::BTreeMap;
use std::io;

/// What a crash did to everything that was not yet synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// All of it is lost.
    LosesUnsynced,
    /// All of it is there, as when only the process died.
    KeepsUnsynced,
    /// Names are there, but of unsynced content only the first half is.
    TearsContent,
    /// Names are there, but unsynced content reads as zeros.
    ZeroesContent,
    /// Content is there, but changes of names are lost.
    LosesNames,
}

impl Crash {
    /// Every kind, for suites.
    pub const ALL: [Self; 5] = [Self::LosesUnsynced, Self::KeepsUnsynced, Self::TearsContent, Self::ZeroesContent, Self::LosesNames];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LosesUnsynced => "loses_unsynced",
            Self::KeepsUnsynced => "keeps_unsynced",
            Self::TearsContent => "tears_content",
            Self::ZeroesContent => "zeroes_content",
            Self::LosesNames => "loses_names",
        }
    }
}

/// What happens at the call chosen by [`MemoryDisk::stop_at`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// That call and all later ones fail; a write gets half done.
    Crash,
    /// Only that call fails, without an effect.
    Error(io::ErrorKind),
}

#[derive(Debug, Clone, Default)]
struct Content {
    live: Vec<u8>,
    durable: Option<Vec<u8>>,
}

/// A directory in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryDisk {
    /// Content by number, as a file system keeps it apart from names.
    contents: BTreeMap<u64, Content>,
    live_names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    n_calls: u64,
    fault: Option<(u64, Fault)>,
    crashed: bool,
}

impl MemoryDisk {
    /// An empty directory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls of changing steps so far.
    pub fn n_calls(&self) -> u64 {
        self.n_calls
    }

    /// Crashes at the `n`-th changing call from the beginning (the first is 1): that call stops half-way and every later one fails.
    pub fn crash_at(&mut self, n: u64) {
        self.fault = Some((n, Fault::Crash));
    }

    /// Lets the `n`-th changing call fail without an effect, and only that one.
    pub fn fail_at(&mut self, n: u64, kind: io::ErrorKind) {
        self.fault = Some((n, Fault::Error(kind)));
    }

    /// Puts a file there, synced: for damaged or foreign ones.
    pub fn put(&mut self, name: &str, bytes: &[u8]) {
        let number = self.new_content(Content { live: bytes.to_vec(), durable: Some(bytes.to_vec()) });
        self.live_names.insert(name.to_owned(), number);
        self.durable_names.insert(name.to_owned(), number);
    }

    /// What is on the disk after the power came back.
    #[must_use]
    pub fn after(&self, crash: Crash) -> Self {
        let names = match crash {
            Crash::LosesUnsynced | Crash::LosesNames => &self.durable_names,
            Crash::KeepsUnsynced | Crash::TearsContent | Crash::ZeroesContent => &self.live_names,
        };
        let mut disk = Self::new();
        for (name, number) in names {
            let content = &self.contents[number];
            let bytes = match (&content.durable, crash) {
                (Some(durable), Crash::LosesUnsynced) => durable.clone(),
                (Some(durable), _) if *durable == content.live => durable.clone(),
                (_, Crash::KeepsUnsynced | Crash::LosesNames) => content.live.clone(),
                (_, Crash::TearsContent) => content.live[..content.live.len() / 2].to_vec(),
                (_, Crash::ZeroesContent) => vec![0; content.live.len()],
                (None, Crash::LosesUnsynced) => Vec::new(),
            };
            disk.put(name, &bytes);
        }
        disk
    }

    fn new_content(&mut self, content: Content) -> u64 {
        let number = self.contents.len() as u64;
        self.contents.insert(number, content);
        number
    }

    /// Counts a changing call; `Ok(true)` lets it do half of its work before it fails.
    fn begin(&mut self) -> io::Result<bool> {
        if self.crashed {
            return Err(io::Error::other("the disk is gone"));
        }
        self.n_calls += 1;
        match self.fault {
            Some((n, Fault::Crash)) if n == self.n_calls => {
                self.crashed = true;
                Ok(true)
            }
            Some((n, Fault::Error(kind))) if n == self.n_calls => Err(kind.into()),
            _ => Ok(false),
        }
    }

    fn number_of(&self, name: &str) -> io::Result<u64> {
        self.live_names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// The failure of the call at which the disk crashed.
fn gone() -> io::Error {
    io::Error::other("the disk went away")
}

impl Disk for MemoryDisk {
    fn write_temp(&mut self, name: &str, pieces: &[&[u8]]) -> io::Result<()> {
        let stops = self.begin()?;
        let mut live = pieces.concat();
        if stops {
            live.truncate(live.len() / 2);
        }
        let number = self.new_content(Content { live, durable: None });
        self.live_names.insert(name.to_owned(), number);
        if stops { Err(gone()) } else { Ok(()) }
    }

    fn sync_file(&mut self, name: &str) -> io::Result<()> {
        if self.begin()? {
            return Err(gone());
        }
        let number = self.number_of(name)?;
        let content = self.contents.get_mut(&number).expect("names point at contents");
        content.durable = Some(content.live.clone());
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        if self.begin()? {
            return Err(gone());
        }
        let number = self.number_of(from)?;
        self.live_names.remove(from);
        self.live_names.insert(to.to_owned(), number);
        Ok(())
    }

    fn sync_dir(&mut self) -> io::Result<()> {
        if self.begin()? {
            return Err(gone());
        }
        self.durable_names = self.live_names.clone();
        Ok(())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        Ok(self.contents[&self.number_of(name)?].live.clone())
    }

    fn read_range(&self, name: &str, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let live = &self.contents[&self.number_of(name)?].live;
        let end = offset.checked_add(length).ok_or(io::ErrorKind::UnexpectedEof)?;
        live.get(offset as usize..end as usize).map(<[u8]>::to_vec).ok_or(io::ErrorKind::UnexpectedEof.into())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        if self.crashed { Err(gone()) } else { Ok(self.live_names.keys().cloned().collect()) }
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        if self.begin()? {
            return Err(gone());
        }
        self.number_of(name)?;
        self.live_names.remove(name);
        Ok(())
    }
}
