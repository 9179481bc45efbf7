//! How a mistake in the arguments is answered.

use super::{refused, text};
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

#[test]
fn a_value_that_there_is_not_is_answered_with_those_that_there_are() {
    let world = World::empty();
    for (arguments, known) in [
        (&["serve", "--listen", "8791"][..], "such as 127.0.0.1:8080"),
        (
            &["client", "add", "X", "--kind", "website"],
            "web, single_page, native, service",
        ),
        (
            &["client", "add", "X", "--grant", "password"],
            "device_code",
        ),
        (
            &["client", "add", "X", "--profile", "lax"],
            "standard or strict",
        ),
        (&["keys", "rotate", "--alg", "HS256"], "RS256 or EdDSA\n"),
    ] {
        let output = world.command().args(arguments).output().unwrap();
        let line = refused(&output, 2);
        assert!(line.contains(known), "{line}");
        assert!(!line.contains("For more"), "{line}");
    }
    world.verb(&["setup-link"], "");
    for (flag, known) in [("--kind", "sign_in, "), ("--outcome", "refused")] {
        let line = refused(&world.run(&["audit", flag, "nonsense"], ""), 1);
        assert!(
            line.contains("no “nonsense”") && line.contains(known),
            "{line}"
        );
    }
}

/// Settings of the server stood between those of the verb.
#[test]
fn the_help_of_a_verb_begins_with_its_own_flags_and_ends_with_an_example() {
    let world = World::empty();
    let help = |arguments: &[&str]| {
        let output = world.command().args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        text(&output.stdout)
    };
    let add = help(&["user", "add", "--help"]);
    let at = |what: &str| {
        add.find(what)
            .unwrap_or_else(|| panic!("{what} is not in {add}"))
    };
    let order = [
        "--email",
        "--group",
        "--password-stdin",
        "For every command:",
        "--data",
        "--json",
        "Example: doorlight user add",
    ];
    assert!(order.map(at).is_sorted(), "{add}");
    assert_eq!(help(&["help", "user", "add"]), add);
    assert_eq!(help(&["help"]), help(&["--help"]));
    assert!(help(&["help"]).contains("doorlight client add Photos"));
    // A variable may hold a path that is nobody else's business.
    let mut command = world.command();
    command
        .env("DOORLIGHT_TLS_KEY", "/secret/place")
        .arg("help");
    assert!(!text(&command.output().unwrap().stdout).contains("/secret/place"));
}

/// Each ended with ten flags of the server that did nothing there.
#[test]
fn the_help_of_a_verb_shows_the_settings_that_it_uses_and_no_others() {
    let world = World::empty();
    let all = [
        "--data",
        "--json",
        "--issuer",
        "--listen",
        "--trusted-proxy",
        "--log-format",
        "--tls-cert",
        "--tls-key",
        "--http-redirect",
    ];
    for (verb, used) in [
        (&[][..], &all[..]),
        (&["serve"], &all),
        (&["user"], &all[..2]),
        (&["user", "list"], &all[..2]),
        (&["user", "link"], &all[..4]),
        (&["client", "edit"], &all[..2]),
        (&["setup-link"], &all[..4]),
        (&["backup"], &all[..2]),
        (
            &["health"],
            &["--data", "--json", "--listen", "--tls-cert", "--tls-key"],
        ),
    ] {
        let arguments: Vec<&str> = verb.iter().copied().chain(["--help"]).collect();
        let output = world.command().args(&arguments).output().unwrap();
        let help = text(&output.stdout);
        let flags = |flag: &&&str| help.contains(&format!(" {flag}"));
        let shown: Vec<&str> = all.iter().filter(flags).copied().collect();
        let expected: Vec<&str> = all.iter().filter(|f| used.contains(f)).copied().collect();
        assert_eq!(shown, expected, "{verb:?}: {help}");
    }
    // They are taken all the same: a variable or a script may give them to every verb.
    world.verb(&["setup-link", "--tls-cert", "a", "--tls-key", "b"], "");
    assert!(world.data().exists());
}

#[test]
fn a_misspelt_verb_is_answered_with_the_one_that_was_meant_and_where_they_stand() {
    let world = World::empty();
    for (arguments, way) in [
        (
            &["clint"][..],
            "'clint'; a similar subcommand exists: 'client'; doorlight --help says what there is",
        ),
        (
            &["user", "ad"],
            "'ad'; a similar subcommand exists: 'add'; doorlight user --help says",
        ),
        (&["user", "add"], "<NAME>; doorlight user add --help says"),
        (
            &["user", "add", "x", "--grup", "y"],
            "'--grup' found; a similar argument exists: '--group'; doorlight user add --help says",
        ),
        (
            &["setup-link", "x"],
            "'x' found; doorlight setup-link --help says",
        ),
        (
            &["--lissen", "x"],
            "'--lissen' found; a similar argument exists: '--listen'; doorlight --help says",
        ),
        (
            &["user", "list", "--zzzz"],
            "'--zzzz' found; doorlight user list --help says",
        ),
    ] {
        let line = refused(&world.command().args(arguments).output().unwrap(), 2);
        assert!(line.contains(way), "{line}");
    }
}

/// A mistyped `--data` made a second Doorlight, and nobody was told.
#[test]
fn a_verb_that_makes_the_file_says_where() {
    let world = World::empty();
    let add = |name: &str| {
        let mut command = world.command();
        command.args(["user", "add", name, "--no-password"]);
        text(&command.output().unwrap().stderr)
    };
    let said = add("ann");
    assert_eq!(said.lines().count(), 1, "{said}");
    let path = world.data().display().to_string();
    assert!(
        said.contains(&format!("created {path} (no server")),
        "{said}"
    );
    assert_eq!(add("bob"), "");
}

#[test]
fn what_was_added_verified_or_restored_ends_with_what_to_do_next() {
    let world = World::empty();
    let last = |arguments: &[&str]| {
        let output = world.command().args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let said = text(&output.stdout);
        said.lines().last().unwrap().to_owned()
    };
    let id = |name: &str| {
        let shown = world.verb(&["client", "show", name], "");
        shown["client_id"].as_str().unwrap().to_owned()
    };
    let uri = "https://app.example/cb";
    let with_secret = last(&["client", "add", "App", "--redirect-uri", uri]);
    assert_eq!(
        with_secret,
        format!(
            "The application was added: type client_id, client_secret and discovery (or issuer) into it now, for the \
             secret is not shown again. Its settings: doorlight client show {}",
            id("App")
        )
    );
    let without = last(&["client", "add", "Page", "--public", "--redirect-uri", uri]);
    assert_eq!(
        without,
        format!(
            "The application was added: type client_id and discovery (or issuer) into it. Its settings: doorlight client \
             show {}",
            id("Page")
        )
    );
    let copy = world.dir.join("copy.redb");
    let copy = copy.to_str().unwrap();
    world.verb(&["backup", copy], "");
    assert_eq!(
        last(&["verify"]),
        "The data file is whole: doorlight backup makes a copy of it."
    );
    assert_eq!(
        last(&["verify", copy]),
        "This file is whole: doorlight restore can put it in place of the data file."
    );
    assert_eq!(
        last(&["restore", copy]),
        "The backup is the data file now: start the server, and sign in to see that all is there."
    );
}

#[test]
fn what_a_verb_prints_begins_with_what_matters() {
    let world = World::empty();
    let verb = |arguments: &[&str]| {
        let output = world.command().args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        text(&output.stdout)
    };
    let added = verb(&[
        "client",
        "add",
        "App",
        "--redirect-uri",
        "https://app.example/cb",
    ]);
    let mut lines = added.lines();
    for begin in ["client_id", "client_secret", "issuer", "discovery"] {
        let line = lines.next().unwrap();
        assert!(line.starts_with(begin), "{added}");
        assert_eq!(
            line.ends_with("(shown only now)"),
            begin == "client_secret",
            "{line}"
        );
    }
    assert_eq!(added.lines().count(), 5, "{added}");
    let rotated = verb(&["client", "rotate-secret", "App"]);
    let shown = world.verb(&["client", "show", "App"], "");
    let (id, old) = (&shown["client_id"], &shown["secrets"][0]["id"]);
    let line = format!(
        "doorlight client remove-secret {} {}\n",
        id.as_str().unwrap(),
        old.as_str().unwrap()
    );
    assert!(rotated.starts_with("client_id      "), "{rotated}");
    assert_eq!(rotated.lines().count(), 3, "{rotated}");
    assert!(rotated.ends_with(&line), "{rotated}");
    let ann = verb(&["user", "add", "ann", "--no-password"]);
    assert!(ann.ends_with("doorlight user link ann makes a link to choose one.\n"));
    let link = verb(&["user", "link", "ann"]);
    assert!(
        link.starts_with("http") && link.lines().count() == 2,
        "{link}"
    );
    let token = verb(&["registration", "add-token"]);
    assert!(
        token.starts_with("token      ") && token.lines().count() == 5,
        "{token}"
    );
    assert!(
        token.contains("doorlight registration token lets those"),
        "{token}"
    );
    verb(&["registration", "token"]);
    assert_eq!(verb(&["registration", "add-token"]).lines().count(), 4);
    let token = verb(&["metrics", "token"]);
    assert!(
        token.starts_with("metrics_token  ") && token.lines().count() == 2,
        "{token}"
    );
    let backups = verb(&["backups", "show"]);
    assert!(backups.starts_with("folder\n"), "{backups}");
    assert!(
        backups.ends_with("doorlight backups set --folder FOLDER\n"),
        "{backups}"
    );
    let resource = verb(&["resource", "add", "https://files.example"]);
    assert!(
        resource.starts_with("identifier          https://files.example\n"),
        "{resource}"
    );
    let way = "doorlight resource edit https://files.example --client NAME lets one.\n";
    assert!(resource.ends_with(way), "{resource}");
    assert!(verb(&["user", "disable", "ann"]).starts_with("ann is switched off"));
    assert_eq!(verb(&["user", "enable", "ann"]), "ann can sign in again.\n");
    verb(&["user", "add", "root", "--admin", "--no-password"]);
    let again = world.command().arg("setup-link").output().unwrap();
    assert!(refused(&again, 1).contains("doorlight user link NAME"));
}
