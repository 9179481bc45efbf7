//! The machine that a table was measured on, and which core does what.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Seek, Write as _};
use std::path::Path;
use std::time::Instant;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::measure::median;

/// One core for the server and another for the load generator; the same one where there is but one.
#[derive(Clone, Copy)]
pub struct Cores {
    pub server: usize,
    pub load: usize,
}

impl Cores {
    /// Chooses among the cores that this process may use, and goes to its own.
    pub fn choose() -> io::Result<Self> {
        let allowed = sched_getaffinity(None)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let load = cores.next().unwrap_or(0);
        let cores = Self {
            server: cores.next_back().unwrap_or(load),
            load,
        };
        pin(cores.load)?;
        Ok(cores)
    }

    /// Starts something on the server's core: a child inherits the core of its parent, with no
    /// moment in which its threads could have started elsewhere.
    pub fn on_server_core<T>(self, start: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        pin(self.server)?;
        let started = start();
        pin(self.load)?;
        started
    }
}

fn pin(core: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(None, &set)?)
}

/// Room for more connections than the usual soft limit.
pub fn raise_open_files() -> io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    Ok(setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    )?)
}

/// The head of the table. The time of a synced write is measured on the spot.
pub fn describe(data: &Path, cores: Cores) -> io::Result<String> {
    let cpus = fs::read_to_string("/proc/cpuinfo")?;
    let count = cpus
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let load = fs::read_to_string("/proc/loadavg")?;
    let mut head = String::new();
    let lines = [
        (
            "Processor",
            format!(
                "{}, {count} cores",
                model.map_or("unknown", |(_, name)| name)
            ),
        ),
        ("Kernel", kernel.trim().to_owned()),
        (
            "Data",
            format!(
                "{}, fdatasync of 4 KiB {:.3} ms (median)",
                file_system(data)?,
                fdatasync(data)?
            ),
        ),
        (
            "Cores used",
            format!(
                "server on {}, load generator on {}",
                cores.server, cores.load
            ),
        ),
        (
            "Load before",
            load.split(' ').take(3).collect::<Vec<_>>().join(" "),
        ),
    ];
    for (name, value) in lines {
        let _ = writeln!(head, "{name:<12} {value}");
    }
    Ok(head)
}

/// Type and device of the file system that holds `path`, from the longest mount point above it.
fn file_system(path: &Path) -> io::Result<String> {
    let path = path.canonicalize()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let mut best = (0, "unknown".to_owned());
    for line in mounts.lines() {
        let Some((left, right)) = line.split_once(" - ") else {
            continue;
        };
        let Some(point) = left.split(' ').nth(4) else {
            continue;
        };
        if path.starts_with(point) && point.len() >= best.0 {
            let mut source = right.split(' ');
            let (kind, device) = (source.next().unwrap_or("?"), source.next().unwrap_or("?"));
            best = (point.len(), format!("{kind} on {device}"));
        }
    }
    Ok(best.1)
}

fn fdatasync(directory: &Path) -> io::Result<f64> {
    let path = directory.join("fdatasync");
    let mut file = File::create(&path)?;
    let mut milliseconds = Vec::new();
    for round in 0..101_u8 {
        file.rewind()?;
        file.write_all(&[round; 4096])?;
        let start = Instant::now();
        file.sync_data()?;
        milliseconds.push(start.elapsed().as_secs_f64() * 1e3);
    }
    fs::remove_file(path)?;
    Ok(median(&milliseconds).unwrap_or(0.0))
}
