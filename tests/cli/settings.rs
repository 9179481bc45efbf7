//! Settings: flags, `DOORLIGHT_*` variables, and which of them counts.

use super::refused;
use crate::world::World;
use serde_json::Value;
use std::process::{Command, Output};

const VARIABLES: [&str; 5] = [
    "DOORLIGHT_DATA",
    "DOORLIGHT_LISTEN",
    "DOORLIGHT_ISSUER",
    "DOORLIGHT_TRUSTED_PROXY",
    "DOORLIGHT_LOG_FORMAT",
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

/// Beside a stopped server its links led to this machine, whatever its address was.
#[test]
fn a_verb_without_a_server_hands_out_the_address_of_the_last_one() {
    let mut world = World::known_as("https://id.example.org");
    world.stop();
    let add = |name: &str, more: &[&str]| {
        let verb = [
            "client",
            "add",
            name,
            "--redirect-uri",
            "https://a.example/cb",
        ];
        json(&output(bare(&world).args(verb).arg("--json").args(more)))
    };
    assert_eq!(add("Photos", &[])["issuer"], "https://id.example.org");
    let other = ["--issuer", "https://id.example.net"];
    assert_eq!(add("Music", &other)["issuer"], "https://id.example.net");
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

/// `--listen` alone printed a link to a port on which nobody listened.
#[test]
fn without_an_issuer_links_lead_to_the_port_that_is_listened_on() {
    let world = World::empty();
    let listen = ["--listen", "127.0.0.1:8791", "--json"];
    let made = printed(bare(&world).arg("setup-link"), &listen);
    let url = made["url"].as_str().unwrap();
    assert!(url.starts_with("http://localhost:8791/setup?"), "{url}");
}

/// What a verb prints.
fn printed(command: &mut Command, arguments: &[&str]) -> Value {
    json(&output(command.args(arguments)))
}

#[test]
fn a_setting_is_the_same_before_the_verb_after_it_and_as_a_variable() {
    let (world, elsewhere) = (World::empty(), World::empty());
    world.verb(&["user", "add", "ann", "--no-password"], "");
    let data = world.data();
    let (data, issuer) = (data.to_str().unwrap(), "https://id.example.org");
    let (d, i, verb) = ("--data", "--issuer", ["user", "link", "ann", "--json"]);
    for arguments in [
        [d, data, i, issuer, "user", "link", "ann", "--json"],
        ["user", d, data, i, issuer, "link", "ann", "--json"],
        ["user", "link", d, data, i, issuer, "ann", "--json"],
        ["--json", "user", "link", "ann", d, data, i, issuer],
    ] {
        let link = printed(&mut bare(&elsewhere), &arguments);
        let url = link["url"].as_str().unwrap();
        assert!(
            url.starts_with("https://id.example.org/link?"),
            "{arguments:?}: {url}"
        );
    }
    let mut by_variable = bare(&elsewhere);
    by_variable
        .env("DOORLIGHT_DATA", data)
        .env("DOORLIGHT_ISSUER", issuer);
    let url = printed(&mut by_variable, &verb)["url"].to_string();
    assert!(url.starts_with("\"https://id.example.org/link?"), "{url}");
    // A flag counts more than a variable, wherever it stands.
    for place in [0, 1, 4] {
        let mut arguments = verb.to_vec();
        arguments.splice(place..place, ["--issuer", "https://other.example.org"]);
        let mut both = bare(&elsewhere);
        both.env("DOORLIGHT_DATA", data)
            .env("DOORLIGHT_ISSUER", issuer);
        let url = printed(&mut both, &arguments)["url"].to_string();
        assert!(
            url.starts_with("\"https://other.example.org/link?"),
            "{arguments:?}: {url}"
        );
    }
    assert!(!elsewhere.data().exists());
}

/// The verb does not know the issuer; the server does, and makes the link.
#[test]
fn links_carry_the_issuer_of_the_running_server() {
    let world = World::started();
    let begins = |link: &Value, path: &str| {
        let url = link["url"].as_str().unwrap();
        assert!(
            url.starts_with(&format!("{}{path}?token=", world.issuer())),
            "{url}"
        );
    };
    begins(
        &printed(&mut bare(&world), &["setup-link", "--json"]),
        "/setup",
    );
    world.verb(&["user", "add", "ann", "--no-password"], "");
    let wrong = ["--issuer", "https://other.example.org"];
    for more in [&[][..], &wrong] {
        let mut command = bare(&world);
        let made = printed(command.args(["user", "link", "ann", "--json"]), more);
        begins(&made, "/link");
    }
    let mut command = bare(&world);
    let added = ["client", "add", "App", "--redirect-uri"];
    let made = printed(command.args(added), &["https://app.example/cb", "--json"]);
    assert_eq!(made["issuer"], world.issuer());
}
