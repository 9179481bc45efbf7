//! Connections, counted since the start: one process, one set of counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// Of all sockets together.
#[derive(Debug)]
pub struct Counters {
    pub(super) accepted: AtomicU64,
    pub(super) closed: AtomicU64,
    pub(super) shed: AtomicU64,
    pub(super) turned_away: AtomicU64,
}

static COUNTERS: Counters = Counters {
    accepted: AtomicU64::new(0),
    closed: AtomicU64::new(0),
    shed: AtomicU64::new(0),
    turned_away: AtomicU64::new(0),
};

/// The counts.
pub fn counters() -> &'static Counters {
    &COUNTERS
}

impl Counters {
    /// Connections that there are now.
    pub fn open(&self) -> u64 {
        // Closed first: what is accepted between the two counts as open.
        let closed = self.closed.load(Ordering::Acquire);
        self.accepted.load(Ordering::Relaxed).saturating_sub(closed)
    }

    /// Connections that were accepted.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Idle or stalling ones that were closed to make room.
    pub fn shed(&self) -> u64 {
        self.shed.load(Ordering::Relaxed)
    }

    /// Those that found no room.
    pub fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }
}

pub(super) fn up(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Release);
}
