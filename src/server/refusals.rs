//! Refusals that no decision records, counted: neither one address nor all strangers together that cause many fill the
//! file or the log.
//! Not here: guesses of passwords (`Guesses`), how many events the file keeps (`store::sweep`).

use super::guesses::household;
use crate::identity::throttle::{Policy, Throttle};
use crate::model::{Event, EventKind};
use crate::types::UserId;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// One address: a hundred, and then one a minute. `forget` is longer than `longest`, or the count would begin anew with
/// each minute.
const ADDRESS: Policy = Policy {
    free: 100,
    longest: Duration::from_secs(60),
    forget: Duration::from_secs(15 * 60),
};
/// All whom nobody knows: a thousand, and then one every ten seconds. Whoever has many addresses has only these. Who is
/// signed in does not count here, or strangers would hide what they are refused, but by themselves, as an address does:
/// that is also what a page has that sends their browser somewhere.
const STRANGERS: Policy = Policy {
    free: 1_000,
    longest: Duration::from_secs(10),
    forget: Duration::from_secs(3_600),
};
/// Addresses that are counted.
const COUNTERS: usize = 10_000;

/// What was refused lately. In memory: a restart forgets it.
pub struct Refusals(Mutex<Counted>);

struct Counted {
    addresses: Throttle<Option<IpAddr>>,
    strangers: Throttle<()>,
    people: Throttle<UserId>,
    left_out: u64,
}

impl Default for Refusals {
    fn default() -> Self {
        Self(Mutex::new(Counted {
            addresses: Throttle::new(ADDRESS, COUNTERS),
            strangers: Throttle::new(STRANGERS, 1),
            people: Throttle::new(ADDRESS, COUNTERS),
            left_out: 0,
        }))
    }
}

impl Refusals {
    /// What is to be recorded: nothing, when there were too many; otherwise the refusal, and before it how many were
    /// left out since the last.
    pub fn admit(&self, event: Event) -> Vec<Event> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let address = event.address.map(household);
        // The address first: what it caused too much of must not count against other strangers.
        let within = counted
            .addresses
            .attempt(&address, event.time)
            .and_then(|()| match event.user {
                Some(person) => counted.people.attempt(&person, event.time),
                None => counted.strangers.attempt(&(), event.time),
            });
        if within.is_err() {
            counted.left_out = counted.left_out.saturating_add(1);
            return Vec::new();
        }
        let gap = match std::mem::take(&mut counted.left_out) {
            0 => None,
            1 => Some("1 refusal was not recorded".to_owned()),
            n => Some(format!("{n} refusals were not recorded")),
        };
        let gap = gap.map(|gap| Event::refused(EventKind::RefusalsLeftOut, event.time, gap));
        gap.into_iter().chain([event]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::User;
    use crate::oauth::testing::user;
    use crate::types::{Id, Timestamp};
    use std::net::Ipv6Addr;

    const START: Timestamp = Timestamp::from_secs(1_795_000_000);

    fn refusal(address: IpAddr, seconds: u64) -> Event {
        let now = START.plus(Duration::from_secs(seconds));
        Event::refused(EventKind::TokenRequest, now, "no").from(Some(address))
    }

    /// Of a `/64` of its own.
    fn address(n: u32) -> IpAddr {
        IpAddr::V6(Ipv6Addr::from_bits(u128::from(n) << 64))
    }

    /// One that kept on once got a line every two seconds for ever: 23 GB in 90 days.
    #[test]
    fn one_address_gets_a_hundred_and_then_one_a_minute() {
        let refusals = Refusals::default();
        let count = |seconds: std::ops::Range<u64>| -> usize {
            let admitted =
                seconds.map(|s| usize::from(!refusals.admit(refusal(address(1), s)).is_empty()));
            admitted.sum()
        };
        for _ in 0..100 {
            assert_eq!(refusals.admit(refusal(address(1), 0)).len(), 1);
        }
        assert!(refusals.admit(refusal(address(1), 0)).is_empty());
        // Two, four, … seconds at first.
        assert!(count(0..120) <= 7);
        assert_eq!(count(120..3_720), 60);
        // Others are not held up.
        assert!(!refusals.admit(refusal(address(2), 3_720)).is_empty());
        assert!(
            count(10_000..10_100) == 100,
            "a quarter of an hour forgets it"
        );
    }

    /// Whoever holds many networks had as many counters, and each pushed another out.
    #[test]
    fn all_strangers_together_get_a_thousand_and_then_one_every_ten_seconds() {
        let refusals = Refusals::default();
        let mut next = 0;
        let mut from_anew = |seconds| {
            next += 1;
            refusals.admit(refusal(address(next), seconds)).len()
        };
        for _ in 0..1_000 {
            assert_eq!(from_anew(0), 1);
        }
        let mut recorded = 0;
        for second in 0..1_000 {
            for _ in 0..20 {
                recorded += usize::from(from_anew(second) > 0);
            }
        }
        assert!((95..=105).contains(&recorded), "{recorded}");
        // Whoever is signed in is no stranger.
        let known = refusal(address(1), 1_000).user(&user());
        assert_eq!(refusals.admit(known).last().unwrap().user, Some(user().id));
    }

    /// Any web page can have things refused in the browser of somebody who is signed in.
    #[test]
    fn whoever_is_signed_in_has_the_budget_of_their_address() {
        let refusals = Refusals::default();
        let in_browser = |seconds| {
            let refusal = refusal(address(1), seconds).user(&user());
            usize::from(!refusals.admit(refusal).is_empty())
        };
        let at_once: usize = (0..1_000).map(|_| in_browser(0)).sum();
        assert_eq!(at_once, 100);
        assert!((0..120).map(in_browser).sum::<usize>() <= 7);
        assert_eq!((120..3_720).map(in_browser).sum::<usize>(), 60);
        // Nobody elsewhere is held up by it, known or not.
        assert!(!refusals.admit(refusal(address(2), 3_720)).is_empty());
        let other = User {
            id: UserId(Id::new(START, [9; 10])),
            ..user()
        };
        let elsewhere = refusal(address(3), 3_720).user(&other);
        assert!(!refusals.admit(elsewhere).is_empty());
    }

    /// Whoever has a session and a network of many addresses had a budget for each of them.
    #[test]
    fn whoever_is_signed_in_has_one_budget_at_all_addresses_together() {
        let refusals = Refusals::default();
        let recorded = (1..=1_000).filter(|number| {
            let refusal = refusal(address(*number), 0).user(&user());
            !refusals.admit(refusal).is_empty()
        });
        assert_eq!(recorded.count(), 100);
        assert!(!refusals.admit(refusal(address(2_000), 0)).is_empty());
    }

    #[test]
    fn the_next_that_is_recorded_says_how_many_were_not() {
        let refusals = Refusals::default();
        for _ in 0..103 {
            refusals.admit(refusal(address(1), 0));
        }
        let events = refusals.admit(refusal(address(2), 1));
        let [gap, event] = &events[..] else {
            panic!("{events:?}")
        };
        assert_eq!(gap.kind, EventKind::RefusalsLeftOut);
        assert_eq!(gap.detail, "3 refusals were not recorded");
        assert_eq!(event.address, Some(address(2)));
        assert_eq!(refusals.admit(refusal(address(2), 2)).len(), 1);
    }
}
