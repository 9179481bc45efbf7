use super::*;
use crate::model::Event;
use crate::model::{Change, Decision, EventKind, Group};
use crate::store::schema::SCHEMA;
use crate::store::testing::Folder;
use crate::store::verify::{verify, verify_beside_writer, verify_open};
use crate::store::{OpenError, ReadOnly, Store};
use crate::types::Timestamp;
use std::os::unix::fs::FileExt;

const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

fn put_groups(store: &Store, numbers: std::ops::Range<u32>) {
    let groups = numbers.map(|number| {
        Change::PutGroup(Group {
            name: format!("group{number}").parse().unwrap(),
            description: "x".repeat(200),
            created: NOW,
        })
    });
    let changes: Vec<Change> = groups.collect();
    store
        .submit(move |_| {
            Ok(Decision {
                changes,
                events: vec![Event::success(EventKind::GroupChanged, NOW)],
                reply: Ok::<(), ()>(()),
            })
        })
        .unwrap()
        .unwrap();
}

fn groups_in(path: &Path) -> usize {
    let file = ReadOnly::open(path).unwrap();
    file.snapshot().unwrap().view().groups().unwrap().len()
}

#[test]
fn a_backup_has_all_rows_of_its_commit_and_no_dead_page() {
    let place = Folder::new("backup-whole");
    let data = place.join("doorlight.redb");
    let store = Store::open(&data).unwrap();
    for round in 0..20 {
        put_groups(&store, round * 100..round * 100 + 100);
    }
    let snapshot = store.snapshot().unwrap();
    // What comes after the snapshot is not in it.
    put_groups(&store, 5_000..5_100);
    let target = place.join("copy.redb");
    let size = to_file(&snapshot, &data, &target, None, &|| true).unwrap();
    let found = std::fs::metadata(&target).unwrap();
    assert_eq!((found.len(), found.mode() & 0o7777), (size, 0o600));
    assert!(size < std::fs::metadata(&data).unwrap().len());
    let groups = |view: crate::store::View<'_>| view.groups().unwrap();
    let copy = ReadOnly::open(&target).unwrap().snapshot().unwrap();
    assert_eq!(groups(copy.view()), groups(snapshot.view()));
    assert_eq!(groups(copy.view()).len(), 2_000);
    let events = |view: &crate::store::View<'_>| view.event_count().unwrap();
    assert_eq!(events(&copy.view()), 20);

    // The same bytes of records, to a stream and to a nameless file.
    let mut streamed = Vec::new();
    let sent = write_to(&snapshot, &place, &mut streamed, None, &|| true).unwrap();
    assert_eq!(sent, u64::try_from(streamed.len()).unwrap());
    std::fs::write(place.join("streamed.redb"), &streamed).unwrap();
    assert_eq!(groups_in(&place.join("streamed.redb")), 2_000);
    assert_eq!(
        place.names(),
        ["copy.redb", "doorlight.redb", "streamed.redb"]
    );
    drop(snapshot);
    store.close();
}

#[test]
fn a_copy_without_a_name_is_checked_like_any_other() {
    let place = Folder::new("nameless");
    let data = place.join("doorlight.redb");
    let store = Store::open(&data).unwrap();
    put_groups(&store, 0..300);
    let copy = to_nameless(&store.snapshot().unwrap(), &place, &|| true).unwrap();
    let contents = verify_open(&copy, Path::new("copy")).unwrap();
    assert!(contents.checksums && contents.count("groups") == Some(300));
    assert_eq!(contents.faults, ["settings: they are missing"]);
    let mut bytes = Vec::new();
    (&copy).read_to_end(&mut bytes).unwrap();
    assert_eq!(u64::try_from(bytes.len()).unwrap(), contents.bytes);
    let record = bytes
        .windows(6)
        .position(|part| part == b"\"name\"")
        .unwrap();
    copy.write_all_at(b"m", u64::try_from(record + 2).unwrap())
        .unwrap();
    let damaged = verify_open(&copy, Path::new("copy"));
    let found = match damaged {
        Ok(contents) => contents.faults.len() > 1,
        Err(error) => error.to_string().contains("copy is damaged"),
    };
    assert!(found);
    assert_eq!(place.names(), ["doorlight.redb"]);
    store.close();
}

#[test]
fn failed_backup_leaves_the_good_one() {
    let place = Folder::new("backup-failed");
    let data = place.join("doorlight.redb");
    let store = Store::open(&data).unwrap();
    put_groups(&store, 0..500);
    let target = place.join("copy.redb");
    let snapshot = store.snapshot().unwrap();
    to_file(&snapshot, &data, &target, None, &|| true).unwrap();
    let good = std::fs::read(&target).unwrap();

    // Half-way through.
    let rows = std::cell::Cell::new(0);
    let half = || {
        rows.set(rows.get() + 1);
        rows.get() < 250
    };
    let stopped = to_file(&snapshot, &data, &target, None, &half);
    assert!(matches!(stopped, Err(BackupError::Stopped)), "{stopped:?}");
    assert_eq!(std::fs::read(&target).unwrap(), good);
    // A folder that is none, and one that cannot be written.
    for folder in ["nowhere", "doorlight.redb"] {
        let target = place.join(folder).join("copy.redb");
        let failed = to_file(&snapshot, &data, &target, None, &|| true);
        assert!(matches!(failed, Err(BackupError::Target(..))), "{failed:?}");
    }
    // A receiver that is gone.
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let failed = write_to(&snapshot, &place, &mut Gone, None, &|| true);
    assert!(matches!(failed, Err(BackupError::Target(..))), "{failed:?}");
    assert_eq!(place.names(), ["copy.redb", "doorlight.redb"]);
    drop(snapshot);
    store.close();
}

#[test]
fn a_mistyped_name_costs_no_other_file() {
    let place = Folder::new("backup-foreign");
    let data = place.join("doorlight.redb");
    let store = Store::open(&data).unwrap();
    put_groups(&store, 0..5);
    let letter = place.join("letter.txt");
    std::fs::write(&letter, "Dear Sir or Madam").unwrap();
    std::os::unix::fs::symlink(&data, place.join("link.redb")).unwrap();
    let snapshot = store.snapshot().unwrap();
    let try_at = |name: &str| to_file(&snapshot, &data, &place.join(name), None, &|| true);
    assert!(matches!(try_at("letter.txt"), Err(BackupError::Foreign(_))));
    assert!(matches!(
        try_at("doorlight.redb"),
        Err(BackupError::Itself(_))
    ));
    assert!(matches!(try_at("link.redb"), Err(BackupError::Itself(_))));
    assert_eq!(std::fs::read(&letter).unwrap(), b"Dear Sir or Madam");
    drop(snapshot);
    store.close();
    assert_eq!(groups_in(&data), 5);
}

#[test]
fn every_damaged_page_is_found_and_the_file_keeps_its_bytes() {
    let place = Folder::new("backup-damage");
    let data = place.join("doorlight.redb");
    let store = Store::open(&data).unwrap();
    put_groups(&store, 0..300);
    let target = place.join("copy.redb");
    to_file(&store.snapshot().unwrap(), &data, &target, None, &|| true).unwrap();
    store.close();
    let good = std::fs::read(&target).unwrap();
    // No server has started with this file: that is all that is wrong with it.
    let contents = verify(&target).unwrap();
    assert_eq!(contents.faults, ["settings: they are missing"]);
    assert_eq!(contents.count("groups"), Some(300));
    assert_eq!(std::fs::read(&target).unwrap(), good);

    let text = b"xxxxxxxxxxxxxxxx";
    let places: Vec<usize> = (0..good.len() - text.len())
        .step_by(1_999)
        .filter(|at| good[*at..].starts_with(text))
        .collect();
    assert!(places.len() > 10, "{}", places.len());
    for at in places {
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(&target, &bad).unwrap();
        let found = verify(&target);
        let damaged = match &found {
            Ok(contents) => contents.faults.iter().any(|fault| fault.contains("pages")),
            Err(OpenError::Corrupt(..)) => true,
            Err(_) => false,
        };
        assert!(damaged, "{at}: {found:?}");
        assert_eq!(std::fs::read(&target).unwrap(), bad);
    }
    for cut in [1, 8, 100, 4_096, good.len() / 2, good.len() - 1] {
        std::fs::write(&target, &good[..cut]).unwrap();
        assert!(verify(&target).is_err(), "{cut}");
    }
    assert!(matches!(
        verify(&place.join("none")),
        Err(OpenError::Missing(_))
    ));
}

/// The byte of the header that names the newer of its two halves: redb mends it for whoever opens a file alone, by going
/// back to an older commit, and a server refuses it. A backup was called whole that no server would have opened.
#[test]
fn a_header_that_no_server_takes_is_not_whole() {
    let place = Folder::new("header");
    let path = place.join("doorlight.redb");
    let store = Store::open(&path).unwrap();
    put_groups(&store, 0..3);
    store.close();
    let sound = std::fs::read(&path).unwrap();
    assert!(verify(&path).is_ok());
    let mut refused = 0;
    for flags in 0..8 {
        let mut bytes = sound.clone();
        bytes[MAGIC.len()] = flags;
        std::fs::write(&path, &bytes).unwrap();
        let looks_well = verify(&path).is_ok();
        // As one that was encrypted is looked at.
        let opened = std::fs::File::open(&path).unwrap();
        assert_eq!(verify_open(&opened, &path).is_ok(), looks_well);
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "verify wrote");
        let opens = Store::open(&path).map(|store| store.close()).is_ok();
        assert!(opens || !looks_well, "flags {flags}");
        refused += usize::from(!opens);
    }
    assert!(refused > 0, "a server takes each of them");
}

/// Nothing checks the sizes there. With smaller regions a file was called whole, and damaged once a server had closed it.
#[test]
fn a_header_with_sizes_of_another_file_is_not_whole() {
    let place = Folder::new("sizes");
    let path = place.join("doorlight.redb");
    Store::open(&path).unwrap().close();
    let sound = std::fs::read(&path).unwrap();
    let fault = "the head of the file is damaged";
    let faults = |path: &Path| verify(path).map(|contents| contents.faults);
    assert!(!faults(&path).unwrap().iter().any(|told| told == fault));
    let mut opened = 0;
    for at in 12..24 {
        let mut bytes = sound.clone();
        bytes[at] ^= 0x12;
        std::fs::write(&path, &bytes).unwrap();
        if let Ok(faults) = faults(&path) {
            assert!(faults.iter().any(|told| told == fault), "{at}: {faults:?}");
            opened += 1;
        }
    }
    assert!(opened > 0, "redb refuses each of them");
}

/// A backup on a bad stick once told its owner to update Doorlight.
#[test]
fn a_page_that_is_damaged_makes_no_file_newer_or_another_programs() {
    let place = Folder::new("version");
    let path = place.join("doorlight.redb");
    Store::open(&path).unwrap().close();
    let sound = std::fs::read(&path).unwrap();
    let version = SCHEMA.to_be_bytes();
    let mut damaged = 0;
    for at in 0..sound.len() - version.len() {
        if sound[at..at + version.len()] != version {
            continue;
        }
        let mut bytes = sound.clone();
        bytes[at + 4..at + 8].fill(0xff);
        std::fs::write(&path, &bytes).unwrap();
        match verify(&path) {
            Err(OpenError::Corrupt(..)) => damaged += 1,
            // A page that nobody reads.
            Ok(_) => {}
            Err(error) => panic!("{at}: {error}"),
        }
    }
    assert!(damaged > 0, "the version is not found");
}

/// The server goes on while `verify` looks at its file.
#[test]
fn a_file_that_is_being_written_is_found_whole() {
    let place = Folder::new("backup-live");
    let data = place.join("doorlight.redb");
    let store = Store::open(&data).unwrap();
    put_groups(&store, 0..500);
    let over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut round = 0;
            while !over.load(std::sync::atomic::Ordering::Acquire) {
                put_groups(&store, round % 40 * 100..round % 40 * 100 + 20);
                round += 1;
            }
        });
        for _ in 0..10 {
            let contents = verify_beside_writer(&data);
            if !contents
                .as_ref()
                .is_ok_and(|c| c.faults == ["settings: they are missing"])
            {
                over.store(true, std::sync::atomic::Ordering::Release);
                panic!("{contents:?}");
            }
        }
        over.store(true, std::sync::atomic::Ordering::Release);
    });
    store.close();
}

#[test]
fn rows_that_contradict_each_other_are_told_by_name() {
    let place = Folder::new("backup-rows");
    let data = place.join("doorlight.redb");
    let store = Store::open(&data).unwrap();
    put_groups(&store, 0..1);
    let text = |table: super::super::schema::Table, key: &'static [u8], value: &'static [u8]| {
        store
            .submit_rows(move |tables| {
                tables.with(table, |rows| {
                    rows.insert(key, value)?;
                    Ok(())
                })
            })
            .unwrap();
    };
    use super::super::schema::Table;
    text(
        Table::Users,
        &[7; 16],
        b"{\"v\":1,\"password\":\"very secret\"}",
    );
    text(Table::Usernames, b"nobody", &[9; 16]);
    text(Table::Members, b"group0\0aaaaaaaaaaaaaaaa", b"");
    text(Table::UserCodes, b"ABCDEFGH", b"short");
    text(Table::Admins, &[3; 16], b"");
    text(Table::Settings, b"backups", b"{\"v\":1,\"good\":7}");
    store.close();
    let contents = verify(&data).unwrap();
    let all = contents.faults.join("\n");
    for part in [
        "users: 070w3ge1r70w3ge1r70w3ge1r7 does not read",
        "usernames: nobody belongs to no record",
        "members: ",
        "user_codes: ABCDEFGH belongs to no record",
        "admins: ",
        "settings: they are missing",
        "settings: what became of backups does not read",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    assert!(!all.contains("very secret"), "{all}");
    assert_eq!(contents.faults.len(), 7, "{all}");
}
