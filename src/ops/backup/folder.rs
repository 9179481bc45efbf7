//! The folder that backups go to: whether they can, which ones stand there, and which are taken away.
//! Only files with exactly our names (`file_name`), of our own and with our content, are counted or removed, plain and
//! encrypted ones together. Whatever else is there, links among it, is somebody's and stays.
//! Not here: which are kept (`retention`).

use super::file_name;
use super::retention::{self, Keep};
use crate::model::BackupMade;
use crate::ops::mounts::Mounts;
use crate::store::{backup, placed};
use crate::types::Timestamp;
use rustix::fs::{Mode, OFlags};
use std::collections::BTreeSet;
use std::fs::{File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// A name from further ahead was given while the clock was wrong: such a one is left until its time has come, and takes
/// no place of one that is kept.
const AHEAD: Duration = Duration::from_secs(3_600);

/// What a backup that was cut short left behind is thrown away after that.
const STALE: Duration = Duration::from_secs(24 * 3_600);

/// What the test write writes.
const TRIED: &[u8] = b"doorlight tries whether it can write here\n";

/// A backup in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// When it was made, by its name.
    pub time: Timestamp,
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Whether others on this machine can read it.
    pub others_read: bool,
}

/// The backups in a folder, the newest first.
pub fn list(folder: &Path) -> io::Result<Vec<Stored>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // The link itself, not what it leads to.
        let (Some(time), Ok(metadata)) = (file_name::time_of(&name), entry.metadata()) else {
            continue;
        };
        if metadata.is_file() {
            found.push(Stored {
                time,
                name,
                bytes: metadata.len(),
                others_read: others_read(&metadata),
            });
        }
    }
    found.sort_by(|a, b| (b.time, &b.name).cmp(&(a.time, &a.name)));
    Ok(found)
}

/// Whether the folder is on another disk than the data file.
pub fn is_on_other_disk(folder: &Path, data: &Path) -> io::Result<bool> {
    let data = std::fs::metadata(placed::folder(data))?;
    Ok(std::fs::metadata(folder)?.dev() != data.dev())
}

/// Where the disk of the folder is mounted; `None` where the kernel does not tell.
pub fn mount_point(folder: &Path) -> Option<PathBuf> {
    let whole = std::fs::canonicalize(folder).ok()?;
    Mounts::read()?.point(&whole).map(Path::to_owned)
}

/// Where a disk is to be mounted for the folder, and is not.
pub fn missing_mount(folder: &Path) -> Option<PathBuf> {
    let whole = std::fs::canonicalize(folder).ok()?;
    Mounts::read()?.missing(&whole)
}

/// Whether others on this machine can read a file. Ours are made for their owner alone; some file systems have no such
/// rights (FAT) or ignore what is asked for (shares with SMB), and then everybody gets what the mount says.
pub fn others_read(metadata: &Metadata) -> bool {
    metadata.mode() & 0o077 != 0
}

/// Writes a small file there, as far as the disk, and takes it away again. Says whether others could have read it.
pub fn try_out(folder: &Path) -> io::Result<bool> {
    if !std::fs::metadata(folder)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let mut file: File = placed::nameless(folder)?;
    file.write_all(TRIED)?;
    file.sync_all()?;
    Ok(others_read(&file.metadata()?))
}

/// What became of the older ones.
#[derive(Debug, Default)]
pub struct Tidied {
    /// How many were removed.
    pub removed: usize,
    /// Why one that was to go is still there, with its name.
    pub failed: Option<(String, io::Error)>,
}

/// Removes those that are not kept any more. `made` is the one that was made just now, and is never one of them: neither it
/// nor what is older than it is taken for old because of names from the future. Counted is only what belongs to the same
/// user as that one and begins as a backup does: whoever else may write to the folder cannot have good ones removed by
/// putting others there.
pub fn tidy(folder: &Path, keep: Keep, made: &BackupMade) -> io::Result<Tidied> {
    let owner = std::fs::symlink_metadata(&made.file)?.uid();
    let mut there = list(folder)?;
    there.retain(|stored| is_ours(&folder.join(&stored.name), owner));
    let counted: BTreeSet<Timestamp> = there
        .iter()
        .map(|stored| stored.time)
        .filter(|time| *time <= made.time.plus(AHEAD))
        .collect();
    let second = Timestamp::from_secs(made.time.secs());
    let mut gone = retention::superfluous(&counted, keep);
    gone.remove(&second);
    let mut tidied = Tidied::default();
    for stored in there.iter().filter(|stored| gone.contains(&stored.time)) {
        match std::fs::remove_file(folder.join(&stored.name)) {
            Ok(()) => tidied.removed += 1,
            Err(error) => tidied.failed = Some((stored.name.clone(), error)),
        }
    }
    if let Err(error) = sweep_unfinished(folder, made.time) {
        let place = || (folder.display().to_string(), error);
        tidied.failed.get_or_insert_with(place);
    }
    Ok(tidied)
}

/// Looks at the file that it opened: the name may lead to another one by then.
fn is_ours(path: &Path, owner: u32) -> bool {
    let opened = rustix::fs::open(
        path,
        // Of a pipe that somebody put there nobody waits for the other end.
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC,
        Mode::empty(),
    );
    let looked = || {
        let file = File::from(opened?);
        let metadata = file.metadata()?;
        let fits = metadata.is_file() && metadata.uid() == owner;
        Ok::<_, io::Error>(fits && backup::begins_as_one(&file)?)
    };
    looked().unwrap_or(false)
}

/// A power cut leaves the unfinished file (`store::placed`), under a name that no later backup has. A day later nobody is
/// writing it, by its name and by its last change.
fn sweep_unfinished(folder: &Path, made: Timestamp) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let begun = entry.file_name().to_str().and_then(unfinished);
        let (Some(begun), Ok(metadata)) = (begun, entry.metadata()) else {
            continue;
        };
        let changed = metadata.modified()?.duration_since(UNIX_EPOCH);
        let changed = Timestamp::default().plus(changed.unwrap_or_default());
        let is_old = |time: Timestamp| time.plus(STALE) <= made;
        if metadata.is_file() && is_old(begun) && is_old(changed) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// When a backup was begun whose unfinished file has that name.
fn unfinished(name: &str) -> Option<Timestamp> {
    let (name, mark) = name
        .strip_prefix('.')?
        .strip_suffix(".part")?
        .rsplit_once('.')?;
    let is_mark = mark.len() == 16 && mark.bytes().all(|byte| byte.is_ascii_hexdigit());
    file_name::time_of(name).filter(|_| is_mark)
}

/// How many bytes more can be written to that disk, as far as it knows.
pub fn room(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
