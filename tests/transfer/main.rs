//! Moving in and out: `doorlight export` and `doorlight import`, beside a running server and without one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]

#[path = "../world/mod.rs"]
mod world;

mod authelia;
mod authelia_users;
mod documents;
mod foreign;
mod keycloak;

use serde_json::Value;
use std::path::Path;
use std::process::Output;
use world::World;

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What `import` says of a document, and whether it came in.
fn import(world: &World, document: &str, more: &[&str]) -> (bool, Value) {
    let file = world.dir.join("incoming");
    std::fs::write(&file, document).unwrap();
    let mut arguments = vec!["import", path(&file)];
    arguments.extend(more);
    let output = world.run(&arguments, "");
    (output.status.success(), said(&output))
}

fn said(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{why}: {output:?}"))
}
