//! What can go wrong with the file: at opening, and later.

use std::fmt;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The file could not be opened. Nothing in it was changed.
#[derive(Debug)]
pub enum OpenError {
    /// Another process has it.
    InUse(PathBuf),
    /// It has no bytes: a file of ours never has.
    Empty(PathBuf),
    /// It is no redb file, or one of another program.
    Foreign(PathBuf),
    /// A later Doorlight wrote it.
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: u64,
        /// The newest this Doorlight knows.
        known: u64,
    },
    /// It is damaged.
    Corrupt(PathBuf, String),
    /// The file system says no.
    Io(PathBuf, std::io::Error),
    /// Others can read it, and its mode cannot be changed.
    Exposed(PathBuf, std::io::Error),
    /// There is no such file.
    Missing(PathBuf),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(path) => write!(f, "{} is in use by another Doorlight", path.display()),
            Self::Empty(path) => write!(
                f,
                "{0} is empty: whatever it held is gone. Put the newest backup in its place: doorlight --data {0} restore \
                 BACKUP; or, to begin anew, remove it: rm {0}",
                path.display()
            ),
            Self::Foreign(path) => {
                write!(
                    f,
                    "{} is not a Doorlight data file; it was left as it is",
                    path.display()
                )
            }
            Self::Newer { path, found, known } => write!(
                f,
                "{} was written by a newer Doorlight (format {found}, this one knows {known}); it was left as it is",
                path.display()
            ),
            Self::Corrupt(path, _) if self.needs_repair() => write!(
                f,
                "{} was not closed: the next start of the server mends that",
                path.display()
            ),
            Self::Corrupt(path, why) => write!(
                f,
                "{0} is damaged: {why}. Put the newest backup in its place: doorlight --data {0} restore BACKUP",
                path.display()
            ),
            Self::Io(path, why) => match why.kind() {
                ErrorKind::PermissionDenied => {
                    write!(f, "{} cannot be used: {}", path.display(), denied(path))
                }
                ErrorKind::NotFound => write!(
                    f,
                    "{} cannot be made: its folder does not exist; make it, or choose another file with --data",
                    path.display()
                ),
                _ => write!(f, "{}: {why}", path.display()),
            },
            Self::Exposed(path, why) => write!(
                f,
                "{} can be read by others, and that cannot be changed ({why}): run chmod 600 on it as its owner",
                path.display()
            ),
            Self::Missing(path) => write!(f, "{} does not exist", path.display()),
        }
    }
}

/// What this user lacks.
fn denied(path: &Path) -> String {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    match std::fs::metadata(path) {
        Ok(file) => format!(
            "this user may not read and write the file; run this as its owner (user id {})",
            file.uid()
        ),
        Err(error) if error.kind() == ErrorKind::NotFound => format!(
            "this user may not write in the folder {}; give it to them, or choose another file with --data",
            folder.display()
        ),
        Err(_) => format!(
            "this user may not enter the folder {}; run this as its owner",
            folder.display()
        ),
    }
}

impl std::error::Error for OpenError {}

/// A read or write that did not happen. Whoever asked gets 503 (DESIGN §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The writer's queue is full.
    Busy,
    /// The disk or the file failed; it is being reopened.
    Unavailable(String),
    /// A record does not decode.
    BadRecord(String),
    /// The decision panicked; nothing of it was written.
    Panicked,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("too many changes are waiting to be written"),
            Self::Unavailable(why) => write!(f, "the data file cannot be used: {why}"),
            Self::BadRecord(what) => write!(f, "a record of the data file does not read: {what}"),
            Self::Panicked => f.write_str("a decision ended unexpectedly"),
        }
    }
}

impl std::error::Error for StoreError {}

/// What is wrong with the file, in words for people; those of redb stand behind.
pub(super) fn in_words(error: redb::Error) -> String {
    match error {
        redb::Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
            "a part of it is missing".to_owned()
        }
        redb::Error::Io(error) => error.to_string(),
        redb::Error::Corrupted(what) if what.starts_with("File truncated") => {
            format!("a part of it is missing ({what})")
        }
        redb::Error::Corrupted(what) => format!("its pages do not fit together ({what})"),
        other => other.to_string(),
    }
}

macro_rules! unavailable {
    ($($error:ty),*) => {$(
        impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                Self::Unavailable(in_words(error.into()))
            }
        }
    )*};
}

unavailable!(
    redb::StorageError,
    redb::TableError,
    redb::TransactionError,
    redb::CommitError,
    redb::DatabaseError
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Folder;

    #[test]
    fn what_may_not_be_opened_says_whether_it_is_the_file_or_its_folder() {
        let folder = Folder::new("denied");
        let path = folder.join("doorlight.redb");
        let text = || OpenError::Io(path.clone(), ErrorKind::PermissionDenied.into()).to_string();
        let without = text();
        assert!(without.contains("may not write in the folder"), "{without}");
        assert!(without.contains(folder.to_str().unwrap()), "{without}");
        std::fs::write(&path, "").unwrap();
        let with = text();
        assert!(
            with.contains("read and write the file; run this as its owner"),
            "{with}"
        );
    }
}
