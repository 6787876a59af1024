use super::*;
use crate::edge::state::DirDisk;
use crate::edge::state::memory::{Crash, MemoryDisk};
use crate::engine::part::{PartId, Parts};

fn body(sequence: u64) -> Vec<u8> {
    format!("state {sequence} ").repeat(20 + sequence as usize).into_bytes()
}

/// A snapshot without parts.
fn plain(state: &[u8]) -> Snapshot {
    Snapshot { state: state.to_vec(), parts: Vec::new() }
}

fn names(disk: &impl Disk) -> Vec<String> {
    let mut names = disk.list().unwrap();
    names.sort();
    names
}

/// Saves 1, 2, … until done or stopped; returns the last sequence whose save returned.
fn save_all(store: &mut SnapshotStore<MemoryDisk>, n_saves: u64) -> u64 {
    (1..=n_saves).take_while(|sequence| store.save(*sequence, &plain(&body(*sequence))).is_ok()).last().unwrap_or(0)
}

/// Invariant I2: from every call of every save, and whatever the crash did to what was not synced, the last completed snapshot or the one in
/// progress loads, whole; and the run that continues from there ends the same.
#[test]
fn a_crash_at_any_call_leaves_the_last_snapshot_or_the_one_in_progress() {
    const N_SAVES: u64 = 5;
    let mut undisturbed = SnapshotStore::open(MemoryDisk::new()).unwrap();
    assert_eq!(save_all(&mut undisturbed, N_SAVES), N_SAVES);
    let expected = names(&undisturbed.disk);
    let n_calls = undisturbed.into_disk().n_calls();
    assert!(n_calls >= 4 * N_SAVES);
    for at in 1..=n_calls {
        for crash in Crash::ALL {
            let mut disk = MemoryDisk::new();
            disk.crash_at(at);
            let mut store = SnapshotStore::open(disk).unwrap();
            let completed = save_all(&mut store, N_SAVES);
            assert!(completed < N_SAVES, "call {at} did not stop the run");
            let after = store.into_disk().after(crash);

            let mut store = SnapshotStore::open(after).unwrap();
            let loaded = store.load().unwrap_or_else(|e| panic!("call {at}, {}: {e}", crash.as_str()));
            let sequence = loaded.as_ref().map_or(0, |l| l.sequence);
            assert!((completed..=completed + 1).contains(&sequence), "call {at}, {}: {completed} then {sequence}", crash.as_str());
            if let Some(loaded) = loaded {
                assert_eq!(loaded.state, body(sequence), "call {at}, {}", crash.as_str());
                assert_eq!(loaded.refused, [], "call {at}, {}", crash.as_str());
            }
            for next in sequence + 1..=N_SAVES {
                store.save(next, &plain(&body(next))).unwrap();
            }
            if sequence < N_SAVES {
                assert_eq!(names(&store.disk), expected, "call {at}, {}", crash.as_str());
            }
        }
    }
}

#[test]
fn a_step_that_fails_once_is_reported_and_leaves_a_snapshot() {
    for at in 1..=12 {
        let mut disk = MemoryDisk::new();
        disk.fail_at(at, io::ErrorKind::StorageFull);
        let mut store = SnapshotStore::open(disk).unwrap();
        let errors: Vec<StateError> = (1..=3).filter_map(|sequence| store.save(sequence, &plain(&body(sequence))).err()).collect();
        let [StateError::Disk { step, .. }] = &errors[..] else { panic!("call {at}: {errors:?}") };
        let stops = matches!(step, DiskStep::SyncFile | DiskStep::Rename | DiskStep::SyncDirectory);
        assert_eq!(errors[0].must_stop(), stops);
        let loaded = store.load().unwrap().unwrap();
        assert_eq!((loaded.state, loaded.refused), (body(loaded.sequence), Vec::new()), "call {at}");
        assert!(loaded.sequence >= 2, "call {at}");
    }
}

#[test]
fn only_the_last_two_are_kept() {
    let mut store = SnapshotStore::open(MemoryDisk::new()).unwrap();
    assert_eq!(store.load().unwrap(), None);
    for _ in 0..4 {
        store.save(store.next_sequence(), &plain(b"x")).unwrap();
    }
    assert_eq!(names(&store.disk), [file_name(3), file_name(4)]);
    assert!(matches!(store.save(4, &plain(b"x")), Err(StateError::SequenceNotAfter { sequence: 4, highest: 4 })));
}

#[test]
fn a_refused_file_is_named_and_the_older_one_used() {
    let good = |sequence| format::encode(sequence, &body(sequence));
    let mut flipped = good(3);
    flipped[40] ^= 4;
    let mut newer = good(3);
    newer[7] = 4;
    let cases = [
        (good(3)[..30].to_vec(), "torn"),
        (flipped, "checksum"),
        (newer, "format version 4, but this driftd reads version 3"),
        (good(2), "sequence 2"),
        (vec![0; 50], "not a driftd snapshot"),
    ];
    for (bytes, message) in cases {
        let mut disk = MemoryDisk::new();
        disk.put(&file_name(2), &good(2));
        disk.put(&file_name(3), &bytes);
        let mut store = SnapshotStore::open(disk).unwrap();
        let loaded = store.load().unwrap().unwrap();
        assert_eq!((loaded.sequence, loaded.state), (2, body(2)));
        let refused = loaded.refused[0].to_string();
        assert!(refused.starts_with(&file_name(3)) && refused.contains(message), "{refused}");
        // the number goes on behind the refused file, and that stays for whoever wants to look at it
        assert_eq!(store.next_sequence(), 4);
        store.save(4, &plain(&body(4))).unwrap();
        assert_eq!(names(&store.disk), [file_name(2), file_name(3), file_name(4)]);
        assert_eq!(SnapshotStore::open(store.into_disk()).unwrap().load().unwrap().unwrap().sequence, 4);
    }
}

#[test]
fn refused_files_do_not_pile_up() {
    let mut disk = MemoryDisk::new();
    disk.put(&file_name(1), &format::encode(1, b"x"));
    for sequence in 2..9 {
        disk.put(&file_name(sequence), b"DRFSNAP");
    }
    let mut store = SnapshotStore::open(disk).unwrap();
    assert_eq!(store.load().unwrap().unwrap().refused.len(), 7);
    store.save(9, &plain(b"y")).unwrap();
    assert_eq!(names(&store.disk), [1, 7, 8, 9].map(file_name));
}

#[test]
fn nothing_usable_is_an_error_that_names_the_files() {
    let mut disk = MemoryDisk::new();
    disk.put(&file_name(1), b"DRFSNAP");
    disk.put(&file_name(2), b"");
    disk.put("something-else.txt", b"kept");
    let message = SnapshotStore::open(disk).unwrap().load().unwrap_err().to_string();
    assert!(message.contains(&file_name(1)) && message.contains(&file_name(2)) && message.contains("backup"), "{message}");
}

#[test]
fn a_real_directory_keeps_what_was_saved_and_lets_one_process_in() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a/state");
    let mut store = SnapshotStore::open(DirDisk::open(&path).unwrap()).unwrap();
    for sequence in 1..=4 {
        store.save(sequence, &plain(&body(sequence))).unwrap();
    }
    let refused = DirDisk::open(&path).unwrap_err().to_string();
    assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
    drop(store);
    std::fs::write(path.join("notes.txt"), "kept").unwrap();
    let mut store = SnapshotStore::open(DirDisk::open(&path).unwrap()).unwrap();
    assert_eq!(store.load().unwrap().unwrap().state, body(4));
    store.save(5, &plain(&body(5))).unwrap();
    assert_eq!(names(&store.disk), ["driftd.lock", "notes.txt", &file_name(4), &file_name(5)]);
}

#[test]
fn a_directory_that_cannot_be_made_says_so() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("file"), "").unwrap();
    let message = DirDisk::open(&directory.path().join("file/state")).unwrap_err().to_string();
    assert!(message.contains("daemon.state_dir"), "{message}");
}

/// The parts of the n-th snapshot of a run: most of them stay from one to the next, and few are new.
fn with_parts(n: u64, has: &dyn Fn(PartId) -> bool) -> Snapshot {
    let mut parts = Parts::new(has);
    for part in n.saturating_sub(20)..=n {
        if part % 5 != 0 || part + 2 > n {
            parts.put(format!("part {part} ").repeat(part as usize % 7 * 30).into_bytes());
        }
    }
    Snapshot { state: body(n), parts: parts.into_parts() }
}

fn save_with_parts(store: &mut SnapshotStore<MemoryDisk>, n: u64) -> Result<usize, StateError> {
    let snapshot = with_parts(n, &|id| store.has(id));
    store.save(n, &snapshot)
}

/// What comes back of the n-th snapshot.
fn assert_whole(loaded: &Loaded, n: u64) {
    assert_eq!(loaded.state, body(n));
    for part in with_parts(n, &|_| false).parts {
        assert_eq!(Some(loaded.parts.get(part.id).unwrap()), part.bytes.as_ref(), "{n}");
    }
}

#[test]
fn a_crash_at_any_call_leaves_all_parts_of_a_snapshot() {
    const N_SAVES: u64 = 30;
    let run = |mut disk: MemoryDisk, crash_at: Option<u64>| {
        crash_at.into_iter().for_each(|at| disk.crash_at(at));
        let mut store = SnapshotStore::open(disk).unwrap();
        let completed = (1..=N_SAVES).take_while(|&n| save_with_parts(&mut store, n).is_ok()).last().unwrap_or(0);
        (store.into_disk(), completed)
    };
    let n_calls = run(MemoryDisk::new(), None).0.n_calls();
    for at in 1..=n_calls {
        for crash in Crash::ALL {
            let (disk, completed) = run(MemoryDisk::new(), Some(at));
            let mut store = SnapshotStore::open(disk.after(crash)).unwrap();
            let loaded = store.load().unwrap_or_else(|e| panic!("call {at}, {}: {e}", crash.as_str()));
            let sequence = loaded.as_ref().map_or(0, |l| l.sequence);
            assert!((completed..=completed + 1).contains(&sequence), "call {at}, {}: {completed} then {sequence}", crash.as_str());
            loaded.iter().for_each(|loaded| assert_whole(loaded, sequence));
            // it goes on from there with the parts that it has
            for n in sequence + 1..=N_SAVES {
                save_with_parts(&mut store, n).unwrap();
            }
            assert_whole(&store.load().unwrap().unwrap(), N_SAVES);
        }
    }
}

#[test]
fn a_part_is_written_once_and_its_file_kept_as_long_as_it_is_needed() {
    let mut store = SnapshotStore::open(MemoryDisk::new()).unwrap();
    let (long, mut written) = (vec![7; 100_000], Vec::new());
    for n in 1..=4 {
        let mut parts = Parts::new(&|_| false);
        if n < 4 {
            parts.put(long.clone());
        }
        parts.put(vec![n as u8; 1000]);
        let snapshot = Snapshot { state: body(n), parts: parts.into_parts() };
        written.push(store.save(n, &snapshot).unwrap());
    }
    assert!(written[0] > 100_000 && written[1..].iter().all(|&bytes| bytes < 3000), "{written:?}");
    assert_eq!(names(&store.disk), [1, 3, 4].map(file_name), "the one before the last still needs the first");
    store.save(5, &plain(b"x")).unwrap();
    assert_eq!(names(&store.disk), [4, 5].map(file_name));
}

#[test]
fn a_damaged_or_missing_part_is_refused_by_the_name_of_its_file() {
    let run = || {
        let mut store = SnapshotStore::open(MemoryDisk::new()).unwrap();
        (1..=4).for_each(|n| _ = save_with_parts(&mut store, n).unwrap());
        store.into_disk()
    };
    let first = run().read(&file_name(1)).unwrap();
    for damage in [None, Some(40), Some(100)] {
        let mut disk = run();
        match damage {
            None => disk.remove(&file_name(1)).unwrap(),
            Some(at) => {
                let mut bytes = first.clone();
                bytes[at] ^= 1;
                disk.put(&file_name(1), &bytes);
            }
        }
        let message = SnapshotStore::open(disk).unwrap().load().unwrap_err().to_string();
        assert!(message.contains(&format!("{}: a part of it in {} is damaged or missing", file_name(4), file_name(1))), "{message}");
    }
}

/// A file that is kept for its parts alone may be a whole snapshot, too, but it is an old one: nobody may find himself days back without a word.
#[test]
fn an_old_file_that_has_all_its_parts_is_not_gone_back_to() {
    let mut store = SnapshotStore::open(MemoryDisk::new()).unwrap();
    for n in 1..=6u64 {
        let mut parts = Parts::new(&|_| false);
        (1..=n.min(2)).for_each(|part| _ = parts.put(vec![part as u8; 1000]));
        store.save(n, &Snapshot { state: body(n), parts: parts.into_parts() }).unwrap();
    }
    assert_eq!(names(&store.disk), [1, 2, 5, 6].map(file_name));
    let mut disk = store.into_disk();
    let mut bytes = disk.read(&file_name(2)).unwrap();
    bytes[40] ^= 1;
    disk.put(&file_name(2), &bytes);
    let message = SnapshotStore::open(disk.clone()).unwrap().load().unwrap_err().to_string();
    assert!(message.contains(&file_name(6)) && message.contains(&file_name(5)) && !message.contains(&file_name(1)), "{message}");
    // it is whole, and would have been taken
    [2, 5, 6].iter().for_each(|&n| disk.remove(&file_name(n)).unwrap());
    assert_eq!(SnapshotStore::open(disk).unwrap().load().unwrap().unwrap().sequence, 1);
}

/// A file that cannot be read any more costs one snapshot: the next one gets the parts from whoever still has them in memory.
#[test]
fn parts_of_an_unreadable_file_are_asked_for_again() {
    let mut store = SnapshotStore::open(MemoryDisk::new()).unwrap();
    let snapshot = |has: &dyn Fn(PartId) -> bool, lasting: u8, junk: u8| {
        let mut parts = Parts::new(has);
        (1..=lasting).for_each(|part| _ = parts.put(vec![part; 1000]));
        parts.put(vec![junk; usize::from(junk.min(12)) << 20]);
        Snapshot { state: body(1), parts: parts.into_parts() }
    };
    // twice something that lasts, and much that does not: when it goes, the rest of the first file is to move
    store.save(1, &snapshot(&|_| false, 1, 12)).unwrap();
    let second = snapshot(&|id| store.has(id), 2, 13);
    store.save(2, &second).unwrap();
    store.disk.remove(&file_name(1)).unwrap();
    let again = snapshot(&|id| store.has(id), 2, 0);
    let failed = store.save(3, &again).unwrap_err();
    assert!(!failed.must_stop() && failed.to_string().contains(&file_name(1)), "{failed}");
    let again = snapshot(&|id| store.has(id), 2, 0);
    store.save(3, &again).unwrap();
    assert_eq!(store.load().unwrap().unwrap().parts.get(PartId::of(&vec![1; 1000])).unwrap().len(), 1000);
}

/// However long some parts live, the files are few, and at most half of what is in them is not needed.
#[test]
fn files_and_what_nobody_needs_in_them_are_bounded() {
    let mut store = SnapshotStore::open(MemoryDisk::new()).unwrap();
    for n in 1..=400u64 {
        let mut parts = Parts::new(&|_| false);
        // one part stays of each snapshot, for a long time; a large one does not
        (n.saturating_sub(150)..=n).for_each(|kept| _ = parts.put(kept.to_le_bytes().repeat(50)));
        parts.put(n.to_le_bytes().repeat(100_000));
        store.save(n, &Snapshot { state: Vec::new(), parts: parts.into_parts() }).unwrap();
        let files = names(&store.disk);
        assert!(files.len() <= 70, "{n}: {}", files.len());
        let bytes: usize = files.iter().map(|name| store.disk.read(name).unwrap().len()).sum();
        assert!(bytes <= 2 * (151 * 400 + 800_000) + (20 << 20), "{n}: {bytes}");
    }
}
