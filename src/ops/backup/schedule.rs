//! Backups that are made by themselves, and at once where somebody asks: one at a time, recorded, and tidied up after.
//! Each is made in a thread of its own. A folder on a network may hang for ever, and nothing else waits for it: neither
//! the other background work nor the end of the server.
//! Not here: when one is due (`due`), how one is made (`making`), which are kept (`retention`).

use super::due::{self, Due};
use super::folder::{self, Tidied};
use super::making::{self, MakeError};
use crate::model::{
    Author, BackupFailed, BackupMade, BackupSettings, Change, Decision, Event, EventKind, Outcome,
};
use crate::ops::clock;
use crate::ops::timer::Task;
use crate::store::backup::BackupError;
use crate::store::{Store, StoreError};
use std::convert::Infallible;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Between two looks at what is due. A look reads the file and writes nothing.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How long a last backup of the future must stay one, before the clock is believed.
const DOUBT: Duration = Duration::from_secs(600);
/// The least between two that are begun by themselves, by a clock that nobody sets: after one that went well, and after
/// one that failed. Less than what `due` decides; it counts where the clock jumps, or where nothing is recorded.
const LEAST: Duration = Duration::from_secs(55 * 60);
const LEAST_FAILED: Duration = Duration::from_secs(4 * 60);
/// How long the end of the server waits for one that is being made.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who the audit log names for those that are made by themselves.
const SCHEDULE: &str = "schedule";

/// Something that one does at a time.
#[derive(Clone, Debug, Default)]
pub struct Turns(Arc<AtomicBool>);

/// The turn; it ends when this is dropped.
#[derive(Debug)]
pub struct Turn(Arc<AtomicBool>);

impl Turns {
    /// The turn, unless another has it.
    pub fn take(&self) -> Option<Turn> {
        let free = !self.0.swap(true, Ordering::AcqRel);
        free.then(|| Turn(self.0.clone()))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Why there is no backup.
#[derive(Debug)]
pub enum RunError {
    /// One is being made.
    Busy,
    /// It failed, and that is recorded.
    Failed(MakeError),
    /// It was made, and that could not be recorded; or the settings could not be read.
    Store(StoreError),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("a backup is being made at this moment"),
            Self::Failed(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RunError {}

impl From<StoreError> for RunError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Backups of one process.
#[derive(Debug, Default)]
pub struct Backups {
    making: Turns,
    /// Downloads, which take room on the disk while they last.
    pub downloads: Turns,
    stopping: AtomicBool,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Backups {
    /// Makes one now, for whoever asks, and tidies up.
    pub fn make(&self, store: &Store, by: &Author) -> Result<BackupMade, RunError> {
        let turn = self.making.take().ok_or(RunError::Busy)?;
        self.make_in(&turn, store, by)
    }

    fn make_in(&self, _turn: &Turn, store: &Store, by: &Author) -> Result<BackupMade, RunError> {
        let settings = store.snapshot()?.view().settings_made()?.backups;
        match making::make(store, &settings, by.now, &|| self.goes_on()) {
            Ok(made) => {
                let tidied = tidied(&settings, &made);
                record_made(store, &made, &tidied, by)?;
                Ok(made)
            }
            Err(error) => {
                if is_worth_telling(&error) {
                    record_failed(store, &error, by);
                }
                Err(RunError::Failed(error))
            }
        }
    }

    /// Whether the server goes on.
    pub fn goes_on(&self) -> bool {
        !self.stopping.load(Ordering::Relaxed)
    }

    /// Ends what is being made, and waits a little for it.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        let Some(thread) = self.lock().take() else {
            return;
        };
        let begun = Instant::now();
        while !thread.is_finished() && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
        if !thread.is_finished() {
            log::warn!("a backup hangs and is given up");
        } else if thread.join().is_err() {
            log::error!("a backup ended unexpectedly");
        }
    }

    /// Begins one, if it is due.
    fn look(self: &Arc<Self>, store: &Store, pace: &mut Pace) -> Result<(), StoreError> {
        let snapshot = store.snapshot()?;
        let view = snapshot.view();
        // A file that no server has started with has none.
        let Some(settings) = view.settings()?.map(|settings| settings.backups) else {
            return Ok(());
        };
        let record = view.backup_record()?;
        let due = due::due(&settings, &record, clock::now());
        if pace.allows(due, settings, record.failed_since, Instant::now()) {
            self.begin(store.clone());
        }
        Ok(())
    }

    /// Takes the turn first: `stop` waits for the thread that has it, and one that hangs is not forgotten for another.
    fn begin(self: &Arc<Self>, store: Store) {
        let Some(turn) = self.making.take() else {
            return;
        };
        let own = self.clone();
        let work = move || {
            let by = Author {
                name: SCHEDULE.to_owned(),
                address: None,
                now: clock::now(),
            };
            // The audit log has what else there is to tell.
            if let Err(error @ RunError::Store(_)) = own.make_in(&turn, &store, &by) {
                log::warn!("backup: {error}");
            }
        };
        let spawned = std::thread::Builder::new()
            .name("backup".to_owned())
            .spawn(work);
        match spawned {
            Ok(thread) => *self.lock() = Some(thread),
            Err(error) => log::warn!("no backup was begun: {error}"),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<JoinHandle<()>>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks again and again whether one is due.
pub fn task(backups: Arc<Backups>, store: Store) -> Task {
    let mut pace = Pace::default();
    Box::new(move || {
        if let Err(error) = backups.look(&store, &mut pace) {
            log::warn!("whether a backup is due is not known: {error}");
        }
        LOOK_EVERY
    })
}

/// Holds back what a wrong clock would do too often.
#[derive(Default)]
struct Pace {
    doubted: Option<Instant>,
    begun: Option<(Instant, BackupSettings)>,
}

impl Pace {
    /// Whether one is begun now. New settings are tried at once.
    fn allows(&mut self, due: Due, settings: BackupSettings, failed: u32, now: Instant) -> bool {
        let wanted = match due {
            Due::Now => true,
            Due::NowIfItStaysSo => {
                let since = *self.doubted.get_or_insert(now);
                now.saturating_duration_since(since) >= DOUBT
            }
            Due::Never | Due::At(_) => false,
        };
        if due != Due::NowIfItStaysSo {
            self.doubted = None;
        }
        let least = if failed == 0 { LEAST } else { LEAST_FAILED };
        let too_soon = self.begun.as_ref().is_some_and(|(at, with)| {
            *with == settings && now.saturating_duration_since(*at) < least
        });
        if !wanted || too_soon {
            return false;
        }
        self.doubted = None;
        self.begun = Some((now, settings));
        true
    }
}

/// Whoever stopped it, or has none set, knows it.
fn is_worth_telling(error: &MakeError) -> bool {
    !matches!(
        error,
        MakeError::Off | MakeError::Backup(BackupError::Stopped)
    )
}

fn tidied(settings: &BackupSettings, made: &BackupMade) -> Tidied {
    let folder = settings.folder.as_deref().unwrap_or_default();
    folder::tidy(Path::new(folder), settings.keep, made).unwrap_or_else(|error| Tidied {
        removed: 0,
        failed: Some((folder.to_owned(), error)),
    })
}

fn record_made(
    store: &Store,
    made: &BackupMade,
    tidied: &Tidied,
    by: &Author,
) -> Result<(), StoreError> {
    let mut detail = format!("{}, {} bytes", made.file, made.bytes);
    if tidied.removed > 0 {
        detail = format!("{detail}; older ones removed: {}", tidied.removed);
    }
    if let Some((name, error)) = &tidied.failed {
        detail = format!("{detail}; {name} should go and is still there: {error}");
    }
    let event = by.did(EventKind::BackupMade).detail(detail);
    let made = made.clone();
    let Ok(()) = store.submit(move |view| {
        let mut record = view.backup_record()?;
        record.good = Some(made);
        record.failed_since = 0;
        let reply: Result<(), Infallible> = Ok(());
        Ok(Decision {
            changes: vec![Change::PutBackupRecord(Box::new(record))],
            events: vec![event],
            reply,
        })
    })?;
    Ok(())
}

/// The data file may be on the disk that is full: then the log is all there is.
fn record_failed(store: &Store, error: &MakeError, by: &Author) {
    let event = Event {
        outcome: Outcome::Refused,
        ..by.did(EventKind::BackupFailed).detail(error.to_string())
    };
    let failure = BackupFailed {
        time: by.now,
        why: event.detail.clone(),
    };
    let told = store.submit(move |view| {
        let mut record = view.backup_record()?;
        record.failed_since = record.failed_since.saturating_add(1);
        record.failure = Some(failure);
        let reply: Result<(), Infallible> = Ok(());
        Ok(Decision {
            changes: vec![Change::PutBackupRecord(Box::new(record))],
            events: vec![event],
            reply,
        })
    });
    if let Err(unrecorded) = told {
        log::warn!("a backup failed: {error}; that could not be recorded: {unrecorded}");
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
