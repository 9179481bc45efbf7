//! A witness of how long the machine itself stood still: where tests share it with others, it runs nothing of ours for
//! a second at times, and no server can answer then. A thread that does nothing but sleep is woken before any that works;
//! where it oversleeps, nobody ran.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long the witness sleeps each time.
const NAP: Duration = Duration::from_millis(5);

/// By which the scheduler may be late with it on a machine that does nothing else than our tests.
const LATE: Duration = Duration::from_millis(40);

/// From when to when the machine stood still, the last of them.
type Standstills = Mutex<VecDeque<(Instant, Instant)>>;

/// A witness at work; it ends with the value.
pub struct Witness {
    over: Arc<AtomicBool>,
    seen: Arc<Standstills>,
    thread: Option<JoinHandle<()>>,
}

impl Witness {
    pub fn new() -> Self {
        let (over, seen) = (Arc::<AtomicBool>::default(), Arc::<Standstills>::default());
        let (ended, stands) = (over.clone(), seen.clone());
        let thread = thread::spawn(move || {
            let mut awake = Instant::now();
            while !ended.load(Ordering::Relaxed) {
                thread::sleep(NAP);
                let (slept_until, now) = (awake + NAP, Instant::now());
                if now.saturating_duration_since(slept_until) > LATE {
                    let mut stands = stands.lock().unwrap_or_else(PoisonError::into_inner);
                    stands.push_back((slept_until, now));
                    if stands.len() > 1_000 {
                        stands.pop_front();
                    }
                }
                awake = now;
            }
        });
        Self {
            over,
            seen,
            thread: Some(thread),
        }
    }

    /// For how long the machine stood still between two moments.
    pub fn still_between(&self, begun: Instant, ended: Instant) -> Duration {
        // Until the witness is awake again, it has told nothing of the last one.
        thread::sleep(2 * NAP);
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let stood = seen.iter().map(|(from, until)| {
            let (from, until) = ((*from).max(begun), (*until).min(ended));
            until.saturating_duration_since(from)
        });
        stood.sum()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
