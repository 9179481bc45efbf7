//! Sizes and lengths of time as people read them. Not here: moments (`server::pages::when`).

use std::time::Duration;

/// A size: `988 bytes`, `44.0 KiB`, `1.2 GiB`. Never more than there is: what is short of a unit is cut off.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let (mut rest, mut unit) = (bytes, "bytes");
    let mut tenths = 0;
    for next in UNITS {
        if rest < 1024 {
            break;
        }
        tenths = rest % 1024 * 10 / 1024;
        (rest, unit) = (rest / 1024, next);
    }
    if unit == "bytes" || rest >= 100 {
        format!("{rest} {unit}")
    } else {
        format!("{rest}.{tenths} {unit}")
    }
}

/// A length of time, for `… ago` and `… old`: what has begun of the next minute, hour or day does not count.
pub fn span(length: Duration) -> String {
    match length.as_secs() / 60 {
        0 => "less than a minute".to_owned(),
        1 => "1 minute".to_owned(),
        minutes @ 2..120 => format!("{minutes} minutes"),
        minutes @ 120..2_880 => format!("{} hours", minutes / 60),
        minutes => format!("{} days", minutes / 1_440),
    }
}

/// A length of time that is not exceeded, for `at most …`: what has begun of the next minute, hour or day counts.
pub fn at_most(length: Duration) -> String {
    match length.as_secs() {
        0..=60 => "1 minute".to_owned(),
        secs @ 61..=7_200 => format!("{} minutes", secs.div_ceil(60)),
        secs @ 7_201..=172_800 => format!("{} hours", secs.div_ceil(3_600)),
        secs => format!("{} days", secs.div_ceil(86_400)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_for_people() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1536, "1.5 KiB"),
            (16 * 1024 * 1024, "16.0 MiB"),
            (700 * 1024 * 1024, "700 MiB"),
            (78 * 1024 * 1024 * 1024, "78.0 GiB"),
            (u64::MAX, "16777215 TiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn lengths_of_time_are_written_for_people() {
        for (seconds, text) in [
            (59, "less than a minute"),
            (60, "1 minute"),
            (599, "9 minutes"),
            (7_199, "119 minutes"),
            (7_200, "2 hours"),
            (172_799, "47 hours"),
            (172_800, "2 days"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
        for (seconds, text) in [
            (0, "1 minute"),
            (60, "1 minute"),
            (61, "2 minutes"),
            (7_200, "120 minutes"),
            (7_201, "3 hours"),
            (172_800, "48 hours"),
            (172_801, "3 days"),
        ] {
            assert_eq!(at_most(Duration::from_secs(seconds)), text);
        }
    }
}
