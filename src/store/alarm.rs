//! Reading that fails. redb gives up a file after one operation that failed, reads too, and only the writer opens it again:
//! it must hear of a read that failed, for a server that is only read from has no other cause to look.

use super::StoreError;
use super::rows::{Order, Rows};
use super::schema::Table;
use super::writer::{Job, Shared};
use redb::ReadTransaction;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;

/// How a snapshot reaches the writer.
pub(super) struct Line {
    pub(super) shared: Arc<Shared>,
    pub(super) queue: SyncSender<Job>,
}

/// The bell of one snapshot.
pub(super) struct Alarm {
    pub(super) line: Arc<Line>,
    /// Which opening of the file it reads. What fails because the file was closed under it is no news.
    pub(super) opening: u64,
}

impl Alarm {
    pub(super) fn ring(&self) {
        let shared = &self.line.shared;
        if shared.openings.load(Ordering::Acquire) != self.opening
            || !shared.ready.swap(false, Ordering::AcqRel)
        {
            return;
        }
        log::error!("the data file cannot be read; it is opened again");
        // Anything wakes the writer. A full queue does so by itself.
        shared.counters.queued();
        let nothing = Job::Run(Box::new(|_, _| Ok(Box::new(|_| {}))));
        if self.line.queue.try_send(nothing).is_err() {
            shared.counters.not_queued();
        }
    }
}

/// Rows of a snapshot.
pub(super) struct Watched {
    pub(super) txn: ReadTransaction,
    pub(super) alarm: Option<Alarm>,
}

impl Watched {
    fn heard<T>(&self, read: Result<T, StoreError>) -> Result<T, StoreError> {
        if let (Err(StoreError::Unavailable(_)), Some(alarm)) = (&read, &self.alarm) {
            alarm.ring();
        }
        read
    }
}

impl Rows for Watched {
    fn row(&self, table: Table, key: &[u8], read: &mut dyn FnMut(&[u8])) -> Result<(), StoreError> {
        self.heard(self.txn.row(table, key, read))
    }

    fn count(&self, table: Table) -> Result<u64, StoreError> {
        self.heard(self.txn.count(table))
    }

    fn scan(
        &self,
        table: Table,
        range: (Bound<&[u8]>, Bound<&[u8]>),
        order: Order,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        self.heard(self.txn.scan(table, range, order, visit))
    }
}
