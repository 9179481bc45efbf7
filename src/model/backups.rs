//! Backups that Doorlight makes by itself: what an administrator wants, and what became of it.
//! Not here: when one is due (`ops::backup::due`), how one is made (`ops::backup::making`).

use crate::types::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How many of each are kept (`ops::backup::retention`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    /// Days of which the latest backup is kept.
    pub daily: u32,
    /// The same for weeks, which begin on Monday.
    pub weekly: u32,
    /// The same for months.
    pub monthly: u32,
}

/// What is wanted. Part of the settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BackupSettings {
    /// Where to, an absolute path. None: no backup is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Whether the folder was on another disk than the data file when it was set. Where it is so no longer, that disk is
    /// not there, and what would be written stands in the way of it.
    pub on_other_disk: bool,
    /// Where the disk of the folder was mounted when it was set, unless it is the root. Where nothing is mounted there, that
    /// disk is not there either: the one below may be another than that of the data file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount_point: Option<String>,
    /// Whether others on the machine could read what was written to the folder when it was set.
    pub others_read: bool,
    /// When, in minutes after midnight, UTC.
    pub minute: u16,
    /// How many are kept.
    pub keep: Keep,
    /// Public keys (`age1…`) that every backup is encrypted to; empty: it is not encrypted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
}

impl Default for BackupSettings {
    /// Off; at three o'clock, a week of days, a month of weeks, a year of months.
    fn default() -> Self {
        Self {
            folder: None,
            on_other_disk: false,
            mount_point: None,
            others_read: false,
            minute: 3 * 60,
            keep: Keep {
                daily: 7,
                weekly: 4,
                monthly: 12,
            },
            recipients: Vec::new(),
        }
    }
}

/// What became of it: one record, beside the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BackupRecord {
    /// The last one that was made, and checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub good: Option<BackupMade>,
    /// The last one that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<BackupFailed>,
    /// How many failed since then.
    pub failed_since: u32,
}

/// A backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupMade {
    /// Of when it is.
    pub time: Timestamp,
    /// Its absolute path, at that time.
    pub file: String,
    /// Its size.
    pub bytes: u64,
}

impl BackupMade {
    /// Whether it was made in that folder.
    pub fn is_in(&self, folder: &str) -> bool {
        Path::new(&self.file).parent() == Some(Path::new(folder))
    }
}

/// A backup that was not made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupFailed {
    /// When it was tried.
    pub time: Timestamp,
    /// Why, in a sentence.
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Settings;

    #[test]
    fn a_file_from_before_there_were_backups_has_them_off() {
        let mut stored = serde_json::to_value(Settings::new(vec![7; 32].into())).unwrap();
        assert!(stored.as_object_mut().unwrap().remove("backups").is_some());
        let read: Settings = serde_json::from_value(stored).unwrap();
        assert_eq!(read.backups, BackupSettings::default());
        assert_eq!(read.backups.folder, None);
        // And one of a release that set less.
        let less = serde_json::json!({ "folder": "/mnt/usb" });
        let read: BackupSettings = serde_json::from_value(less).unwrap();
        assert_eq!((read.minute, read.keep.daily), (180, 7));
        let record: BackupRecord = serde_json::from_str("{}").unwrap();
        assert_eq!(record, BackupRecord::default());
    }
}
