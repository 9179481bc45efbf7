//! One backup in the folder that is set: copied, checked, encrypted where there are recipients, and only then given its
//! name. The copy is made in the folder of the data file, without a name: what is encrypted never stands anywhere else in
//! the clear, and a folder that hangs holds no snapshot, for which the data file would grow until its disk is full.
//! Not here: when (`due`), what becomes of older ones (`folder`).

use super::file_name::{self, Form};
use super::folder;
use crate::crypto::age::{Lock, Recipient};
use crate::model::{BackupMade, BackupSettings};
use crate::ops::inspection::inspect_open;
use crate::store::backup::{self, BackupError, GoOn};
use crate::store::encrypted;
use crate::store::placed::{self, Placing};
use crate::store::verify::Contents;
use crate::store::{OpenError, Store, StoreError};
use crate::types::{Timestamp, in_words};
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

/// What must stay free on the disk of the data file while there is a copy, so that the server can go on writing.
const LEFT_FREE: u64 = 16 * 1_024 * 1_024;

/// Why there is no backup. Nothing was removed.
#[derive(Debug)]
pub enum MakeError {
    /// No folder is set.
    Off,
    /// The folder was on another disk than the data file, and is not now.
    NotMounted(PathBuf),
    /// The folder was on the disk that was mounted there when it was set, and is not now.
    NothingMounted(PathBuf, String),
    /// The disk of the data file has not enough room left: how many bytes it has.
    Room(u64),
    /// It could not be written.
    Backup(BackupError),
    /// The copy could not be read again.
    Unreadable(OpenError),
    /// The copy is damaged: the first fault.
    Damaged(String),
    /// A recipient that is set is none.
    Recipient(String),
}

impl fmt::Display for MakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("no folder is set for backups"),
            Self::NotMounted(folder) => write!(
                f,
                "{}: the disk that was there is not; it is the one of the data file now",
                folder.display()
            ),
            Self::NothingMounted(folder, point) => write!(
                f,
                "{}: it was on the disk that was mounted at {point}, and is not now; mount that, or set the folder anew",
                folder.display()
            ),
            Self::Room(left) => write!(
                f,
                "the disk of the data file has {} left, and a copy could fill it; then nobody could sign in",
                in_words::size(*left)
            ),
            Self::Backup(error) => error.fmt(f),
            Self::Unreadable(OpenError::Corrupt(_, why)) => {
                write!(f, "the copy was damaged, and was thrown away: {why}")
            }
            Self::Unreadable(error) => {
                write!(f, "the copy was no good, and was thrown away: {error}")
            }
            Self::Damaged(fault) => {
                write!(
                    f,
                    "the copy was damaged, and was thrown away: {fault}; check the data file with doorlight verify"
                )
            }
            Self::Recipient(text) => write!(f, "{text} is no public key of the age format"),
        }
    }
}

impl std::error::Error for MakeError {}

impl From<BackupError> for MakeError {
    fn from(error: BackupError) -> Self {
        Self::Backup(error)
    }
}

impl From<StoreError> for MakeError {
    fn from(error: StoreError) -> Self {
        Self::Backup(BackupError::Source(error))
    }
}

/// Makes one as of now.
pub fn make(
    store: &Store,
    settings: &BackupSettings,
    now: Timestamp,
    go_on: GoOn<'_>,
) -> Result<BackupMade, MakeError> {
    let folder = Path::new(settings.folder.as_deref().ok_or(MakeError::Off)?);
    let recipients = recipients(settings)?;
    let apart = folder::is_on_other_disk(folder, store.path())
        .map_err(|error| BackupError::Target(folder.to_owned(), error))?;
    if settings.on_other_disk && !apart {
        return Err(MakeError::NotMounted(folder.to_owned()));
    }
    if let Some(point) = &settings.mount_point
        && folder::mount_point(folder).is_some_and(|now| !now.starts_with(point))
    {
        return Err(MakeError::NothingMounted(folder.to_owned(), point.clone()));
    }
    // The copy, and the one that stays.
    leave_room(store, 1 + u64::from(!apart))?;
    let lock = Some(recipients)
        .filter(|recipients| !recipients.is_empty())
        .map(Lock::Recipients);
    let form = match lock {
        None => Form::Plain,
        Some(_) => Form::Encrypted,
    };
    let target = folder.join(file_name::of(now, form));
    let failed = |error| BackupError::Target(target.clone(), error);
    let placing = Placing::beside(&target).map_err(failed)?;
    let copy = checked_copy(store, go_on)?;
    encrypted::write(&copy, lock.as_ref(), placing.file(), &target, go_on)?;
    if lock.is_none() {
        // Not all that is written somewhere can be read there again.
        check(placing.file(), &target)?;
    }
    let bytes = placing.put_new().map_err(failed)?;
    Ok(BackupMade {
        time: now,
        file: target.display().to_string(),
        bytes,
    })
}

/// The recipients that are set.
pub fn recipients(settings: &BackupSettings) -> Result<Vec<Recipient>, MakeError> {
    let parsed = settings
        .recipients
        .iter()
        .map(|text| text.parse().map_err(|_| MakeError::Recipient(text.clone())));
    parsed.collect()
}

/// So many copies may stand on the disk of the data file. None is larger than that.
pub fn leave_room(store: &Store, copies: u64) -> Result<(), MakeError> {
    let failed = |error| BackupError::Target(store.path().to_owned(), error);
    let size = std::fs::metadata(store.path()).map_err(failed)?.len();
    let left = folder::room(placed::folder(store.path())).map_err(failed)?;
    if left < size.saturating_mul(copies).saturating_add(LEFT_FREE) {
        return Err(MakeError::Room(left));
    }
    Ok(())
}

/// A copy of the data file in a file without a name in its own folder, checked, and wound back to its beginning.
pub fn checked_copy(store: &Store, go_on: GoOn<'_>) -> Result<File, MakeError> {
    let folder = placed::folder(store.path());
    let snapshot = store.snapshot()?;
    let copy = backup::to_nameless(&snapshot, folder, go_on)?;
    drop(snapshot);
    check(&copy, folder)?;
    Ok(copy)
}

fn check(copy: &File, place: &Path) -> Result<(), MakeError> {
    let Contents { faults, .. } = inspect_open(copy, place).map_err(MakeError::Unreadable)?;
    match faults.into_iter().next() {
        None => Ok(()),
        Some(fault) => Err(MakeError::Damaged(fault)),
    }
}
