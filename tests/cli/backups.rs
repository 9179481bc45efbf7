//! `backups`: what is set, what is made, and what is said where it cannot be.

use super::{refused, text};
use crate::world::{World, names};
use doorlight::crypto::age::Identity;
use serde_json::Value;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn folder(world: &World, name: &str) -> String {
    let folder = world.dir.join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder.to_str().unwrap().to_owned()
}

/// Beside a server, the schedule may be making the one that is due at that moment, or have made one within the same second.
fn made_now(world: &World) -> Value {
    let begun = Instant::now();
    loop {
        let output = world.run(&["backups", "run"], "");
        if output.status.success() {
            return serde_json::from_slice(&output.stdout).unwrap();
        }
        let why = refused(&output, 1);
        let again = ["is being made at this moment", "is there already"];
        assert!(again.iter().any(|words| why.contains(words)), "{why}");
        assert!(begun.elapsed() < Duration::from_secs(60), "{why}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Twelve hours from now: while a test runs no second backup is due.
fn far_from_now() -> String {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let minute = (now / 60 + 12 * 60) % (24 * 60);
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn set_run_and_show(world: &World, folder: &str) {
    let at = far_from_now();
    let set = [
        "backups", "set", "--folder", folder, "--at", &at, "--daily", "2",
    ];
    let shown = world.verb(&set, "");
    assert_eq!(shown["folder"], folder);
    assert_eq!(
        (&shown["at"], &shown["weekly"]),
        (&format!("{at} UTC").into(), &4.into())
    );
    let warning = shown["warning"].as_str().unwrap();
    assert!(warning.contains("on the disk of the data file"), "{shown}");
    let made = made_now(world);
    let file = made["file"].as_str().unwrap();
    assert!(
        file.starts_with(folder) && file.ends_with(".redb"),
        "{made}"
    );
    let verified = world.verb(&["verify", file], "");
    assert_eq!(verified["whole"], true);
    assert_eq!(verified["bytes"], made["bytes"]);
    let shown = world.verb(&["backups", "show"], "");
    assert!(
        shown["last_good"].as_str().unwrap().ends_with('Z'),
        "{shown}"
    );
    assert!(
        shown["next"]
            .as_str()
            .unwrap()
            .ends_with(&format!("T{at}:00Z")),
        "{shown}"
    );
    assert!(shown["in_the_folder"].as_u64().unwrap() >= 1, "{shown}");

    let key = Identity::generate().recipient().to_string();
    world.verb(&["backups", "set", "--recipient", &key], "");
    let made = made_now(world);
    assert!(
        made["file"].as_str().unwrap().ends_with(".redb.age"),
        "{made}"
    );
    let shown = world.verb(&["backups", "set", "--recipient", ""], "");
    assert_eq!(shown["recipients"].as_array().unwrap().len(), 0);
    assert_eq!(shown["daily"], 2, "what is not given stays");

    let off = world.verb(&["backups", "off"], "");
    assert!(off["folder"].is_null() && off["next"].is_null(), "{off}");
    assert_eq!(off["last_good_file"], made["file"]);
    let why = refused(&world.run(&["backups", "run"], ""), 1);
    assert!(why.contains("no folder is set"), "{why}");
    assert!(refused(&world.run(&["backups", "set", "--at", "05:00"], ""), 1).contains("folder"));
}

#[test]
fn backups_are_set_made_and_shown_beside_a_server_and_without_one() {
    let mut world = World::started();
    world.user("alice");
    set_run_and_show(&world, &folder(&world, "first"));
    let audit = text(&world.run(&["audit", "--kind", "backup.made"], "").stdout);
    assert!(audit.contains("command line"), "{audit}");
    world.kill();
    set_run_and_show(&world, &folder(&world, "second"));
}

#[test]
fn a_server_makes_the_one_that_is_due_when_it_starts_and_no_second_one() {
    let mut world = World::empty();
    world.verb(&["user", "add", "alice", "--no-password"], "");
    let folder = folder(&world, "backups");
    let set = [
        "backups",
        "set",
        "--folder",
        &folder,
        "--at",
        &far_from_now(),
    ];
    world.verb(&set, "");
    world.start();
    let begun = Instant::now();
    while world.verb(&["backups", "show"], "")["last_good"].is_null() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", world.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    let made = names(Path::new(&folder));
    assert_eq!(made.len(), 1);
    world.kill();
    world.start();
    // Longer than the first one took, and than a name needs to be another.
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(names(Path::new(&folder)), made);
    let audit = text(&world.run(&["audit", "--kind", "backup.made"], "").stdout);
    assert!(
        audit.lines().count() == 1 && audit.contains("schedule"),
        "{audit}"
    );
}

#[test]
fn a_folder_that_cannot_be_used_is_refused_in_plain_words_and_nothing_is_set() {
    let world = World::started();
    world.user("alice");
    let file = world.dir.join("letter.txt");
    std::fs::write(&file, "Dear Sir or Madam").unwrap();
    let nowhere = world.dir.join("nowhere");
    let private = Identity::generate().text();
    let here = world.dir.to_str().unwrap();
    let set = |more: &[&str]| {
        let arguments = [&["backups", "set"], more].concat();
        refused(&world.run(&arguments, ""), 1)
    };
    for (more, words) in [
        (
            &["--folder", nowhere.to_str().unwrap()][..],
            "there is no such folder",
        ),
        (&["--folder", file.to_str().unwrap()], "this is no folder"),
        (&["--folder", "/proc"], "/proc"),
        (&["--folder", here, "--at", "25:00"], "time of day in UTC"),
        (&["--folder", here, "--monthly", "1001"], "monthly"),
        (
            &["--folder", here, "--recipient", private.expose()],
            "private key",
        ),
        (&[], "say where the backups go"),
    ] {
        let line = set(more);
        assert!(line.contains(words), "{line}");
        assert!(!line.contains(&private.expose()[..20]), "{line}");
    }
    assert!(world.verb(&["backups", "show"], "")["folder"].is_null());
    let shown = world.verb(&["backups", "set", "--folder", here], "");
    let warning = shown["warning"].as_str().unwrap();
    assert!(warning.contains("the folder of the data file"), "{shown}");
}

/// A folder on another file system than the data file: shared memory, which is one of its own wherever there is any.
struct OtherDisk(PathBuf);

impl OtherDisk {
    fn new(world: &World) -> Self {
        let name = world.dir.file_name().unwrap();
        let here = std::fs::metadata(&world.dir).unwrap().dev();
        let roots = ["/dev/shm", "/var/tmp", env!("CARGO_TARGET_TMPDIR")];
        let root = roots
            .into_iter()
            .find(|root| std::fs::metadata(root).is_ok_and(|found| found.dev() != here))
            .expect("a second file system: /dev/shm, /var/tmp or the one of the build");
        let folder = Path::new(root).join(name);
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for OtherDisk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A link stands in for the mount: it leads to another disk, and then it does not.
#[test]
fn a_disk_that_is_not_mounted_is_told_and_nothing_is_written_below_it() {
    let world = World::empty();
    world.verb(&["user", "add", "alice", "--no-password"], "");
    let disk = OtherDisk::new(&world);
    let usb = world.dir.join("usb");
    let folder = usb.to_str().unwrap();
    symlink(&disk.0, &usb).unwrap();
    let shown = world.verb(&["backups", "set", "--folder", folder], "");
    assert!(shown["warning"].is_null(), "{shown}");
    world.verb(&["backups", "run"], "");
    assert_eq!(names(&disk.0).len(), 1);

    std::fs::remove_file(&usb).unwrap();
    std::fs::create_dir(&usb).unwrap();
    let why = refused(&world.run(&["backups", "run"], ""), 1);
    assert!(why.contains("the disk that was there is not"), "{why}");
    assert!(names(&usb).is_empty());
    let shown = world.verb(&["backups", "show"], "");
    assert_eq!(shown["failed_since"], 1, "{shown}");
    let reason = shown["last_failure_reason"].as_str().unwrap();
    assert!(reason.contains("the disk that was there is not"), "{shown}");

    std::fs::remove_dir(&usb).unwrap();
    symlink(&disk.0, &usb).unwrap();
    made_now(&world);
    assert_eq!(world.verb(&["backups", "show"], "")["failed_since"], 0);
}
