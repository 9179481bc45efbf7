//! Moments as people read them. UTC, and said so: the server does not know where its readers are.

use crate::types::Timestamp;
use crate::types::in_words::span;
use crate::views::When;

/// For a page.
pub fn when(time: Timestamp) -> When {
    let moment = i64::try_from(time.millis())
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    match moment {
        Some(moment) => When {
            iso: moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            text: moment.strftime("%-d %b %Y, %H:%M UTC").to_string(),
        },
        None => When::default(),
    }
}

/// For a page that is about how long ago something was, for readers anywhere.
pub fn ago(time: Timestamp, now: Timestamp) -> When {
    let moment = when(time);
    let text = format!("{} ago ({})", span(now.since(time)), moment.text);
    When { text, ..moment }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_for_machines_and_people() {
        let shown = when(Timestamp::from_secs(1_795_510_200));
        assert_eq!(shown.iso, "2026-11-24T08:50:00Z");
        assert_eq!(shown.text, "24 Nov 2026, 08:50 UTC");
    }

    #[test]
    fn what_happened_lately_says_how_long_ago() {
        let time = Timestamp::from_secs(1_795_510_200);
        for (seconds, words) in [
            (0, "less than a minute ago (24 Nov 2026, 08:50 UTC)"),
            (172_800, "2 days ago (24 Nov 2026, 08:50 UTC)"),
        ] {
            let now = Timestamp::from_secs(1_795_510_200 + seconds);
            assert_eq!(ago(time, now).text, words);
        }
    }
}
