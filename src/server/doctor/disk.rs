//! The disk under the data file: how much room it has, and what kind it is.

use super::finding::Finding;
use crate::store::placed;
use crate::types::in_words::size;
use rustix::fs::{statfs, statvfs};
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
pub(super) fn look(data: &Path) -> Vec<Finding> {
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
    let kind = statfs(folder).ok().map(|found| i128::from(found.f_type));
    std::iter::once(room)
        .chain(kind.and_then(judge_kind))
        .collect()
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

/// Kinds that lose the file, or do not keep what they say (statfs(2)).
fn judge_kind(kind: i128) -> Option<Finding> {
    let lost = |what: &str| {
        Finding::warning(
            KIND,
            format!("the data file lies {what}: everything is gone after a restart"),
        )
    };
    // Where `f_type` is signed and short, the large ones are negative.
    Some(match kind & 0xffff_ffff {
        0x0102_1994 | 0x8584_58f6 => lost("in memory (tmpfs)"),
        0x794c_7630 => lost("in the container itself (overlay)")
            .change("a volume for its folder: -v doorlight:/data"),
        0x6969 => network("NFS"),
        0xff53_4d42 | 0xfe53_4d42 | 0x517b => network("SMB"),
        0x0102_1997 => network("9P"),
        0x00c3_6400 => network("Ceph"),
        0x6573_5546 => Finding::note(
            KIND,
            "the data file lies on a FUSE file system; if that is a network (sshfs), put it on a disk of this machine",
        ),
        0x4d44 | 0x2011_bab0 => Finding::warning(
            KIND,
            "the data file lies on a FAT file system, which knows no file modes and may lose it when the power fails; stop \
             Doorlight, and move it to a disk with another one",
        )
        .change("--data /var/lib/doorlight/doorlight.redb"),
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
        for own in [0xef53, 0x9123_683e, 0x5846_5342, 0xf2f5_2010] {
            assert_eq!(judge_kind(own), None);
        }
        for (kind, words) in [
            (0x0102_1994, "in memory"),
            (0x794c_7630, "in the container"),
            (0x6969, "NFS"),
            (0xff53_4d42, "SMB"),
            // As a machine with 32 bits has it.
            (i128::from(0xff53_4d42_u32.cast_signed()), "SMB"),
            (0x6573_5546, "FUSE"),
            (0x4d44, "FAT"),
            (0x2011_bab0, "FAT"),
        ] {
            let finding = judge_kind(kind).unwrap();
            assert!(finding.found.contains(words), "{finding:?}");
        }
    }
}
