//! A first start that is killed leaves no file, or a whole one (`store::open`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

use crate::world::World;
use std::process::Stdio;
use std::time::{Duration, Instant};

const KILLS: u64 = 60;
/// A first start that fails makes no file, however long one waits.
const LONGEST: Duration = Duration::from_secs(60);

/// A file of zeros, as a first start may have left it before, is taken for another program's.
#[test]
fn a_first_start_that_is_killed_leaves_no_half_a_file() {
    let (mut none, mut some) = (0, 0);
    for kill in 0..KILLS {
        let world = World::empty();
        let mut first = world
            .command()
            .args(["user", "add", "ann", "--no-password"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_micros(kill * 500));
        let begun = Instant::now();
        while kill >= KILLS - 10 && !world.data().exists() {
            assert!(begun.elapsed() < LONGEST, "no file came to be");
            std::thread::sleep(Duration::from_micros(200));
        }
        first.kill().unwrap();
        first.wait().unwrap();
        if world.data().exists() {
            some += 1;
        } else {
            none += 1;
        }
        let added = world.run(&["user", "add", "ben", "--no-password"], "");
        assert!(added.status.success(), "{added:?}");
        assert_eq!(world.verb(&["verify"], "")["whole"], true);
    }
    assert!(
        none > 0 && some > 0,
        "{none} without a file, {some} with one"
    );
}
