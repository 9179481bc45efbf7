//! Registrations without an initial access token, counted: neither one address nor all strangers together fill the file
//! and the log. In memory: a restart forgets it.
//! Not here: how many that nobody used may stand in the file (`oauth::registration`).

use super::guesses::household;
use crate::identity::throttle::{Policy, Throttle};
use crate::types::Timestamp;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// One address: ten, then after 2, 4, 8, … seconds, in the end one in ten minutes
/// (packaging/manual/applications.md). Two hours forget it.
const ADDRESS: Policy = Policy {
    free: 10,
    longest: Duration::from_secs(600),
    forget: Duration::from_secs(2 * 3_600),
};
/// All strangers: a hundred, and then one every ten seconds. Whoever has many addresses has only these.
const STRANGERS: Policy = Policy {
    free: 100,
    longest: Duration::from_secs(10),
    forget: Duration::from_secs(3_600),
};
/// Addresses that are counted.
const COUNTERS: usize = 10_000;

/// The counters.
pub struct Registrations(Mutex<Counted>);

struct Counted {
    addresses: Throttle<IpAddr>,
    strangers: Throttle<()>,
}

impl Default for Registrations {
    fn default() -> Self {
        Self(Mutex::new(Counted {
            addresses: Throttle::new(ADDRESS, COUNTERS),
            strangers: Throttle::new(STRANGERS, 1),
        }))
    }
}

impl Registrations {
    /// Counts one, or says how long to wait.
    pub fn attempt(&self, address: IpAddr, now: Timestamp) -> Result<(), Duration> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let address = household(address);
        // An address that is slowed down must not slow the others down.
        counted.addresses.ready(&address, now)?;
        counted.strangers.attempt(&(), now)?;
        counted.addresses.attempt(&address, now)
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
    fn one_address_gets_ten_and_then_ever_fewer_and_others_are_not_held_up() {
        let registrations = Registrations::default();
        let (one, other) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        for _ in 0..10 {
            assert_eq!(registrations.attempt(one, at(0)), Ok(()));
        }
        assert_eq!(
            registrations.attempt(one, at(0)),
            Err(Duration::from_secs(2))
        );
        assert_eq!(registrations.attempt(other, at(0)), Ok(()));
        let more = (1..3_600).filter(|s| registrations.attempt(one, at(*s)).is_ok());
        assert!(more.count() <= 15);
    }

    #[test]
    fn many_addresses_have_one_counter_together() {
        let registrations = Registrations::default();
        let from = |n: u32| IpAddr::V4((0x0A00_0000 + n).into());
        let done = (0..1_000).filter(|n| registrations.attempt(from(*n), at(0)).is_ok());
        assert_eq!(done.count(), 100);
        let later = (0..1_000u32).filter(|n| {
            let second = 10 + u64::from(*n) / 10;
            registrations.attempt(from(2_000 + n), at(second)).is_ok()
        });
        assert!(later.count() <= 16);
    }
}
