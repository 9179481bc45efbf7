//! The one writer (DESIGN §2): a bounded queue, many decisions a commit, replies only after it.

use super::apply;
use super::codec::encode;
use super::schema::{SETTINGS_KEY, Table};
use super::{OpenError, Snapshot, StoreError, View, open};
use crate::model::{Change, Decision, Event};
use crate::types::{SessionId, Timestamp};
use redb::{Database, ReadableDatabase, WriteTransaction};
use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel,
};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

/// Jobs that may wait (DESIGN §7).
const QUEUE: usize = 1_024;
/// Jobs in one commit: enough that one sync serves all who wait, few enough that none waits long.
const BATCH: usize = 256;
/// How often a failed file is tried again.
const REOPEN_EVERY: Duration = Duration::from_millis(500);
/// Sessions whose last use is remembered until a commit takes it along.
const MARKS: usize = 4_096;
/// Marks that one commit takes along.
const MARKS_A_COMMIT: usize = 16;
/// A mark younger than this is not worth a write.
const MARK_GRAIN: Duration = Duration::from_secs(300);

/// A handle on the file and its writer; clones share them.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    queue: SyncSender<Job>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

struct Shared {
    path: PathBuf,
    db: RwLock<Option<Arc<Database>>>,
    ready: AtomicBool,
    commits: AtomicU64,
    key_changes: AtomicU64,
    client_changes: AtomicU64,
    marks: Mutex<HashMap<SessionId, Timestamp>>,
}

enum Job {
    Run(Run),
    Close,
}

type Run = Box<dyn FnOnce(&Tables<'_>, &mut Batch) -> Result<Release, StoreError> + Send>;
type Release = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// What a batch has gathered beside its rows.
#[derive(Default)]
pub(super) struct Batch {
    changed: bool,
    keys_changed: bool,
    clients_changed: bool,
    events: Vec<Event>,
    /// Set while changes are applied: where it stays set, a decision stands half in the transaction.
    applying: bool,
}

/// The tables of the open transaction, each opened when first touched.
pub(super) struct Tables<'a> {
    txn: &'a WriteTransaction,
    open: Vec<RefCell<Option<OpenTable<'a>>>>,
}

pub(super) type OpenTable<'a> = redb::Table<'a, &'static [u8], &'static [u8]>;

impl<'a> Tables<'a> {
    fn new(txn: &'a WriteTransaction) -> Self {
        Self {
            txn,
            open: Table::ALL.iter().map(|_| RefCell::new(None)).collect(),
        }
    }

    /// Gives one table to `act`.
    pub(super) fn with<T>(
        &self,
        table: Table,
        act: impl FnOnce(&mut OpenTable<'a>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let place = Table::ALL
            .iter()
            .position(|t| *t == table)
            .and_then(|i| self.open.get(i));
        let cell = place.ok_or_else(|| StoreError::BadRecord("no such table".to_owned()))?;
        let mut cell = cell.borrow_mut();
        if cell.is_none() {
            *cell = Some(self.txn.open_table(table.definition())?);
        }
        match cell.as_mut() {
            Some(open) => act(open),
            None => Err(StoreError::BadRecord("no such table".to_owned())),
        }
    }
}

impl Store {
    /// Opens or makes the file and starts its writer.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let db = Arc::new(open::writable(path)?);
        let shared = Arc::new(Shared {
            path: path.to_owned(),
            db: RwLock::new(Some(db)),
            ready: AtomicBool::new(true),
            commits: AtomicU64::new(1),
            key_changes: AtomicU64::new(1),
            client_changes: AtomicU64::new(1),
            marks: Mutex::new(HashMap::new()),
        });
        let (queue, jobs) = sync_channel(QUEUE);
        let writer = Writer {
            shared: shared.clone(),
            last_event: 0,
        };
        let thread = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || writer.run(&jobs))
            .map_err(|e| OpenError::Io(path.to_owned(), e))?;
        Ok(Self {
            shared,
            queue,
            thread: Arc::new(Mutex::new(Some(thread))),
        })
    }

    /// The data file.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// The file as of its latest commit.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let db = self
            .shared
            .db
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        match db.as_ref() {
            Some(db) => Ok(Snapshot::new(db.begin_read()?)),
            None => Err(StoreError::Unavailable("it is being reopened".to_owned())),
        }
    }

    /// Hands the writer a job and waits until what it decided is durable. `decide` sees every earlier job.
    pub fn submit<T, E, F>(&self, decide: F) -> Result<Result<T, E>, StoreError>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&View<'_>) -> Result<Decision<T, E>, StoreError> + Send + 'static,
    {
        let (answer, wait) = sync_channel(1);
        let run: Run = Box::new(move |tables, batch| {
            let decision = decide(&View::of_writer(tables))?;
            batch.take(tables, decision.changes, decision.events)?;
            let reply = decision.reply;
            Ok(Box::new(move |committed: Result<(), StoreError>| {
                // The receiver is gone only when its thread is.
                let _ = answer.send(committed.map(|()| reply));
            }))
        });
        self.send(run)?;
        wait.recv().unwrap_or_else(|_| {
            Err(StoreError::Unavailable(
                "the write did not happen".to_owned(),
            ))
        })
    }

    /// Records events that no answer waits for; dropped, with a line in the log, when the queue is full.
    pub fn record(&self, events: Vec<Event>) {
        let run: Run = Box::new(move |tables, batch| {
            batch.take(tables, Vec::new(), events)?;
            Ok(Box::new(|_| {}))
        });
        if let Err(e) = self.send(run) {
            log::warn!("an event was not recorded: {e}");
        }
    }

    /// Runs a sweep step on the writer.
    pub(super) fn submit_rows<F>(&self, work: F) -> Result<(), StoreError>
    where
        F: FnOnce(&Tables<'_>) -> Result<bool, StoreError> + Send + 'static,
    {
        let (answer, wait) = sync_channel(1);
        let run: Run = Box::new(move |tables, batch| {
            batch.applying = true;
            batch.changed |= work(tables)?;
            batch.applying = false;
            Ok(Box::new(move |committed| {
                let _ = answer.send(committed);
            }))
        });
        self.send(run)?;
        wait.recv().unwrap_or_else(|_| {
            Err(StoreError::Unavailable(
                "the write did not happen".to_owned(),
            ))
        })
    }

    fn send(&self, run: Run) -> Result<(), StoreError> {
        self.queue.try_send(Job::Run(run)).map_err(|e| match e {
            TrySendError::Full(_) => StoreError::Busy,
            TrySendError::Disconnected(_) => StoreError::Unavailable("it is closed".to_owned()),
        })
    }

    /// Whether the file can be written.
    pub fn is_ready(&self) -> bool {
        self.shared.ready.load(Ordering::Acquire)
    }

    /// How many commits there were. What was read in a snapshot taken after asking holds while this is unchanged.
    pub fn commits(&self) -> u64 {
        self.shared.commits.load(Ordering::Acquire)
    }

    /// Grows whenever a signing key came or went.
    pub fn key_changes(&self) -> u64 {
        self.shared.key_changes.load(Ordering::Acquire)
    }

    /// Grows whenever a client was added, changed or deleted.
    pub fn client_changes(&self) -> u64 {
        self.shared.client_changes.load(Ordering::Acquire)
    }

    /// Notes that a session was used; written with some later commit, never on its own.
    pub fn mark_seen(&self, session: SessionId, now: Timestamp) {
        let mut marks = self
            .shared
            .marks
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if marks.len() < MARKS || marks.contains_key(&session) {
            marks.insert(session, now);
        }
    }

    /// Writes what is queued, closes the file, ends the writer.
    pub fn close(&self) {
        let _ = self.queue.send(Job::Close);
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            log::error!("the writer ended unexpectedly");
        }
    }
}

impl Batch {
    fn take(
        &mut self,
        tables: &Tables<'_>,
        changes: Vec<Change>,
        events: Vec<Event>,
    ) -> Result<(), StoreError> {
        self.changed |= !changes.is_empty();
        self.applying = true;
        for change in changes {
            self.keys_changed |= matches!(
                change,
                Change::PutSigningKey(_) | Change::DeleteSigningKey(_)
            );
            self.clients_changed |=
                matches!(change, Change::PutClient(_) | Change::DeleteClient(_));
            apply::apply(tables, change)?;
        }
        self.applying = false;
        self.events.extend(events);
        Ok(())
    }
}

struct Writer {
    shared: Arc<Shared>,
    last_event: u64,
}

impl Writer {
    fn run(mut self, jobs: &Receiver<Job>) {
        let mut crowded = false;
        loop {
            let ready = self.shared.ready.load(Ordering::Acquire);
            let (batch, close) = gather(jobs, ready, crowded);
            crowded = batch.len() > 1;
            if !batch.is_empty() && catch_unwind(AssertUnwindSafe(|| self.commit(batch))).is_err() {
                log::error!("writing ended unexpectedly; the data file is opened again");
                self.shared.ready.store(false, Ordering::Release);
            }
            if close {
                break;
            }
            if !self.shared.ready.load(Ordering::Acquire) {
                self.reopen();
            }
        }
        self.shared.ready.store(false, Ordering::Release);
        let db = self
            .shared
            .db
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(Ok(Err(e))) = db.map(|db| Arc::try_unwrap(db).map(Database::close)) {
            log::error!("closing the data file: {e}");
        }
    }

    fn commit(&mut self, jobs: Vec<Run>) {
        let db = self
            .shared
            .db
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        // Not ready: the jobs are dropped, and whoever waits for one learns that its write did not happen.
        let Some(db) = db.filter(|_| self.shared.ready.load(Ordering::Acquire)) else {
            return;
        };
        let mut batch = Batch::default();
        let mut releases = Vec::with_capacity(jobs.len());
        let written = self.write(&db, jobs, &mut batch, &mut releases);
        match &written {
            Ok(()) => {
                self.shared.commits.fetch_add(1, Ordering::AcqRel);
                if batch.keys_changed {
                    self.shared.key_changes.fetch_add(1, Ordering::AcqRel);
                }
                if batch.clients_changed {
                    self.shared.client_changes.fetch_add(1, Ordering::AcqRel);
                }
                for event in &batch.events {
                    log::info!(target: "audit", "{event}");
                }
            }
            Err(e) => {
                log::error!("{e}");
                self.shared.ready.store(false, Ordering::Release);
            }
        }
        for release in releases {
            release(written.clone());
        }
    }

    fn write(
        &mut self,
        db: &Database,
        jobs: Vec<Run>,
        batch: &mut Batch,
        releases: &mut Vec<Release>,
    ) -> Result<(), StoreError> {
        let txn = db.begin_write()?;
        let tables = Tables::new(&txn);
        for job in jobs {
            let error = match catch_unwind(AssertUnwindSafe(|| job(&tables, batch))) {
                Ok(Ok(release)) => {
                    releases.push(release);
                    continue;
                }
                Ok(Err(error)) => error,
                Err(_) => StoreError::Panicked,
            };
            // Half a decision must not be committed: the whole batch is given up.
            if batch.applying || matches!(error, StoreError::Unavailable(_)) {
                return Err(StoreError::Unavailable(error.to_string()));
            }
            // A record that does not read, or a panic, before anything was written: that job alone fails. Whoever
            // waits for it sees the answer dropped.
            log::error!("{error}");
        }
        if !batch.changed && batch.events.is_empty() {
            drop(tables);
            return Ok(txn.abort()?);
        }
        self.flush_marks(&tables)?;
        self.put_events(&tables, &batch.events)?;
        drop(tables);
        Ok(txn.commit()?)
    }

    /// Gives each event the next key: its time, or just after the one before.
    fn put_events(&mut self, tables: &Tables<'_>, events: &[Event]) -> Result<(), StoreError> {
        if self.last_event == 0 {
            self.last_event = View::of_writer(tables).last_event()?;
        }
        for event in events {
            let key = View::event_key(event.time).max(self.last_event.saturating_add(1));
            self.last_event = key;
            let bytes = encode(event)?;
            tables.with(Table::Events, |t| {
                t.insert(key.to_be_bytes().as_slice(), bytes.as_slice())?;
                Ok(())
            })?;
        }
        Ok(())
    }

    fn flush_marks(&self, tables: &Tables<'_>) -> Result<(), StoreError> {
        let marks: Vec<(SessionId, Timestamp)> = {
            let mut marks = self
                .shared
                .marks
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let taken: Vec<_> = marks
                .iter()
                .take(MARKS_A_COMMIT)
                .map(|(id, at)| (*id, *at))
                .collect();
            for (id, _) in &taken {
                marks.remove(id);
            }
            taken
        };
        for (id, seen) in marks {
            if let Some(mut session) = View::of_writer(tables).session(id)?
                && seen.since(session.last_seen) >= MARK_GRAIN
            {
                session.last_seen = seen;
                apply::apply(tables, Change::PutSession(Box::new(session)))?;
            }
        }
        Ok(())
    }

    /// Lets go of the failed file and opens it again. Readers that still hold it finish first.
    fn reopen(&self) {
        let old = self
            .shared
            .db
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(old) = old else {
            match open::reopened(&self.shared.path) {
                Ok(db) => {
                    *self
                        .shared
                        .db
                        .write()
                        .unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(db));
                    // A commit that failed may have reached the disk all the same: nothing remembered holds.
                    self.shared.commits.fetch_add(1, Ordering::AcqRel);
                    self.shared.key_changes.fetch_add(1, Ordering::AcqRel);
                    self.shared.client_changes.fetch_add(1, Ordering::AcqRel);
                    self.shared.ready.store(true, Ordering::Release);
                    log::warn!("the data file can be written again");
                }
                Err(e) => log::debug!("the data file cannot be reopened yet: {e}"),
            }
            return;
        };
        drop(old);
        self.reopen();
    }
}

/// Waits for a job and takes along what else is queued, and what is about to be when the last batch was `crowded`.
/// While the file is down it returns in time to try it again.
fn gather(jobs: &Receiver<Job>, ready: bool, mut crowded: bool) -> (Vec<Run>, bool) {
    let first = if ready {
        jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
    } else {
        jobs.recv_timeout(REOPEN_EVERY)
    };
    let mut batch = Vec::new();
    match first {
        Ok(Job::Run(run)) => batch.push(run),
        Ok(Job::Close) | Err(RecvTimeoutError::Disconnected) => return (batch, true),
        Err(RecvTimeoutError::Timeout) => return (batch, false),
    }
    while batch.len() < BATCH {
        match jobs.try_recv() {
            Ok(Job::Run(run)) => batch.push(run),
            Ok(Job::Close) | Err(TryRecvError::Disconnected) => return (batch, true),
            // Whoever is about to ask may do so first: on one core the first job wakes the writer before the others.
            Err(TryRecvError::Empty) if crowded => {
                crowded = false;
                std::thread::yield_now();
            }
            Err(TryRecvError::Empty) => break,
        }
    }
    (batch, false)
}

pub(super) fn put<T: serde::Serialize>(
    tables: &Tables<'_>,
    table: Table,
    key: &[u8],
    record: &T,
) -> Result<(), StoreError> {
    let bytes = encode(record)?;
    tables.with(table, |t| {
        t.insert(key, bytes.as_slice())?;
        Ok(())
    })
}

pub(super) fn put_settings<T: serde::Serialize>(
    tables: &Tables<'_>,
    record: &T,
) -> Result<(), StoreError> {
    put(tables, Table::Settings, SETTINGS_KEY, record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EventKind, Group};
    use crate::types::Id;

    /// A delete that met a record it could not read once left the changes before it in the batch, and they were
    /// committed without their event.
    #[test]
    fn half_a_decision_is_never_committed() {
        let dir = std::env::temp_dir().join(format!("doorlight-writer-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("doorlight.redb");
        let store = Store::open(&path).unwrap();
        let bad = SessionId(Id::from_bytes([9; 16]));
        store
            .submit_rows(move |tables| {
                tables.with(Table::Sessions, |t| {
                    t.insert(bad.as_bytes().as_slice(), b"noise".as_slice())?;
                    Ok(true)
                })
            })
            .unwrap();
        let now = Timestamp::from_secs(1_795_000_000);
        let group = Group {
            name: "staff".parse().unwrap(),
            description: String::new(),
            created: now,
        };
        let name = group.name.clone();
        let submitted = store.submit(move |_| {
            Ok(Decision {
                changes: vec![Change::PutGroup(group), Change::DeleteSession(bad)],
                events: vec![Event::success(EventKind::GroupChanged, now)],
                reply: Ok::<(), ()>(()),
            })
        });
        assert!(
            matches!(submitted, Err(StoreError::Unavailable(_))),
            "{submitted:?}"
        );
        let begun = std::time::Instant::now();
        while !store.is_ready() {
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "it was not opened again"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(store.snapshot().unwrap().view().group(&name).unwrap(), None);
        // The next decision goes through.
        let done = store.submit(|_| Ok(Decision::<(), ()>::reply(Ok(()))));
        assert_eq!(done, Ok(Ok(())));
        store.close();
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
