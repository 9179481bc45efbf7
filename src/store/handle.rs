//! The handle on the data file: snapshots, jobs for the writer, and what they are told (DESIGN §2).
//! Not here: what becomes of a job (`writer`).

use super::alarm::{Alarm, Line};
use super::counters::Counters;
use super::tables::Tables;
use super::writer::{Batch, Job, Release, Reopen, Run, Shared, Writer};
use super::{OpenError, Snapshot, StoreError, View, event_log, open};
use crate::model::{Change, Decision, Event};
use crate::types::{ClientId, RequestId, SessionId, Timestamp};
use redb::{Database, ReadableDatabase};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Jobs that may wait (DESIGN §7).
const QUEUE: usize = 1_024;
/// Between two tries to get into a full queue.
const QUEUE_PAUSE: Duration = Duration::from_millis(10);

/// What follows from a decision's changes beside themselves, worked out in the writer's turn, before any is applied. One
/// place for all decisions: whoever writes the next one cannot forget it.
pub type Consequences = fn(&View<'_>, &[Change]) -> Result<Vec<Change>, StoreError>;

/// A handle on the file and its writer; clones share them.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    line: Arc<Line>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
    consequences: Consequences,
}

impl Store {
    /// Opens or makes the file and starts its writer; nothing follows from what is decided. For tests.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_with(path, |_, _| Ok(Vec::new()))
    }

    /// Opens or makes the file and starts its writer. Every decision has these consequences.
    pub fn open_with(path: &Path, consequences: Consequences) -> Result<Self, OpenError> {
        let db = open::writable(path)?;
        let again = path.to_owned();
        let reopen = Box::new(move || open::reopened(&again));
        Self::over(path, db, reopen, consequences)
    }

    /// Starts the writer over a file that is open. `reopen` opens the same file once it has failed.
    pub(super) fn over(
        path: &Path,
        db: Database,
        reopen: Reopen,
        consequences: Consequences,
    ) -> Result<Self, OpenError> {
        let shared = Arc::new(Shared::new(path, Arc::new(db), reopen));
        let (queue, jobs) = sync_channel(QUEUE);
        let writer = Writer::new(shared.clone());
        let thread = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || writer.run(&jobs))
            .map_err(|e| OpenError::Io(path.to_owned(), e))?;
        let line = Arc::new(Line {
            shared: shared.clone(),
            queue,
        });
        Ok(Self {
            shared,
            line,
            thread: Arc::new(Mutex::new(Some(thread))),
            consequences,
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
            Some(db) => {
                let alarm = Alarm {
                    line: self.line.clone(),
                    opening: self.shared.openings.load(Ordering::Acquire),
                };
                match db.begin_read() {
                    Ok(txn) => Ok(Snapshot::watched(txn, alarm)),
                    Err(error) => {
                        alarm.ring();
                        Err(error.into())
                    }
                }
            }
            None => Err(StoreError::Unavailable("it is being reopened".to_owned())),
        }
    }

    /// Hands the writer a job and waits until what it decided, and what follows from it, is durable. `decide` sees every
    /// earlier job.
    pub fn submit<T, E, F>(&self, decide: F) -> Result<Result<T, E>, StoreError>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&View<'_>) -> Result<Decision<T, E>, StoreError> + Send + 'static,
    {
        self.hand_over(decide)?.wait()
    }

    /// Hands the writer a job; its answer can be waited for.
    pub(super) fn hand_over<T, E, F>(&self, decide: F) -> Result<Pending<T, E>, StoreError>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&View<'_>) -> Result<Decision<T, E>, StoreError> + Send + 'static,
    {
        let (answer, settled) = sync_channel(1);
        let reply = Arc::new(Mutex::new(None));
        let decided = reply.clone();
        let consequences = self.consequences;
        let request = RequestId::current();
        self.send(Box::new(move |tables, batch| {
            let decision = decide(&View::of_writer(tables))?;
            *decided.lock().unwrap_or_else(PoisonError::into_inner) = Some(decision.reply);
            let (changes, mut events) = (decision.changes, decision.events);
            name_request(&mut events, request);
            take_with(consequences, tables, batch, changes, events)?;
            Ok(told(answer))
        }))?;
        Ok(Pending { settled, reply })
    }

    /// Records events that no answer waits for; dropped, with a line in the log, when the queue is full.
    pub fn record(&self, mut events: Vec<Event>) {
        name_request(&mut events, RequestId::current());
        let run: Run = Box::new(move |tables, batch| {
            batch.take(tables, Vec::new(), events)?;
            Ok(Box::new(|_| {}))
        });
        if let Err(e) = self.send(run) {
            log::warn!("an event was not recorded: {e}");
        }
    }

    /// Runs a step of the sweep on the writer.
    pub(super) fn submit_rows<F>(&self, work: F) -> Result<(), StoreError>
    where
        F: FnOnce(&Tables<'_>) -> Result<(), StoreError> + Send + 'static,
    {
        let (answer, wait) = sync_channel(1);
        let run: Run = Box::new(move |tables, batch| {
            batch.rows(|| work(tables))?;
            Ok(told(answer))
        });
        self.send(run)?;
        until(&wait)
    }

    /// Writes that the clock is sure (`ops::clock`).
    pub fn note_sure(&self, now: Timestamp) -> Result<(), StoreError> {
        self.submit_rows(move |tables| event_log::put_sure(tables, now))
    }

    fn send(&self, run: Run) -> Result<(), StoreError> {
        // Before it is: the writer may have it done by then.
        self.shared.counters.queued();
        self.line.queue.try_send(Job::Run(run)).map_err(|e| {
            self.shared.counters.not_queued();
            match e {
                TrySendError::Full(_) => StoreError::Busy,
                TrySendError::Disconnected(_) => StoreError::Unavailable("it is closed".to_owned()),
            }
        })
    }

    /// What the writer did since the start.
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// Whether the writer has a turn for a job that does nothing, within so long. One that finds its file down answers
    /// too: it opens it again by itself.
    pub fn answers(&self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        let (answer, wait) = sync_channel(1);
        loop {
            let answer = answer.clone();
            let run: Run = Box::new(move |_, _| {
                Ok(Box::new(move |_| {
                    // Whoever asked may have given up.
                    let _ = answer.send(());
                }))
            });
            match self.send(run) {
                Ok(()) => break,
                // A full queue is no stuck writer, if it goes on.
                Err(StoreError::Busy) if Instant::now() < deadline => {
                    std::thread::sleep(QUEUE_PAUSE)
                }
                Err(_) => return false,
            }
        }
        drop(answer);
        let left = deadline.saturating_duration_since(Instant::now());
        !matches!(wait.recv_timeout(left), Err(RecvTimeoutError::Timeout))
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

    /// Grows whenever the settings changed.
    pub fn settings_changes(&self) -> u64 {
        self.shared.settings_changes.load(Ordering::Acquire)
    }

    /// How often a delivery was put, or somebody rang.
    pub fn delivery_changes(&self) -> u64 {
        self.shared.deliveries.count()
    }

    /// Waits until a commit has put a delivery since that count, or [`Store::ring_deliveries`], or for so long.
    pub fn await_delivery(&self, counted: u64, longest: Option<Duration>) {
        self.shared.deliveries.wait(counted, longest);
    }

    /// Wakes whoever waits for deliveries.
    pub fn ring_deliveries(&self) {
        self.shared.deliveries.ring();
    }

    /// Notes that a session was used; written with some later commit, never on its own.
    pub fn mark_seen(&self, session: SessionId, now: Timestamp) {
        self.shared.seen_sessions.note(session, now);
    }

    /// Notes that an application that registered itself was used; written with some later commit, never on its own.
    pub fn mark_used(&self, client: ClientId, now: Timestamp) {
        self.shared.used_clients.note(client, now);
    }

    /// Notes that the clock is sure; written with the next commit, never on its own.
    pub fn mark_sure(&self, now: Timestamp) {
        self.shared.sure.note((), now);
    }

    /// Writes what is queued, closes the file, ends the writer.
    pub fn close(&self) {
        let _ = self.line.queue.send(Job::Close);
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

/// A job that the writer was handed. What it decided lies ready before it is durable; nobody looks until then.
pub(super) struct Pending<T, E> {
    settled: Receiver<Result<(), StoreError>>,
    reply: Arc<Mutex<Option<Result<T, E>>>>,
}

impl<T, E> Pending<T, E> {
    /// Until it is durable, or is not going to be.
    pub(super) fn wait(self) -> Result<Result<T, E>, StoreError> {
        until(&self.settled)?;
        let mut reply = self.reply.lock().unwrap_or_else(PoisonError::into_inner);
        reply.take().ok_or_else(did_not_happen)
    }
}

// What follows knows no type of a decision: the compiler makes one copy of it, and not one for each.

/// Applies a decision's changes and what follows from them.
fn take_with(
    consequences: Consequences,
    tables: &Tables<'_>,
    batch: &mut Batch,
    mut changes: Vec<Change>,
    events: Vec<Event>,
) -> Result<(), StoreError> {
    let more = consequences(&View::of_writer(tables), &changes)?;
    changes.extend(more);
    batch.take(tables, changes, events)
}

/// Tells whoever waits what became of the commit.
fn told(answer: SyncSender<Result<(), StoreError>>) -> Release {
    Box::new(move |committed| {
        // The receiver is gone only when its thread is.
        let _ = answer.send(committed);
    })
}

fn until(settled: &Receiver<Result<(), StoreError>>) -> Result<(), StoreError> {
    settled.recv().unwrap_or_else(|_| Err(did_not_happen()))
}

/// A job was dropped without an answer.
fn did_not_happen() -> StoreError {
    StoreError::Unavailable("the write did not happen".to_owned())
}

/// Events tell which request caused them: the one that the thread answered which handed them over.
fn name_request(events: &mut [Event], request: Option<RequestId>) {
    for event in events {
        event.request = event.request.or(request);
    }
}
