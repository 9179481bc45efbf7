//! Whether applications know Doorlight by the address that it has, in words. Not here: for how long a change is told of
//! (`model::issuer_record`).

use super::finding::Finding;
use crate::model::IssuerRecord;
use crate::server::pages::when::when;
use crate::types::{Issuer, Timestamp};

/// Nothing while they know the one that it has, or could since a week.
pub(super) fn judge(
    record: Option<&IssuerRecord>,
    issuer: &Issuer,
    now: Timestamp,
) -> Option<Finding> {
    let record = record.filter(|record| record.issuer == issuer.as_str())?;
    let replaced = record.told(now)?;
    let (old, since) = (&replaced.issuer, when(replaced.time).text);
    let found = format!(
        "{issuer} since {since}, and {old} before: applications that were set up with the old address let nobody in \
         until the new one stands in their settings. Give it to each of them, or start again with the old one"
    );
    Some(Finding::warning("issuer", found).change(format!("--issuer {old}")))
}

/// The same as one line for the log.
pub fn warning(record: Option<&IssuerRecord>, issuer: &Issuer, now: Timestamp) -> Option<String> {
    let Finding { found, change, .. } = judge(record, issuer, now)?;
    let change = change.unwrap_or_default();
    Some(format!("Doorlight's address is {found} ({change})"))
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;
    use crate::model::Replaced;
    use std::time::Duration;

    #[test]
    fn another_address_than_before_is_a_warning_with_both_ways_out() {
        const NOW: Timestamp = Timestamp::from_secs(1_795_510_200);
        let issuer: Issuer = "https://id.example.net".parse().unwrap();
        let mut record = IssuerRecord {
            issuer: issuer.to_string(),
            replaced: Some(Replaced {
                issuer: "https://id.example.org".to_owned(),
                time: NOW,
            }),
        };
        let finding = judge(Some(&record), &issuer, NOW).unwrap();
        assert_eq!(finding.level, Level::Warning);
        assert!(
            finding.found.contains("Give it to each of them"),
            "{finding:?}"
        );
        assert_eq!(
            finding.change.as_deref(),
            Some("--issuer https://id.example.org")
        );
        let line = warning(Some(&record), &issuer, NOW).unwrap();
        assert!(line.contains("(--issuer https://id.example.org)"), "{line}");
        let later = NOW.plus(Duration::from_secs(8 * 86_400));
        assert_eq!(judge(Some(&record), &issuer, later), None);
        assert_eq!(judge(None, &issuer, NOW), None);
        // Of a file at rest, looked at with other settings than those of its server.
        record.issuer = "https://elsewhere.example".to_owned();
        assert_eq!(judge(Some(&record), &issuer, NOW), None);
    }
}
