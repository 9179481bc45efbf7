//! What the machine, or the container, gives this process: memory and open files. Random
//! bytes are not looked at: whoever runs has drawn some, and the kernel waits for no machine's noise for long.

use super::finding::Finding;
use crate::types::in_words::size;
use rustix::process::{Resource, getrlimit};
use std::fs::read_to_string;
use std::path::{Path, PathBuf};

const MIB: u64 = 1024 * 1024;
/// Two password hashes at a time of 19 MiB (DESIGN §7).
const HASHES: u64 = 2 * 19 * MIB;
/// What Doorlight itself takes under load.
const OWN: u64 = 40 * MIB;
/// Connections, and what else is open.
const FILES: u64 = 1024 + 64;

/// Memory that is to be had. `dearest`: what the dearest hash that is kept takes; one that came from another server may take
/// more than two of ours, and is checked alone.
pub(super) fn memory(dearest: u64) -> Finding {
    let meminfo = read_to_string("/proc/meminfo").unwrap_or_default();
    let groups = read_to_string("/proc/self/cgroup").unwrap_or_default();
    judge_memory(available(&meminfo), allowed(&groups), dearest)
}

/// `MemAvailable`, in bytes (proc(5)).
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// The limit of the control group, of version 2.
fn allowed(groups: &str) -> Option<u64> {
    let name = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let folder = Path::new("/sys/fs/cgroup").join(name);
    let paths: [PathBuf; 2] = [
        folder.join("memory.max"),
        Path::new("/sys/fs/cgroup/memory.max").to_owned(),
    ];
    let text = paths.iter().find_map(|path| read_to_string(path).ok())?;
    text.trim().parse().ok()
}

fn judge_memory(available: Option<u64>, allowed: Option<u64>, dearest: u64) -> Finding {
    const CHECK: &str = "memory";
    let wanted = HASHES.max(dearest) + OWN;
    let wants = if dearest > HASHES {
        format!(
            "a password or secret that came from another server wants {} to be checked",
            size(wanted)
        )
    } else {
        format!("two sign-ins at a time want {}", size(wanted))
    };
    if let Some(limit) = allowed.filter(|limit| *limit < wanted) {
        let enough = if dearest > HASHES { 256 } else { 128 };
        return Finding::warning(
            CHECK,
            format!(
                "this process may have {}: {wants}, and it may be ended in the middle",
                size(limit)
            ),
        )
        .change(format!(
            "MemoryMax={enough}M in the unit, or --memory {enough}m of the container"
        ));
    }
    match available {
        Some(free) if free < wanted => Finding::warning(
            CHECK,
            format!("{} are free on this machine; {wants}", size(free)),
        ),
        Some(free) => Finding::ok(CHECK, format!("{} are free", size(free))),
        None => Finding::note(CHECK, "the kernel does not say how much is free"),
    }
}

/// Files that this process may open.
pub(super) fn files() -> Finding {
    judge_files(getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX))
}

fn judge_files(limit: u64) -> Finding {
    const CHECK: &str = "open files";
    if limit < FILES {
        return Finding::warning(
            CHECK,
            format!("this process may open {limit} files, and 1,024 connections take {FILES}"),
        )
        .change("LimitNOFILE=4096 in the unit, or --ulimit nofile=4096 of the container");
    }
    let limit = match limit {
        0..=1_000_000_000 => limit.to_string(),
        _ => "any number of".to_owned(),
    };
    Finding::ok(CHECK, format!("{limit} files may be open"))
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    #[test]
    fn memory_is_judged_by_what_is_free_and_what_is_allowed() {
        let meminfo = "MemTotal:  1000000 kB\nMemFree:  1 kB\nMemAvailable:   204800 kB\n";
        assert_eq!(available(meminfo), Some(200 * MIB));
        assert_eq!(available("MemTotal: 7 kB\n"), None);
        for (free, limit, dearest, level) in [
            (Some(200 * MIB), None, 19, Level::Ok),
            (Some(200 * MIB), Some(256 * MIB), 0, Level::Ok),
            (Some(200 * MIB), Some(64 * MIB), 19, Level::Warning),
            (Some(60 * MIB), None, 19, Level::Warning),
            (None, None, 19, Level::Note),
            (Some(200 * MIB), Some(128 * MIB), 64, Level::Ok),
            (Some(200 * MIB), Some(128 * MIB), 128, Level::Warning),
            (Some(160 * MIB), None, 128, Level::Warning),
            (Some(200 * MIB), Some(256 * MIB), 128, Level::Ok),
        ] {
            let finding = judge_memory(free, limit, dearest * MIB);
            assert_eq!(finding.level, level, "{free:?} {limit:?} {dearest}");
            let came = finding.found.contains("came from another server");
            assert_eq!(came, dearest > 38 && level == Level::Warning, "{finding:?}");
        }
        // As on a machine without version 2 of control groups.
        assert_eq!(allowed("4:memory:/user.slice\n"), None);
    }

    #[test]
    fn too_few_open_files_are_a_warning() {
        assert_eq!(judge_files(1_024).level, Level::Warning);
        assert_eq!(judge_files(4_096).level, Level::Ok);
        let unlimited = judge_files(u64::MAX);
        assert!(unlimited.found.starts_with("any number"), "{unlimited:?}");
    }
}
