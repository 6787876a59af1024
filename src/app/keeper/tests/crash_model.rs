//! Stops at every call of the disk and at every step between, in every way that a crash can leave the disk, over many stories; and then once more while the next
//! life begins. What the world sees must be what it sees of an undisturbed run.
//!
//! A life is a function of the snapshot that it begins with. So the stops of one run are not lived through one by one: for each content that the disk may be left
//! with, the life from there is lived once, and what the world saw before the stop is put before what it sees afterwards.

use super::life::{Seen, Story, live};
use super::recording_disk::{Content, Point, Record, RecordingDisk};
use crate::edge::state::memory::MemoryDisk;
use std::collections::{BTreeMap, BTreeSet};

/// Stories that are told.
const STORIES: u64 = 16;
/// Least stops over all of them, in a first life and in the one after a stop.
const STOPS: u64 = 100_000;
/// Saves of a second life during which it may stop again.
const SAVES_OF_SECOND_LIFE: u64 = 2;

/// What the world knows in the end: the last line of each place, and what came under each id, how often it was taken.
#[derive(Debug, Default, PartialEq)]
struct World<'r> {
    windows: BTreeMap<&'r str, &'r str>,
    messages: BTreeMap<&'r str, (u64, &'r str)>,
}

impl<'r> World<'r> {
    fn after(lives: &[&'r [Seen]]) -> Self {
        let mut world = Self::default();
        for seen in lives.iter().copied().flatten() {
            match seen {
                Seen::Window { place, line } => drop(world.windows.insert(place, line)),
                Seen::Message { id, body, taken } => {
                    let (times, before) = world.messages.entry(id).or_insert((0, body));
                    *times += u64::from(*taken);
                    assert_eq!(*before, body, "one id, one meaning: {id}");
                }
            }
        }
        world
    }

    /// Whether nothing was lost, doubled or told wrongly, after so many deaths.
    fn assert_is(&self, undisturbed: &Self, deaths: u64, point: Point) {
        for place in self.windows.keys().chain(undisturbed.windows.keys()) {
            assert_eq!(self.windows.get(place), undisturbed.windows.get(place), "{point:?}");
        }
        assert!(
            self.messages.keys().eq(undisturbed.messages.keys()),
            "{point:?}: {:?} {:?}",
            self.messages.keys(),
            undisturbed.messages.keys()
        );
        for (id, (times, _)) in &self.messages {
            let at_most = undisturbed.messages[id].0 + deaths;
            assert!(*times <= at_most, "{point:?}: {id} came {times} times, at most {at_most} after {deaths} deaths");
        }
    }
}

/// The run from what a disk holds.
fn run(story: &Story, disk: MemoryDisk, most_saves: u64) -> Record {
    let disk = RecordingDisk::new(disk, most_saves);
    let recorder = disk.recorder();
    live(story, disk);
    recorder.into_record()
}

/// The lives that begin with a content; each is lived once. The life from nothing is the first one.
struct Lives<'s> {
    story: &'s Story,
    lived: BTreeMap<Option<Content>, Record>,
}

impl Lives<'_> {
    fn live(&mut self, from: Option<Content>, disk: &MemoryDisk, most_saves: u64) {
        let story = self.story;
        self.lived.entry(from).or_insert_with(|| run(story, disk.clone(), most_saves));
    }
}

/// Stops of a story, in one life and in the second one.
fn stops(story: &Story) -> (u64, u64) {
    let first = run(story, MemoryDisk::new(), u64::MAX);
    let undisturbed = World::after(&[&first.seen]);
    let mut lives = Lives { story, lived: BTreeMap::new() };
    lives.live(None, &MemoryDisk::new(), 0);
    // the earliest stop that leads to each content: the least of what the world has seen
    let mut earliest: BTreeMap<Option<Content>, usize> = BTreeMap::new();
    for point in first.points.keys() {
        if let Some(disk) = point.from.and_then(|from| first.disks.get(&from)) {
            lives.live(point.from, disk, SAVES_OF_SECOND_LIFE);
        }
        let second = &lives.lived[&point.from];
        World::after(&[&first.seen[..point.n_seen], &second.seen]).assert_is(&undisturbed, 1, *point);
        let least = earliest.entry(point.from).or_insert(point.n_seen);
        *least = (*least).min(point.n_seen);
    }
    let mut n_second = 0;
    for (from, before) in earliest {
        let points: Vec<(Point, u64)> = lives.lived[&from].points.iter().map(|(point, n)| (*point, *n)).collect();
        for (point, n) in points {
            if let Some(disk) = point.from.and_then(|next| lives.lived[&from].disks.get(&next)).cloned() {
                lives.live(point.from, &disk, 0);
            }
            let (second, third) = (&lives.lived[&from], &lives.lived[&point.from]);
            World::after(&[&first.seen[..before], &second.seen[..point.n_seen], &third.seen]).assert_is(&undisturbed, 2, point);
            n_second += n;
        }
    }
    (first.points.values().sum(), n_second)
}

#[test]
fn the_stories_have_alerts_retrainings_and_resolutions() {
    let mut reasons = BTreeSet::new();
    for seed in 0..STORIES {
        let record = run(&Story::new(seed), MemoryDisk::new(), 0);
        let world = World::after(&[&record.seen]);
        reasons
            .extend(["-firing", "-resolved", "-retrain"].into_iter().filter(|reason| world.messages.keys().any(|id| id.contains(reason))));
        assert!(world.messages.values().all(|(times, _)| *times == 1), "{:?}", world.messages);
    }
    assert_eq!(reasons.len(), 3, "{reasons:?}");
}

#[test]
fn death_at_any_disk_call_or_step_changes_nothing_that_the_world_sees() {
    let (first, second) = (0..STORIES).map(|seed| stops(&Story::new(seed))).fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
    assert!(first + second >= STOPS, "{first} in {STORIES} stories, and {second} in the life after one");
}
