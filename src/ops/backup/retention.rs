//! Which backups are kept: the latest of each of the last days, weeks and months. Pure.
//! Not here: making and removing them (`making`, `folder`).

use crate::types::Timestamp;
use std::collections::BTreeSet;

pub use crate::model::Keep;

const MILLIS_A_DAY: u64 = 24 * 3_600 * 1_000;

/// Those of `made` that are not kept any more. Days, weeks and months are those of UTC, and only those that have a backup
/// count: a machine that was off for a month loses none for it. The latest backup is always kept.
pub fn superfluous(made: &BTreeSet<Timestamp>, keep: Keep) -> BTreeSet<Timestamp> {
    let mut kept: BTreeSet<Timestamp> = made.last().copied().into_iter().collect();
    kept.extend(latest_of_each(made, keep.daily, day));
    // 1 January 1970 was a Thursday.
    kept.extend(latest_of_each(made, keep.weekly, |time| {
        (day(time) + 3) / 7
    }));
    kept.extend(latest_of_each(made, keep.monthly, month));
    made.difference(&kept).copied().collect()
}

/// The latest of each of the last `most` periods that have one.
fn latest_of_each(
    made: &BTreeSet<Timestamp>,
    most: u32,
    period: impl Fn(Timestamp) -> u64,
) -> Vec<Timestamp> {
    let mut latest = Vec::new();
    let mut before = None;
    for time in made.iter().rev() {
        if latest.len() >= usize::try_from(most).unwrap_or(usize::MAX) {
            break;
        }
        let this = period(*time);
        if before != Some(this) {
            before = Some(this);
            latest.push(*time);
        }
    }
    latest
}

fn day(time: Timestamp) -> u64 {
    time.millis() / MILLIS_A_DAY
}

/// Months since the year 0.
fn month(time: Timestamp) -> u64 {
    i64::try_from(time.millis())
        .ok()
        .and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok())
        .map_or(u64::MAX, |moment| {
            let date = moment.to_zoned(jiff::tz::TimeZone::UTC).date();
            let months = i64::from(date.year()) * 12 + i64::from(date.month());
            u64::try_from(months).unwrap_or(0)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(text: &str) -> Timestamp {
        let moment: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_millis(u64::try_from(moment.as_millisecond()).unwrap())
    }

    fn kept(made: &BTreeSet<Timestamp>, daily: u32, weekly: u32, monthly: u32) -> Vec<Timestamp> {
        let keep = Keep {
            daily,
            weekly,
            monthly,
        };
        let gone = superfluous(made, keep);
        made.difference(&gone).copied().collect()
    }

    #[test]
    fn the_latest_of_each_day_week_and_month_is_kept() {
        for (made, (daily, weekly, monthly), expected) in [
            (&[][..], (7, 4, 12), &[][..]),
            // The latest is kept whatever the numbers say.
            (
                &["2026-11-28T03:00:00Z", "2026-11-29T03:00:00Z"],
                (0, 0, 0),
                &["2026-11-29T03:00:00Z"],
            ),
            // Two of one day.
            (
                &[
                    "2026-11-28T03:00:00Z",
                    "2026-11-28T23:59:59Z",
                    "2026-11-29T00:00:00Z",
                ],
                (2, 0, 0),
                &["2026-11-28T23:59:59Z", "2026-11-29T00:00:00Z"],
            ),
            // 29 November 2026 is a Sunday, 30 November a Monday.
            (
                &[
                    "2026-11-22T03:00:00Z",
                    "2026-11-23T03:00:00Z",
                    "2026-11-29T03:00:00Z",
                    "2026-11-30T03:00:00Z",
                ],
                (0, 2, 0),
                &["2026-11-29T03:00:00Z", "2026-11-30T03:00:00Z"],
            ),
            // Over the turn of a year.
            (
                &[
                    "2026-11-30T03:00:00Z",
                    "2026-12-30T03:00:00Z",
                    "2026-12-31T03:00:00Z",
                    "2027-01-01T03:00:00Z",
                ],
                (0, 0, 2),
                &["2026-12-31T03:00:00Z", "2027-01-01T03:00:00Z"],
            ),
            // A gap of months costs nothing.
            (
                &["2026-01-01T03:00:00Z", "2026-11-29T03:00:00Z"],
                (2, 0, 0),
                &["2026-01-01T03:00:00Z", "2026-11-29T03:00:00Z"],
            ),
        ] {
            let made: BTreeSet<Timestamp> = made.iter().map(|text| at(text)).collect();
            let expected: Vec<Timestamp> = expected.iter().map(|text| at(text)).collect();
            assert_eq!(kept(&made, daily, weekly, monthly), expected, "{made:?}");
        }
    }

    /// As the schedule goes: one a day, tidied up after each.
    #[test]
    fn two_years_of_days_leave_as_many_as_were_asked_for() {
        let mut made = BTreeSet::new();
        let keep = Keep {
            daily: 7,
            weekly: 4,
            monthly: 12,
        };
        let begin = at("2026-11-29T03:00:00Z");
        for day in 0..730_u32 {
            made.insert(begin.plus(Duration::from_millis(MILLIS_A_DAY) * day));
            let gone = superfluous(&made, keep);
            assert!(!gone.contains(made.last().unwrap()));
            made.retain(|time| !gone.contains(time));
        }
        // Those of the last week serve as the weekly and the monthly one of now, too.
        assert!((20..=23).contains(&made.len()), "{}", made.len());
        let oldest = made.first().unwrap();
        assert_eq!(*oldest, at("2027-12-31T03:00:00Z"));
    }
}
