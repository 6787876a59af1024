use super::*;
use crate::edge::state::DirDisk;
use crate::edge::state::memory::{Crash, MemoryDisk};

fn body(sequence: u64) -> Vec<u8> {
    format!("state {sequence} ").repeat(20 + sequence as usize).into_bytes()
}

fn names(disk: &impl Disk) -> Vec<String> {
    let mut names = disk.list().unwrap();
    names.sort();
    names
}

/// Saves 1, 2, … until done or stopped; returns the last sequence whose save returned.
fn save_all(store: &mut SnapshotStore<MemoryDisk>, n_saves: u64) -> u64 {
    (1..=n_saves).take_while(|sequence| store.save(*sequence, &body(*sequence)).is_ok()).last().unwrap_or(0)
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
                assert_eq!(loaded.body, body(sequence), "call {at}, {}", crash.as_str());
                assert_eq!(loaded.refused, [], "call {at}, {}", crash.as_str());
            }
            for next in sequence + 1..=N_SAVES {
                store.save(next, &body(next)).unwrap();
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
        let errors: Vec<StateError> = (1..=3).filter_map(|sequence| store.save(sequence, &body(sequence)).err()).collect();
        let [StateError::Disk { step, .. }] = &errors[..] else { panic!("call {at}: {errors:?}") };
        let stops = matches!(step, DiskStep::SyncFile | DiskStep::Rename | DiskStep::SyncDirectory);
        assert_eq!(errors[0].must_stop(), stops);
        let loaded = store.load().unwrap().unwrap();
        assert_eq!((loaded.body, loaded.refused), (body(loaded.sequence), Vec::new()), "call {at}");
        assert!(loaded.sequence >= 2, "call {at}");
    }
}

#[test]
fn only_the_last_two_are_kept() {
    let mut store = SnapshotStore::open(MemoryDisk::new()).unwrap();
    assert_eq!(store.load().unwrap(), None);
    for _ in 0..4 {
        store.save(store.next_sequence(), b"x").unwrap();
    }
    assert_eq!(names(&store.disk), [file_name(3), file_name(4)]);
    assert!(matches!(store.save(4, b"x"), Err(StateError::SequenceNotAfter { sequence: 4, highest: 4 })));
}

#[test]
fn a_refused_file_is_named_and_the_older_one_used() {
    let good = |sequence| format::encode(sequence, &body(sequence));
    let mut flipped = good(3);
    flipped[40] ^= 4;
    let mut newer = good(3);
    newer[7] = 3;
    let cases = [
        (good(3)[..30].to_vec(), "torn"),
        (flipped, "checksum"),
        (newer, "format version 3, but this driftd reads version 2"),
        (good(2), "sequence 2"),
        (vec![0; 50], "not a driftd snapshot"),
    ];
    for (bytes, message) in cases {
        let mut disk = MemoryDisk::new();
        disk.put(&file_name(2), &good(2));
        disk.put(&file_name(3), &bytes);
        let mut store = SnapshotStore::open(disk).unwrap();
        let loaded = store.load().unwrap().unwrap();
        assert_eq!((loaded.sequence, loaded.body), (2, body(2)));
        let refused = loaded.refused[0].to_string();
        assert!(refused.starts_with(&file_name(3)) && refused.contains(message), "{refused}");
        // the number goes on behind the refused file, and that stays for whoever wants to look at it
        assert_eq!(store.next_sequence(), 4);
        store.save(4, &body(4)).unwrap();
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
    store.save(9, b"y").unwrap();
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
        store.save(sequence, &body(sequence)).unwrap();
    }
    let refused = DirDisk::open(&path).unwrap_err().to_string();
    assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
    drop(store);
    std::fs::write(path.join("notes.txt"), "kept").unwrap();
    let mut store = SnapshotStore::open(DirDisk::open(&path).unwrap()).unwrap();
    assert_eq!(store.load().unwrap().unwrap().body, body(4));
    store.save(5, &body(5)).unwrap();
    assert_eq!(names(&store.disk), ["driftd.lock", "notes.txt", &file_name(4), &file_name(5)]);
}

#[test]
fn a_directory_that_cannot_be_made_says_so() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("file"), "").unwrap();
    let message = DirDisk::open(&directory.path().join("file/state")).unwrap_err().to_string();
    assert!(message.contains("daemon.state_dir"), "{message}");
}
