//! Holding a file, whatever stands in it. redb locks a file where it opens it, and follows what its pages say: one that is
//! damaged might end the process that is about to replace it. So redb opens an empty one in memory here, and only its locks
//! are those of the file.

use super::OpenError;
use super::open::guarded;
use redb::backends::{FileBackend, InMemoryBackend};
use redb::{BackendError, Builder, Database, StorageBackend};
use std::fs::OpenOptions;
use std::io;
use std::ops::Bound;
use std::path::Path;

/// Holds a file so that no server or verb opens it, and neither reads nor writes it: in redb's exclusive mode nobody is let
/// in beside.
pub(super) fn held(path: &Path) -> Result<Database, OpenError> {
    let file = OpenOptions::new().read(true).write(true).open(path);
    let file = file.map_err(|error| OpenError::Io(path.to_owned(), error))?;
    guarded(path, || {
        Builder::new().create_with_backend(Locks {
            file: FileBackend::new(file)?,
            memory: InMemoryBackend::new(),
        })
    })
}

#[derive(Debug)]
struct Locks {
    file: FileBackend,
    memory: InMemoryBackend,
}

impl StorageBackend for Locks {
    fn len(&self) -> io::Result<u64> {
        self.memory.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.memory.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.memory.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.memory.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.memory.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
