//! People of Authelia.

use super::foreign::{argon2id, authelia_pbkdf2, lines, refused, taken};
use crate::world::{Browser, PASSWORD, World};
use serde_json::{Value, json};

/// A file as Authelia's documentation describes it, with everything that may stand in it.
fn file() -> String {
    let (argon2id, pbkdf2) = (argon2id(PASSWORD), authelia_pbkdf2(PASSWORD, 1_000));
    format!(
        r#"---
###############################################################
#                         Users Database                      #
###############################################################
users:
  anna:
    disabled: false
    displayname: "Anna Ångström"
    password: "{argon2id}"  # the usual kind
    email: anna@example.org
    groups:
      - admins
      - family
    given_name: 'Anna'
    family_name: 'Ångström'
    birthdate: '1990-02-03'
    locale: 'sv-SE'
    zoneinfo: 'Europe/Stockholm'
    phone_number: '+46 8 123456'
    phone_extension: '7'
    address:
      street_address: 'Storgatan 1'
      locality: 'Stockholm'
      country: 'SE'
    extra:
      shoe_size: 39
  bob:
    displayname: Bob
    password: '{pbkdf2}'
    email: 'bob@example.org'
    groups: [family]
  carl:
    displayname: 'Carl'
    disabled: true
    password: '$6$rounds=50000$saltsaltsalt$notcheckedhere'
    email: carl@example.org
    groups: []
  "007":
    displayname: 7
    password: '$2b$12$abcdefghijklmnopqrstuv'
...
"#
    )
}

fn person<'v>(house: &'v Value, username: &str) -> &'v Value {
    let mut people = house["users"].as_array().unwrap().iter();
    people.find(|user| user["username"] == username).unwrap()
}

#[test]
fn people_of_authelia_sign_in_with_their_passwords() {
    let world = World::started();
    let report = taken(&world, "authelia-users", &file(), &[]);
    assert_eq!(
        report["added"],
        json!({ "users": 4, "groups": 2, "clients": 0, "resources": 0, "signing_keys": 0,
        "settings": 0 })
    );
    let plain = world.run(&["export"], "").stdout;
    let house: Value = serde_json::from_slice(&plain).unwrap();
    let anna = person(&house, "anna");
    for (member, value) in [
        ("name", json!("Anna Ångström")),
        ("email", json!("anna@example.org")),
        ("email_verified", json!(true)),
        ("groups", json!(["admins", "family"])),
        ("birthdate", json!("1990-02-03")),
        ("phone_number", json!("+46 8 123456;ext=7")),
        // Being in a group of that name makes nobody an administrator.
        ("admin", Value::Null),
    ] {
        assert_eq!(anna[member], value, "{anna}");
    }
    assert_eq!(anna["address"]["locality"], "Stockholm");
    world.sign_in("anna");
    // The second time the hash is one of Doorlight's own.
    for kind in ["$pbkdf2-sha512$i=1000$", "$argon2id$v=19$m=19456,t=2,p=1$"] {
        let file = world.dir.join(format!("house-{}.json", kind.len()));
        world.verb(
            &["export", "--with-secrets", "--to", file.to_str().unwrap()],
            "",
        );
        let text = std::fs::read_to_string(file).unwrap();
        let house: Value = serde_json::from_str(&text).unwrap();
        let hash = person(&house, "bob")["password_hash"].as_str().unwrap();
        assert!(hash.starts_with(kind), "{hash}");
        world.sign_in("bob");
    }
    let carl = world.verb(&["user", "show", "carl"], "");
    assert_eq!(
        (&carl["disabled"], &carl["name"]),
        (&json!(true), &json!("Carl"))
    );
    assert_eq!(world.verb(&["user", "show", "007"], "")["name"], "7");
    let notes = lines(&report, "notes");
    for told in [
        "hashed with SHA-crypt do not come along: carl",
        "hashed with bcrypt do not come along: 007",
        "doorlight user link carl",
        "doorlight user link 007",
        "“extra” of people does not come along: anna",
        "“sub”",
    ] {
        assert!(notes.contains(told), "{told}: {notes}");
    }
    assert!(
        !notes.contains("link bob") && !notes.contains("$2b$") && !notes.contains("$6$"),
        "{notes}"
    );
    // Nobody comes in by a wrong password, or by none.
    for (name, password) in [("bob", "wrong"), ("carl", ""), ("007", "")] {
        let mut browser = Browser::new(&world);
        let page = browser.get("/login");
        let fields = [("username", name), ("password", password)];
        assert_eq!(
            browser.submit(&page, "/login", &fields).status,
            401,
            "{name}"
        );
    }
}

#[test]
fn a_dry_run_tells_the_same_and_a_second_run_finds_nothing_to_do() {
    let world = World::started();
    let dry = taken(&world, "authelia-users", &file(), &["--dry-run"]);
    assert_eq!(world.run(&["user", "list"], "").stdout, b"[]\n");
    let real = taken(&world, "authelia-users", &file(), &[]);
    assert_eq!(
        (&dry["notes"], &dry["added"]),
        (&real["notes"], &real["added"])
    );
    let again = taken(&world, "authelia-users", &file(), &[]);
    assert_eq!(
        (&again["unchanged"]["users"], &again["added"]["users"]),
        (&json!(4), &json!(0))
    );
}

/// One bad record, and nobody comes in.
#[test]
fn hostile_files_of_people_change_nothing() {
    let world = World::empty();
    world.user("there");
    let before = world.run(&["export"], "").stdout;
    let good = "users:\n  good: {displayname: Good}\n";
    for (more, told) in [
        (
            "  good: {displayname: Again}\n",
            "line 3: a key stands twice",
        ),
        ("  GOOD: {displayname: Again}\n", "twice"),
        ("  \"a\\x1b[2Jb\": {displayname: A}\n", "control characters"),
        ("  \"\\u202Enimda\": {displayname: A}\n", "direction"),
        ("  ann: {displayname: \"\\u2066A\"}\n", "direction"),
        ("  ann: {displayname: \"A\\nB\"}\n", "control characters"),
        ("  \"a b\": {displayname: A}\n", "letters without accents"),
        ("  ann: {displayname: [A]}\n", "displayname must be text"),
        (
            "  ann: {disabled: maybe}\n",
            "disabled must be true or false",
        ),
        ("  ann: {groups: {a: b}}\n", "groups must be text"),
        ("  ann: {groups: ['a,b']}\n", "a group's name"),
        ("  ann: {email: nobody}\n", "email"),
        ("  ann: A\n", "must be an object"),
        ("  ann: {displayname: '{{ env \"NAME\" }}'}\n", "template"),
        (
            "  ann: {displayname: &x A}\n  bob: {displayname: *x}\n",
            "anchors",
        ),
        ("  ann: {displayname: !!binary QQ==}\n", "tags"),
        (
            "  there: {displayname: Other}\n",
            "is here already and differs",
        ),
    ] {
        let file = format!("{good}{more}");
        let output = refused(&world, "authelia-users", &file);
        assert!(output.contains(told), "{more}: {output}");
        assert!(
            !output.chars().any(|c| c.is_control() && c != '\n'),
            "{output}"
        );
        assert_eq!(world.run(&["export"], "").stdout, before, "{more}");
    }
    for (file, told) in [
        (String::new(), "empty"),
        ("a: b".to_owned(), "no users"),
        ("users: [a]".to_owned(), "must be an object"),
        (format!("users: {}", "[".repeat(100_000)), "recursion limit"),
        (
            format!("{good}  ann: {}", "{a: ".repeat(100_000)),
            "nested too deep",
        ),
        ("users: {".to_owned(), "not YAML"),
    ] {
        let output = refused(&world, "authelia-users", &file);
        assert!(output.contains(told), "{told}: {output}");
        assert_eq!(world.run(&["export"], "").stdout, before);
    }
}

/// A hash says itself what a check costs. Years of it are no hash that is kept.
#[test]
fn a_hash_that_would_cost_too_much_does_not_come_along() {
    let world = World::empty();
    let dear = authelia_pbkdf2(PASSWORD, 10).replace("$10$", "$1000000000$");
    let wide = argon2id(PASSWORD).replace("m=19456", "m=4194304");
    let file = format!("users:\n  ann: {{password: '{dear}'}}\n  bob: {{password: '{wide}'}}\n");
    let notes = lines(&taken(&world, "authelia-users", &file, &[]), "notes");
    for told in [
        "PBKDF2 that costs more than a check may here do not come along: ann",
        "Argon2 that costs more than a check may here do not come along: bob",
        "link ann",
        "link bob",
    ] {
        assert!(notes.contains(told), "{told}: {notes}");
    }
}
