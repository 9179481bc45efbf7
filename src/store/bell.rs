//! What wakes whoever waits for rows of a kind. Costs the writer a lock that nobody holds for long.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Rung by the writer; counts how often.
#[derive(Default)]
pub(super) struct Bell {
    rung: Mutex<u64>,
    heard: Condvar,
}

impl Bell {
    pub(super) fn ring(&self) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        *rung = rung.wrapping_add(1);
        self.heard.notify_all();
    }

    /// How often it rang.
    pub(super) fn count(&self) -> u64 {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it has rung since it was counted, or for so long. `None`: for ever.
    pub(super) fn wait(&self, counted: u64, longest: Option<Duration>) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let silent = |rung: &mut u64| *rung == counted;
        // A lock that a panic left is as good as any: a count cannot be half written.
        match longest {
            Some(longest) => drop(self.heard.wait_timeout_while(rung, longest, silent)),
            None => drop(self.heard.wait_while(rung, silent)),
        }
    }
}
