//! Whether the clock can be right. Nobody outside is asked: a clock that stands before the newest record of the file was
//! set back, and what keeps it right leaves its mark on this machine.

use super::finding::Finding;
use crate::server::pages::when::when;
use crate::types::Timestamp;
use std::path::Path;
use std::time::Duration;

const CHECK: &str = "clock";

/// 2026-01-01: a machine without a battery begins at 1970, or at the day its system was made.
const NEWEST_PAST: Timestamp = Timestamp::from_secs(1_767_225_600);
/// Two clocks of one machine may differ by that: before and after it was set.
const SLACK: Duration = Duration::from_secs(5);

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

/// Judges a moment by the newest record of the file.
pub(super) fn judge(
    now: Timestamp,
    newest: Option<Timestamp>,
    keeper: Option<&'static str>,
) -> Finding {
    let shown = when(now).text;
    if now < NEWEST_PAST {
        return Finding::fault(
            CHECK,
            format!("it says {shown}: it was never set; no sign-in counts"),
        )
        .change("timedatectl set-ntp true");
    }
    if let Some(newest) = newest.filter(|newest| now.plus(SLACK) < *newest) {
        let by = newest.since(now).as_secs();
        let found = format!(
            "it says {shown}, {by} seconds before the newest record of the file: it was set back, or was ahead before"
        );
        return Finding::fault(CHECK, found).change("timedatectl set-ntp true");
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

    #[test]
    fn a_clock_that_was_never_set_or_was_set_back_is_a_fault() {
        let now = Timestamp::from_secs(1_795_510_200);
        let at = |now, newest| judge(now, newest, KEEPERS.first().map(|(_, words)| *words)).level;
        assert_eq!(at(Timestamp::from_secs(0), None), Level::Fault);
        assert_eq!(at(now, None), Level::Ok);
        assert_eq!(at(now, Some(now)), Level::Ok);
        assert_eq!(at(now, Some(now.plus(SLACK))), Level::Ok);
        let ahead = now.plus(Duration::from_secs(60));
        assert_eq!(at(now, Some(ahead)), Level::Fault);
        assert_eq!(judge(now, None, None).level, Level::Note);
    }
}
