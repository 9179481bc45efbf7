//! What became of calls since the start, by purpose: for whoever looks at the overview or collects measurements.

use super::OutboundError;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An application is told of a sign-out.
    Logout,
    /// A document that is looked at once.
    Document,
    /// The keys of an application.
    Keys,
    /// An authorization request by reference.
    RequestObject,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Logout,
        Self::Document,
        Self::Keys,
        Self::RequestObject,
    ];

    /// Its name in measurements.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Document => "document",
            Self::Keys => "keys",
            Self::RequestObject => "request_object",
        }
    }
}

/// Which rule of ours said no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It is no address of the web, or one with a name or password in it.
    Address,
    /// It is not https, and the host is not allowed.
    Scheme,
    /// It leads to an address that is not public, and the host is not allowed.
    Inner,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Address, Self::Scheme, Self::Inner];

    /// Its name in measurements.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Scheme => "scheme",
            Self::Inner => "inner",
        }
    }
}

/// The counts of one purpose.
pub struct Counters {
    calls: AtomicU64,
    refused: [AtomicU64; 3],
    failed: AtomicU64,
}

impl Counters {
    const fn zero() -> Self {
        Self {
            calls: AtomicU64::new(0),
            refused: [const { AtomicU64::new(0) }; 3],
            failed: AtomicU64::new(0),
        }
    }

    /// Calls that were asked for, whatever came of them.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Those that a rule refused.
    pub fn refused(&self, cause: Cause) -> u64 {
        self.of(cause).load(Ordering::Relaxed)
    }

    /// Those that were tried and failed.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    const fn of(&self, cause: Cause) -> &AtomicU64 {
        let [address, scheme, inner] = &self.refused;
        match cause {
            Cause::Address => address,
            Cause::Scheme => scheme,
            Cause::Inner => inner,
        }
    }
}

/// One process, one set of counts.
static COUNTS: [Counters; 4] = [const { Counters::zero() }; 4];

/// The counts of a purpose.
pub fn counters(purpose: Purpose) -> &'static Counters {
    let [logout, document, keys, request_object] = &COUNTS;
    match purpose {
        Purpose::Logout => logout,
        Purpose::Document => document,
        Purpose::Keys => keys,
        Purpose::RequestObject => request_object,
    }
}

/// Counts, refused and failed of all purposes together.
pub fn totals() -> (u64, u64, u64) {
    Purpose::ALL
        .into_iter()
        .map(counters)
        .fold((0, 0, 0), |(calls, refused, failed), of| {
            let here: u64 = Cause::ALL.into_iter().map(|cause| of.refused(cause)).sum();
            (calls + of.calls(), refused + here, failed + of.failed())
        })
}

/// Why there is no answer, with the cause that is counted.
#[derive(Debug)]
pub(super) enum Fault {
    Refused(Cause, String),
    Failed(String),
}

/// Counts what became of a call.
pub(super) fn counted<T>(purpose: Purpose, outcome: Result<T, Fault>) -> Result<T, OutboundError> {
    let counters = counters(purpose);
    let up = |count: &AtomicU64| count.fetch_add(1, Ordering::Relaxed);
    up(&counters.calls);
    outcome.map_err(|fault| match fault {
        Fault::Refused(cause, why) => {
            up(counters.of(cause));
            OutboundError::Refused(why)
        }
        Fault::Failed(why) => {
            up(&counters.failed);
            OutboundError::Failed(why)
        }
    })
}
