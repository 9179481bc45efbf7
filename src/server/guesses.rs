//! Guesses of passwords, counted. In memory: a restart forgets them, and takes longer than the delays.
//! Owns: which counter a guess goes under. Not here: how fast a counter allows (`identity::throttle`), which browsers
//! are known (`known_device`).
//!
//! Strangers share one counter for each account, and one for each address. It allows one account seven guesses in the
//! first minute and one a minute after that, from everywhere together: never more than ten in a minute. A session or a
//! known browser counts under itself alone, in a table that strangers have no way into: whoever keeps an account's
//! counter full keeps its owner out of new browsers only.
//!
//! Accounts are counted in a fixed number of places, by a keyed hash of the name; names that fall into one place share
//! it. So no crowd of names pushes out the counter of the one that is meant.

use super::known_device::DeviceId;
use crate::identity::throttle::{self, Throttle};
use crate::types::{SessionId, Timestamp};
use std::hash::{BuildHasher, RandomState};
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
    strangers: Mutex<Strangers>,
    known: Mutex<Throttle<Counted>>,
}

struct Strangers {
    accounts: Throttle<u16>,
    addresses: Throttle<IpAddr>,
}

impl Default for Guesses {
    fn default() -> Self {
        Self {
            places: RandomState::new(),
            strangers: Mutex::new(Strangers {
                accounts: Throttle::new(throttle::ACCOUNT, ACCOUNTS),
                addresses: Throttle::new(throttle::ADDRESS, COUNTERS),
            }),
            known: Mutex::new(Throttle::new(throttle::ACCOUNT, COUNTERS)),
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
        let Counted::Account(name) = under else {
            return lock(&self.known).attempt(under, now);
        };
        let (place, address) = (self.place(name), household(address));
        let mut strangers = lock(&self.strangers);
        // Both are asked before either counts: an address that is slowed down must not slow an account down, and
        // asking for an account that is must not slow the address down, with whoever shares it.
        strangers.addresses.ready(&address, now)?;
        strangers.accounts.attempt(&place, now)?;
        strangers.addresses.attempt(&address, now)
    }

    /// Nobody looked at the guess: it does not count.
    pub fn unseen(&self, under: &Counted, address: IpAddr) {
        let Counted::Account(name) = under else {
            return lock(&self.known).take_back(under);
        };
        let mut strangers = lock(&self.strangers);
        strangers.addresses.take_back(&household(address));
        strangers.accounts.take_back(&self.place(name));
    }

    /// The guess was right. A session or known browser starts afresh. A stranger's counters keep the failures of
    /// others: an own account must not buy guesses at others, nor its owner's sign-in guesses at the owner.
    pub fn success(&self, under: &Counted, address: IpAddr) {
        match under {
            Counted::Account(_) => self.unseen(under, address),
            Counted::Session(_) | Counted::Device(_) => lock(&self.known).success(under),
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
