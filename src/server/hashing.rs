//! The gate before Argon2: one hash a core, at most two, 32 waiting (DESIGN §7). Each takes 19 MiB.

use crate::crypto::password::{self, Verdict};
use crate::crypto::random;
use crate::types::Secret;
use std::sync::{Condvar, Mutex, PoisonError};

const AT_ONCE: usize = 2;
const WAITING: usize = 32;

/// Too many are waiting; answered with 503 and `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// The gate.
pub struct Hashing {
    at_once: usize,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Default)]
struct State {
    running: usize,
    waiting: usize,
}

impl Default for Hashing {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            at_once: cores.min(AT_ONCE),
            state: Mutex::default(),
            freed: Condvar::new(),
        }
    }
}

impl Hashing {
    /// Hashes a new password.
    pub fn hash(&self, secret: &Secret) -> Result<String, Busy> {
        self.pass(|| password::hash(secret, random::bytes()))
            .and_then(|hash| hash.map_err(|_| Busy))
    }

    /// Checks a password; against nobody's hash, in the same time, where there is none.
    pub fn verify(&self, secret: &Secret, phc: Option<&str>) -> Result<Verdict, Busy> {
        self.pass(|| match phc {
            Some(phc) => password::verify(secret, phc),
            None => {
                password::verify_nobody(secret);
                Verdict::Mismatch
            }
        })
    }

    fn pass<T>(&self, work: impl FnOnce() -> T) -> Result<T, Busy> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.running >= self.at_once {
            if state.waiting >= WAITING {
                return Err(Busy);
            }
            state.waiting += 1;
            while state.running >= self.at_once {
                state = self
                    .freed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            state.waiting -= 1;
        }
        state.running += 1;
        drop(state);
        let _leave = Leave(self);
        Ok(work())
    }
}

struct Leave<'a>(&'a Hashing);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .running -= 1;
        self.0.freed.notify_one();
    }
}
