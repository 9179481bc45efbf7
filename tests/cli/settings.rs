//! Settings: flags, `DOORLIGHT_*` variables, and which of them counts.

use super::refused;
use crate::world::World;
use serde_json::Value;
use std::process::{Command, Output};

const VARIABLES: [&str; 4] = [
    "DOORLIGHT_DATA",
    "DOORLIGHT_LISTEN",
    "DOORLIGHT_ISSUER",
    "DOORLIGHT_TRUSTED_PROXY",
];

/// Without a flag or variable, in the folder of the world.
fn bare(world: &World) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorlight"));
    for name in VARIABLES {
        command.env_remove(name);
    }
    command.current_dir(&world.dir);
    command
}

fn output(command: &mut Command) -> Output {
    command.output().unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A compose file writes a variable that is not set as an empty one: that was a usage error.
#[test]
fn an_empty_variable_counts_as_none() {
    let world = World::empty();
    let mut add = bare(&world);
    let mut link = bare(&world);
    for name in VARIABLES {
        add.env(name, "");
        link.env(name, "");
    }
    json(&output(add.args([
        "user",
        "add",
        "ann",
        "--no-password",
        "--json",
    ])));
    assert!(world.data().exists());
    let link = json(&output(link.args(["user", "link", "ann", "--json"])));
    let url = link["url"].as_str().unwrap();
    assert!(url.starts_with("http://localhost:8080/link?"), "{url}");
    // One that holds something is still read.
    let wrong = output(
        bare(&world)
            .env("DOORLIGHT_LISTEN", "nowhere")
            .args(["user", "list"]),
    );
    assert!(refused(&wrong, 2).contains("nowhere"));
}
