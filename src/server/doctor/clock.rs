//! Whether the clock can be right, in words. Nobody outside is asked: what keeps it right leaves its mark on this machine.
//! Not here: when it is in doubt (`ops::clock`).

use super::finding::Finding;
use crate::ops::clock::{self, Doubt, Way};
use crate::server::pages::when::when;
use crate::types::Timestamp;
use std::path::Path;

const CHECK: &str = "clock";

/// The line that has it kept right.
const CHANGE: &str = "timedatectl set-ntp true";

/// What keeps the clock, and where it leaves its mark.
const KEEPERS: [(&str, &str); 5] = [
    (
        "/run/systemd/timesync/synchronized",
        "systemd-timesyncd has set it",
    ),
    ("/run/chrony/chronyd.pid", "chrony keeps it"),
    ("/run/chronyd.pid", "chrony keeps it"),
    ("/run/ntpd.pid", "ntpd keeps it"),
    ("/run/openntpd.pid", "openntpd keeps it"),
];

/// Who keeps the clock, as far as it can be seen from here.
pub(super) fn keeper() -> Option<&'static str> {
    let there = KEEPERS.iter().find(|(mark, _)| Path::new(mark).exists());
    there.map(|(_, words)| *words)
}

/// Judges a moment, and what is in doubt of it. While the clock is behind, applications are refused.
pub(super) fn judge(now: Timestamp, doubt: Option<Doubt>, keeper: Option<&'static str>) -> Finding {
    let shown = when(now).text;
    let never_set = clock::was_never_set(now);
    if let Some(doubt) = doubt {
        let found = format!("it says {shown}. {doubt}");
        let found = found.trim_end_matches('.');
        let finding = match doubt.way {
            Way::Ahead if !never_set => Finding::warning(CHECK, found),
            _ => Finding::fault(CHECK, found),
        };
        return finding.change(CHANGE);
    }
    if never_set {
        let found = format!("it says {shown}: it was never set; no sign-in counts");
        return Finding::fault(CHECK, found).change(CHANGE);
    }
    match keeper {
        Some(words) => Finding::ok(CHECK, format!("{shown}; {words}")),
        None => Finding::note(
            CHECK,
            format!(
                "{shown}; what keeps it cannot be seen from here (in a container, the host does). Compare it"
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_clock_is_judged_by_what_is_in_doubt_of_it_and_one_that_was_never_set_is_a_fault() {
        let now = Timestamp::from_secs(1_795_510_200);
        let year = Duration::from_secs(365 * 86_400);
        let sure = |sure| clock::doubt_at_start(Some(sure), now);
        let at = |now, doubt| judge(now, doubt, KEEPERS.first().map(|(_, words)| *words));
        let level = |doubt| at(now, doubt).level;
        assert_eq!(at(Timestamp::from_secs(0), None).level, Level::Fault);
        assert_eq!(level(None), Level::Ok);
        assert_eq!(level(sure(now)), Level::Ok);
        assert_eq!(level(sure(now.plus(Duration::from_secs(60)))), Level::Ok);
        assert_eq!(level(sure(now.plus(year))), Level::Fault);
        assert_eq!(level(sure(now.minus(year))), Level::Warning);
        let found = at(now, sure(now.minus(year))).found;
        assert!(found.contains("365 days further"), "{found}");
        assert_eq!(judge(now, None, None).level, Level::Note);
    }
}
