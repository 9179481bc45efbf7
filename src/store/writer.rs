//! The one writer (DESIGN §2): a bounded queue, many decisions a commit, replies only after it.

use super::bell::Bell;
use super::codec::encode;
use super::counters::Counters;
use super::marks::Marks;
use super::remembered::Remembered;
use super::schema::Table;
use super::tables::Tables;
use super::{OpenError, StoreError, View, apply, event_log, panics};
use crate::model::{Change, Event};
use crate::types::{ClientId, SessionId};
use redb::Database;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Jobs in one commit: enough that one sync serves all who wait, few enough that none waits long.
const BATCH: usize = 256;
/// How often a failed file is tried again.
const REOPEN_EVERY: Duration = Duration::from_millis(500);
/// A mark younger than this is not worth a write.
const MARK_GRAIN: Duration = Duration::from_secs(300);

/// Opens the file again after it failed, and proves that it can be written.
pub(super) type Reopen = Box<dyn Fn() -> Result<Database, OpenError> + Send + Sync>;

/// What the writer and its handles share.
pub(super) struct Shared {
    pub(super) path: PathBuf,
    reopen: Reopen,
    pub(super) db: RwLock<Option<Arc<Database>>>,
    /// How often the file was opened; changes with `db` only.
    pub(super) openings: AtomicU64,
    pub(super) ready: AtomicBool,
    pub(super) commits: AtomicU64,
    pub(super) key_changes: AtomicU64,
    pub(super) client_changes: AtomicU64,
    pub(super) settings_changes: AtomicU64,
    pub(super) seen_sessions: Marks<SessionId>,
    pub(super) used_clients: Marks<ClientId>,
    pub(super) sure: Marks<()>,
    pub(super) deliveries: Bell,
    pub(super) counters: Counters,
}

impl Shared {
    pub(super) fn new(path: &Path, db: Arc<Database>, reopen: Reopen) -> Self {
        Self {
            path: path.to_owned(),
            reopen,
            db: RwLock::new(Some(db)),
            openings: AtomicU64::new(1),
            ready: AtomicBool::new(true),
            commits: AtomicU64::new(1),
            key_changes: AtomicU64::new(1),
            client_changes: AtomicU64::new(1),
            settings_changes: AtomicU64::new(1),
            seen_sessions: Marks::default(),
            used_clients: Marks::default(),
            sure: Marks::default(),
            deliveries: Bell::default(),
            counters: Counters::default(),
        }
    }
}

/// What stands in the queue.
pub(super) enum Job {
    Run(Run),
    Close,
}

pub(super) type Run =
    Box<dyn FnOnce(&Tables<'_>, &mut Batch) -> Result<Release, StoreError> + Send>;
pub(super) type Release = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// What a batch has gathered beside its rows.
#[derive(Default)]
pub(super) struct Batch {
    changed: bool,
    keys_changed: bool,
    clients_changed: bool,
    settings_changed: bool,
    deliveries_put: bool,
    events: Vec<Event>,
    /// Set while changes are applied: where it stays set, a decision stands half in the transaction.
    applying: bool,
}

impl Batch {
    /// Applies a decision's changes, and keeps its events for the commit.
    pub(super) fn take(
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
            self.clients_changed |= matches!(
                change,
                Change::PutClient(_)
                    | Change::DeleteClient(_)
                    | Change::PutResource(_)
                    | Change::DeleteResource(_)
            );
            self.settings_changed |= matches!(change, Change::PutSettings(_));
            self.deliveries_put |= matches!(change, Change::PutDelivery(_));
            apply::apply(tables, change)?;
        }
        self.applying = false;
        self.events.extend(events);
        Ok(())
    }

    /// Lets the sweep take rows away.
    pub(super) fn rows(
        &mut self,
        work: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.changed = true;
        self.applying = true;
        work()?;
        self.applying = false;
        Ok(())
    }
}

/// The thread's own.
pub(super) struct Writer {
    shared: Arc<Shared>,
    last_event: u64,
    remembered: Remembered,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            last_event: 0,
            remembered: Remembered::default(),
        }
    }

    /// Writes until it is told to close.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        let mut crowded = false;
        loop {
            let ready = self.shared.ready.load(Ordering::Acquire);
            let (batch, close) = gather(jobs, ready, crowded);
            crowded = batch.len() > 1;
            self.shared.counters.taken(batch.len());
            let shared = self.shared.clone();
            if !batch.is_empty() && panics::untold(&shared.path, || self.commit(batch)).is_none() {
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
                if batch.settings_changed {
                    self.shared.settings_changes.fetch_add(1, Ordering::AcqRel);
                }
                if batch.deliveries_put {
                    self.shared.deliveries.ring();
                }
                for event in &batch.events {
                    self.shared.counters.recorded(event);
                    event.log();
                }
            }
            Err(e) => {
                log::error!("{e}");
                self.shared.counters.gave_up();
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
        let begun = Instant::now();
        let txn = db.begin_write()?;
        // Taken: where nothing is committed, none of it is kept.
        let tables = Tables::new(&txn, std::mem::take(&mut self.remembered));
        for job in jobs {
            let error = match panics::untold(&self.shared.path, || job(&tables, batch)) {
                Some(Ok(release)) => {
                    releases.push(release);
                    continue;
                }
                Some(Err(error)) => error,
                None => StoreError::Panicked,
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
            self.remembered = tables.into_remembered();
            return Ok(txn.abort()?);
        }
        self.flush_marks(&tables)?;
        batch.clients_changed |= self.flush_uses(&tables)?;
        self.put_events(&tables, &batch.events)?;
        let remembered = tables.into_remembered();
        // Nothing of ours runs in there.
        let committed = panics::told(&self.shared.path, || txn.commit());
        committed
            .ok_or_else(|| StoreError::Unavailable("its pages contradict each other".into()))??;
        self.remembered = remembered;
        self.shared.counters.commits.note(begun.elapsed());
        Ok(())
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
        for ((), sure) in self.shared.sure.take() {
            event_log::put_sure(tables, sure)?;
        }
        for (id, seen) in self.shared.seen_sessions.take() {
            if let Some(mut session) = View::of_writer(tables).session(id)?
                && seen.since(session.last_seen) >= MARK_GRAIN
            {
                session.last_seen = seen;
                apply::apply(tables, Change::PutSession(Box::new(session)))?;
            }
        }
        Ok(())
    }

    /// Whether any was written.
    fn flush_uses(&self, tables: &Tables<'_>) -> Result<bool, StoreError> {
        let mut written = false;
        for (id, used) in self.shared.used_clients.take() {
            if let Some(mut client) = View::of_writer(tables).client(id)?
                && client.mark_used(used)
            {
                apply::apply(tables, Change::PutClient(Box::new(client)))?;
                written = true;
            }
        }
        Ok(written)
    }

    /// Lets go of the failed file and opens it again. Readers that still hold it finish first.
    fn reopen(&mut self) {
        self.remembered = Remembered::default();
        let old = self
            .shared
            .db
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(old) = old else {
            match (self.shared.reopen)() {
                Ok(db) => {
                    let shared = &self.shared;
                    let mut held = shared.db.write().unwrap_or_else(PoisonError::into_inner);
                    *held = Some(Arc::new(db));
                    shared.openings.fetch_add(1, Ordering::AcqRel);
                    drop(held);
                    // A commit that failed may have reached the disk all the same: nothing remembered holds.
                    self.shared.commits.fetch_add(1, Ordering::AcqRel);
                    self.shared.key_changes.fetch_add(1, Ordering::AcqRel);
                    self.shared.client_changes.fetch_add(1, Ordering::AcqRel);
                    self.shared.settings_changes.fetch_add(1, Ordering::AcqRel);
                    self.shared.deliveries.ring();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Decision, EventKind, Group};
    use crate::store::Store;
    use crate::store::testing::Folder;
    use crate::types::{Id, Timestamp};

    /// A delete that met a record it could not read once left the changes before it in the batch, and they were
    /// committed without their event.
    #[test]
    fn half_a_decision_is_never_committed() {
        let dir = Folder::new("writer");
        let path = dir.join("doorlight.redb");
        let store = Store::open(&path).unwrap();
        let bad = SessionId(Id::from_bytes([9; 16]));
        store
            .submit_rows(move |tables| {
                tables.with(Table::Sessions, |t| {
                    t.insert(bad.as_bytes().as_slice(), b"noise".as_slice())?;
                    Ok(())
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
                begun.elapsed() < Duration::from_secs(60),
                "it was not opened again"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(store.snapshot().unwrap().view().group(&name).unwrap(), None);
        // The next decision goes through.
        let done = store.submit(|_| Ok(Decision::<(), ()>::reply(Ok(()))));
        assert_eq!(done, Ok(Ok(())));
        store.close();
    }
}
