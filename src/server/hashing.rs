//! The gate before Argon2: one hash a core, at most two, 32 waiting (DESIGN §7). Each takes 19 MiB. What takes much more, a
//! hash that came from another server or a key from a passphrase, has the gate for itself: two at once would end a server
//! that has the memory for ours.
//! Strangers from many addresses can fill the line. So its last places are kept for those who are known, and the known
//! go first: a crowd costs them one hash of waiting, not a refusal.

use crate::crypto::password::{self, Verdict};
use crate::crypto::random;
use crate::types::{Phc, Secret};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, RwLock};

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

/// How much memory it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Memory {
    /// What a hash of ours takes, or less.
    Ours,
    /// More.
    More,
}

/// The gate.
pub struct Hashing {
    at_once: usize,
    state: Mutex<State>,
    /// Held by all that run: shared by hashes of ours, alone by what takes more memory.
    memory: RwLock<()>,
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
            memory: RwLock::default(),
            known_called: Condvar::new(),
            strangers_called: Condvar::new(),
        }
    }
}

impl Hashing {
    /// Hashes a new password. Only those get so far who showed a session, a right password or a link.
    pub fn hash(&self, secret: &Secret) -> Result<Phc, Busy> {
        self.pass(Asker::Known, Memory::Ours, || {
            password::hash(secret, random::bytes())
        })
        .and_then(|hash| hash.map_err(|_| Busy))
    }

    /// Checks a password; against nobody's hash, in the same time, where there is none.
    pub fn verify(
        &self,
        secret: &Secret,
        phc: Option<&str>,
        asker: Asker,
    ) -> Result<Verdict, Busy> {
        let memory = match phc {
            Some(phc) if password::takes_more_memory(phc) => Memory::More,
            _ => Memory::Ours,
        };
        self.pass(asker, memory, || match phc {
            Some(phc) => password::verify(secret, phc),
            None => {
                password::verify_nobody(secret);
                Verdict::Mismatch
            }
        })
    }

    /// Does other work that takes much memory, for someone who is known: a key from a passphrase, for one.
    pub fn other<T>(&self, work: impl FnOnce() -> T) -> Result<T, Busy> {
        self.pass(Asker::Known, Memory::More, work)
    }

    fn pass<T>(&self, asker: Asker, memory: Memory, work: impl FnOnce() -> T) -> Result<T, Busy> {
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
        // Whoever waits here has a place already: no more than run can wait.
        Ok(match memory {
            Memory::Ours => {
                let _shared = self.memory.read().unwrap_or_else(PoisonError::into_inner);
                work()
            }
            Memory::More => {
                let _alone = self.memory.write().unwrap_or_else(PoisonError::into_inner);
                work()
            }
        })
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
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;
    use std::time::{Duration, Instant};

    fn waiting(gate: &Hashing, count: usize) {
        let begun = Instant::now();
        loop {
            assert!(begun.elapsed() < Duration::from_secs(60));
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
            scope.spawn(move || gate.pass(Asker::Stranger, Memory::Ours, || closed.recv()));
            while gate.lock().running == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
            for (asker, count) in [(Asker::Stranger, WAITING - KEPT), (Asker::Known, KEPT)] {
                for _ in 0..count {
                    let done = done.clone();
                    scope.spawn(move || gate.pass(asker, Memory::Ours, || done.send(asker)));
                }
                let so_far = if asker == Asker::Known {
                    WAITING
                } else {
                    count
                };
                waiting(gate, so_far);
                assert_eq!(gate.pass(Asker::Stranger, Memory::Ours, || ()), Err(Busy));
            }
            assert_eq!(gate.pass(Asker::Known, Memory::Ours, || ()), Err(Busy));
            open.send(()).unwrap();
        });
        drop(done);
        let order: Vec<Asker> = order.iter().collect();
        assert_eq!(order.len(), WAITING);
        assert!(order.iter().take(KEPT).all(|asker| *asker == Asker::Known));
        assert_eq!(gate.lock().running, 0);
        assert_eq!(gate.pass(Asker::Stranger, Memory::Ours, || ()), Ok(()));
    }
    /// A file of another server may bring hashes of 64 or 128 MiB. Two wrong passwords at once for such people would have
    /// taken all the memory of a small container, and ended the server, again and again.
    #[test]
    fn a_dear_hash_is_checked_alone_and_keeps_its_place_meanwhile() {
        let gate = Hashing {
            at_once: 2,
            ..Hashing::default()
        };
        let running = |count: usize| {
            let begun = Instant::now();
            while gate.lock().running < count {
                assert!(begun.elapsed() < Duration::from_secs(60));
                std::thread::sleep(Duration::from_millis(1));
            }
        };
        let secret = Secret::new("wrong".to_owned());
        // 20 MiB, and no password has it.
        let dear = "$argon2id$v=19$m=20480,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA";
        assert!(password::takes_more_memory(dear));
        let (open, closed) = channel::<()>();
        let (done, told) = channel();
        std::thread::scope(|scope| {
            // Dropped where this fails, or the check below would wait without end.
            let (gate, secret, open) = (&gate, &secret, open);
            scope.spawn(move || gate.pass(Asker::Known, Memory::Ours, || closed.recv()));
            running(1);
            let check = done.clone();
            scope.spawn(move || {
                let verdict = gate.verify(secret, Some(dear), Asker::Stranger);
                check.send(verdict).unwrap();
            });
            running(2);
            let not_yet = told.recv_timeout(Duration::from_millis(300));
            assert!(not_yet.is_err(), "{not_yet:?}");
            open.send(()).unwrap();
            let verdict = told.recv_timeout(Duration::from_secs(60));
            assert_eq!(verdict, Ok(Ok(Verdict::Mismatch)));
        });
        // Neither another dear one nor one of ours runs beside it.
        let beside = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for n in 0..12 {
                let (gate, beside) = (&gate, &beside);
                scope.spawn(move || {
                    let (memory, weight) = match n % 2 {
                        0 => (Memory::More, 2),
                        _ => (Memory::Ours, 1),
                    };
                    gate.pass(Asker::Known, memory, || {
                        let others = beside.fetch_add(weight, Ordering::SeqCst);
                        std::thread::sleep(Duration::from_millis(5));
                        beside.fetch_sub(weight, Ordering::SeqCst);
                        assert!(others + weight <= 2, "{others} beside {weight}");
                    })
                });
            }
        });
        assert_eq!(gate.lock().running, 0);
    }
}
