//! Backups: how they stand, when they are made, and one to take away. Fields: `folder`, `at` (`03:00`), `daily`, `weekly`,
//! `monthly`, `recipients` (one a line); of a download `lock` = `none` | `recipients` | `passphrase`, `passphrase`,
//! `passphrase_again`.

use crate::views::{Form, Page, When};
use askama::Template;

/// `{base}/admin/backups`. `POST` to the same address sets the schedule; `POST …/off`, `…/run` without fields;
/// `POST …/download` answers with a file.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/backups.html", config = "assets/askama.toml")]
pub struct Backups {
    /// The frame.
    pub page: Page,
    /// What is set, or what was typed.
    pub form: Form,
    /// The folder that is set.
    pub folder: Option<String>,
    /// What is unwise about it.
    pub warning: Option<String>,
    /// The last good one.
    pub good: Option<BackupRow>,
    /// When the next one is due; `None`: now.
    pub next: Option<When>,
    /// The last one that failed: when, and why.
    pub failure: Option<(When, String)>,
    /// What is in the folder, the newest first.
    pub rows: Vec<BackupRow>,
    /// How many more there are.
    pub more: usize,
    /// Why nobody knows what is in the folder.
    pub unreadable: Option<String>,
    /// To how many public keys backups are encrypted.
    pub recipients: usize,
    /// Lines to restore with, as an example.
    pub restoring: Vec<String>,
}

/// A backup.
#[derive(Debug, Clone)]
pub struct BackupRow {
    /// When it was made.
    pub when: When,
    /// Its name, or its path.
    pub file: String,
    /// Its size in words.
    pub size: String,
    /// Whether that time has not come yet.
    pub of_the_future: bool,
}
