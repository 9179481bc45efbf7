//! The `Date` of an answer, written out once a second.
//! RFC 9110 §5.6.7 and §6.6.1. Not here: any other use of the wall clock; no decision rests on this one.

use std::time::{SystemTime, UNIX_EPOCH};

const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const DAY: u64 = 86_400;

/// The last date that a connection wrote.
#[derive(Debug, Default)]
pub(super) struct DateCache {
    second: Option<u64>,
    text: String,
}

impl DateCache {
    /// The present as an IMF-fixdate.
    pub(super) fn now(&mut self) -> &str {
        let second = wall_clock();
        if self.second != Some(second) {
            self.second = Some(second);
            self.text = imf_fixdate(second);
        }
        &self.text
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "Date tells when an answer was sent; it decides nothing"
)]
fn wall_clock() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Seconds since 1970 in the form `Sun, 06 Nov 1994 08:49:37 GMT`.
fn imf_fixdate(second: u64) -> String {
    let (days, of_day) = (second / DAY, second % DAY);
    let (year, month, day) = civil_date(days);
    let name = |names: &[&'static str], at: u64| {
        usize::try_from(at)
            .ok()
            .and_then(|at| names.get(at).copied())
            .unwrap_or_default()
    };
    format!(
        "{}, {day:02} {} {year:04} {:02}:{:02}:{:02} GMT",
        name(&WEEKDAYS, days % 7),
        name(&MONTHS, month - 1),
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60
    )
}

/// Year, month and day of a day counted from 1970-01-01. Years are counted from March, so that the leap day is the
/// last of its year, and in eras of 400 years, which all have the same length.
fn civil_date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_read_as_http_wants_them() {
        for (second, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
            (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        ] {
            assert_eq!(imf_fixdate(second), text);
        }
    }

    #[test]
    fn the_date_is_kept_within_a_second() {
        let mut cache = DateCache {
            second: Some(u64::MAX),
            text: String::new(),
        };
        assert!(cache.now().ends_with(" GMT"));
    }
}
