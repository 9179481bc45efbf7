//! By which issuer applications know Doorlight, and by which they knew it before. `iss` is compared letter by letter
//! (OpenID Connect Core §3.1.3.7, RFC 9207 §2.4): an application that was told another address refuses every sign-in.
//! Owns: what is noted when a server starts, and for how long another address than before is told of.

use crate::types::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// For how long a change is told of: by then whoever runs Doorlight has looked at it.
const TOLD_FOR: Duration = Duration::from_secs(7 * 86_400);

/// One record, beside the settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuerRecord {
    /// As of the last start.
    pub issuer: String,
    /// The one that it took the place of, where there were applications that knew it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<Replaced>,
}

/// An issuer that was left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// By which applications knew Doorlight.
    pub issuer: String,
    /// When a server was first started with another one, however many others followed within the week.
    pub time: Timestamp,
}

impl IssuerRecord {
    /// What a start with `issuer` makes of the record of the last one; `None`: it stays. `known` says whether there are
    /// applications. A start with the address that they know ends it, and one with a third one does not hide which that is.
    pub fn at_start(
        last: Option<&Self>,
        issuer: &str,
        known: bool,
        now: Timestamp,
    ) -> Option<Self> {
        if last.is_some_and(|last| last.issuer == issuer) {
            return None;
        }
        let left = last.map(|last| {
            last.told(now).cloned().unwrap_or_else(|| Replaced {
                issuer: last.issuer.clone(),
                time: now,
            })
        });
        Some(Self {
            issuer: issuer.to_owned(),
            replaced: left.filter(|left| known && left.issuer != issuer),
        })
    }

    /// The issuer that was left, while that is told of. A clock that was far ahead then does not make it longer.
    pub fn told(&self, now: Timestamp) -> Option<&Replaced> {
        let replaced = self.replaced.as_ref()?;
        let lately = now < replaced.time.plus(TOLD_FOR) && replaced.time < now.plus(TOLD_FOR);
        lately.then_some(replaced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "https://id.example.org";
    const NEW: &str = "https://id.example.net";
    const NOW: Timestamp = Timestamp::from_secs(1_795_510_200);
    const DAY: u64 = 86_400;

    fn after(days: u64) -> Timestamp {
        NOW.plus(Duration::from_secs(days * DAY))
    }

    /// The records of starts with these issuers on these days, of a Doorlight that has applications; `false`: none yet.
    fn started(starts: &[(u64, &str, bool)]) -> IssuerRecord {
        let mut last = None;
        for (day, issuer, known) in starts {
            let next = IssuerRecord::at_start(last.as_ref(), issuer, *known, after(*day));
            last = next.or(last);
        }
        last.unwrap()
    }

    fn told(record: &IssuerRecord, day: u64) -> Option<&str> {
        Some(record.told(after(day))?.issuer.as_str())
    }

    #[test]
    fn another_address_is_told_of_for_a_week_and_a_start_with_the_same_changes_nothing() {
        let first = started(&[(0, OLD, true)]);
        assert_eq!(told(&first, 0), None);
        assert_eq!(
            IssuerRecord::at_start(Some(&first), OLD, true, after(1)),
            None
        );
        let moved = started(&[(0, OLD, true), (1, NEW, true), (2, NEW, true)]);
        assert_eq!(told(&moved, 1), Some(OLD));
        assert_eq!(told(&moved, 7), Some(OLD));
        assert_eq!(told(&moved, 8), None);
        let ahead = started(&[(0, OLD, true), (400, NEW, true)]);
        assert_eq!(told(&ahead, 1), None);
    }

    #[test]
    fn the_old_address_ends_it_and_a_third_one_does_not_hide_it() {
        let back = started(&[(0, OLD, true), (1, NEW, true), (2, OLD, true)]);
        assert_eq!((told(&back, 2), back.issuer.as_str()), (None, OLD));
        let third = started(&[(0, OLD, true), (1, NEW, true), (2, "https://c", true)]);
        assert_eq!(told(&third, 2), Some(OLD));
        // Nor does it make the week longer.
        let third = started(&[(0, OLD, true), (1, NEW, true), (6, "https://c", true)]);
        assert_eq!((told(&third, 7), told(&third, 8)), (Some(OLD), None));
        // After the week they know the new one, and the old one is another.
        let again = started(&[(0, OLD, true), (1, NEW, true), (9, OLD, true)]);
        assert_eq!(told(&again, 9), Some(NEW));
    }

    #[test]
    fn nobody_is_told_before_there_are_applications() {
        let tried = started(&[(0, "http://localhost:8080", false), (0, NEW, false)]);
        assert_eq!(told(&tried, 0), None);
        let used = started(&[(0, OLD, false), (3, NEW, true)]);
        assert_eq!(told(&used, 3), Some(OLD));
    }
}
