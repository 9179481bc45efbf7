//! Moments as people read them. UTC, and said so: the server does not know where its readers are.

use crate::types::Timestamp;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_for_machines_and_people() {
        let shown = when(Timestamp::from_secs(1_795_510_200));
        assert_eq!(shown.iso, "2026-11-24T08:50:00Z");
        assert_eq!(shown.text, "24 Nov 2026, 08:50 UTC");
    }
}
