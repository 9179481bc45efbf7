//! Probes: the doctor asks for a public document through the public address, with a value that was drawn for this one
//! request, and what the server saw of it is told to the doctor alone. To whoever else asks, the document is the document:
//! a value that was not drawn here is not looked at, and the answer is the same for all.

use crate::server::incoming::Incoming;
use crate::types::{Secret, Timestamp, TokenHash};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The query key.
pub const PARAMETER: &str = "probe";

const LASTS: Duration = Duration::from_secs(60);
const MOST: usize = 8;
/// Characters of a header that are kept.
const LONGEST: usize = 200;

/// What a request looked like when it arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The `Host` header.
    pub host: String,
    /// Whether it came by https, as far as that is believed.
    pub https: bool,
    /// The client's address, as far as it is believed.
    pub address: Option<IpAddr>,
    /// `X-Forwarded-For` as it came; only of a trusted proxy.
    pub forwarded_for: Option<String>,
    /// Whether `X-Forwarded-Proto` came; likewise.
    pub forwarded_proto: bool,
}

impl Seen {
    fn of(incoming: &Incoming<'_>) -> Self {
        // The listener leaves these fields only where a trusted proxy sent them.
        let header = |name| incoming.request.header(name);
        let kept = |text: &str| text.chars().take(LONGEST).collect();
        Self {
            host: kept(header("Host").unwrap_or_default()),
            https: incoming.request.is_secure(),
            address: Some(incoming.address().to_canonical()),
            forwarded_for: header("X-Forwarded-For").map(kept),
            forwarded_proto: header("X-Forwarded-Proto").is_some(),
        }
    }
}

struct Probe {
    value: TokenHash,
    made: Timestamp,
    seen: Option<Seen>,
}

/// Those that are under way.
#[derive(Default)]
pub struct Probes(Mutex<Vec<Probe>>);

impl Probes {
    /// Waits for a request with this value. The oldest gives way where there are too many.
    pub fn expect(&self, value: &Secret, now: Timestamp) {
        let mut probes = self.current(now);
        if probes.len() >= MOST {
            probes.remove(0);
        }
        probes.push(Probe {
            value: TokenHash::of(value),
            made: now,
            seen: None,
        });
    }

    /// Notes what was seen, if the request is one of them. Only the first of a value counts.
    pub fn note(&self, incoming: &Incoming<'_>) {
        if !incoming.request.raw_url().contains('?') {
            return;
        }
        let mut probes = self.current(incoming.now);
        if probes.is_empty() {
            return;
        }
        let query = incoming.query().unwrap_or_default();
        let value = TokenHash::of(&Secret::new(query.text(PARAMETER).to_owned()));
        let waiting = |probe: &&mut Probe| probe.value == value && probe.seen.is_none();
        if let Some(probe) = probes.iter_mut().find(waiting) {
            probe.seen = Some(Seen::of(incoming));
        }
    }

    /// What was seen, and the end of the probe.
    pub fn take(&self, value: &Secret, now: Timestamp) -> Option<Seen> {
        let mut probes = self.current(now);
        let value = TokenHash::of(value);
        let place = probes.iter().position(|probe| probe.value == value)?;
        probes.remove(place).seen
    }

    fn current(&self, now: Timestamp) -> MutexGuard<'_, Vec<Probe>> {
        let mut probes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        probes.retain(|probe| now.since(probe.made) < LASTS);
        probes
    }
}

#[cfg(test)]
#[path = "probes_tests.rs"]
mod tests;
