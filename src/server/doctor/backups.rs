//! Whether there is a backup that is worth something when the card dies.

use super::finding::{Finding, shown, size};
use crate::model::{BackupRecord, BackupSettings};
use crate::types::Timestamp;
use std::time::Duration;

const CHECK: &str = "backups";

/// One a day, and the tries of half a day.
const OLD: Duration = Duration::from_secs(36 * 3600);

pub(super) fn judge(settings: &BackupSettings, record: &BackupRecord, now: Timestamp) -> Finding {
    let Some(folder) = &settings.folder else {
        return Finding::note(CHECK, "none is made by itself")
            .change("doorlight backups set --folder /mnt/usb/doorlight");
    };
    let last = record.good.as_ref().filter(|good| good.is_in(folder));
    let failure = record.failure.as_ref().filter(|_| record.failed_since > 0);
    let what = match last {
        None => "none was made yet".to_owned(),
        Some(good) => format!(
            "the last one is {}, {}, in {}",
            age(now.since(good.time)),
            size(good.bytes),
            good.file
        ),
    };
    let is_old = last.is_none_or(|good| now.since(good.time) > OLD);
    match failure {
        Some(failure) => {
            let found = format!(
                "{what}; since then: {}",
                shown(failure.why.trim_end_matches('.'))
            );
            let finding = match is_old {
                true => Finding::fault(CHECK, found),
                false => Finding::warning(CHECK, found),
            };
            finding.change("doorlight backups run, once that is mended")
        }
        None if last.is_none() => Finding::note(CHECK, what),
        None if is_old => Finding::warning(CHECK, what).change("doorlight backups run"),
        None => Finding::ok(CHECK, what),
    }
}

fn age(span: Duration) -> String {
    match span.as_secs() / 3600 {
        0 => "less than an hour old".to_owned(),
        1 => "an hour old".to_owned(),
        hours @ 2..=47 => format!("{hours} hours old"),
        hours => format!("{} days old", hours / 24),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;
    use crate::model::{BackupFailed, BackupMade};

    const NOW: Timestamp = Timestamp::from_secs(1_795_510_200);

    fn judged(folder: Option<&str>, hours: Option<u64>, failed: u32) -> Finding {
        let settings = BackupSettings {
            folder: folder.map(str::to_owned),
            ..BackupSettings::default()
        };
        let record = BackupRecord {
            good: hours.map(|hours| BackupMade {
                time: NOW.minus(Duration::from_secs(hours * 3600)),
                file: "/mnt/usb/doorlight-2026-11-24-030000.redb".to_owned(),
                bytes: 2 * 1024 * 1024,
            }),
            failure: Some(BackupFailed {
                time: NOW,
                why: "/mnt/usb: No space left on device.".to_owned(),
            }),
            failed_since: failed,
        };
        judge(&settings, &record, NOW)
    }

    #[test]
    fn a_backup_of_today_is_ok_and_an_old_or_failing_one_is_not() {
        for (folder, hours, failed, level) in [
            (None, Some(1), 0, Level::Note),
            (Some("/mnt/usb"), None, 0, Level::Note),
            (Some("/mnt/usb"), Some(5), 0, Level::Ok),
            (Some("/mnt/usb"), Some(36), 0, Level::Ok),
            (Some("/mnt/usb"), Some(37), 0, Level::Warning),
            (Some("/mnt/usb"), Some(5), 1, Level::Warning),
            (Some("/mnt/usb"), Some(60), 9, Level::Fault),
            (Some("/mnt/usb"), None, 1, Level::Fault),
            // In another folder than the one that is set.
            (Some("/srv"), Some(5), 0, Level::Note),
        ] {
            let finding = judged(folder, hours, failed);
            assert_eq!(
                finding.level, level,
                "{folder:?} {hours:?} {failed}: {finding:?}"
            );
        }
    }

    #[test]
    fn how_old_and_why_is_said() {
        let finding = judged(Some("/mnt/usb"), Some(60), 3);
        for words in ["2 days old", "2.0 MiB", "No space left on device"] {
            assert!(finding.found.contains(words), "{finding:?}");
        }
        assert!(
            judged(Some("/mnt/usb"), Some(5), 0)
                .found
                .contains("5 hours old")
        );
    }
}
