//! Secrets of applications that another server hashed (`types::SecretHash::Slow`): checked off the writer, until each was
//! shown once.
//! Owns: who may have one checked and when, and that a right one becomes a hash of ours. Not here: what else a request must
//! show (`oauth::client_auth`), the hash (`crypto::password`), the gate before every slow hash (`hashing`).
//!
//! Anybody may send a wrong secret, and to look at one takes as long as to look at a person's password. So for all
//! applications together one is looked at at a time: of the gate that people's sign-ins need, strangers with secrets hold
//! one place at most. Few wait for their turn, and fewer for one application. Whoever was wrong before, for an application
//! or from an address, has to leave more and more time between two; a right secret does not count. Each hash counts: a header
//! that reads in two ways, for an application with two secrets, costs four.

use super::context::Context;
use super::guesses::household;
use super::hashing::Asker;
use super::incoming::Incoming;
use crate::crypto::password::Verdict;
use crate::crypto::strength;
use crate::identity::throttle::{self, Policy, Throttle};
use crate::model::ClientSecret;
use crate::oauth::client_auth::{AuthenticatedClient, Credentials, Undecided, Weighed};
use crate::oauth::clients;
use crate::oauth::error::TokenError;
use crate::types::{ClientId, Secret, SecretHash, Timestamp};
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Who stands in the line, the one whose turn it is among them.
const LINE: usize = 16;
/// An application that starts may ask several times at once.
const LINE_OF_ONE: usize = 5;

/// Of those places, what one site may have at once: the application itself, elsewhere, finds one that is free.
const SITE: usize = LINE / 2;
const SITE_OF_ONE: usize = LINE_OF_ONE - 1;

/// For an application, from one address.
const CLIENT: Policy = Policy {
    free: 10,
    longest: Duration::from_secs(60),
    forget: Duration::from_secs(15 * 60),
};
/// Counters of each kind.
const COUNTERS: usize = 10_000;

/// The line and the counters.
pub struct SlowSecrets {
    line: Mutex<Line>,
    moved: Condvar,
    tries: Mutex<Tries>,
}

/// Who stands in it, first come first; the first one's turn it is.
#[derive(Default)]
struct Line {
    waiting: VecDeque<Place>,
    next: u64,
}

struct Place {
    number: u64,
    client: ClientId,
    site: IpAddr,
}

struct Tries {
    clients: Throttle<(IpAddr, ClientId)>,
    addresses: Throttle<IpAddr>,
}

impl Default for SlowSecrets {
    fn default() -> Self {
        Self {
            line: Mutex::default(),
            moved: Condvar::new(),
            tries: Mutex::new(Tries {
                clients: Throttle::new(CLIENT, COUNTERS),
                addresses: Throttle::new(throttle::ADDRESS, COUNTERS),
            }),
        }
    }
}

/// Decides what `credentials` alone could not.
pub fn settle(
    incoming: &Incoming<'_>,
    credentials: &Credentials,
    undecided: &Undecided,
) -> Result<AuthenticatedClient, TokenError> {
    let (slow, id) = (&incoming.ctx.slow_secrets, undecided.client().id);
    let address = household(incoming.address());
    slow.attempt(id, address, incoming.now)?;
    let mut wrong = 0;
    let settled = in_turn(incoming, credentials, id, &mut wrong);
    if settled.is_ok() {
        wrong = 0;
    }
    slow.weigh(id, address, wrong, incoming.now);
    settled
}

/// Counts in `wrong` the hashes that were computed for nothing.
fn in_turn(
    incoming: &Incoming<'_>,
    credentials: &Credentials,
    id: ClientId,
    wrong: &mut u32,
) -> Result<AuthenticatedClient, TokenError> {
    let ctx = incoming.ctx;
    let turn = ctx.slow_secrets.enter(id, site(incoming.address()));
    let _turn = turn.ok_or(TokenError::Unavailable)?;
    // Whoever was before may have shown the same secret.
    let client = ctx.client(id).map_err(super::oauth::unavailable)?;
    let undecided = match credentials.weigh(client)? {
        Weighed::Proved(client) => return Ok(client),
        Weighed::Undecided(undecided) => undecided,
    };
    for (secret, kept, phc) in undecided.pairs() {
        // Other strangers may stand before the gate; people who are known go first.
        match ctx.hashing.verify(secret, Some(phc), Asker::Stranger) {
            Ok(Verdict::Match { .. }) => {
                keep_as_ours(ctx, id, kept, secret, incoming.now);
                return Ok(undecided.proved());
            }
            Ok(Verdict::Mismatch) => *wrong += 1,
            Err(_) => return Err(TokenError::Unavailable),
        }
    }
    Err(undecided.refused())
}

/// The hash that ours are kept under takes no time, and is as good for a secret that nobody can guess. Another one stays
/// slow. Where nothing can be written now, it is done the next time.
fn keep_as_ours(ctx: &Context, id: ClientId, seen: &ClientSecret, secret: &Secret, now: Timestamp) {
    if !strength::looks_random(secret) {
        return;
    }
    let (seen, hash) = (seen.clone(), SecretHash::of(secret));
    let kept = ctx.store.submit(move |view| {
        let client = view.client(id)?;
        Ok(clients::keep_as_ours(client, &seen, hash, now))
    });
    if let Err(error) = kept {
        log::warn!("{error}");
    }
}

impl SlowSecrets {
    /// Counts a try as wrong until it is known better.
    fn attempt(&self, client: ClientId, address: IpAddr, now: Timestamp) -> Result<(), TokenError> {
        let mut tries = lock(&self.tries);
        let key = (address, client);
        let counted = tries
            .addresses
            .ready(&address, now)
            .and_then(|()| tries.clients.attempt(&key, now))
            .and_then(|()| tries.addresses.attempt(&address, now));
        counted.map_err(|wait| TokenError::TooManySecrets {
            seconds: wait.as_secs().max(1),
        })
    }

    /// What a try that was counted once came to: so many hashes that did not fit. One that was right, or not looked at, does
    /// not count.
    fn weigh(&self, client: ClientId, address: IpAddr, wrong: u32, now: Timestamp) {
        let mut tries = lock(&self.tries);
        let key = (address, client);
        if wrong == 0 {
            tries.clients.take_back(&key);
            tries.addresses.take_back(&address);
        }
        for _ in 1..wrong {
            tries.clients.count(&key, now);
            tries.addresses.count(&address, now);
        }
    }

    /// Waits for the turn; `None` where too many wait.
    fn enter(&self, client: ClientId, site: IpAddr) -> Option<Turn<'_>> {
        let mut line = lock(&self.line);
        let count = |is: &dyn Fn(&Place) -> bool| line.waiting.iter().filter(|p| is(p)).count();
        let full = line.waiting.len() >= LINE
            || count(&|place| place.client == client) >= LINE_OF_ONE
            || count(&|place| place.site == site) >= SITE
            || count(&|place| place.client == client && place.site == site) >= SITE_OF_ONE;
        if full {
            return None;
        }
        let number = line.next;
        line.next += 1;
        line.waiting.push_back(Place {
            number,
            client,
            site,
        });
        while line
            .waiting
            .front()
            .is_some_and(|first| first.number != number)
        {
            line = self
                .moved
                .wait(line)
                .unwrap_or_else(PoisonError::into_inner);
        }
        Some(Turn(self))
    }
}

struct Turn<'a>(&'a SlowSecrets);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        lock(&self.0.line).waiting.pop_front();
        self.0.moved.notify_all();
    }
}

/// Whoever has a line to the internet may have been given a whole IPv6 /48, which is 65,536 households.
fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 80))),
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
    use std::sync::mpsc::channel;
    use std::time::Instant;

    const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

    fn client(n: u8) -> ClientId {
        ClientId(Id::from_bytes([n; 16]))
    }

    fn address(n: u32) -> IpAddr {
        IpAddr::V4(n.into())
    }

    fn wait_for(slow: &SlowSecrets, count: usize) {
        let begun = Instant::now();
        while lock(&slow.line).waiting.len() < count {
            assert!(begun.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn one_at_a_time_few_wait_and_fewer_for_one_application() {
        let slow = SlowSecrets::default();
        let (done, order) = channel();
        std::thread::scope(|scope| {
            let slow = &slow;
            let turn = slow.enter(client(0), address(0)).unwrap();
            for n in 1..LINE {
                let done = done.clone();
                let id = client(u8::try_from(n / LINE_OF_ONE).unwrap());
                let from = u32::try_from(n).unwrap();
                scope.spawn(move || {
                    let turn = slow.enter(id, address(from));
                    done.send(n).unwrap();
                    drop(turn);
                });
                wait_for(slow, n + 1);
                if n == LINE_OF_ONE - 1 {
                    assert!(slow.enter(client(0), address(100)).is_none());
                }
            }
            assert!(slow.enter(client(200), address(100)).is_none());
            drop(turn);
        });
        drop(done);
        assert!(order.iter().eq(1..LINE));
        assert!(slow.enter(client(200), address(100)).is_some());
    }

    /// From the 65,536 households of one line to the internet all places were taken, and the application, which found none,
    /// never showed the secret that would have made it quick.
    #[test]
    fn one_site_leaves_a_place_for_everybody_else() {
        let slow = SlowSecrets::default();
        let household = |n: u16| site(format!("2001:db8:7:{n:x}::1").parse().unwrap());
        let elsewhere = site("2001:db8:8::1".parse().unwrap());
        std::thread::scope(|scope| {
            let slow = &slow;
            let turn = slow.enter(client(0), household(0)).unwrap();
            for n in 1..SITE {
                let id = client(u8::try_from(n / SITE_OF_ONE).unwrap());
                let from = household(u16::try_from(n).unwrap());
                scope.spawn(move || drop(slow.enter(id, from)));
                wait_for(slow, n + 1);
            }
            // Neither for these applications nor for another.
            for n in 0..3 {
                assert!(slow.enter(client(n), household(1_000)).is_none());
            }
            scope.spawn(move || drop(slow.enter(client(0), elsewhere)));
            wait_for(slow, SITE + 1);
            drop(turn);
        });
        assert!(slow.enter(client(0), household(0)).is_some());
    }

    #[test]
    fn wrong_secrets_slow_down_who_sends_them_and_nobody_else() {
        let slow = SlowSecrets::default();
        for _ in 0..10 {
            assert_eq!(slow.attempt(client(1), address(1), NOW), Ok(()));
        }
        let refused = |seconds| Err(TokenError::TooManySecrets { seconds });
        assert_eq!(slow.attempt(client(1), address(1), NOW), refused(2));
        // Elsewhere, and for another application, it is looked at.
        assert_eq!(slow.attempt(client(1), address(2), NOW), Ok(()));
        for _ in 0..10 {
            assert_eq!(slow.attempt(client(2), address(1), NOW), Ok(()));
        }
        // One after another from one address.
        assert_eq!(slow.attempt(client(3), address(1), NOW), refused(2));
        // What was right, or not looked at, does not count.
        for _ in 0..50 {
            assert_eq!(slow.attempt(client(3), address(3), NOW), Ok(()));
            slow.weigh(client(3), address(3), 0, NOW);
        }
        let later = NOW.plus(Duration::from_secs(60));
        assert_eq!(slow.attempt(client(1), address(1), later), Ok(()));
    }
}
