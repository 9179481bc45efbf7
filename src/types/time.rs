//! A moment, as an argument. Nothing here reads a clock (see `ops::clock`).

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From whole seconds since the epoch (a JWT `NumericDate`, RFC 7519 §2).
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// From a JWT `NumericDate` (RFC 7519 §2), which may have a fraction. `None` for what is no moment since the epoch,
    /// and from 2^53 on: no clock gets there, and readers of JSON do not agree on it (RFC 8259 §6).
    pub fn from_numeric_date(value: &Value) -> Option<Self> {
        let span = match value.as_u64() {
            Some(secs) => Duration::from_secs(secs),
            None => Duration::try_from_secs_f64(value.as_f64()?).ok()?,
        };
        (span < Duration::from_secs(1 << 53)).then(|| Self::default().plus(span))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn secs(self) -> u64 {
        self.0 / 1000
    }

    /// This moment and `span` later; saturates.
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }

    /// The next moment that can be told from this one.
    pub fn just_after(self) -> Self {
        self.plus(Duration::from_millis(1))
    }

    /// This moment less `span`; saturates at the epoch.
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis(span)))
    }

    /// How long after `earlier` this is; zero when it is not later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Whether the two are no further apart than that. A moment that has not come yet was taken from a clock that was
    /// ahead: it is not always just now until it comes.
    pub fn is_within(self, span: Duration, other: Self) -> bool {
        self.since(other) <= span && other.since(self) <= span
    }

    /// Whether this is in the life of what was made at `made` and ends at `end`. A clock that was set back shows a time
    /// before that: where it is by more than a life, the life is over, and is not lived again.
    pub fn is_in_life(self, made: Self, end: Self) -> bool {
        self < end && made.since(self) <= end.since(made)
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rfc7519_section_2_a_numeric_date_is_a_number_since_the_epoch() {
        for (value, millis) in [
            (json!(0), Some(0)),
            (json!(1_795_000_000), Some(1_795_000_000_000)),
            (json!(1.5), Some(1_500)),
            (json!(u64::MAX), None),
            (json!(1_u64 << 53), None),
            (json!(-1), None),
            (json!(-0.5), None),
            (json!(1e300), None),
            (json!("1795000000"), None),
            (json!(null), None),
            (json!([1]), None),
        ] {
            let read = Timestamp::from_numeric_date(&value).map(Timestamp::millis);
            assert_eq!(read, millis, "{value}");
        }
    }

    #[test]
    fn a_moment_of_a_clock_that_was_ahead_is_no_nearer_than_it_looks() {
        const MINUTE: Duration = Duration::from_secs(60);
        let now = Timestamp::from_secs(1_795_000_000);
        for (other, near) in [
            (now, true),
            (now.minus(MINUTE), true),
            (now.plus(MINUTE), true),
            (now.minus(MINUTE * 2), false),
            (now.plus(MINUTE * 2), false),
        ] {
            assert_eq!(now.is_within(MINUTE, other), near);
        }
        let (made, end) = (now, now.plus(MINUTE));
        for (at, lives) in [
            (made, true),
            (end.minus(Duration::from_millis(1)), true),
            (end, false),
            // Set right by a little.
            (made.minus(MINUTE), true),
            (made.minus(MINUTE * 2), false),
            (Timestamp::default(), false),
        ] {
            assert_eq!(at.is_in_life(made, end), lives, "{at:?}");
        }
    }
}
