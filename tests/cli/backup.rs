//! `backup` and `verify`, beside a running server and without one.

use crate::world::{PASSWORD, World, file_size, names};
use crate::{refused, text};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

fn path(world: &World, name: &str) -> String {
    world.dir.join(name).to_str().unwrap().to_owned()
}

fn back_up_and_verify(world: &World) {
    let copy = path(world, "copy.redb");
    let made = world.verb(&["backup", &copy], "");
    assert_eq!(made["bytes"].as_u64(), Some(file_size(Path::new(&copy))));
    let mode = std::fs::metadata(&copy).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let bytes = std::fs::read(&copy).unwrap();
    for file in [Some(copy.as_str()), None] {
        let arguments: Vec<&str> = ["verify"].into_iter().chain(file).collect();
        let found = world.verb(&arguments, "");
        assert_eq!(found["whole"], true, "{found}");
        let beside_server = file.is_none() && world.try_ask("GET", "/healthz", "", "").is_some();
        assert_eq!(found["checksums"], !beside_server, "{found}");
        assert_eq!(found["people"], 1, "{found}");
        assert_eq!(found["applications"], 1, "{found}");
        let keys = found["keys_that_sign"].as_array().unwrap();
        assert!(keys.len() >= 2, "{found}");
    }
    assert_eq!(std::fs::read(&copy).unwrap(), bytes);

    let folder = path(world, "backups");
    std::fs::create_dir_all(&folder).unwrap();
    let made = world.verb(&["backup", &folder], "");
    let dated = names(Path::new(&folder));
    assert!(dated[0].starts_with("doorlight-by-hand-20"), "{dated:?}");
    assert_eq!(
        made["file"].as_str().unwrap(),
        format!("{folder}/{}", dated[0])
    );
    std::fs::remove_dir_all(&folder).unwrap();

    let streamed = world.run(&["backup", "-"], "");
    assert!(streamed.status.success(), "{streamed:?}");
    let copy = path(world, "streamed.redb");
    std::fs::write(&copy, &streamed.stdout).unwrap();
    assert_eq!(world.verb(&["verify", &copy], "")["whole"], true);
}

#[test]
fn a_backup_is_made_and_checked_beside_a_running_server_and_without_one() {
    let mut world = World::started();
    world.user("alice");
    world.trusted();
    let browser = world.sign_in("alice");
    assert!(!browser.cookies.is_empty());
    back_up_and_verify(&world);
    // After a crash the file needs a repair first.
    world.kill();
    back_up_and_verify(&world);
    let live = path(&world, "doorlight.redb");
    assert!(refused(&world.run(&["backup", &live], ""), 1).contains("the data file itself"));
    let left = names(&world.dir);
    assert!(!left.iter().any(|name| name.ends_with(".part")), "{left:?}");
}

/// One letter less than `backups run`, and every signing key was in a file called `run`.
#[test]
fn a_backup_is_not_called_like_what_the_schedule_is_told() {
    let world = World::started();
    for verb in ["run", "show", "set", "off"] {
        let why = refused(&world.run(&["backup", verb], ""), 1);
        assert!(why.contains(&format!("doorlight backups {verb}?")), "{why}");
        assert!(!Path::new(verb).exists(), "{verb}");
    }
}

#[test]
fn failed_backup_leaves_the_good_one() {
    let world = World::started();
    world.user("alice");
    let copy = path(&world, "copy.redb");
    world.verb(&["backup", &copy], "");
    let good = std::fs::read(&copy).unwrap();
    let before = names(&world.dir);
    // A disk that is full at once, a little later, and almost at the end.
    for limit in [0, 20_000, good.len() / 2, good.len() - 4_096] {
        let output = Command::new("prlimit")
            .arg(format!("--fsize={limit}"))
            .arg(env!("CARGO_BIN_EXE_doorlight"))
            .args(["--data", world.data().to_str().unwrap(), "backup", &copy])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        refused(&output, 1);
        assert_eq!(std::fs::read(&copy).unwrap(), good, "{limit}");
        assert_eq!(names(&world.dir), before, "{limit}");
    }
    let nowhere = path(&world, "nowhere/copy.redb");
    assert!(refused(&world.run(&["backup", &nowhere], ""), 1).contains("there is no such folder"));
    assert!(refused(&world.run(&["backup", "/proc/copy.redb"], ""), 1).contains("/proc/copy.redb"));
    assert_eq!(world.verb(&["verify", &copy], "")["whole"], true);
}

#[test]
fn damage_ends_verify_with_plain_words_and_exit_code_1() {
    let world = World::empty();
    world.verb(&["user", "add", "alice", "--password-stdin"], PASSWORD);
    let copy = path(&world, "copy.redb");
    world.verb(&["backup", &copy], "");
    let good = std::fs::read(&copy).unwrap();
    let name = good
        .windows(7)
        .position(|bytes| bytes == b"\"alice\"")
        .unwrap();
    let mut bad = good.clone();
    bad[name + 1] = b'm';
    std::fs::write(&copy, &bad).unwrap();
    let output = world.run(&["verify", &copy], "");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text(&output.stderr).contains("is damaged"), "{output:?}");

    std::fs::write(&copy, &good[..good.len() / 2]).unwrap();
    assert!(refused(&world.run(&["verify", &copy], ""), 1).contains("damaged"));
    std::fs::write(&copy, "Dear Sir or Madam").unwrap();
    assert!(refused(&world.run(&["verify", &copy], ""), 1).contains("not a Doorlight data file"));
    let missing = path(&world, "missing.redb");
    assert!(refused(&world.run(&["verify", &missing], ""), 1).contains("does not exist"));
}
