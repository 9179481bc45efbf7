//! `backups`: what is set, what is made, and what is said where it cannot be.

use super::{refused, text};
use crate::world::World;
use doorlight::crypto::age::Identity;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn folder(world: &World, name: &str) -> String {
    let folder = world.dir.join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder.to_str().unwrap().to_owned()
}

fn set_run_and_show(world: &World, folder: &str) {
    let set = [
        "backups", "set", "--folder", folder, "--at", "04:30", "--daily", "2",
    ];
    let shown = world.verb(&set, "");
    assert_eq!(shown["folder"], folder);
    assert_eq!(
        (&shown["at"], &shown["weekly"]),
        (&"04:30 UTC".into(), &4.into())
    );
    let warning = shown["warning"].as_str().unwrap();
    assert!(warning.contains("on the disk of the data file"), "{shown}");
    let made = world.verb(&["backups", "run"], "");
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
        shown["next"].as_str().unwrap().ends_with("T04:30:00Z"),
        "{shown}"
    );
    assert!(shown["in_the_folder"].as_u64().unwrap() >= 1, "{shown}");

    let key = Identity::generate().recipient().to_string();
    world.verb(&["backups", "set", "--recipient", &key], "");
    // Names are to the second.
    std::thread::sleep(Duration::from_millis(1_100));
    let made = world.verb(&["backups", "run"], "");
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
    world.verb(&["backups", "set", "--folder", &folder], "");
    world.start();
    let begun = Instant::now();
    while world.verb(&["backups", "show"], "")["last_good"].is_null() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", world.log());
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

/// On a file system of its own, seen by one process and its children only.
fn on_small_disk(world: &World, folder: &str, kibibytes: u32, script: &str) -> String {
    let mount = format!("mount -t tmpfs -o size={kibibytes}k none \"$1\" && {script}");
    let output = Command::new("unshare")
        .args([
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            &mount,
            "sh",
            folder,
        ])
        .arg(env!("CARGO_BIN_EXE_doorlight"))
        .arg(world.data())
        .output()
        .unwrap();
    let all = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    assert!(
        output.status.success(),
        "unshare (util-linux): {}",
        text(&all)
    );
    text(&all)
}

#[test]
fn a_full_disk_and_one_that_is_not_mounted_are_told_and_nothing_is_left_there() {
    let world = World::empty();
    world.verb(&["user", "add", "alice", "--no-password"], "");
    let folder = folder(&world, "usb");
    let said = on_small_disk(
        &world,
        &folder,
        16,
        r#""$2" --data "$3" backups set --folder "$1" && ! "$2" --data "$3" backups run && ls -A "$1" | wc -l"#,
    );
    assert!(said.contains("there is no room on that disk"), "{said}");
    assert!(said.lines().any(|line| line == "0"), "{said}");
    assert!(!said.contains("the disk of the data file"), "{said}");
    let shown = world.verb(&["backups", "show"], "");
    assert_eq!(shown["failed_since"], 1, "{shown}");
    let reason = shown["last_failure_reason"].as_str().unwrap();
    assert!(reason.contains("there is no room"), "{shown}");

    // On a disk of its own with the data file, a backup could fill it, and then nobody could sign in.
    let here = r#"data="$1/doorlight.redb"; "$2" --data "$data" user add bob --no-password &&
        "$2" --data "$data" backups set --folder "$1" && ! "$2" --data "$data" backups run &&
        ls "$1" && "$2" --data "$data" user list"#;
    let said = on_small_disk(&world, &folder, 16 * 1_024, here);
    assert!(said.contains("a copy could fill it"), "{said}");
    assert!(
        said.lines().all(|line| !line.starts_with("doorlight-2")),
        "{said}"
    );
    assert!(said.lines().any(|line| line.contains("bob")), "{said}");

    // The mount is gone with its process: the folder is an empty one on the disk of the data file.
    let why = refused(&world.run(&["backups", "run"], ""), 1);
    assert!(why.contains("the disk that was there is not"), "{why}");
    assert!(names(Path::new(&folder)).is_empty());

    let room = r#""$2" --data "$3" backups run && ls "$1""#;
    let said = on_small_disk(&world, &folder, 4_096, room);
    assert!(said.lines().any(|line| line.ends_with(".redb")), "{said}");
    assert_eq!(world.verb(&["backups", "show"], "")["failed_since"], 0);
}
