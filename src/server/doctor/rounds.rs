//! What the doctor found lately, for the overview: what is quick is looked at again when a minute has passed, what takes
//! long only on demand, one round at a time.

use super::probes::Probes;
use super::{Finding, Patient, quick, slow, way_here};
use crate::server::context::Context;
use crate::types::Timestamp;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// Findings, and when they were made.
#[derive(Clone, Debug)]
pub struct Round {
    /// When.
    pub at: Timestamp,
    /// What was found.
    pub findings: Arc<[Finding]>,
}

/// Of one server.
#[derive(Default)]
pub struct Rounds {
    /// Requests that the doctor sends to itself.
    pub probes: Probes,
    quick: Mutex<Option<Round>>,
    thorough: Mutex<Option<Round>>,
    under_way: Mutex<()>,
}

impl Rounds {
    /// What is quick, at most a minute old.
    pub fn quick(&self, ctx: &Context, now: Timestamp) -> Arc<[Finding]> {
        let mut held = self.quick.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(round) = held.as_ref()
            && now.since(round.at) < MINUTE
            && now >= round.at
        {
            return round.findings.clone();
        }
        let findings: Arc<[Finding]> = quick(&Patient::serving(ctx), now).into();
        *held = Some(Round {
            at: now,
            findings: findings.clone(),
        });
        findings
    }

    /// What is quick is looked at anew when it is asked for next: something changed that it tells of.
    pub fn forget(&self) {
        *self.quick.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What took long, if somebody asked for it.
    pub fn thorough(&self) -> Option<Round> {
        let held = self.thorough.lock().unwrap_or_else(PoisonError::into_inner);
        held.clone()
    }

    /// Looks at everything again, unless another round is under way: its findings will do.
    pub fn begin(&self, ctx: &Context, now: Timestamp) {
        let _under_way = match self.under_way.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        self.forget();
        let mut findings = slow(&Patient::serving(ctx));
        findings.extend(way_here(ctx, now));
        let round = Round {
            at: now,
            findings: findings.into(),
        };
        *self.thorough.lock().unwrap_or_else(PoisonError::into_inner) = Some(round);
    }
}
