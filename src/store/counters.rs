//! What the writer did since the start, for whoever watches the server: its queue, its commits, and what they recorded.
//! Not here: how it is told (`server::metrics`).

use crate::model::{Event, EventKind, Outcome};
use crate::types::Histogram;
use std::sync::atomic::{AtomicU64, Ordering};

/// Of one store.
#[derive(Debug, Default)]
pub struct Counters {
    waiting: AtomicU64,
    jobs: AtomicU64,
    failed: AtomicU64,
    /// How long commits took: jobs, changes and both syncs.
    pub commits: Histogram,
    events: Events,
}

#[derive(Debug)]
struct Events([[AtomicU64; 2]; EventKind::ALL.len()]);

impl Default for Events {
    fn default() -> Self {
        Self([const { [const { AtomicU64::new(0) }; 2] }; EventKind::ALL.len()])
    }
}

impl Counters {
    /// Jobs that wait now.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Jobs that had their turn.
    pub fn jobs(&self) -> u64 {
        self.jobs.load(Ordering::Relaxed)
    }

    /// Batches that were given up because the file could not be written.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Events of that kind and outcome that were recorded.
    pub fn events(&self, kind: EventKind, outcome: Outcome) -> u64 {
        self.of(kind, outcome)
            .map_or(0, |count| count.load(Ordering::Relaxed))
    }

    fn of(&self, kind: EventKind, outcome: Outcome) -> Option<&AtomicU64> {
        let outcome = match outcome {
            Outcome::Success => 0,
            Outcome::Refused => 1,
        };
        self.events.0.get(kind as usize)?.get(outcome)
    }

    pub(super) fn queued(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn not_queued(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn taken(&self, jobs: usize) {
        let jobs = u64::try_from(jobs).unwrap_or(u64::MAX);
        self.waiting.fetch_sub(jobs, Ordering::Relaxed);
        self.jobs.fetch_add(jobs, Ordering::Relaxed);
    }

    pub(super) fn gave_up(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn recorded(&self, event: &Event) {
        if let Some(count) = self.of(event.kind, event.outcome) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Timestamp;

    #[test]
    fn every_kind_and_outcome_has_a_count_of_its_own() {
        let counters = Counters::default();
        for (n, kind) in EventKind::ALL.iter().enumerate() {
            for _ in 0..n {
                counters.recorded(&Event::success(*kind, Timestamp::default()));
            }
            counters.recorded(&Event::refused(*kind, Timestamp::default(), "no"));
        }
        for (n, kind) in (0..).zip(EventKind::ALL) {
            assert_eq!(counters.events(*kind, Outcome::Success), n);
            assert_eq!(counters.events(*kind, Outcome::Refused), 1);
        }
    }
}
