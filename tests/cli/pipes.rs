//! Whoever reads what a verb prints may go.

use crate::world::World;
use std::process::{Output, Stdio};

/// As `doorlight … | head -0`: nobody reads.
fn unread(world: &World, arguments: &[&str]) -> Output {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    world
        .command()
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(Stdio::piped())
        .output()
        .unwrap()
}

#[test]
fn a_closed_pipe_is_no_error() {
    let world = World::empty();
    world.verb(&["user", "add", "ben", "--no-password"], "");
    for arguments in [
        &["user", "list"][..],
        &["user", "list", "--json"],
        &["user", "show", "ben"],
        &["audit"],
        &["keys", "list"],
        &["user", "add", "ann", "--no-password"],
        &["--help"],
        &["--version"],
    ] {
        let output = unread(&world, arguments);
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{arguments:?}: {output:?}"
        );
    }
    // What it was asked is done all the same.
    assert_eq!(world.verb(&["user", "show", "ann"], "")["username"], "ann");
}

/// A mistake keeps its exit code where nobody hears of it.
#[test]
fn a_closed_standard_error_is_no_panic() {
    let world = World::empty();
    for (arguments, code) in [(&["user", "list"][..], 1), (&["user"], 2), (&["dance"], 2)] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = world
            .command()
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(writer)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    }
}
