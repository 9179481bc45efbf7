//! Guesses of passwords, counted. In memory: a restart forgets them, and takes longer than the delays.
//! Owns: which counter a guess goes under. Not here: how fast a counter allows (`identity::throttle`), which browsers
//! are known (`known_device`).
//!
//! Strangers share one counter for each account, and one for each address. It allows one account seven guesses in the
//! first minute and one a minute after that, from everywhere together: never more than ten in a minute. A session or a
//! known browser counts under itself and its address, in tables that strangers have no way into: whoever keeps an
//! account's counter full keeps its owner out of new browsers only. The address counts because known browsers can be
//! made in any number by whoever knows the key that seals their cookie, out of an old backup.
//!
//! Accounts are counted in a fixed number of places, by a keyed hash of the name; names that fall into one place share
//! it. So no crowd of names pushes out the counter of the one that is meant.

use super::known_device::DeviceId;
use crate::identity::throttle::{self, Throttle};
use crate::types::{SessionId, Timestamp};
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Counters that are held of each kind but accounts.
pub(super) const COUNTERS: usize = 10_000;
/// As many as there are places.
const ACCOUNTS: usize = 1 << 16;

/// What a guess is counted under.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Counted {
    /// The name that a stranger typed; made by [`Counted::account`].
    Account(String),
    /// A session that holds, of the person whose password is asked.
    Session(SessionId),
    /// A browser that this person signed in with before.
    Device(DeviceId),
}

impl Counted {
    /// A typed name: bounded and compared in lower case, as `Username` does. A name that nobody has counts like any
    /// other.
    pub fn account(username: &str) -> Self {
        let head: String = username.chars().take(64).collect();
        Self::Account(head.to_ascii_lowercase())
    }
}

/// The counters.
pub struct Guesses {
    places: RandomState,
    strangers: Mutex<Counters<u16>>,
    known: Mutex<Counters<Counted>>,
}

/// Whom a guess is at or of, and where it comes from.
struct Counters<K> {
    each: Throttle<K>,
    addresses: Throttle<IpAddr>,
}

impl<K: Hash + Eq + Clone> Counters<K> {
    fn new(most: usize) -> Self {
        Self {
            each: Throttle::new(throttle::ACCOUNT, most),
            addresses: Throttle::new(throttle::ADDRESS, COUNTERS),
        }
    }

    /// Both are asked before either counts: an address that is slowed down must not slow an account down, and asking for an
    /// account that is must not slow the address down, with whoever shares it.
    fn attempt(&mut self, key: &K, address: IpAddr, now: Timestamp) -> Result<(), Duration> {
        self.addresses.ready(&address, now)?;
        self.each.attempt(key, now)?;
        self.addresses.attempt(&address, now)
    }

    fn take_back(&mut self, key: &K, address: IpAddr) {
        self.addresses.take_back(&address);
        self.each.take_back(key);
    }
}

impl Default for Guesses {
    fn default() -> Self {
        Self {
            places: RandomState::new(),
            strangers: Mutex::new(Counters::new(ACCOUNTS)),
            known: Mutex::new(Counters::new(COUNTERS)),
        }
    }
}

impl Guesses {
    /// Counts a guess, or says how long to wait; then nothing is counted.
    pub fn attempt(
        &self,
        under: &Counted,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<(), Duration> {
        let address = household(address);
        match under {
            Counted::Account(name) => {
                lock(&self.strangers).attempt(&self.place(name), address, now)
            }
            known => lock(&self.known).attempt(known, address, now),
        }
    }

    /// Nobody looked at the guess: it does not count.
    pub fn unseen(&self, under: &Counted, address: IpAddr) {
        let address = household(address);
        match under {
            Counted::Account(name) => lock(&self.strangers).take_back(&self.place(name), address),
            known => lock(&self.known).take_back(known, address),
        }
    }

    /// The guess was right. A session or known browser starts afresh. All other counters keep the failures of others: an
    /// own account must not buy guesses at others, nor its owner's sign-in guesses at the owner.
    pub fn success(&self, under: &Counted, address: IpAddr) {
        self.unseen(under, address);
        if !matches!(under, Counted::Account(_)) {
            lock(&self.known).each.success(under);
        }
    }

    fn place(&self, name: &str) -> u16 {
        let [first, second, ..] = self.places.hash_one(name).to_le_bytes();
        u16::from_le_bytes([first, second])
    }
}

/// Whoever holds one IPv6 address holds its whole /64: that is counted as one, as the listener does.
pub(super) fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Id;

    const START: Timestamp = Timestamp::from_secs(1_795_000_000);

    fn at(millis: u64) -> Timestamp {
        START.plus(Duration::from_millis(millis))
    }

    fn v4(n: u32) -> IpAddr {
        IpAddr::V4(n.into())
    }

    #[test]
    fn one_account_is_guessed_at_most_ten_times_in_any_minute_from_everywhere() {
        let guesses = Guesses::default();
        let alice = Counted::account("alice");
        let mut taken = Vec::new();
        // A stranger with endless addresses, at every slot for half an hour, while the owner signs in each minute.
        for step in 0..30 * 60 * 4_u32 {
            let now = at(u64::from(step) * 250);
            if guesses.attempt(&alice, v4(step), now).is_ok() {
                if step % 240 == 100 {
                    guesses.success(&alice, v4(step));
                } else {
                    taken.push(now);
                }
            }
        }
        let within = |from: Timestamp| {
            let in_minute = taken
                .iter()
                .filter(|t| **t >= from && t.since(from) < Duration::from_secs(60));
            in_minute.count()
        };
        let most = taken.iter().map(|from| within(*from)).max();
        assert_eq!(most, Some(7));
        assert!(taken.len() < 40, "{}", taken.len());
    }

    #[test]
    fn a_slash_64_is_one_address_and_asking_for_a_slowed_account_does_not_slow_it() {
        let guesses = Guesses::default();
        let from = |n: u16| -> IpAddr { format!("2001:db8::{n:x}").parse().unwrap() };
        for n in 0..4 {
            let result = guesses.attempt(&Counted::account("alice"), from(n), START);
            assert_eq!(result.is_ok(), n < 3);
        }
        for n in 0..100 {
            let again = guesses.attempt(&Counted::account("ALICE"), from(n), START);
            assert!(again.is_err());
        }
        // Three are counted, so seventeen are free: for names that share no place with hers.
        let mut others = (0..)
            .map(|n| format!("name-{n}"))
            .filter(|name| guesses.place(name) != guesses.place("alice"))
            .map(|name| Counted::account(&name));
        for n in 0..17 {
            let other = others.next().unwrap();
            assert_eq!(guesses.attempt(&other, from(100 + n), START), Ok(()));
        }
        let bob = others.next().unwrap();
        assert!(guesses.attempt(&bob, from(7), START).is_err());
        let elsewhere = "2001:db8:0:1::7".parse().unwrap();
        assert_eq!(guesses.attempt(&bob, elsewhere, START), Ok(()));
        let mapped = "::ffff:192.0.2.1".parse().unwrap();
        assert_eq!(household(mapped), household("192.0.2.1".parse().unwrap()));
    }

    #[test]
    fn a_crowd_of_names_does_not_push_out_the_counter_of_one() {
        let guesses = Guesses::default();
        let alice = Counted::account("alice");
        for n in 0..3 {
            assert_eq!(guesses.attempt(&alice, v4(n), START), Ok(()));
        }
        for n in 0..20_000 {
            let name = Counted::account(&format!("name-{n}"));
            let _ = guesses.attempt(&name, v4(n % 2_000), START);
        }
        assert!(guesses.attempt(&alice, v4(1 << 20), START).is_err());
    }

    #[test]
    fn a_typed_name_never_meets_the_counter_of_a_session() {
        let guesses = Guesses::default();
        let id = SessionId(Id::new(START, [1; 10]));
        for n in 0..3 {
            let typed = Counted::account(&format!("session:{id}"));
            assert_eq!(guesses.attempt(&typed, v4(n), START), Ok(()));
        }
        for _ in 0..3 {
            assert_eq!(guesses.attempt(&Counted::Session(id), v4(1), START), Ok(()));
        }
        assert!(
            guesses
                .attempt(&Counted::Session(id), v4(1), START)
                .is_err()
        );
    }

    #[test]
    fn strangers_at_every_counter_leave_a_known_browser_alone() {
        let guesses = Guesses::default();
        let device = Counted::Device(DeviceId::new([1; 16]));
        for _ in 0..3 {
            assert_eq!(guesses.attempt(&device, v4(1), START), Ok(()));
        }
        for n in 0..20_000 {
            let name = Counted::account(&format!("name-{n}"));
            let _ = guesses.attempt(&name, v4(n % 2_000), START);
        }
        // Neither slowed down by them, nor set free: its own failures are remembered.
        assert!(guesses.attempt(&device, v4(1), START).is_err());
        assert_eq!(guesses.attempt(&device, v4(1), at(2_000)), Ok(()));
        guesses.success(&device, v4(1));
        assert_eq!(guesses.attempt(&device, v4(1), at(2_000)), Ok(()));
    }

    /// Whoever read the key of the cookies out of a backup made a browser for each guess, and had three free ones in each.
    #[test]
    fn known_browsers_without_end_buy_one_address_no_more_guesses_than_strangers_get() {
        let guesses = Guesses::default();
        let forged = |n: u32| {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&n.to_be_bytes());
            Counted::Device(DeviceId::new(bytes))
        };
        let taken = (0..1_000).filter(|n| guesses.attempt(&forged(*n), v4(1), START).is_ok());
        assert_eq!(taken.count(), 20);
        // Neither a known browser elsewhere nor a stranger at that address waits for it.
        assert_eq!(guesses.attempt(&forged(7_000), v4(2), START), Ok(()));
        let alice = Counted::account("alice");
        assert_eq!(guesses.attempt(&alice, v4(1), START), Ok(()));
        // A right one does not count, and makes good none of the others: two seconds again, not four, and not none.
        let own = forged(8_000);
        assert_eq!(guesses.attempt(&own, v4(1), at(2_000)), Ok(()));
        guesses.success(&own, v4(1));
        assert!(guesses.attempt(&forged(8_001), v4(1), at(3_999)).is_err());
        assert_eq!(guesses.attempt(&forged(8_001), v4(1), at(4_000)), Ok(()));
    }

    #[test]
    fn a_guess_that_nobody_looked_at_does_not_count() {
        let guesses = Guesses::default();
        let alice = Counted::account("alice");
        for _ in 0..50 {
            assert_eq!(guesses.attempt(&alice, v4(1), START), Ok(()));
            guesses.unseen(&alice, v4(1));
        }
    }
}
