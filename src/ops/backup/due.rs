//! When the next backup is due. Pure: from what is wanted, what became of the last ones, and now.
//! Owns: that each day has its backup, that a machine which was off at that time catches up, that failures are tried again
//! ever more slowly, and that no clock, however wrong, stops backups or makes a storm of them.
//! The time of day is UTC, like every moment on the pages: a day has 24 hours then, summer and winter.
//! Not here: the thread that waits (`schedule`).

use crate::model::{BackupRecord, BackupSettings};
use crate::types::Timestamp;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// The last minute of a day.
pub const LAST_MINUTE: u16 = 24 * 60 - 1;

/// How far ahead of now the last backup may be: so far is a clock that was set right, not one that was wrong.
const AHEAD: Duration = HOUR;

/// A good one that is older than this is none: somebody must look. The alert of packaging/prometheus says the same.
const OLD: Duration = Duration::from_secs(3 * 24 * 3_600);

/// How it stands, for whoever looks after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// None is wanted.
    Off,
    /// All is well.
    Well,
    /// The last one failed; there is a good one that is not old.
    Failing,
    /// The last good one is so many days old, or there is none though it was tried.
    Overdue(Option<u64>),
}

/// How it stands now. A backup in another folder than the one that is set counts for nothing.
pub fn standing(settings: &BackupSettings, record: &BackupRecord, now: Timestamp) -> Standing {
    let Some(folder) = &settings.folder else {
        return Standing::Off;
    };
    let fails = record.failed_since > 0;
    let good = record.good.as_ref().filter(|good| good.is_in(folder));
    match good.map(|good| now.since(good.time)) {
        Some(age) if age > OLD => Standing::Overdue(Some(age.as_secs() / DAY.as_secs())),
        None if fails => Standing::Overdue(None),
        _ if fails => Standing::Failing,
        _ => Standing::Well,
    }
}

/// When there is to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// None is wanted.
    Never,
    /// Then.
    At(Timestamp),
    /// Now.
    Now,
    /// The last one is of a time that has not come yet: the clock is wrong, or was. Now, unless it is set right within
    /// a while; a machine without a clock of its own gets the time soon after its start.
    NowIfItStaysSo,
}

/// Decides. A backup in another folder than the one that is set counts for nothing.
pub fn due(settings: &BackupSettings, record: &BackupRecord, now: Timestamp) -> Due {
    let Some(folder) = &settings.folder else {
        return Due::Never;
    };
    let good = record.good.as_ref().filter(|good| good.is_in(folder));
    let (turn, next) = turns(settings.minute, now);
    let wanted = match good.map(|good| good.time) {
        None => Due::Now,
        Some(last) if last > now.plus(AHEAD) => Due::NowIfItStaysSo,
        Some(last) if last < turn => Due::Now,
        Some(_) => Due::At(next),
    };
    match (&record.failure, wanted) {
        // A failure of a time that has not come says nothing about now.
        (Some(failure), Due::Now | Due::NowIfItStaysSo)
            if record.failed_since > 0 && failure.time <= now =>
        {
            let again = failure.time.plus(pause(record.failed_since));
            if again > now { Due::At(again) } else { wanted }
        }
        _ => wanted,
    }
}

/// How long after so many failures in a row it is tried again.
pub fn pause(failed: u32) -> Duration {
    match failed {
        0 => Duration::ZERO,
        1 => MINUTE * 5,
        2 => MINUTE * 15,
        _ => HOUR,
    }
}

/// The latest moment, up to now, of that minute of a day, and the next one.
fn turns(minute: u16, now: Timestamp) -> (Timestamp, Timestamp) {
    let day = u64::try_from(DAY.as_millis()).unwrap_or(u64::MAX);
    let midnight = Timestamp::from_millis(now.millis() - now.millis() % day);
    let today = midnight.plus(MINUTE * u32::from(minute.min(LAST_MINUTE)));
    if today <= now {
        (today, today.plus(DAY))
    } else {
        (today.minus(DAY), today)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BackupFailed, BackupMade};

    fn at(text: &str) -> Timestamp {
        let moment: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_millis(u64::try_from(moment.as_millisecond()).unwrap())
    }

    fn three_o_clock() -> BackupSettings {
        BackupSettings {
            folder: Some("/mnt/usb".to_owned()),
            ..BackupSettings::default()
        }
    }

    fn made(time: Timestamp) -> BackupRecord {
        BackupRecord {
            good: Some(BackupMade {
                time,
                file: "/mnt/usb/doorlight.redb".to_owned(),
                bytes: 1,
            }),
            ..BackupRecord::default()
        }
    }

    #[test]
    fn each_day_has_its_backup_and_a_machine_that_was_off_catches_up() {
        let then = |text| Due::At(at(text));
        for (last, now, expected) in [
            // Made in time, a little late, and by hand in the evening before.
            (
                "2026-11-29T03:00:00Z",
                "2026-11-29T03:00:00Z",
                then("2026-11-30T03:00:00Z"),
            ),
            (
                "2026-11-29T03:00:20Z",
                "2026-11-29T12:00:00Z",
                then("2026-11-30T03:00:00Z"),
            ),
            (
                "2026-11-28T22:00:00Z",
                "2026-11-29T02:59:59Z",
                then("2026-11-29T03:00:00Z"),
            ),
            ("2026-11-28T22:00:00Z", "2026-11-29T03:00:00Z", Due::Now),
            // Off at three, off for a month.
            ("2026-11-28T03:00:00Z", "2026-11-29T08:00:00Z", Due::Now),
            ("2026-10-01T03:00:00Z", "2026-11-29T02:00:00Z", Due::Now),
            // Over the turn of a year, and over a day that a leap year has more.
            (
                "2026-12-31T03:00:00Z",
                "2026-12-31T23:59:59Z",
                then("2027-01-01T03:00:00Z"),
            ),
            (
                "2028-02-28T03:00:00Z",
                "2028-02-28T12:00:00Z",
                then("2028-02-29T03:00:00Z"),
            ),
        ] {
            let found = due(&three_o_clock(), &made(at(last)), at(now));
            assert_eq!(found, expected, "{last} {now}");
        }
    }

    /// In the zones that have summer time these days are 23 and 25 hours long, and have no or two half past two.
    #[test]
    fn summer_time_neither_skips_nor_doubles_a_backup() {
        let mut settings = three_o_clock();
        for minute in [0, 30, 60, 90, 150, LAST_MINUTE] {
            settings.minute = minute;
            for begin in [
                "2026-03-28T00:00:00Z",
                "2026-10-24T00:00:00Z",
                "2026-10-31T00:00:00Z",
            ] {
                let mut record = made(at(begin));
                let (mut now, mut made_at) = (at(begin), Vec::new());
                for _ in 0..3 * 24 * 60 {
                    now = now.plus(MINUTE);
                    if due(&settings, &record, now) == Due::Now {
                        record = made(now);
                        made_at.push(now);
                    }
                }
                assert_eq!(made_at.len(), 3, "{minute} {begin}");
                let gaps = made_at.windows(2).map(|pair| pair[1].since(pair[0]));
                assert!(gaps.into_iter().all(|gap| gap == DAY), "{minute} {begin}");
            }
        }
    }

    #[test]
    fn the_first_one_in_a_folder_is_due_at_once_and_none_without_a_folder() {
        let now = at("2026-11-29T12:00:00Z");
        assert_eq!(
            due(&three_o_clock(), &BackupRecord::default(), now),
            Due::Now
        );
        assert_eq!(
            due(
                &BackupSettings::default(),
                &made(at("2020-01-01T00:00:00Z")),
                now
            ),
            Due::Never
        );
        let elsewhere = BackupSettings {
            folder: Some("/mnt/other".to_owned()),
            ..three_o_clock()
        };
        assert_eq!(due(&elsewhere, &made(now), now), Due::Now);
        // A slash at the end makes no other folder.
        let same = BackupSettings {
            folder: Some("/mnt/usb/".to_owned()),
            ..three_o_clock()
        };
        assert_eq!(
            due(&same, &made(now), now),
            Due::At(at("2026-11-30T03:00:00Z"))
        );
    }

    #[test]
    fn a_clock_that_was_a_year_ahead_does_not_stop_backups() {
        let right = at("2026-11-29T12:00:00Z");
        let ahead = right.plus(DAY * 365);
        // Forwards: one is due, as after a year without.
        assert_eq!(due(&three_o_clock(), &made(right), ahead), Due::Now);
        // And back: the one of the future does not count until then.
        assert_eq!(
            due(&three_o_clock(), &made(ahead), right),
            Due::NowIfItStaysSo
        );
        assert_eq!(
            due(&three_o_clock(), &made(right), right),
            Due::At(at("2026-11-30T03:00:00Z"))
        );
    }

    #[test]
    fn a_clock_that_is_set_back_a_little_makes_no_second_backup_of_the_same_night() {
        let record = made(at("2026-11-29T03:00:05Z"));
        for now in [
            "2026-11-29T02:59:50Z",
            "2026-11-29T02:30:00Z",
            "2026-11-29T03:00:00Z",
        ] {
            let mut now = at(now);
            for _ in 0..120 {
                assert!(
                    matches!(due(&three_o_clock(), &record, now), Due::At(_)),
                    "{now:?}"
                );
                now = now.plus(MINUTE);
            }
        }
    }

    /// A small machine without a clock of its own begins in 1970, or where it was switched off.
    #[test]
    fn a_machine_that_starts_in_1970_waits_for_the_time_and_then_makes_one_backup() {
        let last = made(at("2026-11-28T03:00:00Z"));
        let begin = Timestamp::from_secs(10);
        assert_eq!(due(&three_o_clock(), &last, begin), Due::NowIfItStaysSo);
        assert_eq!(
            due(&three_o_clock(), &last, at("2026-11-28T12:00:00Z")),
            Due::At(at("2026-11-29T03:00:00Z"))
        );
        // Without the time: one there, too, and one when it comes.
        assert_eq!(
            due(&three_o_clock(), &made(begin), begin),
            Due::At(Timestamp::from_secs(3 * 3_600))
        );
        assert_eq!(
            due(&three_o_clock(), &made(begin), at("2026-11-29T12:00:00Z")),
            Due::Now
        );
        let end = Timestamp::from_millis(u64::MAX);
        assert_eq!(due(&three_o_clock(), &made(end), end), Due::At(end));
    }

    #[test]
    fn three_days_without_a_good_one_are_too_many() {
        let now = at("2026-11-29T12:00:00Z");
        let failing = |record: BackupRecord| BackupRecord {
            failed_since: 1,
            ..record
        };
        let (young, old) = (made(now.minus(OLD)), made(now.minus(DAY * 9)));
        for (record, expected) in [
            (BackupRecord::default(), Standing::Well),
            (failing(BackupRecord::default()), Standing::Overdue(None)),
            (young.clone(), Standing::Well),
            (failing(young), Standing::Failing),
            (old.clone(), Standing::Overdue(Some(9))),
            (failing(old.clone()), Standing::Overdue(Some(9))),
        ] {
            assert_eq!(
                standing(&three_o_clock(), &record, now),
                expected,
                "{record:?}"
            );
        }
        assert_eq!(
            standing(&BackupSettings::default(), &old, now),
            Standing::Off
        );
        // One that lies in another folder is not the one that is wanted.
        let elsewhere = BackupSettings {
            folder: Some("/mnt/other".to_owned()),
            ..three_o_clock()
        };
        let failing = failing(made(now));
        assert_eq!(standing(&elsewhere, &failing, now), Standing::Overdue(None));
    }

    #[test]
    fn failures_are_tried_again_ever_more_slowly_and_at_least_hourly() {
        let settings = three_o_clock();
        let mut record = made(at("2026-11-28T03:00:00Z"));
        let mut now = at("2026-11-29T03:00:00Z");
        let mut tries = Vec::new();
        for _ in 0..24 * 60 {
            if due(&settings, &record, now) == Due::Now {
                record.failed_since += 1;
                record.failure = Some(BackupFailed {
                    time: now,
                    why: "full".to_owned(),
                });
                tries.push(now.since(at("2026-11-29T03:00:00Z")).as_secs() / 60);
            }
            now = now.plus(MINUTE);
        }
        assert_eq!(
            tries.iter().take(5).copied().collect::<Vec<_>>(),
            [0, 5, 20, 80, 140]
        );
        assert!(tries.len() < 28, "{tries:?}");
        // A failure of the future, or one that was made good, holds nothing back.
        let mut future = record.clone();
        future.failure.as_mut().unwrap().time = now.plus(DAY * 365);
        assert_eq!(due(&settings, &future, now), Due::Now);
        record.failed_since = 0;
        assert_eq!(due(&settings, &record, now), Due::Now);
    }
}
