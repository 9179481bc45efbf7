//! Whether there is a backup that is worth something when the card dies, in words. Not here: what is too old
//! (`ops::backup::due`).

use super::finding::{Finding, shown};
use crate::model::{BackupRecord, BackupSettings};
use crate::ops::backup::due::{self, Standing};
use crate::ops::mounts::{self, Mounts};
use crate::types::Timestamp;
use crate::types::in_words::{size, span};
use std::path::Path;

const CHECK: &str = "backups";

pub(super) fn judge(settings: &BackupSettings, record: &BackupRecord, now: Timestamp) -> Finding {
    let Some(folder) = &settings.folder else {
        return Finding::note(CHECK, "none is made by itself")
            .change("doorlight backups set --folder /mnt/usb/doorlight");
    };
    let last = record.good.as_ref().filter(|good| good.is_in(folder));
    let what = match last {
        None => "none was made yet".to_owned(),
        Some(good) => format!(
            "the last one is {} old, {}, in {}",
            span(now.since(good.time)),
            size(good.bytes),
            good.file
        ),
    };
    let failed = match &record.failure {
        Some(failure) => shown(failure.why.trim_end_matches('.')),
        None => "one failed".to_owned(),
    };
    let failing = record.failed_since > 0;
    let finding = match due::standing(settings, record, now) {
        Standing::Off | Standing::Well if last.is_none() => return Finding::note(CHECK, what),
        Standing::Off | Standing::Well => return Finding::ok(CHECK, what),
        Standing::Overdue(_) if !failing => {
            return Finding::warning(CHECK, what).change("doorlight backups run");
        }
        Standing::Failing => Finding::warning(CHECK, format!("{what}; since then: {failed}")),
        Standing::Overdue(_) => Finding::fault(CHECK, format!("{what}; since then: {failed}")),
    };
    finding.change("doorlight backups run, once that is mended")
}

/// What the folder lies on, as far as that says something about the backups there.
pub(super) fn place(settings: &BackupSettings, mounts: Option<&Mounts>) -> Option<Finding> {
    const CHECK: &str = "place of backups";
    let folder = settings.folder.as_deref()?;
    let kind = mounts?.kind(Path::new(folder))?;
    if !mounts::is_fat(kind) {
        return None;
    }
    let found = format!(
        "{folder} is on a FAT file system ({kind}), which keeps no rights, and may lose what it has when the power fails or the \
         stick is pulled out"
    );
    let encrypted = !settings.recipients.is_empty();
    Some(match (encrypted, settings.others_read) {
        (true, _) => Finding::note(
            CHECK,
            format!("{found}; nobody can read the backups, which are encrypted"),
        ),
        (false, true) => Finding::warning(
            CHECK,
            format!("{found}; others on this machine can read the backups"),
        )
        .change(
            "doorlight backups set --recipient age1…, or umask=077 among its options in /etc/fstab",
        ),
        (false, false) => Finding::warning(
            CHECK,
            format!("{found}; whoever finds the stick reads the backups"),
        )
        .change("doorlight backups set --recipient age1…"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;
    use crate::model::{BackupFailed, BackupMade};
    use std::time::Duration;

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
            (Some("/mnt/usb"), Some(72), 0, Level::Ok),
            (Some("/mnt/usb"), Some(73), 0, Level::Warning),
            (Some("/mnt/usb"), Some(5), 1, Level::Warning),
            (Some("/mnt/usb"), Some(72), 9, Level::Warning),
            (Some("/mnt/usb"), Some(73), 9, Level::Fault),
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
    fn a_stick_with_fat_is_told_and_how_to_keep_others_from_reading_it() {
        let mounts = Mounts::parse(
            "1 0 8:1 / / rw - ext4 a rw\n2 1 8:2 / /mnt/usb rw - vfat b rw\n3 1 8:3 / /mnt/ex rw - exfat c rw\n",
        );
        let level = |folder: &str, recipients: &[&str]| {
            let settings = BackupSettings {
                folder: Some(folder.to_owned()),
                recipients: recipients.iter().map(|key| (*key).to_owned()).collect(),
                ..BackupSettings::default()
            };
            place(&settings, Some(&mounts)).map(|finding| (finding.level, finding.change.is_some()))
        };
        assert_eq!(
            level("/mnt/usb/doorlight", &[]),
            Some((Level::Warning, true))
        );
        assert_eq!(level("/mnt/ex", &[]), Some((Level::Warning, true)));
        assert_eq!(level("/mnt/ex", &["age1"]), Some((Level::Note, false)));
        assert_eq!(level("/srv/backups", &[]), None);
        assert_eq!(place(&BackupSettings::default(), Some(&mounts)), None);
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
