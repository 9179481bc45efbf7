use super::*;
use crate::crypto::age::{self, Identity, Key};
use crate::model::{BackupRecord, Keep, Settings};
use crate::store::testing::{self, Folder};
use crate::store::verify::verify;
use crate::types::Timestamp;
use std::io::{BufReader, Read};
use std::path::PathBuf;

const NOW: Timestamp = Timestamp::from_secs(1_795_953_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// A data file with a folder for backups beside it.
struct Place {
    dir: Folder,
    store: Store,
}

impl Place {
    fn new(test: &str) -> Self {
        let dir = Folder::new(test);
        std::fs::create_dir(dir.join("backups")).unwrap();
        let store = Store::open(&dir.join("doorlight.redb")).unwrap();
        Self { dir, store }
    }

    fn folder(&self) -> PathBuf {
        self.dir.join("backups")
    }

    fn set(&self, change: impl FnOnce(&mut BackupSettings)) {
        let mut settings = Settings::new(vec![7; 32].into());
        settings.backups.folder = Some(self.folder().display().to_string());
        settings.backups.keep = Keep {
            daily: 2,
            weekly: 0,
            monthly: 0,
        };
        change(&mut settings.backups);
        let submitted = self.store.submit(move |_| {
            let reply: Result<(), Infallible> = Ok(());
            Ok(Decision {
                changes: vec![Change::PutSettings(Box::new(settings))],
                events: Vec::new(),
                reply,
            })
        });
        submitted.unwrap().unwrap();
    }

    fn make(&self, now: Timestamp) -> Result<BackupMade, RunError> {
        let by = Author {
            name: "root".to_owned(),
            address: None,
            now,
        };
        Backups::default().make(&self.store, &by)
    }

    fn settings(&self) -> BackupSettings {
        let snapshot = self.store.snapshot().unwrap();
        snapshot.view().settings_made().unwrap().backups
    }

    fn record(&self) -> BackupRecord {
        self.store
            .snapshot()
            .unwrap()
            .view()
            .backup_record()
            .unwrap()
    }

    fn names(&self) -> Vec<String> {
        testing::names(&self.folder())
    }

    fn counted(&self, kind: EventKind, outcome: Outcome) -> u64 {
        self.store.counters().events(kind, outcome)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.store.close();
    }
}

#[test]
fn backups_are_made_checked_recorded_and_tidied_up() {
    let place = Place::new("schedule-good");
    place.set(|_| {});
    for day in 0..4 {
        let made = place.make(NOW.plus(DAY * day)).unwrap();
        assert_eq!(place.record().good, Some(made.clone()));
        assert_eq!(std::fs::metadata(&made.file).unwrap().len(), made.bytes);
        let contents = verify(Path::new(&made.file)).unwrap();
        assert!(contents.is_whole(), "{contents:?}");
    }
    assert_eq!(
        place.names(),
        [
            "doorlight-2026-12-01-120000.redb",
            "doorlight-2026-12-02-120000.redb"
        ]
    );
    assert_eq!(place.counted(EventKind::BackupMade, Outcome::Success), 4);
}

#[test]
fn with_recipients_it_is_encrypted_to_each_and_nothing_plain_is_left_anywhere() {
    let place = Place::new("schedule-encrypted");
    let people = [Identity::generate(), Identity::generate()];
    place.set(|settings| {
        settings.recipients = people.iter().map(|i| i.recipient().to_string()).collect();
    });
    let made = place.make(NOW).unwrap();
    assert_eq!(place.names(), ["doorlight-2026-11-29-120000.redb.age"]);
    let beside: Vec<_> = std::fs::read_dir(&place.dir).unwrap().collect();
    assert_eq!(beside.len(), 2, "{beside:?}");
    for identity in people {
        let file = BufReader::new(std::fs::File::open(&made.file).unwrap());
        let mut plain = Vec::new();
        let key = Key::Identities(vec![identity]);
        age::decrypt(file, &key)
            .unwrap()
            .read_to_end(&mut plain)
            .unwrap();
        let opened = place.dir.join("opened.redb");
        std::fs::write(&opened, plain).unwrap();
        assert!(verify(&opened).unwrap().is_whole());
    }
    // A recipient that does not read makes none, rather than a plain one.
    place.set(|settings| settings.recipients = vec!["age1nobody".to_owned()]);
    assert!(matches!(
        place.make(NOW.plus(DAY)),
        Err(RunError::Failed(MakeError::Recipient(_)))
    ));
    assert_eq!(place.names().len(), 1);
}

#[test]
fn a_backup_that_fails_removes_nothing_and_says_why() {
    let place = Place::new("schedule-failed");
    place.set(|_| {});
    for day in 0..2 {
        place.make(NOW.plus(DAY * day)).unwrap();
    }
    let good = place.record().good;
    let before = place.names();
    // The folder vanishes, as a stick that was pulled out.
    let hidden = place.dir.join("hidden");
    std::fs::rename(place.folder(), &hidden).unwrap();
    place.make(NOW.plus(DAY * 2)).unwrap_err();
    let why = place.record().failure.unwrap().why;
    assert!(why.contains("there is no such folder"), "{why}");
    // A file stands where it was.
    std::fs::write(place.folder(), "").unwrap();
    place.make(NOW.plus(DAY * 3)).unwrap_err();
    let record = place.record();
    assert_eq!((record.failed_since, record.good), (2, good));
    assert!(record.failure.unwrap().why.contains("this is no folder"));
    std::fs::remove_file(place.folder()).unwrap();
    std::fs::rename(&hidden, place.folder()).unwrap();
    assert_eq!(place.names(), before);
    // The name is taken: by a link, which is neither followed nor replaced.
    let letter = place.dir.join("letter.txt");
    std::fs::write(&letter, "Dear Sir or Madam").unwrap();
    let taken = place.folder().join("doorlight-2026-12-03-120000.redb");
    std::os::unix::fs::symlink(&letter, &taken).unwrap();
    place.make(NOW.plus(DAY * 4)).unwrap_err();
    assert!(
        place
            .record()
            .failure
            .unwrap()
            .why
            .contains("is there already")
    );
    assert_eq!(
        std::fs::read_to_string(&letter).unwrap(),
        "Dear Sir or Madam"
    );
    assert_eq!(place.counted(EventKind::BackupFailed, Outcome::Refused), 3);
    let made = place.make(NOW.plus(DAY * 5)).unwrap();
    let record = place.record();
    assert_eq!((record.failed_since, record.good), (0, Some(made)));
}

/// Where the data file has a disk of its own, the one below the mount point is another one as well.
#[test]
fn a_mount_point_where_nothing_is_mounted_any_more_gets_no_backup() {
    let place = Place::new("schedule-point");
    place.set(|settings| settings.mount_point = Some("/mnt/doorlight-was-here".to_owned()));
    let failed = place.make(NOW).unwrap_err();
    assert!(
        matches!(failed, RunError::Failed(MakeError::NothingMounted(..))),
        "{failed}"
    );
    assert!(place.names().is_empty());
    assert_eq!(place.record().failed_since, 1);
    // Somewhere above it, or just there, all is well.
    place.set(|settings| settings.mount_point = Some("/".to_owned()));
    place.make(NOW).unwrap();
}

/// An empty mount point on the card of the data file looks like the stick that is not there.
#[test]
fn a_disk_that_is_not_mounted_gets_no_backup_on_the_disk_below() {
    let place = Place::new("schedule-unmounted");
    place.set(|settings| settings.on_other_disk = true);
    let failed = place.make(NOW).unwrap_err();
    assert!(
        matches!(failed, RunError::Failed(MakeError::NotMounted(_))),
        "{failed}"
    );
    assert!(place.names().is_empty());
}

/// A share of the network may hang for ever while it is written to. A plain backup held a snapshot all that time, and the
/// data file grew with each sign-in until its disk was full.
#[test]
fn while_the_folder_is_written_to_the_data_file_uses_its_pages_again() {
    let place = Place::new("schedule-hangs");
    place.set(|_| {});
    let settings = place.settings();
    let size = || std::fs::metadata(place.store.path()).unwrap().len();
    let mut grown = Vec::new();
    for recipients in [
        Vec::new(),
        vec![Identity::generate().recipient().to_string()],
    ] {
        let settings = BackupSettings {
            recipients,
            ..settings.clone()
        };
        let asked = std::cell::Cell::new(0);
        let last = std::cell::Cell::new(None);
        // The last times that it asks, it writes to the folder.
        let count = || {
            asked.set(asked.get() + 1);
            true
        };
        making::make(&place.store, &settings, NOW, &count).unwrap();
        let total = asked.replace(0);
        let busy = || {
            asked.set(asked.get() + 1);
            if asked.get() == total {
                for minute in 0..20 {
                    place.set(|settings| settings.minute = minute);
                }
                let before = size();
                for minute in 0..150 {
                    place.set(|settings| settings.minute = minute);
                }
                last.set(Some(size() - before));
            }
            true
        };
        making::make(&place.store, &settings, NOW.plus(DAY), &busy).unwrap();
        grown.push(last.get().unwrap());
    }
    assert!(grown.iter().all(|bytes| *bytes < 256 * 1_024), "{grown:?}");
}

#[test]
fn one_that_is_stopped_while_it_is_written_leaves_nothing_there() {
    let place = Place::new("schedule-stopped");
    place.set(|_| {});
    let count = std::cell::Cell::new(0_u32);
    let all = || {
        count.set(count.get() + 1);
        true
    };
    making::make(&place.store, &place.settings(), NOW, &all).unwrap();
    let before = place.names();
    let left = std::cell::Cell::new(count.get());
    let until = || {
        left.set(left.get() - 1);
        left.get() > 0
    };
    let stopped = making::make(&place.store, &place.settings(), NOW.plus(DAY), &until);
    assert!(
        matches!(stopped, Err(MakeError::Backup(BackupError::Stopped))),
        "{stopped:?}"
    );
    assert_eq!(place.names(), before);
}

/// A copy that fills the disk of the data file keeps everybody from signing in.
#[test]
fn where_a_copy_could_fill_the_disk_of_the_data_file_none_is_made() {
    let place = Place::new("schedule-room");
    place.set(|_| {});
    let room = folder::room(&place.dir).unwrap();
    let file = std::fs::File::options()
        .write(true)
        .open(place.store.path())
        .unwrap();
    let size = file.metadata().unwrap().len();
    // With a hole in it, as long as all that is free.
    file.set_len(room).unwrap();
    let made = making::make(&place.store, &place.settings(), NOW, &|| true);
    file.set_len(size).unwrap();
    let Err(error @ MakeError::Room(_)) = made else {
        panic!("{made:?}");
    };
    assert!(
        error.to_string().contains("a copy could fill it"),
        "{error}"
    );
    assert!(place.names().is_empty());
    place.make(NOW.plus(DAY)).unwrap();
}

#[test]
fn without_a_folder_nothing_is_made_or_recorded() {
    let place = Place::new("schedule-off");
    place.set(|settings| settings.folder = None);
    assert!(matches!(
        place.make(NOW),
        Err(RunError::Failed(MakeError::Off))
    ));
    assert_eq!(place.record(), BackupRecord::default());
    let stopped = Backups::default();
    stopped.stop();
    place.set(|_| {});
    let by = Author {
        name: "root".to_owned(),
        address: None,
        now: NOW,
    };
    stopped.make(&place.store, &by).unwrap_err();
    assert_eq!(place.record(), BackupRecord::default());
    assert!(place.names().is_empty());
}

#[test]
fn one_is_made_at_a_time() {
    let turns = Turns::default();
    let turn = turns.take().unwrap();
    assert!(turns.take().is_none());
    drop(turn);
    assert!(turns.take().is_some());
}

/// The end of the server waited for a thread that had nothing to do, and not for the one that was making a backup.
#[test]
fn one_that_hangs_is_still_the_one_that_the_end_waits_for() {
    let place = Place::new("schedule-handle");
    place.set(|_| {});
    let backups = Arc::new(Backups::default());
    let turn = backups.making.take().unwrap();
    backups.begin(place.store.clone());
    assert!(backups.lock().is_none());
    drop(turn);
    backups.begin(place.store.clone());
    backups.lock().take().unwrap().join().unwrap();
    assert_eq!(place.names().len(), 1);
}

#[test]
fn a_look_makes_the_one_that_is_due_and_then_writes_nothing() {
    let place = Place::new("schedule-look");
    place.set(|_| {});
    let backups = Arc::new(Backups::default());
    let mut pace = Pace::default();
    backups.look(&place.store, &mut pace).unwrap();
    let thread = backups.lock().take().unwrap();
    thread.join().unwrap();
    assert_eq!(place.names().len(), 1);
    let commits = place.store.commits();
    for _ in 0..10 {
        backups.look(&place.store, &mut pace).unwrap();
        assert!(backups.lock().is_none());
    }
    assert_eq!(place.store.commits(), commits);
}

#[test]
fn no_clock_makes_a_storm() {
    let begin = Instant::now();
    let minute = Duration::from_secs(60);
    let count = |due: &dyn Fn(u32) -> Due, failed: u32| {
        let mut pace = Pace::default();
        (0..24 * 60)
            .filter(|n| {
                let now = begin + minute * *n;
                pace.allows(due(*n), BackupSettings::default(), failed, now)
            })
            .count()
    };
    // Always due: nothing was recorded, or the clock jumps to and fro.
    assert!(count(&|_| Due::Now, 0) <= 27);
    assert!(count(&|_| Due::NowIfItStaysSo, 0) <= 27);
    assert_eq!(
        count(
            &|n| if n % 10 == 0 {
                Due::Never
            } else {
                Due::NowIfItStaysSo
            },
            0
        ),
        0
    );
    assert!(count(&|_| Due::Now, 1) <= 360);
    assert_eq!(count(&|_| Due::At(NOW), 0), 0);
    // New settings are tried at once.
    let mut pace = Pace::default();
    assert!(pace.allows(Due::Now, BackupSettings::default(), 0, begin));
    assert!(!pace.allows(Due::Now, BackupSettings::default(), 0, begin));
    let other = BackupSettings {
        minute: 7,
        ..BackupSettings::default()
    };
    assert!(pace.allows(Due::Now, other, 0, begin));
}
