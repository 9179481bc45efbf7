//! How fast somebody may guess. A growing delay per account and per address, never a permanent lock (DESIGN §7).
//! Pure: a bounded table of counters that is told the time.

use crate::types::Timestamp;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// How failures are answered.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Failures without a delay: people mistype.
    pub free: u32,
    /// The longest delay.
    pub longest: Duration,
    /// Without a failure for so long, all is forgotten.
    pub forget: Duration,
}

/// For one account: three free, then 2, 4, 8, … seconds, at most 60. Whatever is tried, that is at most seven in any
/// minute.
pub const ACCOUNT: Policy = Policy {
    free: 3,
    longest: Duration::from_secs(60),
    forget: Duration::from_secs(15 * 60),
};
/// For one address, behind which a household may sit: twenty free.
pub const ADDRESS: Policy = Policy {
    free: 20,
    longest: Duration::from_secs(60),
    forget: Duration::from_secs(15 * 60),
};

/// Counters; the oldest go when there are too many.
#[derive(Debug)]
pub struct Throttle<K> {
    policy: Policy,
    entries: HashMap<K, Entry>,
    most: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    failures: u32,
    last: Timestamp,
}

impl<K: Hash + Eq + Clone> Throttle<K> {
    /// An empty table of at most `most` counters.
    pub fn new(policy: Policy, most: usize) -> Self {
        Self {
            policy,
            entries: HashMap::new(),
            most,
        }
    }

    /// Counts an attempt as a failure until [`Throttle::success`] says otherwise, so that many at once count too.
    /// `Err` says how long to wait; a refused attempt does not count.
    pub fn attempt(&mut self, key: &K, now: Timestamp) -> Result<(), Duration> {
        self.ready(key, now)?;
        self.count(key, now);
        Ok(())
    }

    /// Counts a failure that nobody asked for: an attempt that was let through cost as much as several.
    pub fn count(&mut self, key: &K, now: Timestamp) {
        let failures = self.failures(key, now);
        if !self.entries.contains_key(key) && self.entries.len() >= self.most {
            self.make_room(now);
        }
        self.entries.insert(
            key.clone(),
            Entry {
                failures: failures.saturating_add(1),
                last: now,
            },
        );
    }

    /// Whether an attempt would be let through now; counts nothing. `Err` says how long to wait.
    pub fn ready(&mut self, key: &K, now: Timestamp) -> Result<(), Duration> {
        let delay = self.delay(self.failures(key, now));
        let Some(entry) = self.entries.get_mut(key) else {
            return Ok(());
        };
        // Counted by a clock that was ahead: nobody waits until that time comes.
        entry.last = entry.last.min(now);
        let ready = entry.last.plus(delay);
        if now < ready {
            Err(ready.since(now))
        } else {
            Ok(())
        }
    }

    /// The attempt does not count, but earlier failures stay.
    pub fn take_back(&mut self, key: &K) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.failures = entry.failures.saturating_sub(1);
            if entry.failures == 0 {
                self.entries.remove(key);
            }
        }
    }

    /// The attempt was right: the counter is forgotten.
    pub fn success(&mut self, key: &K) {
        self.entries.remove(key);
    }

    fn failures(&self, key: &K, now: Timestamp) -> u32 {
        self.entries
            .get(key)
            .filter(|entry| now.since(entry.last) < self.policy.forget)
            .map_or(0, |entry| entry.failures)
    }

    fn delay(&self, failures: u32) -> Duration {
        match failures.checked_sub(self.policy.free) {
            None => Duration::ZERO,
            Some(over) => Duration::from_secs(2u64.saturating_pow(over.saturating_add(1).min(16)))
                .min(self.policy.longest),
        }
    }

    fn make_room(&mut self, now: Timestamp) {
        let forget = self.policy.forget;
        self.entries
            .retain(|_, entry| now.since(entry.last) < forget);
        if self.entries.len() >= self.most
            && let Some(oldest) = self
                .entries
                .iter()
                .min_by_key(|(_, e)| e.last)
                .map(|(key, _)| key.clone())
        {
            self.entries.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_secs(1_795_000_000);

    fn at(seconds: u64) -> Timestamp {
        START.plus(Duration::from_secs(seconds))
    }

    #[test]
    fn delays_grow_and_never_lock() {
        let mut throttle = Throttle::new(ACCOUNT, 10);
        for _ in 0..3 {
            assert_eq!(throttle.attempt(&"alice", START), Ok(()));
        }
        let (mut now, mut delays) = (0, Vec::new());
        for _ in 0..8 {
            let wait = throttle.attempt(&"alice", at(now)).unwrap_err().as_secs();
            delays.push(wait);
            now += wait;
            assert_eq!(throttle.attempt(&"alice", at(now)), Ok(()));
        }
        assert_eq!(delays, [2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(throttle.attempt(&"bob", at(now)), Ok(()));
        assert_eq!(throttle.attempt(&"alice", at(now + 15 * 60)), Ok(()));
        assert_eq!(throttle.attempt(&"alice", at(now + 15 * 60)), Ok(()));
    }

    /// A clock that was a year ahead for a minute, in which somebody mistyped, locked the account for that year.
    #[test]
    fn nobody_waits_longer_because_the_clock_was_set_back() {
        let mut throttle = Throttle::new(ACCOUNT, 10);
        let ahead = at(365 * 86_400);
        for _ in 0..3 {
            assert_eq!(throttle.attempt(&"alice", ahead), Ok(()));
        }
        assert_eq!(
            throttle.attempt(&"alice", START),
            Err(Duration::from_secs(2))
        );
        assert_eq!(throttle.ready(&"alice", at(1)), Err(Duration::from_secs(1)));
        assert_eq!(throttle.attempt(&"alice", at(2)), Ok(()));
    }

    #[test]
    fn a_right_password_forgets_the_failures() {
        let mut throttle = Throttle::new(ACCOUNT, 10);
        for _ in 0..3 {
            assert_eq!(throttle.attempt(&"alice", START), Ok(()));
        }
        throttle.success(&"alice");
        assert_eq!(throttle.attempt(&"alice", START), Ok(()));
    }

    #[test]
    fn right_passwords_from_one_address_do_not_add_up() {
        let mut throttle = Throttle::new(ADDRESS, 10);
        for _ in 0..1_000 {
            assert_eq!(throttle.attempt(&"home", START), Ok(()));
            throttle.take_back(&"home");
        }
        for _ in 0..20 {
            assert_eq!(throttle.attempt(&"home", START), Ok(()));
        }
        assert!(throttle.attempt(&"home", START).is_err());
    }

    #[test]
    fn the_table_is_bounded() {
        let mut throttle = Throttle::new(ACCOUNT, 10);
        for i in 0..1_000u64 {
            assert_eq!(throttle.attempt(&i, at(i)), Ok(()));
        }
        assert!(throttle.entries.len() <= 10);
    }
}
