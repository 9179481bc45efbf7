//! What the machine, or the container, gives this process: memory and open files. Random
//! bytes are not looked at: whoever runs has drawn some, and the kernel waits for no machine's noise for long.

use super::finding::{Finding, size};
use rustix::process::{Resource, getrlimit};
use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// Two password hashes at a time of 19 MiB (DESIGN §7), and what Doorlight itself takes under load.
const WANTED: u64 = (2 * 19 + 40) * 1024 * 1024;
/// Connections, and what else is open.
const FILES: u64 = 1024 + 64;

/// Memory that is to be had.
pub(super) fn memory() -> Finding {
    let meminfo = read_to_string("/proc/meminfo").unwrap_or_default();
    let groups = read_to_string("/proc/self/cgroup").unwrap_or_default();
    judge_memory(available(&meminfo), allowed(&groups))
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

fn judge_memory(available: Option<u64>, allowed: Option<u64>) -> Finding {
    const CHECK: &str = "memory";
    let wanted = size(WANTED);
    if let Some(limit) = allowed.filter(|limit| *limit < WANTED) {
        return Finding::warning(
            CHECK,
            format!(
                "this process may have {}: two sign-ins at a time want {wanted}, and it may be ended in the middle",
                size(limit)
            ),
        )
        .change("MemoryMax=128M in the unit, or --memory 128m of the container");
    }
    match available {
        Some(free) if free < WANTED => Finding::warning(
            CHECK,
            format!(
                "{} are free on this machine; two sign-ins at a time want {wanted}",
                size(free)
            ),
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

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn memory_is_judged_by_what_is_free_and_what_is_allowed() {
        let meminfo = "MemTotal:  1000000 kB\nMemFree:  1 kB\nMemAvailable:   204800 kB\n";
        assert_eq!(available(meminfo), Some(200 * MIB));
        assert_eq!(available("MemTotal: 7 kB\n"), None);
        for (free, limit, level) in [
            (Some(200 * MIB), None, Level::Ok),
            (Some(200 * MIB), Some(256 * MIB), Level::Ok),
            (Some(200 * MIB), Some(64 * MIB), Level::Warning),
            (Some(60 * MIB), None, Level::Warning),
            (None, None, Level::Note),
        ] {
            assert_eq!(judge_memory(free, limit).level, level, "{free:?} {limit:?}");
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
