//! A copy of the data file as of one commit, made while requests go on: every row in order, and no dead page.
//! Owns: what is copied, that a copy that failed never stands where a good one stood, and that what is to be encrypted
//! never stands anywhere else in the clear: the copy has no name, and is in the data file's folder, as safe as that.
//! Not here: when one is made and how many are kept (`ops::backup`), whether one is whole (`verify`), how one is opened
//! (`encrypted`).

use super::open::{CACHE_BYTES, MAGIC};
use super::placed::{self, Placing};
use super::{Snapshot, StoreError, encrypted};
use crate::crypto::age::{self, AgeError, Lock};
use redb::backends::FileBackend;
use redb::{
    Builder, ConcurrencyMode, Database, ReadTransaction, TableDefinition, TableHandle,
    WriteTransaction,
};
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::ops::Bound;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Why there is no backup. What stood in its place is as it was.
#[derive(Debug)]
pub enum BackupError {
    /// The data file cannot be read.
    Source(StoreError),
    /// The place already has something that is no backup.
    Foreign(PathBuf),
    /// The place is the data file itself.
    Itself(PathBuf),
    /// It cannot be written there.
    Target(PathBuf, io::Error),
    /// It could not be encrypted.
    Encryption(AgeError),
    /// It was told to stop.
    Stopped,
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(error) => error.fmt(f),
            Self::Foreign(path) => write!(
                f,
                "{} is something else than a backup, and was left as it is; choose another name",
                path.display()
            ),
            Self::Itself(path) => write!(
                f,
                "{} is the data file itself; a backup needs another name, on another disk",
                path.display()
            ),
            Self::Target(path, why) => {
                write!(f, "{}: {}", path.display(), placed::unwritten(why))
            }
            Self::Encryption(error) => error.fmt(f),
            Self::Stopped => f.write_str("the backup was stopped"),
        }
    }
}

impl std::error::Error for BackupError {}

/// Asked between rows: whether to go on.
pub type GoOn<'a> = &'a dyn Fn() -> bool;

/// Makes a backup at `target`, in place of the one that is there, encrypted where there is a lock. Returns its size in
/// bytes. `data` is the file that the snapshot is of.
pub fn to_file(
    snapshot: &Snapshot,
    data: &Path,
    target: &Path,
    lock: Option<&Lock>,
    go_on: GoOn<'_>,
) -> Result<u64, BackupError> {
    may_replace(data, target, lock.is_some())?;
    let failed = |error| BackupError::Target(target.to_owned(), error);
    let placing = Placing::beside(target).map_err(failed)?;
    if let Some(lock) = lock {
        let copy = to_nameless(snapshot, placed::folder(data), go_on)?;
        encrypted::write(&copy, Some(lock), placing.file(), target, go_on)?;
    } else {
        to_open(snapshot, placing.file(), target, go_on)?;
    }
    placing.put().map_err(failed)
}

/// Makes a backup in a file that is open, empty, and on its way to `target`.
pub fn to_open(
    snapshot: &Snapshot,
    file: &File,
    target: &Path,
    go_on: GoOn<'_>,
) -> Result<(), BackupError> {
    let file = file
        .try_clone()
        .map_err(|error| BackupError::Target(target.to_owned(), error))?;
    compact_into(snapshot, file, go_on).map_err(|error| error.at(target))
}

/// Writes a backup to `out`, wherever that goes, encrypted where there is a lock. The copy is first made in a nameless file
/// in the folder `scratch`, which should be the data file's. Returns the size of the copy in bytes.
pub fn write_to(
    snapshot: &Snapshot,
    scratch: &Path,
    out: &mut impl Write,
    lock: Option<&Lock>,
    go_on: GoOn<'_>,
) -> Result<u64, BackupError> {
    let copy = to_nameless(snapshot, scratch, go_on)?;
    encrypted::write(&copy, lock, out, Path::new("-"), go_on)
}

/// Makes a backup in a file without a name, in that folder, and winds it back to its beginning.
pub fn to_nameless(
    snapshot: &Snapshot,
    folder: &Path,
    go_on: GoOn<'_>,
) -> Result<File, BackupError> {
    let failed = |error| BackupError::Target(folder.to_owned(), error);
    let mut file = placed::nameless(folder).map_err(failed)?;
    to_open(snapshot, &file, folder, go_on)?;
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    Ok(file)
}

/// A name that was mistyped must not cost a picture or a letter, and never the data file. An encrypted backup looks like any
/// other encrypted file: only another encrypted one takes its place.
fn may_replace(data: &Path, target: &Path, encrypts: bool) -> Result<(), BackupError> {
    let failed = |error| BackupError::Target(target.to_owned(), error);
    let found = match std::fs::metadata(target) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let live = std::fs::metadata(data);
    if live.is_ok_and(|live| (live.dev(), live.ino()) == (found.dev(), found.ino())) {
        return Err(BackupError::Itself(target.to_owned()));
    }
    if !found.is_file() {
        return Err(BackupError::Foreign(target.to_owned()));
    }
    let mut head = Vec::new();
    File::open(target)
        .and_then(|file| file.take(age::TELLING).read_to_end(&mut head))
        .map_err(failed)?;
    if head.is_empty() || head.starts_with(MAGIC) || encrypts && age::looks_encrypted(&head) {
        Ok(())
    } else {
        Err(BackupError::Foreign(target.to_owned()))
    }
}

/// Whether a file begins as a backup does, encrypted or not. An empty one does not.
pub fn begins_as_one(file: &File) -> io::Result<bool> {
    let mut head = Vec::new();
    file.take(age::TELLING).read_to_end(&mut head)?;
    Ok(head.starts_with(MAGIC) || age::looks_encrypted(&head))
}

/// What a copy ended on, before it is known where the copy was to stand.
enum Ended {
    Source(StoreError),
    Target(io::Error),
    Stopped,
}

impl Ended {
    fn at(self, place: &Path) -> BackupError {
        match self {
            Self::Source(error) => BackupError::Source(error),
            Self::Target(error) => BackupError::Target(place.to_owned(), error),
            Self::Stopped => BackupError::Stopped,
        }
    }

    fn source(error: impl Into<StoreError>) -> Self {
        Self::Source(error.into())
    }

    fn target(error: impl Into<redb::Error>) -> Self {
        Self::Target(match error.into() {
            redb::Error::Io(error) => error,
            other => io::Error::other(other.to_string()),
        })
    }
}

/// A damaged data file may make redb panic: that is a backup that failed, and nothing else.
fn compact_into(snapshot: &Snapshot, file: File, go_on: GoOn<'_>) -> Result<(), Ended> {
    catch_unwind(AssertUnwindSafe(|| {
        copied_into(snapshot.transaction(), file, go_on)
    }))
    .unwrap_or(Err(Ended::Source(StoreError::BadRecord(
        "its pages contradict each other".to_owned(),
    ))))
}

fn copied_into(from: &ReadTransaction, file: File, go_on: GoOn<'_>) -> Result<(), Ended> {
    let backend = FileBackend::new(file).map_err(Ended::target)?;
    let mut copy = Builder::new()
        .set_cache_size(CACHE_BYTES)
        .set_concurrency_mode(ConcurrencyMode::SingleWriter)
        .create_with_backend(backend)
        .map_err(Ended::target)?;
    copy_tables(from, &copy, go_on)?;
    copy.compact().map_err(Ended::target)?;
    copy.close().map_err(Ended::target)
}

/// All tables that there are, those of a later release too.
fn copy_tables(from: &ReadTransaction, copy: &Database, go_on: GoOn<'_>) -> Result<(), Ended> {
    let to = copy.begin_write().map_err(Ended::target)?;
    for table in from.list_tables().map_err(Ended::source)? {
        copy_table(from, &to, table.name(), go_on)?;
    }
    to.commit().map_err(Ended::target)
}

fn copy_table(
    from: &ReadTransaction,
    to: &WriteTransaction,
    name: &str,
    go_on: GoOn<'_>,
) -> Result<(), Ended> {
    let definition: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new(name);
    let rows = from.open_table(definition).map_err(Ended::source)?;
    let mut table = to.open_table(definition).map_err(Ended::target)?;
    let mut end = table
        .upper_bound_mut(Bound::<&[u8]>::Unbounded)
        .map_err(Ended::target)?;
    for row in rows.range::<&[u8]>(..).map_err(Ended::source)? {
        if !go_on() {
            return Err(Ended::Stopped);
        }
        let (key, value) = row.map_err(Ended::source)?;
        end.insert_before(key.value(), value.value())
            .map_err(|error| Ended::Target(io::Error::other(error.to_string())))?;
    }
    end.close().map_err(Ended::target)
}

#[cfg(test)]
#[path = "backup_tests.rs"]
mod tests;
