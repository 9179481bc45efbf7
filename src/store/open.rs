//! Opening the file (DESIGN §5), and refusing what is not ours before a byte of it changes.

use super::compact;
use super::migrate::{self, Found};
use super::panics;
use super::placed::Placing;
use super::rehearsal::Rehearsal;
use super::{OpenError, Snapshot, StoreError, error::in_words};
use redb::backends::FileBackend;
use redb::{
    Builder, ConcurrencyMode, Database, DatabaseError, ReadOnlyDatabase, ReadableDatabase,
    StorageError,
};
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// redb's default would grow to 1 GiB. With four times as much nothing was faster, tokens at full speed and people among
/// 100,000 neither: what is not here is in the kernel's memory, which it gives back when others need it.
pub(super) const CACHE_BYTES: usize = 4 * 1024 * 1024;

/// The first bytes of every redb file (its `docs/design.md`, "Database header").
pub(super) const MAGIC: &[u8] = b"redb\x1a\x0a\xa9\x0d\x0a";

pub(super) fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .set_cache_size(CACHE_BYTES)
        .set_concurrency_mode(ConcurrencyMode::SingleWriter);
    builder
}

/// Opens for writing, making the file (mode 0600) when there is none.
pub(super) fn writable(path: &Path) -> Result<Database, OpenError> {
    match std::fs::symlink_metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => make(path)?,
        Err(e) => return Err(OpenError::Io(path.to_owned(), e)),
        Ok(_) => {}
    }
    refuse_foreign(path)?;
    make_private(path, set_private)?;
    let db = guarded(path, || builder().create(path))?;
    compact::where_worthwhile(path, migrated(path, db)?)
}

/// A new file gets its name once it is whole: a power cut during the first start leaves none, and not the half of one that
/// would be taken for another program's.
fn make(path: &Path) -> Result<(), OpenError> {
    let io = |e| OpenError::Io(path.to_owned(), e);
    let placing = Placing::beside(path).map_err(io)?;
    let file = placing.file().try_clone().map_err(io)?;
    let db = guarded(path, || {
        builder().create_with_backend(FileBackend::new(file)?)
    })?;
    let db = migrated(path, db)?;
    db.close()
        .map_err(|e| io(std::io::Error::other(e.to_string())))?;
    match placing.put_new() {
        // Another process was faster.
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        done => done.map(|_| ()).map_err(io),
    }
}

/// The file that was opened, in today's format.
pub(super) fn migrated(path: &Path, db: Database) -> Result<Database, OpenError> {
    let found = found(path, &db)?;
    migrate::check(path, &found)?;
    migrate::migrate(&db, &found).map_err(|e| corrupt(path, &e))?;
    Ok(db)
}

/// A file that was restored, or made beforehand, may have a mode that lets others read the keys in it.
fn make_private(path: &Path, set: fn(&Path) -> std::io::Result<()>) -> Result<(), OpenError> {
    let found = std::fs::metadata(path).map_err(|e| OpenError::Io(path.to_owned(), e))?;
    let mode = found.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    set(path).map_err(|e| OpenError::Exposed(path.to_owned(), e))?;
    log::warn!(
        "{} had mode {mode:04o}, so that others on this machine could read the keys in it; it has 0600 now",
        path.display()
    );
    Ok(())
}

fn set_private(path: &Path) -> std::io::Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

/// Opens again after a storage error.
pub(super) fn reopened(path: &Path) -> Result<Database, OpenError> {
    let db = guarded(path, || builder().open(path))?;
    proven(path, db)
}

/// The file that was opened, once a commit went through.
pub(super) fn proven(path: &Path, db: Database) -> Result<Database, OpenError> {
    let probe = || -> Result<(), StoreError> {
        let txn = db.begin_write()?;
        let _ = txn
            .open_table(super::schema::Table::Meta.definition())?
            .insert(b"probe".as_slice(), b"".as_slice())?;
        txn.commit()?;
        Ok(())
    };
    probe().map_err(|e| OpenError::Io(path.to_owned(), std::io::Error::other(e.to_string())))?;
    Ok(db)
}

/// A data file opened for reading while a server may be writing it.
pub struct ReadOnly {
    db: ReadOnlyDatabase,
}

impl ReadOnly {
    /// Opens an existing file; writes nothing. A file that needs the repair after a crash is refused as
    /// [`OpenError::Corrupt`]: the next server, or a verb that writes, repairs it.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        refuse_foreign(path)?;
        let db = guarded(path, || builder().open_read_only(path))?;
        let found = found(path, &db)?;
        migrate::check(path, &found)?;
        if found == Found::Empty {
            return Err(OpenError::Foreign(path.to_owned()));
        }
        Ok(Self { db })
    }

    /// The file as of its latest commit.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Ok(Snapshot::new(self.db.begin_read()?))
    }
}

/// Looks at the file without opening it for writing. An empty one is refused too: where a house was, it is a loss, and a new
/// house in its place would hide that.
fn refuse_foreign(path: &Path) -> Result<(), OpenError> {
    let head = head(path, &readable(path)?)?;
    if head.is_empty() {
        return Err(OpenError::Empty(path.to_owned()));
    }
    if head != MAGIC {
        return Err(if being_made(path, &head) {
            OpenError::InUse(path.to_owned())
        } else {
            OpenError::Foreign(path.to_owned())
        });
    }
    // A read-only look decides before the writing open may repair anything; where that needs a repair, a rehearsal of it.
    match guarded(path, || builder().open_read_only(path)) {
        Ok(db) => migrate::check(path, &found(path, &db)?),
        Err(error) if error.needs_repair() => rehearse(path),
        Err(e) => Err(e),
    }
}

/// Refuses a file whose header a server does not take. redb mends it where it opens a file for itself alone, by going back
/// to an older commit: that is no whole file.
pub(super) fn refuse_unservable(path: &Path, file: &File) -> Result<(), OpenError> {
    let file = file.try_clone();
    let file = file.map_err(|e| OpenError::Io(path.to_owned(), e))?;
    let opened = guarded(path, || {
        let backend = FileBackend::new(file)?;
        builder().open_read_only_with_backend(backend).map(drop)
    });
    match opened {
        Err(error) if error.needs_repair() => Ok(()),
        opened => opened,
    }
}

/// Refuses what does not even begin like a data file.
pub(super) fn refuse_without_magic(path: &Path, file: &File) -> Result<(), OpenError> {
    let head = head(path, file)?;
    match head.as_slice() {
        MAGIC => Ok(()),
        [] => Err(OpenError::Empty(path.to_owned())),
        _ => Err(OpenError::Foreign(path.to_owned())),
    }
}

/// Opens a file for reading alone.
pub fn readable(path: &Path) -> Result<File, OpenError> {
    File::open(path).map_err(|e| match e.kind() {
        ErrorKind::NotFound => OpenError::Missing(path.to_owned()),
        _ => OpenError::Io(path.to_owned(), e),
    })
}

/// As many first bytes as the magic has, wherever the file is read.
fn head(path: &Path, file: &File) -> Result<Vec<u8>, OpenError> {
    let mut head = vec![0; MAGIC.len()];
    let mut held = 0;
    while let Some(free) = head.get_mut(held..).filter(|free| !free.is_empty()) {
        match file.read_at(free, u64::try_from(held).unwrap_or(u64::MAX)) {
            Ok(0) => break,
            Ok(more) => held += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(OpenError::Io(path.to_owned(), error)),
        }
    }
    head.truncate(held);
    Ok(head)
}

/// redb writes its magic last: zeros may be a file that another process makes at this moment. Then that process holds it,
/// or has just let go of it; zeros that nobody made do not open, and are not written to.
fn being_made(path: &Path, head: &[u8]) -> bool {
    head.iter().all(|byte| *byte == 0)
        && matches!(
            guarded(path, || builder().open(path)),
            Ok(_) | Err(OpenError::InUse(_))
        )
}

/// Tries the repair in memory: a file that it cannot mend is left as it is. Closing belongs to it, and may panic too.
fn rehearse(path: &Path) -> Result<(), OpenError> {
    let backend = Rehearsal::of(readable(path)?).map_err(|e| OpenError::Io(path.to_owned(), e))?;
    let rehearsal = || {
        let db = guarded(path, || {
            Builder::new()
                .set_cache_size(CACHE_BYTES)
                .create_with_backend(backend)
        })?;
        migrate::check(path, &found(path, &db)?)
    };
    panics::told(path, rehearsal).unwrap_or_else(|| Err(OpenError::contradicting(path)))
}

const NEEDS_REPAIR: &str = "it was not closed";

impl OpenError {
    /// Whether the file was not closed, and the next one who writes it mends that.
    pub fn needs_repair(&self) -> bool {
        matches!(self, Self::Corrupt(_, why) if why == NEEDS_REPAIR)
    }

    /// Damage that ended whoever looked.
    pub fn contradicting(path: &Path) -> Self {
        let why = "its pages contradict each other";
        Self::Corrupt(path.to_owned(), why.to_owned())
    }
}

/// redb may panic on a damaged file; that is an answer too.
pub(super) fn guarded<T>(
    path: &Path,
    open: impl FnOnce() -> Result<T, DatabaseError>,
) -> Result<T, OpenError> {
    let path: PathBuf = path.to_owned();
    match panics::told(&path, open) {
        Some(Ok(db)) => Ok(db),
        Some(Err(e)) => Err(match e {
            DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
                OpenError::InUse(path)
            }
            DatabaseError::RepairAborted => OpenError::Corrupt(path, NEEDS_REPAIR.to_owned()),
            DatabaseError::UpgradeRequired(version) => {
                OpenError::Corrupt(path, format!("redb format {version}"))
            }
            DatabaseError::Storage(StorageError::Io(e))
                if e.kind() == std::io::ErrorKind::InvalidData =>
            {
                OpenError::Foreign(path)
            }
            DatabaseError::Storage(StorageError::Io(e))
                if e.kind() != std::io::ErrorKind::UnexpectedEof =>
            {
                OpenError::Io(path, e)
            }
            other => OpenError::Corrupt(path, in_words(other.into())),
        }),
        None => Err(OpenError::contradicting(&path)),
    }
}

/// What the file says of itself, where its pages can be read at all.
pub(super) fn found(path: &Path, db: &impl ReadableDatabase) -> Result<Found, OpenError> {
    match panics::told(path, || migrate::found(db)) {
        Some(Ok(found)) => Ok(found),
        Some(Err(error)) => Err(corrupt(path, &error)),
        None => Err(OpenError::contradicting(path)),
    }
}

fn corrupt(path: &Path, error: &StoreError) -> OpenError {
    let why = match error {
        StoreError::Unavailable(why) => why.clone(),
        other => other.to_string(),
    };
    OpenError::Corrupt(path.to_owned(), why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Folder;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    /// A copy that was put back with mode 0644 once kept it, with the private keys in it.
    #[test]
    fn a_file_that_others_can_read_is_theirs_no_more_once_it_is_opened() {
        let dir = Folder::new("open");
        let path = dir.join("doorlight.redb");
        drop(writable(&path).unwrap());
        assert_eq!(mode(&path), 0o600);
        for wide in [0o644, 0o660, 0o604, 0o700, 0o400] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(wide)).unwrap();
            let opened = writable(&path);
            let expected = if wide & 0o077 == 0 { wide } else { 0o600 };
            assert_eq!(mode(&path), expected, "{wide:o}");
            drop(opened);
        }
        // So is nothing at all: a new house where one was would hide the loss.
        let empty = dir.join("empty.redb");
        std::fs::write(&empty, "").unwrap();
        assert!(matches!(writable(&empty), Err(OpenError::Empty(_))));
        assert_eq!(std::fs::metadata(&empty).unwrap().len(), 0);
        // What is not ours is refused and left as it is, its mode too.
        let foreign = dir.join("letter.txt");
        std::fs::write(&foreign, "Dear Sir or Madam").unwrap();
        std::fs::set_permissions(&foreign, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(writable(&foreign), Err(OpenError::Foreign(_))));
        assert_eq!(mode(&foreign), 0o644);
    }

    #[test]
    fn a_file_that_cannot_be_made_private_is_refused() {
        let dir = Folder::new("exposed");
        let path = dir.join("doorlight.redb");
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let not_ours = |_: &Path| Err(std::io::Error::from(std::io::ErrorKind::PermissionDenied));
        let text = make_private(&path, not_ours).unwrap_err().to_string();
        assert!(
            text.contains("can be read by others") && text.contains("run chmod 600"),
            "{text}"
        );
    }
}
