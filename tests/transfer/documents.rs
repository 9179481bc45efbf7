//! Documents of Doorlight's own.

use super::{import, path, said};
use crate::world::{PASSWORD, World};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

fn furnish(world: &World) -> crate::world::TestClient {
    world.verb(
        &[
            "user",
            "add",
            "alice",
            "--admin",
            "--group",
            "family",
            "--password-stdin",
        ],
        PASSWORD,
    );
    let client = world.trusted();
    world.verb(
        &[
            "resource",
            "add",
            "https://api.example",
            "--client",
            &client.id,
        ],
        "",
    );
    client
}

fn exported(world: &World, name: &str) -> String {
    let file = world.dir.join(name);
    let arguments = ["export", "--with-secrets", "--to", path(&file)];
    let told = world.verb(&arguments, "");
    assert_eq!(
        (&told["secrets"], &told["clients"]),
        (&json!(true), &json!(1))
    );
    std::fs::read_to_string(file).unwrap()
}

/// All that a house is moves to another machine: people sign in with their passwords, applications with their secrets,
/// and both houses sign with the same keys.
#[test]
fn a_house_moves_to_another_machine_and_everybody_comes_in_as_before() {
    let (running, resting) = (World::started(), World::empty());
    for (old, mut new) in [(&running, World::empty()), (&resting, World::started())] {
        let client = furnish(old);
        let text = exported(old, "house.json");
        let (done, report) = import(&new, &text, &[]);
        assert!(done && report["added"]["users"] == 1, "{report}");
        assert_eq!(exported(&new, "again.json"), text);
        new.kill();
        new.start();
        let tokens = new.sign_in("alice").tokens(&client, "openid");
        assert!(tokens["id_token"].as_str().is_some(), "{tokens}");
        // What is there already is left alone.
        let (done, report) = import(&new, &text, &[]);
        assert!(done && report["unchanged"]["users"] == 1, "{report}");
        let added = report["added"].as_object().unwrap();
        assert!(added.values().all(|count| count == 0), "{report}");
    }
}

#[test]
fn what_is_here_is_changed_only_when_that_is_asked_for() {
    for world in [World::empty(), World::started()] {
        furnish(&world);
        let plain = world.run(&["export"], "");
        let before = String::from_utf8(plain.stdout).unwrap();
        let other = before.replace("\"App\"", "\"Notes\"");
        assert_ne!(before, other);
        let (done, report) = import(&world, &other, &[]);
        assert!(!done, "{report}");
        let why = report["problems"][0].as_str().unwrap();
        assert!(
            why.contains("“Notes”") && why.contains("--replace"),
            "{why}"
        );
        for (more, after) in [
            (&[][..], &before),
            (&["--dry-run", "--replace"], &before),
            (&["--replace"], &other),
        ] {
            import(&world, &other, more);
            let now = world.run(&["export"], "").stdout;
            assert_eq!(&String::from_utf8(now).unwrap(), after, "{more:?}");
        }
    }
}

#[test]
fn an_export_with_secrets_is_for_its_owner_alone() {
    let world = World::empty();
    let client = furnish(&world);
    let file = world.dir.join("house.json");
    std::fs::write(&file, "what others may read").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let text = exported(&world, "house.json");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(text.contains("password_hash") && text.contains("signing_keys"));
    // Never by accident on a screen, and never half.
    let output = world.run(&["export", "--with-secrets"], "");
    assert_eq!((output.status.code(), output.stdout), (Some(2), Vec::new()));
    let nowhere = world.dir.join("nowhere/house.json");
    let arguments = ["export", "--with-secrets", "--to", path(&nowhere)];
    assert_eq!(world.run(&arguments, "").status.code(), Some(1));
    let files = world.files();
    assert!(
        !files.iter().any(|name| name.ends_with(".part")),
        "{files:?}"
    );
    let plain = String::from_utf8(world.run(&["export"], "").stdout).unwrap();
    for secret in ["argon2", "hash", "private", "key\"", &client.secret] {
        assert!(!plain.contains(secret), "{secret}: {plain}");
    }
}

/// It took the place of whatever had the name: of the data file too.
#[test]
fn an_export_replaces_a_file_whole_and_never_the_data_file() {
    let world = World::empty();
    furnish(&world);
    let house = world.dir.join("house.json");
    let to = |place: &Path| world.run(&["export", "--to", path(place)], "");
    assert_eq!(said(&to(&house))["replaced"], false);
    assert_eq!(said(&to(&house))["replaced"], true);
    let before = std::fs::read(world.data()).unwrap();
    let other_name = world.dir.join("same.redb");
    std::os::unix::fs::symlink(world.data(), &other_name).unwrap();
    for (place, why) in [
        (&world.data(), "this is the data file"),
        (&other_name, "this is the data file"),
        (&world.dir, "this is no file"),
        (&PathBuf::from("/dev/null"), "this is no file"),
    ] {
        let refused = to(place);
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        let line = String::from_utf8(refused.stderr).unwrap();
        assert!(line.contains(why), "{line}");
    }
    assert_eq!(std::fs::read(world.data()).unwrap(), before);
}

/// Its first lines were of people that were added, and none was.
#[test]
fn a_refused_import_begins_with_that_and_tells_of_nothing_added() {
    let world = World::empty();
    world.verb(&["user", "add", "ann", "--no-password"], "");
    let file = world.dir.join("incoming");
    let import = |document: &str| {
        std::fs::write(&file, document).unwrap();
        let mut command = world.command();
        command.args(["import", path(&file)]).output().unwrap()
    };
    let good = r#"{"username":"bob"},{"username":"eve"}"#;
    for (bad, head) in [
        (
            r#"{"username":"no name"}"#,
            "doorlight: nothing was imported, for this reason:",
        ),
        (
            r#"{"username":"no name"},{"username":"no name too"}"#,
            "doorlight: nothing was imported, for these reasons:",
        ),
    ] {
        let refused = import(&format!(r#"{{"version":1,"users":[{good},{bad}]}}"#));
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        assert!(refused.stdout.is_empty(), "{refused:?}");
        let told = String::from_utf8(refused.stderr).unwrap();
        let mut lines = told.lines();
        assert_eq!(lines.next(), Some(head), "{told}");
        assert!(lines.all(|line| line.contains("no name")), "{told}");
    }
    assert_eq!(
        world.verb(&["user", "list"], "").as_array().unwrap().len(),
        1
    );
    let done = import(&format!(r#"{{"version":1,"users":[{good}]}}"#));
    assert!(done.stdout.starts_with(b"added: 2 people\n"), "{done:?}");
}

/// In “added: 700 people” nobody sees the one who administers.
#[test]
fn a_report_names_who_and_what_comes_to_administer() {
    let world = World::empty();
    let api = format!("{}/api", world.issuer());
    let mut users: Vec<_> = (0..700)
        .map(|n| json!({ "username": format!("user-{n}") }))
        .collect();
    users.push(json!({ "username": "zoe", "admin": true }));
    let service = |id: &str, scope: &str, audiences: &[&str]| {
        json!({ "client_id": id, "name": id, "kind": "service", "grants": ["client_credentials"], "scope": scope,
            "audiences": audiences })
    };
    let mut document = json!({
        "version": 1,
        "users": users,
        "clients": [
            service("robot", "doorlight:write", &[&api]),
            service("watcher", "doorlight:read", &[&api]),
            service("scope-alone", "doorlight:write", &[]),
            service("api-alone", "jobs", &[&api]),
        ],
    });
    let (done, report) = import(&world, &document.to_string(), &[]);
    assert!(done, "{report}");
    let told = json!([
        "the person “zoe” is an administrator",
        "the application “robot” may administer Doorlight",
        "the application “watcher” may administer Doorlight",
    ]);
    let sorted = |list: &serde_json::Value| {
        let mut lines: Vec<String> = serde_json::from_value(list.clone()).unwrap();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&report["administers"]), sorted(&told), "{report}");
    // Who did before is no news; whom the record of the API lets in now is.
    document["resources"] = json!([
        { "identifier": api, "name": "API", "token_seconds": 900, "alg": "ES256", "clients": ["robot", "scope-alone"] },
    ]);
    let (done, report) = import(&world, &document.to_string(), &[]);
    assert!(done, "{report}");
    let told = json!(["the application “scope-alone” may administer Doorlight"]);
    assert_eq!(report["administers"], told, "{report}");
}

/// A verb has 64 KiB, and a house has more.
#[test]
fn a_large_house_moves_into_a_running_server() {
    let world = World::started();
    let users: Vec<_> = (0..2_000)
        .map(|n| json!({ "username": format!("user-{n}"), "email": format!("{n}@example.org") }))
        .collect();
    let document = json!({ "version": 1, "users": users }).to_string();
    assert!(document.len() > 64 * 1024);
    let (done, report) = import(&world, &document, &[]);
    assert!(done && report["added"]["users"] == 2_000, "{report}");
    assert_eq!(report["notes"].as_array().map(Vec::len), Some(501));
    assert_eq!(
        world.verb(&["user", "show", "user-1999"], "")["email"],
        "1999@example.org"
    );
}

#[test]
fn what_cannot_be_read_is_refused_in_one_line_and_makes_no_file() {
    let world = World::empty();
    for (document, told) in [
        ("", "it is empty"),
        ("{", "it is not whole"),
        ("<realm>", "not JSON that can be read (line 1, column 1)"),
        ("{}", "version"),
        (r#"{"version":1,"user":[]}"#, "user: is unknown here"),
        (
            r#"{"version":1,"users":[{"username":"ann"},{"username":"bob","admin":"hush"}]}"#,
            "users[1] “bob”: admin: must be true or false",
        ),
    ] {
        let file = world.dir.join("incoming");
        std::fs::write(&file, document).unwrap();
        let output = world.run(&["import", path(&file)], "");
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert!(line.contains(told) && line.lines().count() == 1, "{line}");
    }
    let good = r#"{"version":1,"users":[{"username":"ann"}]}"#;
    let report = said(&world.run(&["import", "-"], good));
    assert_eq!(report["added"]["users"], 1);
    assert!(world.data().exists());
}

/// Whoever moves in tries it before there is anything here.
#[test]
fn a_dry_run_without_a_file_tries_an_empty_house_and_leaves_nothing() {
    let world = World::empty();
    let scratch = world.dir.join("scratch");
    std::fs::create_dir(&scratch).unwrap();
    let dry = |document: &str| {
        let file = world.dir.join("incoming");
        std::fs::write(&file, document).unwrap();
        let mut command = world.command();
        command.env("TMPDIR", &scratch).arg("--json");
        let arguments = ["import", path(&file), "--dry-run"];
        let output = command.args(arguments).output().unwrap();
        let told = String::from_utf8(output.stderr.clone()).unwrap();
        assert!(told.contains("doorlight.redb does not exist yet"), "{told}");
        assert!(!world.data().exists());
        assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0);
        output
    };
    let tried = dry(r#"{"version":1,"users":[{"username":"ann"}]}"#);
    assert!(tried.status.success(), "{tried:?}");
    let report = said(&tried);
    assert_eq!(
        (&report["dry_run"], &report["added"]["users"]),
        (&true.into(), &1.into())
    );
    let refused = dry(r#"{"version":1,"users":[{"username":"no name"}]}"#);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
}
