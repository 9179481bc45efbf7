//! The one place that reads the wall clock, and what is made of a clock that jumps.
//!
//! The wall clock is taken at its word for what is issued and judged: other servers go by theirs, and a clock that is set
//! right must count at once. What cannot be undone waits until the clock is sure: forgetting what has expired
//! (`forgetting`), and making and withdrawing keys (`crypto::rotation`). A clock that is a year ahead for an hour would
//! otherwise cost every session, every refresh token and the audit log.
//!
//! The rule. The time that has passed since the clock was last sure is known from the machine's own count, which nobody
//! can set. Where the wall clock shows over five minutes more, or over one less, it is in doubt: **ahead** or **behind**. At a start
//! the count begins anew, and the file tells when the clock was last sure: it is in doubt when it lies before that, or more
//! than thirty days after. The doubt ends at once when the clock is where it should be, and by itself when it has
//! lasted as long as the jump was, at most a week: by then most people have seen a clock that is wrong. An administrator who
//! has looked at it ends the doubt too (`server::administration::clock`).
//!
//! While the clock is behind it shows a time that was lived through, and what was used up then may have been forgotten:
//! DPoP proofs and client assertions are refused until it has passed (`server::replays`). A code or device code of a time
//! to come is refused (`Timestamp::is_in_life`) and thrown away (`store::sweep`). Tokens that are called back end by name
//! where their dates say too little (`server::called_back`). An access token is good until its `exp` by the clock, here as
//! at every service; one that was revoked stays revoked (`store::sweep` keeps that for a week longer).

use crate::store::REMEMBERED_LONGER;
use crate::types::{Timestamp, in_words};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

/// How much further a clock may be corrected without any doubt.
const STEP: Duration = Duration::from_secs(5 * 60);
/// And how far back: no further than uses are remembered for.
const BACK: Duration = REMEMBERED_LONGER;
/// How long a server may have been off.
const OFF: Duration = Duration::from_secs(30 * 24 * 3_600);
/// The longest doubt.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3_600);
/// 2026-01-01.
const NEWEST_PAST: Timestamp = Timestamp::from_secs(1_767_225_600);

/// Now.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// What the machine counts, sleep included: from no moment in particular, and never backwards.
fn counted() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let secs = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::from_secs(secs)
        + Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or_default())
}

/// Which way a clock is wrong, if it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It went forward, and more than time did.
    Ahead,
    /// It shows a time that was lived through.
    Behind,
}

/// A clock that may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Which way.
    pub way: Way,
    /// By how much.
    pub by: Duration,
    /// For how long it has been in doubt.
    pub lasted: Duration,
}

impl Doubt {
    /// The latest moment that can be told for sure when the clock shows `now`: a year ahead, a moment that is kept would put
    /// off for a year whatever is counted from it.
    pub fn latest(&self, now: Timestamp) -> Timestamp {
        match self.way {
            Way::Ahead => now.minus(self.by),
            Way::Behind => now,
        }
    }

    /// When it ends by itself.
    pub fn left(&self) -> Duration {
        self.by.min(LONGEST).saturating_sub(self.lasted)
    }
}

impl Doubt {
    /// What is in doubt, in a sentence.
    pub fn found(&self) -> String {
        let by = in_words::at_most(self.by);
        match self.way {
            Way::Ahead => format!(
                "The clock of this machine is {by} further than when Doorlight last knew the time."
            ),
            Way::Behind => format!("The clock of this machine has gone back by {by}."),
        }
    }
}

/// And what to do about it.
impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (found, left) = (self.found(), in_words::at_most(self.left()));
        let refused = match self.way {
            Way::Ahead => "",
            Way::Behind => {
                "applications that prove a key of their own are refused (what they proved before could be played again), "
            }
        };
        write!(
            f,
            "{found} If it is wrong, set it right; if it is right, say so with `doorlight clock trust`. Until then, and for at \
             most {left}, {refused}nothing that has expired is deleted, and signing keys are not replaced."
        )
    }
}

/// Compares the wall clock with what was counted. Pure: both are arguments.
#[derive(Clone, Debug)]
pub struct Watch {
    /// When the clock was last sure: by the wall, and by the count.
    sure: (Timestamp, Duration),
    /// How much further than the count it may be.
    slack: Duration,
    /// What is in doubt, and since when by the count.
    doubt: Option<(Way, Duration, Duration)>,
}

impl Watch {
    /// Begins at a start. `sure`: what the file tells.
    pub fn begin(sure: Option<Timestamp>, wall: Timestamp, counted: Duration) -> Self {
        let (sure, slack) = sure.map_or((wall, STEP), |sure| (sure, OFF));
        let mut watch = Self {
            sure: (sure, counted),
            slack,
            doubt: None,
        };
        watch.look(wall, counted);
        watch
    }

    /// Looks at the clocks. What is in doubt.
    pub fn look(&mut self, wall: Timestamp, counted: Duration) -> Option<Doubt> {
        let passed = counted.saturating_sub(self.sure.1);
        let expected = self.sure.0.plus(passed);
        let (ahead, behind) = (wall.since(expected), expected.since(wall));
        let (way, by) = if ahead > self.slack {
            (Way::Ahead, ahead)
        } else if behind > BACK {
            (Way::Behind, behind)
        } else {
            self.believe(wall, counted);
            return None;
        };
        let since = match self.doubt {
            // The same jump, and no other.
            Some((before, jump, since)) if before == way && by.abs_diff(jump) <= STEP => since,
            _ => counted,
        };
        self.doubt = Some((way, by, since));
        let doubt = Doubt {
            way,
            by,
            lasted: counted.saturating_sub(since),
        };
        if doubt.left() == Duration::ZERO {
            self.believe(wall, counted);
            return None;
        }
        Some(doubt)
    }

    /// The clock is right after all, if it is still the same jump.
    pub fn trust(&mut self, known: Doubt, wall: Timestamp, counted: Duration) {
        let same = |doubt: Doubt| doubt.way == known.way && doubt.by.abs_diff(known.by) <= STEP;
        if self.look(wall, counted).is_some_and(same) {
            self.believe(wall, counted);
        }
    }

    fn believe(&mut self, wall: Timestamp, counted: Duration) {
        *self = Self {
            sure: (wall, counted),
            slack: STEP,
            doubt: None,
        };
    }
}

/// That of this process.
static WATCH: Mutex<Option<Watch>> = Mutex::new(None);

/// Begins to watch the clock, with what the file tells of when it was last sure. Only the first file of a process is asked:
/// a backup that somebody uploads knows the time no better.
pub fn begin(sure: Option<Timestamp>) {
    let mut watch = WATCH.lock().unwrap_or_else(PoisonError::into_inner);
    watch.get_or_insert_with(|| Watch::begin(sure, now(), counted()));
}

/// The time, and what is in doubt of that very moment, for whoever does what cannot be undone: a clock may jump between two
/// looks. Nothing is in doubt where nobody began to watch.
pub fn look() -> (Timestamp, Option<Doubt>) {
    let mut watch = WATCH.lock().unwrap_or_else(PoisonError::into_inner);
    let now = now();
    let doubt = watch.as_mut().and_then(|watch| watch.look(now, counted()));
    (now, doubt)
}

/// What is in doubt now.
pub fn doubt() -> Option<Doubt> {
    look().1
}

/// Ends this doubt: an administrator knows that the clock is right. One that has jumped once more since is doubted anew.
pub fn trust(doubt: Doubt) {
    let mut watch = WATCH.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(watch) = watch.as_mut() {
        watch.trust(doubt, now(), counted());
    }
}

/// Whether it shows a time before there was this program: a machine without a battery begins at 1970, or at the day its
/// system was made.
pub fn was_never_set(now: Timestamp) -> bool {
    now < NEWEST_PAST
}

/// What a start would doubt now, for whoever only reads the file.
pub fn doubt_at_start(sure: Option<Timestamp>, now: Timestamp) -> Option<Doubt> {
    Watch::begin(sure, now, Duration::ZERO).look(now, Duration::ZERO)
}

#[cfg(test)]
#[path = "clock_tests.rs"]
mod tests;
