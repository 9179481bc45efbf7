//! Nothing of a process that holds keys and passwords lands on a disk, and its neighbours do not read its memory.

use crate::world::World;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Of Debian's user `nobody`.
const NOBODY: u32 = 65534;

fn proc(pid: u32, file: &str) -> String {
    fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default()
}

/// Soft and hard limit of the core file.
fn core_limits(pid: u32) -> Vec<String> {
    let limits = proc(pid, "limits");
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size"));
    line.unwrap_or_default()
        .split_whitespace()
        .take(2)
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_server_leaves_no_core_file() {
    let world = World::started();
    assert_eq!(core_limits(world.pid()), ["0", "0"]);
}

/// A verb of an ordinary user that waits for a password, from a copy that this user may run.
fn waiting_verb(world: &World, as_whom: u32) -> Child {
    let copy = world.dir.join("doorlight");
    if !copy.exists() {
        let program = env!("CARGO_BIN_EXE_doorlight");
        fs::hard_link(program, &copy)
            .or_else(|_| fs::copy(program, &copy).map(|_| ()))
            .unwrap();
    }
    let folder = world.dir.join(format!("of-{as_whom}"));
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    let mut command = Command::new(copy);
    command
        .current_dir(folder)
        .args(["user", "add", "anna", "--password-stdin"]);
    if rustix::process::getuid().is_root() {
        command.uid(as_whom);
    }
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.stdin(Stdio::piped()).spawn().unwrap()
}

/// What is in `/proc` of a process that may be dumped belongs to its user; of one that may not, to root.
#[test]
fn another_process_of_the_same_user_does_not_read_the_memory_of_a_verb() {
    let world = World::empty();
    let user = match rustix::process::getuid() {
        root if root.is_root() => NOBODY,
        own => own.as_raw(),
    };
    let mut verb = waiting_verb(&world, user);
    let begun = Instant::now();
    let owner = || {
        fs::metadata(format!("/proc/{}/environ", verb.id()))
            .unwrap()
            .uid()
    };
    // Until its first lines have run.
    while owner() != 0 && begun.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(owner(), 0);
    assert_eq!(core_limits(verb.id()), ["0", "0"]);
    let status = proc(verb.id(), "status");
    let uid = status
        .lines()
        .find(|line| line.starts_with("Uid:"))
        .unwrap();
    assert_eq!(uid.split_whitespace().nth(1), Some(&*user.to_string()));
    // It works all the same.
    let mut stdin = verb.stdin.take().unwrap();
    stdin.write_all(b"correct horse battery staple\n").unwrap();
    drop(stdin);
    assert!(verb.wait().unwrap().success());
}
