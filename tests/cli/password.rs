//! `--password-stdin`: one line, and no more than a line.

use super::{refused, text};
use crate::world::{PASSWORD, World};
use std::fs::File;
use std::process::{Output, Stdio};

fn from(world: &World, input: Stdio) -> Output {
    world
        .command()
        .args(["user", "passwd", "ann", "--password-stdin", "--json"])
        .stdin(input)
        .output()
        .unwrap()
}

#[test]
fn a_password_is_one_line_of_standard_input() {
    let world = World::started();
    let passwd = ["user", "passwd", "ann", "--password-stdin"];
    world.verb(&["user", "add", "ann", "--no-password"], "");
    // The end of the line is no part of it, and what follows is not read.
    for line in [
        PASSWORD.to_owned(),
        format!("{PASSWORD}\r\n"),
        format!("{PASSWORD}\nmore\n"),
    ] {
        world.verb(&passwd, &line);
        world.sign_in("ann");
    }
    // One as long as a password may be.
    let longest = "correct horse battery staple ".repeat(36)[..1024].to_owned();
    world.verb(&passwd, &format!("{longest}\r\n"));
    // One that fits the line is refused as a password, a longer one as a line.
    let fits = refused(&world.run(&passwd, &"a1".repeat(2_048)), 1);
    assert!(fits.contains("password"), "{fits}");
    assert!(!fits.contains("4096"), "{fits}");
    let longer = refused(&world.run(&passwd, &"a1".repeat(2_049)), 1);
    assert!(longer.contains("longer than 4096 bytes"), "{longer}");
    assert!(refused(&world.run(&passwd, "\n"), 1).contains("no password"));
    assert!(refused(&world.run(&passwd, ""), 1).contains("no password"));
}

/// The whole of it was read into memory before.
#[test]
fn a_line_without_an_end_is_given_up() {
    let world = World::started();
    world.verb(&["user", "add", "ann", "--no-password"], "");
    let endless = File::open("/dev/zero").unwrap();
    let line = refused(&from(&world, endless.into()), 1);
    assert!(line.contains("longer than 4096 bytes"), "{line}");
    let noise = world.dir.join("noise");
    std::fs::write(&noise, [0xff, 0xfe, b'\n']).unwrap();
    let line = refused(&from(&world, File::open(noise).unwrap().into()), 1);
    assert!(line.contains("not UTF-8"), "{line}");
    assert_eq!(
        text(&from(&world, Stdio::null()).stderr),
        "doorlight: no password on standard input\n"
    );
}
