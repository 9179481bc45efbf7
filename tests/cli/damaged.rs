//! Files that end whoever reads them without care.

use crate::refused;
use crate::world::{World, damage};
use doorlight::model::{Change, Decision, Group};
use doorlight::store::Store;
use doorlight::types::Timestamp;
use std::fs::File;
use std::os::unix::net::UnixListener;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// `verify` and `restore` ended by a signal, and left half a file behind.
#[test]
fn damage_that_ends_a_process_ends_no_verb() {
    let world = World::empty();
    world.verb(&["user", "add", "boss", "--admin", "--no-password"], "");
    let before = std::fs::read(world.data()).unwrap();
    let bad = world.dir.join("bad.redb");
    let named = bad.to_str().unwrap();
    for (kind, bytes) in damage::files() {
        std::fs::write(&bad, &bytes).unwrap();
        // It is as bad as that. Where redb asserts more, it notices the second kind sooner.
        let mut alone = world.command();
        alone.arg("inspect").stdin(File::open(&bad).unwrap());
        let ended = alone.stdout(Stdio::null()).stderr(Stdio::null()).status();
        let is_ended = ended.unwrap().signal().is_some();
        let sooner = cfg!(debug_assertions) && kind == "a panic in a destructor";
        assert!(is_ended || sooner, "{kind} ends nobody");

        let why = refused(&world.run(&["verify", named], ""), 1);
        assert!(why.contains("bad.redb is damaged"), "{kind}: {why}");
        for more in [&[][..], &["--damaged-too"]] {
            let verb = [&["restore", named], more].concat();
            let why = refused(&world.run(&verb, ""), 1);
            assert!(why.contains("the backup is damaged"), "{kind}: {why}");
            assert!(why.contains("nothing was restored"), "{kind}: {why}");
        }
        assert_eq!(std::fs::read(&bad).unwrap(), bytes, "{kind}");
    }
    assert_eq!(std::fs::read(world.data()).unwrap(), before);
    assert_eq!(
        world.files(),
        ["bad.redb", "doorlight.redb"],
        "something was left behind"
    );
}

/// The way out was barred by what it leads out of: `restore` opened the file that it was to replace.
#[test]
fn a_data_file_that_ends_whoever_reads_it_is_replaced() {
    let world = World::empty();
    world.verb(&["user", "add", "boss", "--admin", "--no-password"], "");
    let copy = world.dir.join("copy.redb");
    let copy = copy.to_str().unwrap();
    world.verb(&["backup", copy], "");
    for (kind, bytes) in damage::files() {
        std::fs::write(world.data(), &bytes).unwrap();
        let done = world.verb(&["restore", copy], "");
        let kept = done["replaced"].as_str().unwrap();
        assert_eq!(std::fs::read(kept).unwrap(), bytes, "{kind}");
        let people = world.verb(&["user", "list"], "");
        assert_eq!(people.as_array().unwrap().len(), 1, "{kind}");
    }
}

/// It told of panics inside a library, and where that was compiled.
#[test]
fn whose_data_file_is_damaged_reads_one_line_that_names_the_way_out() {
    let world = World::empty();
    world.verb(&["user", "add", "boss", "--admin", "--no-password"], "");
    let good = std::fs::read(world.data()).unwrap();
    let mut slots = good.clone();
    slots[64..320].fill(0xff);
    let (kind, freed) = damage::files().remove(1);
    assert_eq!(kind, "a panic in a destructor");
    for bytes in [slots, good[..good.len() / 2].to_vec(), freed] {
        std::fs::write(world.data(), &bytes).unwrap();
        for verb in [&["serve"][..], &["user", "list"], &["keys", "rotate"]] {
            let line = refused(&world.run(verb, ""), 1);
            assert!(line.contains("is damaged"), "{verb:?}: {line}");
            let data = world.data();
            let way = format!("doorlight --data {} restore BACKUP", data.display());
            assert!(line.contains(&way), "{verb:?}: {line}");
            assert!(!line.contains("panicked"), "{verb:?}: {line}");
        }
        assert_eq!(std::fs::read(world.data()).unwrap(), bytes);
    }
}

/// “failed to fill whole buffer” says nothing to whoever has a card that dies.
#[test]
fn what_is_cut_short_or_overwritten_is_told_in_words_for_people() {
    let world = World::empty();
    world.verb(&["user", "add", "boss", "--admin", "--no-password"], "");
    let good = std::fs::read(world.data()).unwrap();
    let bad = world.dir.join("bad.redb");
    let named = bad.to_str().unwrap();
    let overwritten = [&good[..9], &[0; 200_000]].concat();
    for (bytes, words) in [
        (&good[..100], "a part of it is missing"),
        (&good[..4096], "a part of it is missing"),
        (&overwritten, "its pages do not fit together"),
    ] {
        std::fs::write(&bad, bytes).unwrap();
        std::fs::write(world.data(), bytes).unwrap();
        for verb in [
            &["verify", named][..],
            &["restore", named],
            &["user", "list"],
            &["serve"],
        ] {
            let line = refused(&world.run(verb, ""), 1);
            assert!(line.contains("damaged: "), "{verb:?}: {line}");
            assert!(line.contains(words), "{verb:?}: {line}");
            for theirs in ["whole buffer", "DB corrupted", "I/O error"] {
                assert!(!line.contains(theirs), "{verb:?}: {line}");
            }
        }
    }
}

/// A card that died left a file of 0 bytes, and the next start made a new house of it without a word.
#[test]
fn a_data_file_without_bytes_is_refused_with_the_lines_to_type() {
    let world = World::empty();
    world.verb(&["user", "add", "boss", "--admin", "--no-password"], "");
    let copy = world.dir.join("copy.redb");
    let copy = copy.to_str().unwrap();
    world.verb(&["backup", copy], "");
    let data = world.data();
    std::fs::write(&data, "").unwrap();
    for verb in [
        &["serve"][..],
        &["user", "list"],
        &["user", "add", "ann", "--no-password"],
        &["setup-link"],
        &["verify"],
        &["backup", "-"],
    ] {
        let line = refused(&world.run(verb, ""), 1);
        let data = data.display();
        assert!(line.contains("is empty"), "{verb:?}: {line}");
        for way in [
            format!("doorlight --data {data} restore BACKUP"),
            format!("rm {data}"),
        ] {
            assert!(line.contains(&way), "{verb:?}: {line}");
        }
    }
    assert_eq!(std::fs::read(&data).unwrap(), b"");
    // Neither is it a backup.
    let empty = world.dir.join("empty.redb");
    std::fs::write(&empty, "").unwrap();
    for verb in ["verify", "restore"] {
        let line = refused(&world.run(&[verb, empty.to_str().unwrap()], ""), 1);
        assert!(line.contains("empty, and no backup"), "{verb}: {line}");
    }
    // Both ways lead on.
    world.verb(&["restore", copy], "");
    assert_eq!(world.verb(&["user", "show", "boss"], "")["admin"], true);
    std::fs::remove_file(&data).unwrap();
    world.verb(&["setup-link"], "");
}

/// Puts so much into a file that it takes a while to look at.
fn fill(path: &Path) {
    let store = Store::open(path).unwrap();
    let group = |number| Group {
        name: format!("group{number}").parse().unwrap(),
        description: "x".repeat(4_000),
        created: Timestamp::from_secs(1_795_000_000),
    };
    let changes: Vec<Change> = (0..6_000).map(|n| Change::PutGroup(group(n))).collect();
    let done = store.submit(move |_| {
        Ok(Decision {
            changes,
            events: Vec::new(),
            reply: Ok::<(), ()>(()),
        })
    });
    done.unwrap().unwrap();
    store.close();
}

/// A socket beside any file had it read by the verb itself, and without its checksums.
#[test]
fn a_socket_that_stands_beside_a_backup_spares_it_no_look() {
    let world = World::empty();
    let bad = world.dir.join("bad.redb");
    let _served = UnixListener::bind(bad.with_extension("sock")).unwrap();
    for (kind, bytes) in damage::files() {
        std::fs::write(&bad, &bytes).unwrap();
        let why = refused(&world.run(&["verify", bad.to_str().unwrap()], ""), 1);
        assert!(why.contains("bad.redb is damaged"), "{kind}: {why}");
    }
}

/// Who looks ended for want of memory, and a backup that was whole was called damaged.
#[test]
fn too_little_memory_to_look_at_a_file_is_no_damage_to_it() {
    let world = World::empty();
    world.verb(&["user", "add", "boss", "--admin", "--no-password"], "");
    let program = world.command();
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -v 400000 && exec \"$@\"", "sh"]);
    limited.arg(program.get_program()).args(program.get_args());
    let why = refused(&limited.arg("verify").output().unwrap(), 1);
    assert!(why.contains("leaves too little to look at it"), "{why}");
    assert!(!why.contains("damaged"), "{why}");
}

/// Whether it ignores SIGTERM by now.
fn is_looking(child: &Child) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = u64::from_str_radix(caught.unwrap_or("0").trim(), 16).unwrap();
    caught >> 14 & 1 == 1
}

/// systemd tells each process of a service to end: a backup that was being checked then failed, and its owner was told.
#[test]
fn who_looks_at_a_file_is_ended_by_no_stop_of_the_service() {
    let world = World::empty();
    fill(&world.data());
    let mut looking = world.command();
    looking
        .arg("inspect")
        .stdin(File::open(world.data()).unwrap());
    let child = looking
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !is_looking(&child) {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(1));
    }
    for signal in ["-TERM", "-INT"] {
        let mut kill = Command::new("kill");
        let told = kill.args([signal, &child.id().to_string()]).status();
        assert!(told.unwrap().success());
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stdout.starts_with(b"{\"looked\":"), "{output:?}");
}
