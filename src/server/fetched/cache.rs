//! Documents of other servers, fetched once and remembered for a while.
//! Owns: how often a document is fetched, how many calls go on at once, how much is kept. Not here: what a document
//! means (`super`), how a call is bounded (`ops::outbound`).
//!
//! Strangers can cause a fetch, and choose nothing else of it: one address is called once in [`AGAIN`] whatever came of
//! it, by one thread; the others wait for that one, and only so many of them.

use crate::types::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Between two calls of one address.
const AGAIN: Duration = Duration::from_secs(60);
/// Calls at once for clients that an administrator added; those that registered themselves have half of it.
const AT_ONCE: usize = 4;
/// Threads that wait for a call of another.
const WAITING: usize = 16;
/// For how long they do: a call takes 5 seconds at most.
const PATIENCE: Duration = Duration::from_secs(6);
/// Documents and failures that are kept.
const KEPT: usize = 128;

/// Why there is no document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfetched {
    /// It was tried within the last minute, and failed.
    Failed,
    /// Too much goes on already.
    Busy,
}

/// Documents of one purpose by address.
pub struct Cache<T> {
    /// How long a document is good.
    life: Duration,
    state: Mutex<State<T>>,
    landed: Condvar,
}

struct State<T> {
    /// `Store::settings_changes` when these were fetched: a host may be called by then that was not, and the reverse.
    settings: u64,
    kept: HashMap<String, Kept<T>>,
    under_way: HashSet<String>,
    waiting: usize,
}

struct Kept<T> {
    /// The last call, whatever came of it.
    tried: Timestamp,
    /// The last document, and when it came.
    document: Option<(Timestamp, Arc<T>)>,
}

impl<T> Cache<T> {
    /// With documents that are good for `life`.
    pub fn new(life: Duration) -> Self {
        Self {
            life,
            state: Mutex::new(State {
                settings: 0,
                kept: HashMap::new(),
                under_way: HashSet::new(),
                waiting: 0,
            }),
            landed: Condvar::new(),
        }
    }

    /// The document at an address: one that is kept and is not the one that was of `no_use`, or one that is fetched now.
    /// That one is handed out all the same where it is too early to ask again.
    pub fn get(
        &self,
        url: &str,
        settings: u64,
        self_registered: bool,
        now: Timestamp,
        no_use: Option<&Arc<T>>,
        fetch: impl FnOnce() -> Option<T>,
    ) -> Result<Arc<T>, Unfetched> {
        let most = if self_registered {
            AT_ONCE / 2
        } else {
            AT_ONCE
        };
        let begun = Instant::now();
        let useful = |document: &Arc<T>| no_use.is_none_or(|known| !Arc::ptr_eq(known, document));
        let mut state = self.lock();
        loop {
            if state.settings < settings {
                state.settings = settings;
                state.kept.clear();
            }
            if let Some(kept) = state.kept.get(url) {
                let good = kept
                    .document
                    .as_ref()
                    .filter(|(at, _)| *at <= now && now.since(*at) < self.life)
                    .map(|(_, document)| document.clone());
                // A clock that was set back must not keep it for ever.
                let early = kept.tried <= now && now.since(kept.tried) < AGAIN;
                match good {
                    Some(document) if early || useful(&document) => return Ok(document),
                    None if early => return Err(Unfetched::Failed),
                    _ => {}
                }
            }
            if !state.under_way.contains(url) {
                break;
            }
            let left = PATIENCE.saturating_sub(begun.elapsed());
            if state.waiting >= WAITING || left.is_zero() {
                return Err(Unfetched::Busy);
            }
            state.waiting += 1;
            let (woken, _) = self
                .landed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.waiting -= 1;
        }
        if state.under_way.len() >= most || !state.has_room(url, now) {
            return Err(Unfetched::Busy);
        }
        state.under_way.insert(url.to_owned());
        drop(state);
        // Whatever happens to the call, the address is free afterwards.
        let landing = Landing { cache: self, url };
        let fetched = fetch().map(Arc::new);
        {
            let mut state = self.lock();
            // What was fetched under older settings is for this request only.
            if state.settings == settings {
                let kept = state.kept.entry(url.to_owned()).or_insert(Kept {
                    tried: now,
                    document: None,
                });
                kept.tried = now;
                if let Some(document) = &fetched {
                    kept.document = Some((now, document.clone()));
                }
            }
        }
        drop(landing);
        fetched.ok_or(Unfetched::Failed)
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Landing<'c, T> {
    cache: &'c Cache<T>,
    url: &'c str,
}

impl<T> Drop for Landing<'_, T> {
    fn drop(&mut self) {
        self.cache.lock().under_way.remove(self.url);
        self.cache.landed.notify_all();
    }
}

impl<T> State<T> {
    /// Makes room by forgetting the address that was called longest ago. Not within its minute: many addresses must not
    /// make one be called more often.
    fn has_room(&mut self, url: &str, now: Timestamp) -> bool {
        if self.kept.contains_key(url) || self.kept.len() + self.under_way.len() < KEPT {
            return true;
        }
        let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.tried);
        let Some((oldest, tried)) = oldest.map(|(url, kept)| (url.clone(), kept.tried)) else {
            return false;
        };
        if tried <= now && now.since(tried) < AGAIN {
            return false;
        }
        self.kept.remove(&oldest);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    const START: Timestamp = Timestamp::from_secs(1_795_000_000);

    fn at(seconds: u64) -> Timestamp {
        START.plus(Duration::from_secs(seconds))
    }

    fn hour() -> Cache<u32> {
        Cache::new(Duration::from_secs(3_600))
    }

    #[test]
    fn a_document_is_kept_for_its_life_and_asked_for_again_once_a_minute() {
        let (cache, calls) = (hour(), AtomicUsize::new(0));
        let get = |seconds, useful: bool, answer: Option<u32>| {
            let held = cache.lock().kept.get("a").map(|kept| kept.document.clone());
            let held = held.flatten().map(|(_, document)| document);
            let no_use = held.as_ref().filter(|_| !useful);
            let fetch = || {
                calls.fetch_add(1, Ordering::Relaxed);
                answer
            };
            let got = cache.get("a", 0, false, at(seconds), no_use, fetch);
            (got.map(|n| *n), calls.load(Ordering::Relaxed))
        };
        assert_eq!(get(0, true, Some(1)), (Ok(1), 1));
        // It is of no use, and it is too early.
        assert_eq!(get(59, false, Some(2)), (Ok(1), 1));
        assert_eq!(get(60, false, Some(2)), (Ok(2), 2));
        assert_eq!(get(3_659, true, Some(3)), (Ok(2), 2));
        assert_eq!(get(3_660, true, Some(3)), (Ok(3), 3));
        // A failure keeps what is still good, and counts as a call.
        assert_eq!(get(3_720, false, None), (Err(Unfetched::Failed), 4));
        assert_eq!(get(3_721, false, Some(4)), (Ok(3), 4));
        // A clock that was set back.
        assert_eq!(get(10, true, Some(5)), (Ok(5), 5));
    }

    #[test]
    fn a_failure_is_remembered_until_the_minute_or_the_settings_change() {
        let cache = hour();
        let get = |settings, seconds, answer: Option<u32>| {
            cache
                .get("a", settings, false, at(seconds), None, || answer)
                .map(|n| *n)
        };
        assert_eq!(get(0, 0, None), Err(Unfetched::Failed));
        assert_eq!(get(0, 59, Some(1)), Err(Unfetched::Failed));
        assert_eq!(get(1, 59, Some(1)), Ok(1));
        // What was fetched then is not good under other settings.
        assert_eq!(get(2, 60, None), Err(Unfetched::Failed));
    }

    #[test]
    fn one_thread_calls_and_the_others_wait_for_it() {
        let (cache, calls) = (hour(), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let fetch = || {
                        calls.fetch_add(1, Ordering::Relaxed);
                        thread::sleep(Duration::from_millis(200));
                        Some(7)
                    };
                    let got = cache.get("a", 0, false, START, None, fetch);
                    assert_eq!(got.map(|n| *n), Ok(7));
                });
            }
        });
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn only_so_many_calls_go_on_at_once_and_the_rest_fails_fast() {
        let cache = hour();
        let nested = |url: &str, own, inner: &dyn Fn() -> Option<u32>| {
            let got = cache.get(url, 0, own, START, None, inner);
            got.map(|n| *n)
        };
        let fifth = || {
            Some(u32::from(
                nested("e", false, &|| Some(1)) == Err(Unfetched::Busy),
            ))
        };
        let fourth = || nested("d", false, &fifth).ok();
        let third = || {
            // Half is taken: whoever registered itself waits, an administrator's client does not.
            assert_eq!(nested("x", true, &|| Some(1)), Err(Unfetched::Busy));
            nested("c", false, &fourth).ok()
        };
        let second = || nested("b", true, &third).ok();
        assert_eq!(nested("a", true, &second), Ok(1));
        assert_eq!(nested("e", false, &|| Some(9)), Ok(9));
    }

    /// Many addresses would otherwise push one out, and have it called again at once.
    #[test]
    fn a_full_cache_forgets_nothing_within_its_minute() {
        let cache = hour();
        let get = |url: &str, seconds| {
            cache
                .get(url, 0, false, at(seconds), None, || Some(1))
                .map(|n| *n)
        };
        for n in 0..KEPT {
            assert_eq!(get(&n.to_string(), 0), Ok(1));
        }
        assert_eq!(get("more", 59), Err(Unfetched::Busy));
        assert_eq!(get("more", 60), Ok(1));
        assert_eq!(cache.lock().kept.len(), KEPT);
    }
}
