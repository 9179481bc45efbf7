//! How a mistake in the arguments is answered.

use super::text;
use crate::world::World;

#[test]
fn a_command_without_a_verb_shows_its_verbs() {
    let world = World::empty();
    for (name, verbs) in [
        ("user", &["add", "passwd", "link"][..]),
        ("client", &["add", "rotate-secret", "rm"]),
        ("keys", &["list", "rotate"]),
    ] {
        for arguments in [&[name][..], &[name, "--json"], &["--json", name]] {
            let output = world.command().args(arguments).output().unwrap();
            assert_eq!(output.status.code(), Some(2), "{output:?}");
            assert!(output.stdout.is_empty(), "{output:?}");
            let help = text(&output.stderr);
            assert!(help.contains(&format!("Usage: doorlight {name} [OPTIONS] <COMMAND>")));
            for verb in verbs {
                assert!(help.contains(&format!("\n  {verb} ")), "{verb}: {help}");
            }
        }
    }
    assert!(!world.data().exists());
}
