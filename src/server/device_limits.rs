//! What is counted of devices that want to be signed in. In memory and bounded: a restart forgets it.
//! Owns: how often a device may be asked for, how many user codes may be tried, when each device polled last.
//! Not here: how fast a counter allows (`identity::throttle`), what a poll is answered (`oauth::token::device`).
//!
//! # Trying user codes (RFC 8628 §5.1)
//! Codes are looked up for people who are signed in only, and counted under the person and under their address.
//! A wrong one counts: ten are free, then 2, 4, 8, … seconds between two, at most 60. In the ten minutes that a code
//! lives one person tries less than 30 of 20^8 = 25.6 thousand million codes. With a hundred devices waiting that finds
//! one with a chance of 30 * 100 / 25.6e9, one in eight million. Kept up for a year it is half a million tries: one in
//! five hundred with a hundred devices waiting all that time, one in fifty thousand with one. Each find lets the finder
//! sign a stranger's device in as themselves, under their own name in the audit log.
//!
//! # Asking (RFC 8628 §5.1, §5.2)
//! A public client has no secret: whoever knows its id can ask for codes, and each asking writes a record and an event.
//! So one address gets twenty at once, then at most one a minute; all public clients together two hundred at once, then
//! one every ten seconds. That keeps fewer than 300 such records alive. Confidential clients answer for themselves.

use super::guesses::household;
use crate::identity::throttle::{Policy, Throttle};
use crate::oauth::device_authorization::LIFE;
use crate::oauth::token::device::Pace;
use crate::types::{Id, Timestamp, UserId};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const WRONG_CODES: Policy = Policy {
    free: 10,
    longest: Duration::from_secs(60),
    forget: Duration::from_secs(15 * 60),
};
/// A household types behind one address.
const WRONG_CODES_OF_ADDRESS: Policy = Policy {
    free: 20,
    ..WRONG_CODES
};
const ASKED_FROM_ADDRESS: Policy = Policy {
    free: 20,
    longest: Duration::from_secs(60),
    forget: Duration::from_secs(15 * 60),
};
const ASKED: Policy = Policy {
    free: 200,
    longest: Duration::from_secs(10),
    forget: Duration::from_secs(3_600),
};
/// Counters of each kind.
const COUNTERS: usize = 10_000;
/// Devices whose last poll is remembered.
const PACES: usize = 10_000;

/// The counters.
pub struct DeviceLimits {
    typed: Mutex<Typed>,
    asked: Mutex<Asked>,
    paces: Mutex<HashMap<Id, (Timestamp, Pace)>>,
}

struct Typed {
    people: Throttle<UserId>,
    addresses: Throttle<IpAddr>,
}

struct Asked {
    addresses: Throttle<IpAddr>,
    all: Throttle<()>,
}

impl Default for DeviceLimits {
    fn default() -> Self {
        Self {
            typed: Mutex::new(Typed {
                people: Throttle::new(WRONG_CODES, COUNTERS),
                addresses: Throttle::new(WRONG_CODES_OF_ADDRESS, COUNTERS),
            }),
            asked: Mutex::new(Asked {
                addresses: Throttle::new(ASKED_FROM_ADDRESS, COUNTERS),
                all: Throttle::new(ASKED, 1),
            }),
            paces: Mutex::new(HashMap::new()),
        }
    }
}

impl DeviceLimits {
    /// Counts a public client's request, or says how long to wait; then nothing is counted.
    pub fn ask(&self, address: IpAddr, now: Timestamp) -> Result<(), Duration> {
        let address = household(address);
        let mut asked = lock(&self.asked);
        // The address first: what it asked too much must not count against others.
        asked.addresses.ready(&address, now)?;
        asked.all.attempt(&(), now)?;
        asked.addresses.attempt(&address, now)
    }

    /// Counts a typed code as a wrong one until [`DeviceLimits::right`] says otherwise, or says how long to wait.
    pub fn type_code(&self, user: UserId, from: IpAddr, now: Timestamp) -> Result<(), Duration> {
        let address = household(from);
        let mut typed = lock(&self.typed);
        typed.addresses.ready(&address, now)?;
        typed.people.attempt(&user, now)?;
        typed.addresses.attempt(&address, now)
    }

    /// The code was one of a device that waits: it does not count, and earlier wrong ones stay.
    pub fn right(&self, user: UserId, from: IpAddr) {
        let mut typed = lock(&self.typed);
        typed.people.take_back(&user);
        typed.addresses.take_back(&household(from));
    }

    /// Notes a poll of a device that waits. Whether it came too soon (RFC 8628 §3.5).
    pub fn polled_too_soon(&self, device: Id, now: Timestamp) -> bool {
        let mut paces = lock(&self.paces);
        let before = paces.get(&device).map(|(_, pace)| *pace);
        let (pace, soon) = Pace::after(before, now);
        if before.is_none() && paces.len() >= PACES {
            paces.retain(|_, (last, _)| now.since(*last) < LIFE);
            if paces.len() >= PACES {
                // Each of them may come too soon once more; the table does not grow.
                paces.clear();
            }
        }
        paces.insert(device, (now, pace));
        soon
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_secs(1_795_000_000);

    fn at(millis: u64) -> Timestamp {
        START.plus(Duration::from_millis(millis))
    }

    fn v4(n: u32) -> IpAddr {
        IpAddr::V4(n.into())
    }

    fn user(n: u8) -> UserId {
        UserId(Id::new(START, [n; 10]))
    }

    #[test]
    fn rfc8628_section_5_1_a_person_tries_less_than_thirty_codes_while_one_lives() {
        let limits = DeviceLimits::default();
        let mut tried = 0;
        // From an address of their own each time, four times a second.
        for step in 0..600 * 4 {
            let now = at(u64::from(step) * 250);
            tried += u32::from(limits.type_code(user(1), v4(step), now).is_ok());
        }
        assert!((10..30).contains(&tried), "{tried}");
        assert_eq!(limits.type_code(user(2), v4(1 << 20), at(0)), Ok(()));
    }

    #[test]
    fn many_people_at_one_address_share_its_counter_and_right_codes_do_not_count() {
        let limits = DeviceLimits::default();
        for n in 0..100 {
            assert_eq!(limits.type_code(user(n), v4(1), START), Ok(()));
            limits.right(user(n), v4(1));
        }
        for n in 0..20 {
            assert_eq!(limits.type_code(user(n), v4(1), START), Ok(()));
        }
        assert!(limits.type_code(user(99), v4(1), START).is_err());
        assert_eq!(limits.type_code(user(99), v4(2), START), Ok(()));
    }

    #[test]
    fn strangers_keep_fewer_than_three_hundred_devices_waiting() {
        let limits = DeviceLimits::default();
        for _ in 0..20 {
            assert_eq!(limits.ask(v4(1), START), Ok(()));
        }
        assert!(limits.ask(v4(1), START).is_err());
        // From an address of their own each time, ten times a second, for as long as a code lives.
        let mut asked = 20;
        for step in 0..6_000_u32 {
            asked += u32::from(
                limits
                    .ask(v4(1_000 + step), at(u64::from(step) * 100))
                    .is_ok(),
            );
        }
        assert!((200..300).contains(&asked), "{asked}");
    }

    #[test]
    fn the_table_of_polls_is_bounded() {
        let limits = DeviceLimits::default();
        let id = |n: u32| {
            let [a, b, c, d] = n.to_be_bytes();
            Id::new(START, [a, b, c, d, 0, 0, 0, 0, 0, 0])
        };
        for n in 0..25_000 {
            assert!(!limits.polled_too_soon(id(n), START));
        }
        assert!(lock(&limits.paces).len() <= PACES);
        assert!(limits.polled_too_soon(id(24_999), at(1_000)));
    }
}
