//! How long an answer may be kept: `Cache-Control` as far as a cache of one owner needs it. RFC 9111 §5.2.2.

use std::time::Duration;

/// What the header says; `None` where it says nothing that is understood.
pub(super) fn of(header: &str) -> Option<Duration> {
    let mut age = None;
    for directive in header.split(',') {
        let (name, value) = match directive.split_once('=') {
            Some((name, value)) => (name.trim(), value.trim().trim_matches('"')),
            None => (directive.trim(), ""),
        };
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return Some(Duration::ZERO);
        }
        // RFC 9111 §4.2.1: of several, the first.
        if name.eq_ignore_ascii_case("max-age") && age.is_none() {
            age = value.parse().ok().map(Duration::from_secs);
        }
    }
    age
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc9111_section_5_2_2() {
        let seconds = |n| Some(Duration::from_secs(n));
        for (header, lasts) in [
            ("", None),
            ("public", None),
            ("max-age=3600", seconds(3_600)),
            ("public, Max-Age=\"60\"", seconds(60)),
            ("max-age=5, max-age=7", seconds(5)),
            ("max-age=soon", None),
            ("max-age=-1", None),
            ("max-age", None),
            ("no-cache", seconds(0)),
            ("max-age=3600, No-Store", seconds(0)),
        ] {
            assert_eq!(of(header), lasts, "{header}");
        }
    }
}
