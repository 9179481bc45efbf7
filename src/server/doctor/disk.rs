//! The disk under the data file: how much room it has, and what kind it is.

use super::finding::Finding;
use crate::ops::mounts::{self, Mounts};
use crate::store::placed;
use crate::types::in_words::size;
use rustix::fs::statvfs;
use std::path::Path;

const ROOM: &str = "room on the disk";
const KIND: &str = "kind of disk";

/// Below this the next commits fail.
const LEAST: u64 = 16 * 1024 * 1024;
const LEAST_FILES: u64 = 16;

/// What is free.
struct Room {
    bytes: u64,
    /// Inodes; `None`: this kind of file system has no such limit.
    files: Option<u64>,
}

/// Room for the file and a copy of it, and the kind of the file system.
pub(super) fn look(data: &Path, mounts: Option<&Mounts>) -> Vec<Finding> {
    let size = std::fs::metadata(data).map_or(0, |file| file.len());
    let folder = placed::folder(data);
    let room = match statvfs(folder) {
        Ok(found) => {
            let room = Room {
                bytes: found.f_bavail.saturating_mul(found.f_frsize),
                files: (found.f_files > 0).then_some(found.f_favail),
            };
            judge_room(&room, size)
        }
        Err(error) => Finding::warning(ROOM, format!("{}: {error}", folder.display())),
    };
    let kind = std::fs::canonicalize(folder)
        .ok()
        .and_then(|folder| judge_kind(mounts?.kind(&folder)?));
    std::iter::once(room).chain(kind).collect()
}

fn judge_room(room: &Room, file: u64) -> Finding {
    let free = size(room.bytes);
    if room.bytes < LEAST {
        return Finding::fault(
            ROOM,
            format!("{free} are free: soon nothing can be written, and nobody can sign in"),
        );
    }
    if let Some(files) = room.files.filter(|files| *files < LEAST_FILES) {
        return Finding::fault(
            ROOM,
            format!("the disk takes only {files} more files (inodes)"),
        );
    }
    let copy = file.saturating_add(LEAST);
    if room.bytes < copy {
        return Finding::warning(
            ROOM,
            format!(
                "{free} are free; a copy of the data file, which a restore makes, takes {}",
                size(file)
            ),
        );
    }
    Finding::ok(
        ROOM,
        format!("{free} are free, the data file has {}", size(file)),
    )
}

/// Kinds that lose the file, or do not keep what they say (proc(5), as the kernel names them).
fn judge_kind(kind: &str) -> Option<Finding> {
    let lost = |what: &str| {
        Finding::warning(
            KIND,
            format!("the data file lies {what}: everything is gone after a restart"),
        )
    };
    Some(match kind {
        "tmpfs" | "ramfs" => lost("in memory (tmpfs)"),
        "overlay" => lost("in the container itself (overlay)")
            .change("a volume for its folder: -v doorlight:/data"),
        "nfs" | "nfs4" => network("NFS"),
        "cifs" | "smb3" => network("SMB"),
        "9p" => network("9P"),
        "ceph" => network("Ceph"),
        _ if mounts::is_fat(kind) => Finding::warning(
            KIND,
            "the data file lies on a FAT file system, which knows no file modes and may lose it when the power fails; stop \
             Doorlight, and move it to a disk with another one",
        )
        .change("--data /var/lib/doorlight/doorlight.redb"),
        // `fuseblk` is a disk of this machine.
        _ if kind.starts_with("fuse.") => Finding::note(
            KIND,
            format!(
                "the data file lies on a FUSE file system ({kind}); if that is a network, put it on a disk of this machine"
            ),
        ),
        _ => return None,
    })
}

fn network(name: &str) -> Finding {
    Finding::warning(
        KIND,
        format!(
            "the data file lies on a network file system ({name}): each sign-in waits for it, and when it is away nobody \
             signs in. Keep it on a disk of this machine and put backups there"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;
    use crate::store::testing::Folder;

    #[test]
    fn room_is_wanted_for_a_copy_and_needed_for_the_next_commits() {
        const MIB: u64 = 1024 * 1024;
        for (bytes, files, file, level) in [
            (0, None, MIB, Level::Fault),
            (15 * MIB, None, MIB, Level::Fault),
            (16 * MIB, None, MIB, Level::Warning),
            (17 * MIB, None, MIB, Level::Ok),
            (900 * MIB, Some(3), MIB, Level::Fault),
            (900 * MIB, Some(16), 890 * MIB, Level::Warning),
            (u64::MAX, Some(u64::MAX), u64::MAX, Level::Ok),
        ] {
            let finding = judge_room(&Room { bytes, files }, file);
            assert_eq!(finding.level, level, "{bytes} {files:?} {file}");
        }
    }

    #[test]
    fn a_disk_of_this_machine_needs_no_word_and_others_do() {
        for own in ["ext4", "btrfs", "xfs", "f2fs", "zfs", "fuseblk", "virtiofs"] {
            assert_eq!(judge_kind(own), None);
        }
        for (kind, words) in [
            ("tmpfs", "in memory"),
            ("overlay", "in the container"),
            ("nfs4", "NFS"),
            ("cifs", "SMB"),
            ("fuse.sshfs", "FUSE file system (fuse.sshfs)"),
            ("vfat", "FAT"),
            ("exfat", "FAT"),
        ] {
            let finding = judge_kind(kind).unwrap();
            assert!(finding.found.contains(words), "{finding:?}");
        }
    }

    #[test]
    fn the_kind_of_a_disk_is_that_of_the_folder_to_which_a_link_leads() {
        let folder = Folder::new("kind");
        let real = folder.join("real");
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, folder.join("link")).unwrap();
        let point = std::fs::canonicalize(&real).unwrap();
        let line = format!("22 1 8:1 / {} rw - vfat /dev/sda1 rw", point.display());
        let mounts = Mounts::parse(&line);
        let kind = |data: &str| {
            let findings = look(&folder.join(data), Some(&mounts));
            findings.iter().any(|finding| finding.check == KIND)
        };
        assert!(kind("link/doorlight.redb") && kind("real/doorlight.redb"));
        assert!(!kind("doorlight.redb"));
    }
}
