//! A disk that never fails, and notes for each of its calls what would be left if the process or the power had gone in the middle of it.

use super::life::Seen;
use crate::edge::state::memory::{Crash, MemoryDisk};
use crate::edge::state::{Disk, SnapshotStore};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

/// What a snapshot holds: two of equal content have the same future.
pub(super) type Content = u128;

/// A place at which the run may stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Point {
    /// What the world has seen by then.
    pub(super) n_seen: usize,
    /// What the next life begins with; `None`: nothing.
    pub(super) from: Option<Content>,
}

/// What was noted of a run.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// What the world saw, in order.
    pub(super) seen: Vec<Seen>,
    /// Where the run may stop, and in how many ways with the same outcome.
    pub(super) points: BTreeMap<Point, u64>,
    /// A disk for each content that a next life may begin with.
    pub(super) disks: BTreeMap<Content, MemoryDisk>,
    /// What the disk holds between two calls.
    rests: Option<Content>,
    n_saves: u64,
    /// Saves after which nothing more is noted but what the world sees.
    most_saves: u64,
}

/// Notes what happens, for whoever causes it.
#[derive(Debug, Clone, Default)]
pub(super) struct Recorder(Rc<RefCell<Record>>);

/// See the module.
#[derive(Debug)]
pub(super) struct RecordingDisk {
    disk: MemoryDisk,
    recorder: Recorder,
}

impl Recorder {
    /// The process may stop here.
    pub(super) fn step(&self) {
        let mut record = self.0.borrow_mut();
        if record.n_saves <= record.most_saves {
            let point = Point { n_seen: record.seen.len(), from: record.rests };
            *record.points.entry(point).or_default() += 1;
        }
    }

    /// The world sees something; the process may stop after each.
    pub(super) fn see(&self, seen: impl Iterator<Item = Seen>) {
        for one in seen {
            self.0.borrow_mut().seen.push(one);
            self.step();
        }
    }

    /// What was noted, when nothing more is to be.
    pub(super) fn into_record(self) -> Record {
        Rc::try_unwrap(self.0).expect("the run has ended").into_inner()
    }
}

/// What a life would begin with that finds this disk. It is an error if it could not begin.
fn content(disk: &MemoryDisk) -> Option<Content> {
    let mut store = SnapshotStore::open(disk.clone()).expect("it can be listed");
    let loaded = store.load().unwrap_or_else(|error| panic!("a crash left no usable snapshot: {error}"))?;
    assert_eq!(loaded.refused, [], "a crash leaves no damaged snapshot under its final name");
    // the record names its parts by their content
    Some(xxhash_rust::xxh3::xxh3_128(&loaded.state))
}

impl RecordingDisk {
    /// A disk that holds this; at most so many saves are looked at closely.
    pub(super) fn new(disk: MemoryDisk, most_saves: u64) -> Self {
        let recorder = Recorder::default();
        {
            let mut record = recorder.0.borrow_mut();
            (record.rests, record.most_saves) = (content(&disk), most_saves);
        }
        Self { disk, recorder }
    }

    pub(super) fn recorder(&self) -> Recorder {
        self.recorder.clone()
    }

    /// Makes a call, and notes what would be if it had been the last one.
    fn call<T>(&mut self, call: impl Fn(&mut MemoryDisk) -> io::Result<T>) -> io::Result<T> {
        let is_noted = {
            let record = self.recorder.0.borrow();
            record.n_saves <= record.most_saves
        };
        if is_noted {
            let mut broken = self.disk.clone();
            broken.crash_at(broken.n_calls() + 1);
            assert!(call(&mut broken).is_err());
            for crash in Crash::ALL {
                self.note(broken.after(crash));
            }
        }
        let done = call(&mut self.disk);
        if is_noted {
            self.recorder.0.borrow_mut().rests = self.note(self.disk.after(Crash::KeepsUnsynced));
        }
        done
    }

    fn note(&self, disk: MemoryDisk) -> Option<Content> {
        let from = content(&disk);
        let mut record = self.recorder.0.borrow_mut();
        let point = Point { n_seen: record.seen.len(), from };
        *record.points.entry(point).or_default() += 1;
        if let Some(content) = from {
            record.disks.entry(content).or_insert(disk);
        }
        from
    }
}

impl Disk for RecordingDisk {
    fn write_temp(&mut self, name: &str, pieces: &[&[u8]]) -> io::Result<()> {
        self.recorder.0.borrow_mut().n_saves += 1;
        self.call(|disk| disk.write_temp(name, pieces))
    }

    fn sync_file(&mut self, name: &str) -> io::Result<()> {
        self.call(|disk| disk.sync_file(name))
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.call(|disk| disk.rename(from, to))
    }

    fn sync_dir(&mut self) -> io::Result<()> {
        self.call(|disk| disk.sync_dir())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        self.disk.read(name)
    }

    fn read_range(&self, name: &str, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        self.disk.read_range(name, offset, length)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.call(|disk| disk.remove(name))
    }
}
