//! A file that is there whole, or not at all: written under another name in the same folder, synced, renamed, and the
//! folder synced. Whatever ends the writing half-way leaves what stood there before.
//! Not here: what is written (`backup`, `restore`).

use crate::crypto::random;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a process that was killed left behind is thrown away after that.
const STALE: Duration = Duration::from_secs(24 * 3_600);

/// A file on its way to its name; thrown away unless it is [put](Placing::put).
#[derive(Debug)]
pub struct Placing {
    file: File,
    unfinished: Option<PathBuf>,
    target: PathBuf,
}

impl Placing {
    /// Makes the unfinished file beside `target`, with mode 0600.
    pub fn beside(target: &Path) -> io::Result<Self> {
        let name = target.file_name().ok_or(ErrorKind::InvalidInput)?;
        let prefix = format!(".{}.", name.to_string_lossy());
        let mark = u64::from_be_bytes(random::bytes());
        let unfinished = folder(target).join(format!("{prefix}{mark:016x}.part"));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unfinished)?;
        forget_stale(folder(target), &prefix, &file);
        Ok(Self {
            file,
            unfinished: Some(unfinished),
            target: target.to_owned(),
        })
    }

    /// The unfinished file, opened for reading and writing.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Where the unfinished file stands.
    pub fn path(&self) -> &Path {
        self.unfinished.as_deref().unwrap_or(&self.target)
    }

    /// Syncs it and gives it its name, in place of what has that now. Returns its size in bytes.
    pub fn put(self) -> io::Result<u64> {
        self.finish(|from, to| std::fs::rename(from, to))
    }

    /// Syncs it and gives it its name, which nothing may have: [`ErrorKind::AlreadyExists`] else.
    pub fn put_new(self) -> io::Result<u64> {
        self.finish(|from, to| match std::fs::hard_link(from, to) {
            Ok(()) => std::fs::remove_file(from),
            // There are file systems without second names.
            Err(_) if !to.try_exists()? => std::fs::rename(from, to),
            Err(_) => Err(ErrorKind::AlreadyExists.into()),
        })
    }

    fn finish(mut self, name: impl FnOnce(&Path, &Path) -> io::Result<()>) -> io::Result<u64> {
        self.file.sync_all()?;
        let size = self.file.metadata()?.len();
        name(self.path(), &self.target)?;
        self.unfinished = None;
        sync_folder(folder(&self.target))?;
        Ok(size)
    }
}

impl Drop for Placing {
    fn drop(&mut self) {
        if let Some(unfinished) = self.unfinished.take()
            && let Err(error) = std::fs::remove_file(&unfinished)
        {
            log::warn!("{} is left behind: {error}", unfinished.display());
        }
    }
}

/// A file without a name, in that folder: it is gone as soon as nobody holds it, however the process ends.
pub fn nameless(folder: &Path) -> io::Result<File> {
    let mark = u64::from_be_bytes(random::bytes());
    let path = folder.join(format!(".doorlight.{mark:016x}.part"));
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// Why nothing can be written in a place, in words of people.
pub fn unwritten(why: &io::Error) -> String {
    let words = match why.kind() {
        ErrorKind::NotFound => "there is no such folder",
        ErrorKind::NotADirectory => "this is no folder",
        ErrorKind::AlreadyExists => "something of that name is there already",
        ErrorKind::ReadOnlyFilesystem => {
            "nothing can be written there; under systemd, the unit names the folders that can (ReadWritePaths=)"
        }
        ErrorKind::PermissionDenied => "this user may not write there",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "there is no room on that disk",
        _ => return why.to_string(),
    };
    words.to_owned()
}

/// The folder that a file stands in.
pub fn folder(path: &Path) -> &Path {
    let parent = path.parent();
    parent
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}

/// Makes the names in a folder durable. Some network file systems cannot, and say so.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::InvalidInput | ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        synced => synced,
    }
}

/// Removes unfinished files of the same name that nobody can be writing any more. The file system's own clock tells:
/// it gave the time of `fresh`.
fn forget_stale(folder: &Path, prefix: &str, fresh: &File) {
    let (Ok(entries), Ok(now)) = (
        std::fs::read_dir(folder),
        fresh.metadata().and_then(|m| m.modified()),
    ) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_ours = name
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_suffix(".part"))
            .is_some_and(|mark| mark.len() == 16 && mark.bytes().all(|b| b.is_ascii_hexdigit()));
        let written = entry.metadata().and_then(|m| m.modified());
        let is_stale = written
            .ok()
            .and_then(|written| now.duration_since(written).ok())
            .is_some_and(|age| age >= STALE);
        if is_ours && is_stale {
            // Another process may have done the same.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Folder;
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_was_not_finished_leaves_what_stood_there() {
        let dir = Folder::new("placed");
        let target = dir.join("file");
        std::fs::write(&target, "before").unwrap();
        let placing = Placing::beside(&target).unwrap();
        placing.file().write_all(b"half").unwrap();
        let mode = placing.file().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        drop(placing);
        assert_eq!(std::fs::read(&target).unwrap(), b"before");
        assert_eq!(dir.names(), ["file"]);

        let placing = Placing::beside(&target).unwrap();
        placing.file().write_all(b"whole").unwrap();
        assert_eq!(placing.put().unwrap(), 5);
        assert_eq!(std::fs::read(&target).unwrap(), b"whole");
        let refused = Placing::beside(&target).unwrap().put_new().unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&target).unwrap(), b"whole");
        assert_eq!(dir.names(), ["file"]);
    }

    #[test]
    fn why_nothing_can_be_written_is_told_in_words_of_people() {
        for (kind, words) in [
            (ErrorKind::StorageFull, "there is no room on that disk"),
            (ErrorKind::QuotaExceeded, "there is no room on that disk"),
            (ErrorKind::NotFound, "there is no such folder"),
            (ErrorKind::PermissionDenied, "this user may not write there"),
        ] {
            assert_eq!(unwritten(&kind.into()), words);
        }
    }

    #[test]
    fn only_stale_unfinished_files_of_the_same_name_are_forgotten() {
        let dir = Folder::new("stale");
        let old = dir.join(".file.0123456789abcdef.part");
        let others = [
            ".other.0123456789abcdef.part",
            ".file.letters.part",
            ".file.00000000000000aa.part",
            "file.part",
        ];
        for path in others
            .iter()
            .map(|name| dir.join(name))
            .chain([old.clone()])
        {
            std::fs::write(&path, "").unwrap();
            let young = path.ends_with(".file.00000000000000aa.part");
            if !young {
                let file = File::options().write(true).open(&path).unwrap();
                let modified = file.metadata().unwrap().modified().unwrap();
                file.set_modified(modified - 2 * STALE).unwrap();
            }
        }
        drop(Placing::beside(&dir.join("file")).unwrap());
        assert!(!old.exists());
        assert_eq!(dir.names().len(), others.len());
    }
}
