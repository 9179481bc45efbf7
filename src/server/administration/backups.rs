//! Scheduled backups, as an administrator sets them and asks for them.
//! Owns: what may be set, and the test write before it is. Not here: when one is made and how (`ops::backup::schedule`).

use super::{Actor, OperationError, submit};
use crate::crypto::age::{MOST_KEYS, Recipient};
use crate::model::{
    AdminError, Author, BackupMade, BackupRecord, BackupSettings, Change, Decision, EventKind,
    Settings,
};
use crate::ops::backup::due::{self, Due};
use crate::ops::backup::file_name::{self, Form};
use crate::ops::backup::folder::{self, Stored};
use crate::ops::backup::schedule::RunError;
use crate::ops::clock;
use crate::server::context::Context;
use crate::store::backup::BackupError;
use crate::store::{StoreError, View, placed};
use crate::types::Timestamp;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// More of one kind are a mistake.
pub const KEPT_MOST: u32 = 1_000;
/// What a path may have, in bytes.
const PATH_MOST: usize = 1_000;

const SAME_FOLDER: &str = "the backups stand in the folder of the data file: whatever happens to that happens to them too";
const SAME_DISK: &str = "the folder is on the disk of the data file: when that dies, both are gone, unless something copies \
                         the backups elsewhere";

/// Also said where one is made by hand.
pub const OTHERS_READ: &str = "others on this machine can read what is written there, for the place keeps no rights, as a \
                               stick with FAT: encrypt backups that go there, or mount it with umask=077";

/// What is to be different; the rest stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BackupChanges {
    /// An absolute path.
    pub folder: Option<String>,
    /// A time of day, UTC: `03:00`.
    pub at: Option<String>,
    /// See [`crate::model::Keep`], as are the following.
    pub daily: Option<u32>,
    /// See there.
    pub weekly: Option<u32>,
    /// See there.
    pub monthly: Option<u32>,
    /// Public keys, `age1…`.
    pub recipients: Option<Vec<String>>,
}

/// What the data file says of backups.
#[derive(Debug)]
pub struct Recorded {
    settings: BackupSettings,
    record: BackupRecord,
}

impl Recorded {
    /// Reads it.
    pub fn read(view: &View<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            // A file that no server has started with has none.
            settings: view.settings()?.map(|s| s.backups).unwrap_or_default(),
            record: view.backup_record()?,
        })
    }

    /// The same of the file that a server has.
    pub fn of(ctx: &Context) -> Result<Self, StoreError> {
        Self::read(&ctx.store.snapshot()?.view())
    }
}

/// How it stands.
#[derive(Debug)]
pub struct State {
    /// What is set.
    pub settings: BackupSettings,
    /// What became of it.
    pub record: BackupRecord,
    /// When there is to be one.
    pub due: Due,
    /// What is in the folder, or why nobody knows; nothing without a folder.
    pub files: Result<Vec<Stored>, String>,
    /// What is unwise about the folder.
    pub warning: Option<String>,
}

/// Looks how it stands. `data` is the data file. A folder on a network may hang for ever: whoever asks holds no snapshot,
/// for which the data file would grow all the while.
pub fn state(recorded: Recorded, data: &Path, now: Timestamp) -> State {
    let Recorded { settings, record } = recorded;
    let due = due::due(&settings, &record, now);
    let folder = settings.folder.as_deref().map(Path::new);
    let files = folder.map_or(Ok(Vec::new()), |folder| {
        folder::list(folder).map_err(|error| unusable(folder, error))
    });
    let found = files.as_deref().unwrap_or_default();
    let warning = folder.and_then(|folder| warning(folder, data, &settings, found));
    State {
        settings,
        record,
        due,
        files,
        warning,
    }
}

/// Sets what is given, once something could be written to the folder.
pub fn set(
    ctx: &Context,
    changes: &BackupChanges,
    actor: &Actor,
) -> Result<BackupSettings, OperationError> {
    let wanted = changed(ctx.settings()?.backups.clone(), changes)?;
    let Some(folder) = wanted.folder.map(PathBuf::from) else {
        return Err(AdminError::invalid("folder", "say where the backups go: a folder").into());
    };
    let refused = |error| AdminError::invalid("folder", unusable(&folder, error));
    let others_read = folder::try_out(&folder).map_err(refused)?;
    if let Some(point) = folder::missing_mount(&folder) {
        let point = point.display();
        let why =
            format!("nothing is mounted at {point}, where /etc/fstab has a disk: mount it first");
        return Err(AdminError::invalid("folder", why).into());
    }
    let apart = folder::is_on_other_disk(&folder, ctx.store.path()).map_err(refused)?;
    let mount_point = folder::mount_point(&folder)
        .filter(|point| point.parent().is_some())
        .and_then(|point| point.into_os_string().into_string().ok());
    let changes = changes.clone();
    submit(ctx, actor, move |view, by| {
        let settings = view.settings_made()?;
        let wanted = match changed(settings.backups.clone(), &changes) {
            Ok(wanted) => wanted,
            Err(error) => return Ok(Decision::reply(Err(error))),
        };
        let wanted = BackupSettings {
            on_other_disk: apart,
            mount_point,
            others_read,
            ..wanted
        };
        put(settings, wanted, view.backup_record()?, by)
    })
}

/// No more backups are made by themselves. What was made stays.
pub fn switch_off(ctx: &Context, actor: &Actor) -> Result<BackupSettings, OperationError> {
    submit(ctx, actor, move |view, by| {
        let settings = view.settings_made()?;
        let wanted = BackupSettings {
            folder: None,
            ..settings.backups.clone()
        };
        put(settings, wanted, view.backup_record()?, by)
    })
}

/// Makes one now. It counts as the scheduled one does.
pub fn run(ctx: &Context, actor: &Actor) -> Result<BackupMade, OperationError> {
    let now = clock::now();
    if !actor.may_act(&ctx.store.snapshot()?.view(), &ctx.config.issuer, now)? {
        return Err(AdminError::NoAdministrator.into());
    }
    match ctx.backups.make(&ctx.store, &actor.author(now)) {
        Ok(made) => Ok(made),
        Err(RunError::Store(error)) => Err(error.into()),
        Err(error) => Err(AdminError::NoBackup(error.to_string()).into()),
    }
}

/// Records that an administrator takes one away, before any of it leaves. It is not the last good one: nobody knows
/// whether it arrives, and where.
pub fn note_download(ctx: &Context, form: Form, actor: &Actor) -> Result<(), OperationError> {
    submit(ctx, actor, move |_, by| {
        let words = match form {
            Form::Plain => "not encrypted",
            Form::Encrypted => "encrypted",
        };
        Ok(Decision {
            changes: Vec::new(),
            events: vec![by.did(EventKind::BackupDownloaded).detail(words)],
            reply: Ok(()),
        })
    })
}

/// A minute of a day as people write it.
pub fn time_of_day(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn put(
    settings: Settings,
    wanted: BackupSettings,
    mut record: BackupRecord,
    by: &Author,
) -> Result<Decision<BackupSettings, AdminError>, StoreError> {
    let mut decision = Decision::reply(Ok(wanted.clone()));
    if settings.backups != wanted {
        let mut after = settings.clone();
        after.backups = wanted;
        decision.events.push(by.changed_settings(&settings, &after));
        decision.changes.push(Change::PutSettings(Box::new(after)));
    }
    // What failed before is tried anew, at once.
    if record.failed_since > 0 {
        record.failed_since = 0;
        decision
            .changes
            .push(Change::PutBackupRecord(Box::new(record)));
    }
    Ok(decision)
}

/// The settings with what is given. Pure.
fn changed(
    mut settings: BackupSettings,
    changes: &BackupChanges,
) -> Result<BackupSettings, AdminError> {
    if let Some(folder) = &changes.folder {
        settings.folder = Some(checked_path(folder.trim())?);
    }
    if let Some(at) = &changes.at {
        settings.minute = minute(at.trim()).ok_or_else(|| {
            AdminError::invalid("at", "must be a time of day in UTC, as 03:00 is one")
        })?;
    }
    for (field, given, kept) in [
        ("daily", changes.daily, &mut settings.keep.daily),
        ("weekly", changes.weekly, &mut settings.keep.weekly),
        ("monthly", changes.monthly, &mut settings.keep.monthly),
    ] {
        if let Some(given) = given {
            if given > KEPT_MOST {
                return Err(AdminError::invalid(field, "must be 0 to 1,000"));
            }
            *kept = given;
        }
    }
    if let Some(recipients) = &changes.recipients {
        settings.recipients = checked_recipients(recipients)?;
    }
    Ok(settings)
}

fn checked_path(text: &str) -> Result<String, AdminError> {
    let refuse = |why: &str| Err(AdminError::invalid("folder", why));
    if !text.starts_with('/') {
        return refuse("must be the whole path of a folder, beginning with a slash");
    }
    if text.len() > PATH_MOST || text.chars().any(char::is_control) {
        return refuse("must be a path of at most 1,000 bytes, on one line");
    }
    Ok(text.to_owned())
}

/// `03:00`: two digits and two.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str, below: u16| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|n| digits && *n < below)
    };
    Some(number(hour, 24)? * 60 + number(minute, 60)?)
}

fn checked_recipients(given: &[String]) -> Result<Vec<String>, AdminError> {
    let mut recipients = Vec::new();
    let given = given.iter().map(|text| text.trim());
    for text in given.filter(|text| !text.is_empty()) {
        let recipient: Recipient = text.parse().map_err(|why| {
            let shown: String = text.chars().take(12).collect();
            // A private key that was pasted here by mistake is not shown again.
            AdminError::invalid("recipients", format!("{shown}…: {why}"))
        })?;
        let recipient = recipient.to_string();
        if !recipients.contains(&recipient) {
            recipients.push(recipient);
        }
    }
    if recipients.len() > MOST_KEYS {
        let why = format!("must be at most {MOST_KEYS} public keys");
        return Err(AdminError::invalid("recipients", why));
    }
    Ok(recipients)
}

fn warning(
    folder: &Path,
    data: &Path,
    settings: &BackupSettings,
    there: &[Stored],
) -> Option<String> {
    let plain = |stored: &&Stored| file_name::form_of(&stored.name) == Some(Form::Plain);
    let open = settings.others_read && settings.recipients.is_empty()
        || there.iter().filter(plain).any(|stored| stored.others_read);
    let words: Vec<&str> = [open.then_some(OTHERS_READ), place(folder, data)]
        .into_iter()
        .flatten()
        .collect();
    (!words.is_empty()).then(|| words.join("; "))
}

/// What is unwise about where it is.
fn place(folder: &Path, data: &Path) -> Option<&'static str> {
    let same_folder = || {
        let there = std::fs::canonicalize(folder).ok()?;
        Some(there == std::fs::canonicalize(placed::folder(data)).ok()?)
    };
    if same_folder() == Some(true) {
        return Some(SAME_FOLDER);
    }
    let apart = folder::is_on_other_disk(folder, data);
    (!apart.ok()?).then_some(SAME_DISK)
}

fn unusable(folder: &Path, error: io::Error) -> String {
    BackupError::Target(folder.to_owned(), error).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::age::Identity;

    fn refused(changes: BackupChanges) -> (&'static str, String) {
        match changed(BackupSettings::default(), &changes) {
            Err(AdminError::Invalid { field, message }) => (field, message),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_cannot_be_is_refused_by_the_name_of_its_field() {
        for path in ["", "backups", "./backups", "~/backups", "/mnt/\nusb"] {
            let changes = BackupChanges {
                folder: Some(path.to_owned()),
                ..BackupChanges::default()
            };
            assert_eq!(refused(changes).0, "folder", "{path:?}");
        }
        for at in [
            "", "3", "3:00", "24:00", "03:60", "03:00:00", "+3:00", "0３:00",
        ] {
            let changes = BackupChanges {
                at: Some(at.to_owned()),
                ..BackupChanges::default()
            };
            assert_eq!(refused(changes).0, "at", "{at:?}");
        }
        let changes = BackupChanges {
            weekly: Some(1_001),
            ..BackupChanges::default()
        };
        assert_eq!(refused(changes).0, "weekly");
    }

    #[test]
    fn a_private_key_is_no_recipient_and_is_not_repeated() {
        let private = Identity::generate().text();
        let changes = BackupChanges {
            recipients: Some(vec![private.expose().to_owned()]),
            ..BackupChanges::default()
        };
        let (field, message) = refused(changes);
        assert_eq!(field, "recipients");
        assert!(message.contains("private key"), "{message}");
        assert!(!message.contains(&private.expose()[..20]), "{message}");
    }

    #[test]
    fn what_is_not_given_stays() {
        let key = Identity::generate().recipient().to_string();
        let changes = BackupChanges {
            folder: Some(" /mnt/usb ".to_owned()),
            at: Some("23:59".to_owned()),
            recipients: Some(vec![key.clone(), String::new(), format!(" {key}\r")]),
            ..BackupChanges::default()
        };
        let first = changed(BackupSettings::default(), &changes).unwrap();
        let expected = BackupSettings {
            folder: Some("/mnt/usb".to_owned()),
            minute: 23 * 60 + 59,
            recipients: vec![key],
            ..BackupSettings::default()
        };
        assert_eq!(first, expected);
        let fewer = BackupChanges {
            daily: Some(0),
            ..BackupChanges::default()
        };
        let second = changed(first.clone(), &fewer).unwrap();
        assert_eq!(second.keep.daily, 0);
        assert_eq!(
            (second.folder, second.recipients),
            (first.folder, first.recipients)
        );
        assert_eq!(time_of_day(first.minute), "23:59");
    }
}
