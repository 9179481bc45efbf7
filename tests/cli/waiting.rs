//! Verbs without a server take turns at the file.

use super::{refused, text};
use crate::world::World;
use doorlight::store::Store;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// How long a verb waits for the file.
const PATIENCE: Duration = Duration::from_secs(10);

fn begin(world: &World, name: &str) -> Child {
    world
        .command()
        .args(["user", "add", name, "--no-password", "--json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn all_at_once(world: &World, names: &[&str]) {
    let since = Instant::now();
    let begun: Vec<(&str, Child)> = names
        .iter()
        .map(|name| (*name, begin(world, name)))
        .collect();
    for (name, child) in begun {
        let mut output = child.wait_with_output().unwrap();
        let has_waited = text(&output.stderr).contains("is in use by another Doorlight");
        if has_waited && since.elapsed() >= PATIENCE {
            // On a machine so slow the others take longer than a verb waits.
            output = begin(world, name).wait_with_output().unwrap();
        }
        assert!(output.status.success(), "{output:?}");
    }
    for name in names {
        assert_eq!(&world.verb(&["user", "show", name], "")["username"], name);
    }
}

/// A script that adds a household in parallel got "in use" for all but one of its verbs.
#[test]
fn verbs_that_write_wait_for_each_other() {
    let mut world = World::started();
    world.kill();
    // The first of them repairs a file that was not closed.
    all_at_once(&world, &["ann", "ben", "cid", "dora", "eve", "fred"]);
    all_at_once(&world, &["gus", "hal", "ida", "jack", "kim", "lea"]);
}

/// Whoever looked while the first one made the file read its empty head, and called it another program's.
#[test]
fn verbs_that_come_first_make_one_file() {
    let world = World::empty();
    all_at_once(&world, &["ann", "ben", "cid", "dora", "eve", "fred"]);
}

#[test]
fn a_verb_waits_for_the_file_but_not_for_ever() {
    let world = World::empty();
    world.verb(&["setup-link"], "");
    let held = Store::open(&world.data()).unwrap();
    let waiting = begin(&world, "ann");
    let begun = Instant::now();
    // A server that starts waits as well.
    let line = refused(&world.run(&["serve"], ""), 1);
    assert!(line.contains("is in use by another Doorlight"), "{line}");
    assert!(begun.elapsed() >= Duration::from_secs(9), "{line}");
    let output = waiting.wait_with_output().unwrap();
    assert!(text(&output.stderr).contains("is in use by another Doorlight"));
    assert_eq!(output.status.code(), Some(1));

    let waiting = begin(&world, "ben");
    std::thread::sleep(Duration::from_millis(500));
    held.close();
    let output = waiting.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// A verb that read the file while another one repaired it saw half of each, and told its owner to restore a backup.
#[test]
fn a_file_that_changes_is_not_called_damaged() {
    let mut world = World::started();
    world.user("ann");
    world.kill();
    let whole = std::fs::read(world.data()).unwrap();
    let half_way = |byte: u8| {
        let file = File::options().write(true).open(world.data()).unwrap();
        file.write_all_at(&vec![byte; whole.len() - 4_096], 4_096)
            .unwrap();
    };
    half_way(0);
    // One that nobody mends is damaged, and soon said to be.
    let line = refused(&world.run(&["user", "list"], ""), 1);
    assert!(line.contains("is damaged"), "{line}");

    // Where this machine stood still for as long as a verb looks, the file did not change.
    let changes = || {
        let mut waiting = [begin(&world, "ben"), begin(&world, "cid")];
        let (mut longest, mut before) = (Duration::ZERO, Instant::now());
        for byte in 1..50 {
            half_way(byte);
            std::thread::sleep(Duration::from_millis(20));
            longest = longest.max(before.elapsed());
            before = Instant::now();
        }
        let gave_up = |child: &mut Child| child.try_wait().unwrap().is_some();
        let all_wait = !waiting.iter_mut().any(gave_up);
        assert!(
            all_wait || longest > Duration::from_millis(100),
            "one gave up"
        );
        if all_wait {
            return Some(waiting);
        }
        for child in &mut waiting {
            let _ = child.kill();
            child.wait().unwrap();
        }
        None
    };
    let waiting = (0..20).find_map(|_| changes()).unwrap();
    let file = File::options().write(true).open(world.data()).unwrap();
    file.write_all_at(&whole, 0).unwrap();
    for child in waiting {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    assert_eq!(
        world.verb(&["user", "list"], "").as_array().unwrap().len(),
        3
    );
}

/// Whichever of the two gets the file first, the other waits, or finds the socket.
#[test]
fn a_verb_and_a_server_that_begin_together_both_succeed() {
    let mut world = World::empty();
    world.verb(&["setup-link"], "");
    let held = Store::open(&world.data()).unwrap();
    let waiting = begin(&world, "ann");
    std::thread::sleep(Duration::from_millis(200));
    held.close();
    world.start();
    let output = waiting.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(world.verb(&["user", "show", "ann"], "")["username"], "ann");
}
