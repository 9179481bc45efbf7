//! Every verb of the command line, beside a running server and without one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]

#[path = "../world/mod.rs"]
mod world;

mod backup;
mod backups;
mod client_edit;
mod core_dumps;
mod damaged;
mod doctor;
mod encrypted;
mod files;
mod health;
mod metrics;
mod password;
mod pipes;
mod resources;
mod restore;
mod service;
mod settings;
mod start;
mod usage;
mod waiting;

use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;
use world::{PASSWORD, REDIRECT, TestClient, World};

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Exit code, and one line on standard error.
fn refused(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let line = text(&output.stderr);
    assert!(
        line.starts_with("doorlight: ") && line.trim_end().lines().count() == 1,
        "{line:?}"
    );
    line
}

/// Who may register applications, and the tokens for it.
fn registration(world: &World) {
    for policy in ["open", "token", "off"] {
        world.verb(&["registration", policy], "");
        let shown = world.verb(&["registration", "show"], "");
        assert_eq!(shown["registration"], policy);
    }
    let arguments = [
        "registration",
        "add-token",
        "--note",
        "Tablet",
        "--uses",
        "3",
    ];
    let made = world.verb(&arguments, "");
    assert!(made["token"].as_str().unwrap().len() > 60);
    let listed = world.verb(&["registration", "list-tokens"], "");
    assert_eq!(
        (&listed[0]["id"], listed[0]["uses_left"].as_u64()),
        (&made["id"], Some(3))
    );
    assert!(listed[0].get("token").is_none());
    let remove = ["registration", "rm-token", made["id"].as_str().unwrap()];
    world.verb(&remove, "");
    refused(&world.run(&remove, ""), 1);
    let never = ["registration", "add-token", "--uses", "0"];
    assert!(refused(&world.run(&never, ""), 1).contains("uses"));
    let left = world.verb(&["registration", "list-tokens"], "");
    assert_eq!(left.as_array().unwrap().len(), 0);
}

fn every_verb(world: &World) {
    let user = world.verb(
        &[
            "user",
            "add",
            "alice",
            "--email",
            "a@example.org",
            "--group",
            "family",
            "--admin",
            "--password-stdin",
        ],
        PASSWORD,
    );
    assert_eq!(
        (user["username"].as_str(), user["admin"].as_bool()),
        (Some("alice"), Some(true))
    );
    world.verb(&["user", "add", "bob", "--no-password"], "");
    assert_eq!(
        world.verb(&["user", "list"], "").as_array().unwrap().len(),
        2
    );
    assert_eq!(
        world.verb(&["user", "show", "ALICE"], "")["email"],
        "a@example.org"
    );
    world.verb(
        &["user", "passwd", "bob", "--password-stdin"],
        "another fine passphrase\n",
    );
    world.verb(&["user", "disable", "bob"], "");
    assert_eq!(world.verb(&["user", "show", "bob"], "")["disabled"], true);
    world.verb(&["user", "enable", "bob"], "");
    let link = world.verb(&["user", "link", "bob"], "");
    assert!(
        link["url"]
            .as_str()
            .unwrap()
            .starts_with(&format!("{}/link?token=", world.issuer()))
    );
    world.verb(&["user", "rm", "bob"], "");

    let client = world.verb(&["client", "add", "App", "--redirect-uri", REDIRECT], "");
    assert!(client["client_secret"].as_str().unwrap().len() >= 43);
    let id = client["client_id"].as_str().unwrap();
    let public = world.verb(
        &[
            "client",
            "add",
            "Page",
            "--redirect-uri",
            REDIRECT,
            "--public",
        ],
        "",
    );
    assert!(public.get("client_secret").is_none());
    assert_eq!(
        world
            .verb(&["client", "list"], "")
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(world.verb(&["client", "show", "App"], "")["client_id"], id);
    let rotated = world.verb(&["client", "rotate-secret", id], "");
    assert_ne!(rotated["client_secret"], client["client_secret"]);
    secrets(world, id);
    world.verb(&["client", "rm", "Page"], "");

    assert_eq!(
        world.verb(&["keys", "list"], "").as_array().unwrap().len(),
        2
    );
    assert_eq!(
        world.verb(&["keys", "rotate"], "")["kids"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        world.verb(&["keys", "list"], "").as_array().unwrap().len(),
        4
    );
    registration(world);
    let audit = text(&world.run(&["audit", "--person", "alice"], "").stdout);
    let newest: serde_json::Value = serde_json::from_str(audit.lines().next().unwrap()).unwrap();
    assert!(newest["kind"].is_string() && newest["time"].as_str().unwrap().ends_with('Z'));

    // What goes wrong is one line and an exit code, and changes nothing.
    assert!(refused(&world.run(&["user", "show", "nobody"], ""), 1).contains("nobody"));
    refused(
        &world.run(&["user", "add", "alice", "--no-password"], ""),
        1,
    );
    refused(
        &world.run(&["user", "add", "al ice", "--no-password"], ""),
        1,
    );
    for weak in ["summer2024", "liverpool7"] {
        let add = ["user", "add", "carol", "--password-stdin"];
        let line = refused(&world.run(&add, weak), 1);
        assert!(line.contains("Too easy to guess.") && line.contains("Add another word"));
        assert!(!line.contains(weak), "{line}");
        let passwd = ["user", "passwd", "alice", "--password-stdin"];
        assert_eq!(refused(&world.run(&passwd, weak), 1), line);
    }
    assert!(refused(&world.run(&["user", "show", "carol"], ""), 1).contains("carol"));
    refused(&world.run(&["user", "rm", "alice"], ""), 1);
    refused(&world.run(&["user", "disable", "alice"], ""), 1);
    refused(
        &world.run(
            &[
                "client",
                "add",
                "Bad",
                "--redirect-uri",
                "javascript:alert(1)",
            ],
            "",
        ),
        1,
    );
    refused(&world.run(&["client", "add", "Bad"], ""), 1);
    refused(&world.run(&["client", "rotate-secret", id], ""), 1);
    refused(&world.run(&["audit", "--kind", "nonsense"], ""), 1);
    refused(&world.run(&["setup-link"], ""), 1);
    refused(&world.run(&["user", "dance"], ""), 2);
    refused(
        &world.run(&["client", "add", "Bad", "--grant", "password"], ""),
        2,
    );
    refused(
        &world.run(&["--issuer", "http://id.example", "user", "list"], ""),
        2,
    );
    assert_eq!(
        world.verb(&["user", "list"], "").as_array().unwrap().len(),
        1
    );
}

/// Two secrets of an application become one: the newer.
fn secrets(world: &World, id: &str) {
    let ids = |value: &Value| -> Vec<String> {
        let secrets = value["secrets"].as_array().unwrap().iter();
        secrets
            .map(|secret| secret["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let both = ids(&world.verb(&["client", "show", "App"], ""));
    let [older, newer] = &both[..] else {
        panic!("{both:?}");
    };
    refused(
        &world.run(&["client", "remove-secret", "App", "first"], ""),
        2,
    );
    refused(&world.run(&["client", "remove-secret", "App", "1"], ""), 1);
    refused(
        &world.run(&["client", "remove-secret", "Nobody", older], ""),
        1,
    );
    let left = world.verb(&["client", "remove-secret", "app", older], "");
    assert_eq!(left["client_id"], id);
    assert_eq!(ids(&left), [newer.as_str()]);
    assert_eq!(
        ids(&world.verb(&["client", "show", id], "")),
        [newer.as_str()]
    );
    // The last one stays.
    let last = refused(&world.run(&["client", "remove-secret", id, newer], ""), 1);
    assert!(last.contains("only secret"), "{last}");
    let again = world.verb(&["client", "rotate-secret", id], "");
    assert_eq!(ids(&again).len(), 2);
}

#[test]
fn a_removed_secret_is_refused_and_the_other_one_works() {
    let world = World::started();
    let old = world.client("Nightly", &["--grant", "client_credentials"]);
    let rotated = world.verb(&["client", "rotate-secret", "Nightly"], "");
    let new = TestClient {
        id: old.id.clone(),
        secret: rotated["client_secret"].as_str().unwrap().to_owned(),
    };
    let grant = "grant_type=client_credentials";
    assert_eq!(world.token(&old, grant).status, 200);
    let older = rotated["secrets"][0]["id"].as_str().unwrap();
    world.verb(&["client", "remove-secret", "Nightly", older], "");
    assert_eq!(world.token(&old, grant).status, 401);
    assert_eq!(world.token(&new, grant).status, 200);
}

#[test]
fn every_verb_works_beside_a_running_server() {
    let world = World::started();
    assert!(
        world.verb(&["setup-link"], "")["url"]
            .as_str()
            .unwrap()
            .contains("/setup?token=")
    );
    every_verb(&world);
    assert_eq!(world.verb(&["health"], "")["ready"], true);
    assert_eq!(
        std::fs::metadata(world.dir.join("doorlight.sock"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
    assert_eq!(
        std::fs::metadata(world.data())
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
}

#[test]
fn every_verb_works_without_a_server() {
    let world = World::empty();
    // A verb that reads makes no file.
    refused(&world.run(&["user", "list"], ""), 1);
    assert!(!world.data().exists());
    assert!(
        world.verb(&["setup-link"], "")["url"]
            .as_str()
            .unwrap()
            .contains("/setup?token=")
    );
    every_verb(&world);
    refused(&world.run(&["health"], ""), 1);
}

#[test]
fn verbs_read_a_file_that_was_not_closed() {
    let mut world = World::started();
    world.user("alice");
    world.kill();
    assert_eq!(
        world.verb(&["user", "show", "alice"], "")["username"],
        "alice"
    );
}

#[test]
fn a_second_server_names_the_first_and_leaves_it_alone() {
    let world = World::started();
    let line = refused(&world.run(&["serve", "--listen", "127.0.0.1:0"], ""), 1);
    assert!(
        line.contains(&world.pid().to_string()) && line.contains(&world.issuer()),
        "{line}"
    );
    assert_eq!(world.ask("GET", "/readyz", "", "").status, 200);
    assert_eq!(world.verb(&["health"], "")["ready"], true);
}

#[test]
fn a_file_that_is_not_ours_is_refused_and_left_as_it_is() {
    let mut world = World::started();
    world.user("alice");
    world.kill();
    let whole = std::fs::read(world.data()).unwrap();
    let half = whole.get(..whole.len() / 2).unwrap().to_vec();
    let noise: Vec<u8> = whole
        .iter()
        .enumerate()
        .map(|(i, b)| if i < 9 { *b } else { 0xA5 })
        .collect();
    for (what, bytes) in [
        (
            "text",
            b"this is a letter to my grandmother, not a database".to_vec(),
        ),
        ("one byte", vec![0]),
        ("zeros", vec![0; 1 << 20]),
        ("truncated", half),
        ("noise behind the right first bytes", noise),
    ] {
        std::fs::write(world.data(), &bytes).unwrap();
        for verb in [
            &["serve"][..],
            &["user", "list"],
            &["user", "add", "bob", "--no-password"],
        ] {
            refused(&world.run(verb, ""), 1);
            assert!(
                std::fs::read(world.data()).unwrap() == bytes,
                "{what}: {verb:?} touched the file"
            );
        }
    }
}

#[test]
fn a_restored_file_that_others_can_read_is_made_private_with_one_warning() {
    let mut world = World::started();
    world.kill();
    std::fs::set_permissions(world.data(), std::fs::Permissions::from_mode(0o644)).unwrap();
    world.start();
    let mode = std::fs::metadata(world.data())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(world.log().matches("had mode 0644").count(), 1);
}

#[test]
fn a_signal_ends_the_server_cleanly() {
    let mut world = World::started();
    world.user("alice");
    world.stop();
    assert!(!world.dir.join("doorlight.sock").exists());
    world.start();
    assert_eq!(
        world.verb(&["user", "show", "alice"], "")["username"],
        "alice"
    );
}

#[test]
fn help_and_version_are_no_errors() {
    let world = World::empty();
    for flag in ["--help", "--version"] {
        let output = world.run(&[flag], "");
        assert!(output.status.success() && !output.stdout.is_empty());
    }
}
