//! The gate before Argon2: one hash a core, at most two, 32 waiting (DESIGN §7). Each takes 19 MiB. What takes much
//! memory for another reason goes through it too.
//! Strangers from many addresses can fill the line. So its last places are kept for those who are known, and the known
//! go first: a crowd costs them one hash of waiting, not a refusal.

use crate::crypto::password::{self, Verdict};
use crate::crypto::random;
use crate::types::{Phc, Secret};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

const AT_ONCE: usize = 2;
const WAITING: usize = 32;
/// Waiting places that strangers never take.
const KEPT: usize = 8;

/// Too many are waiting; answered with 503 and `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// Who has a password checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// Someone with a session, or in a browser that the person signed in with before.
    Known,
    /// Anyone.
    Stranger,
}

/// The gate.
pub struct Hashing {
    at_once: usize,
    state: Mutex<State>,
    known_called: Condvar,
    strangers_called: Condvar,
}

#[derive(Default)]
struct State {
    running: usize,
    known: Line,
    strangers: Line,
}

/// Those who wait. Who leaves hands the place to one of them: nobody who comes later can take it.
#[derive(Default)]
struct Line {
    waiting: usize,
    called: usize,
}

impl State {
    fn line(&mut self, asker: Asker) -> &mut Line {
        match asker {
            Asker::Known => &mut self.known,
            Asker::Stranger => &mut self.strangers,
        }
    }
}

impl Default for Hashing {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            at_once: cores.min(AT_ONCE),
            state: Mutex::default(),
            known_called: Condvar::new(),
            strangers_called: Condvar::new(),
        }
    }
}

impl Hashing {
    /// Hashes a new password. Only those get so far who showed a session, a right password or a link.
    pub fn hash(&self, secret: &Secret) -> Result<Phc, Busy> {
        self.pass(Asker::Known, || password::hash(secret, random::bytes()))
            .and_then(|hash| hash.map_err(|_| Busy))
    }

    /// Checks a password; against nobody's hash, in the same time, where there is none.
    pub fn verify(
        &self,
        secret: &Secret,
        phc: Option<&str>,
        asker: Asker,
    ) -> Result<Verdict, Busy> {
        self.pass(asker, || match phc {
            Some(phc) => password::verify(secret, phc),
            None => {
                password::verify_nobody(secret);
                Verdict::Mismatch
            }
        })
    }

    /// Does other work that takes much memory, for someone who is known: a key from a passphrase, for one.
    pub fn other<T>(&self, work: impl FnOnce() -> T) -> Result<T, Busy> {
        self.pass(Asker::Known, work)
    }

    fn pass<T>(&self, asker: Asker, work: impl FnOnce() -> T) -> Result<T, Busy> {
        let mut state = self.lock();
        if state.running < self.at_once {
            state.running += 1;
        } else {
            let most = match asker {
                Asker::Known => WAITING,
                Asker::Stranger => WAITING - KEPT,
            };
            if state.known.waiting + state.strangers.waiting >= most {
                return Err(Busy);
            }
            state.line(asker).waiting += 1;
            while state.line(asker).called == 0 {
                state = self
                    .called(asker)
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            state.line(asker).called -= 1;
            state.line(asker).waiting -= 1;
        }
        drop(state);
        let _leave = Leave(self);
        Ok(work())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn called(&self, asker: Asker) -> &Condvar {
        match asker {
            Asker::Known => &self.known_called,
            Asker::Stranger => &self.strangers_called,
        }
    }
}

struct Leave<'a>(&'a Hashing);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        for asker in [Asker::Known, Asker::Stranger] {
            let line = state.line(asker);
            if line.waiting > line.called {
                line.called += 1;
                self.0.called(asker).notify_one();
                return;
            }
        }
        state.running -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    fn waiting(gate: &Hashing, count: usize) {
        loop {
            let state = gate.lock();
            if state.known.waiting + state.strangers.waiting >= count {
                return;
            }
            drop(state);
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_crowd_of_strangers_leaves_places_for_the_known_who_go_first() {
        let gate = Hashing {
            at_once: 1,
            ..Hashing::default()
        };
        let (open, closed) = channel::<()>();
        let (done, order) = channel();
        std::thread::scope(|scope| {
            let gate = &gate;
            scope.spawn(move || gate.pass(Asker::Stranger, || closed.recv()));
            while gate.lock().running == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
            for (asker, count) in [(Asker::Stranger, WAITING - KEPT), (Asker::Known, KEPT)] {
                for _ in 0..count {
                    let done = done.clone();
                    scope.spawn(move || gate.pass(asker, || done.send(asker)));
                }
                let so_far = if asker == Asker::Known {
                    WAITING
                } else {
                    count
                };
                waiting(gate, so_far);
                assert_eq!(gate.pass(Asker::Stranger, || ()), Err(Busy));
            }
            assert_eq!(gate.pass(Asker::Known, || ()), Err(Busy));
            open.send(()).unwrap();
        });
        drop(done);
        let order: Vec<Asker> = order.iter().collect();
        assert_eq!(order.len(), WAITING);
        assert!(order.iter().take(KEPT).all(|asker| *asker == Asker::Known));
        assert_eq!(gate.lock().running, 0);
        assert_eq!(gate.pass(Asker::Stranger, || ()), Ok(()));
    }
}
