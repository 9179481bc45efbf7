//! Doorlight's own API: who is let in (RFC 6750, RFC 9068 §4, RFC 9449), its metadata (RFC 9728), and what it does.

use crate::prover::Key;
use crate::receiver::until;
use crate::world::{Answer, REDIRECT, TestClient, World, encode};
use serde_json::{Value, json};

pub const BOTH: &str = "doorlight:read doorlight:write";

/// A service that may administer.
pub fn service(world: &World) -> TestClient {
    let audience = format!("{}/api", world.issuer());
    world.client(
        "Robot",
        &[
            "--grant",
            "client_credentials",
            "--scope",
            BOTH,
            "--audience",
            &audience,
        ],
    )
}

pub fn token(world: &World, client: &TestClient, scope: &str) -> String {
    let body = format!("grant_type=client_credentials&scope={}", encode(scope));
    let answer = world.token(client, &body);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

pub fn get(world: &World, token: &str, path: &str) -> Answer {
    let bearer = format!("Authorization: Bearer {token}\r\n");
    world.ask("GET", path, &bearer, "")
}

fn post(world: &World, token: &str, command: &Value) -> Answer {
    let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
    world.ask("POST", "/api/commands", &headers, &command.to_string())
}

fn challenge(answer: &Answer) -> (u16, String) {
    let challenge = answer.header("WWW-Authenticate").unwrap_or_default();
    (answer.status, challenge.to_owned())
}

#[test]
fn rfc9728_section_3_and_5_a_client_without_a_token_finds_the_way() {
    let world = World::known_as("http://localhost:8080/id");
    let refused = world.ask("GET", "/id/api/people", "", "");
    let address = "http://localhost:8080/.well-known/oauth-protected-resource/id/api";
    let (status, challenge) = challenge(&refused);
    assert_eq!(status, 401);
    assert_eq!(
        challenge,
        format!("Bearer realm=\"Doorlight\", resource_metadata=\"{address}\"")
    );
    // RFC 6750 §3.1: the challenge names no error; whoever reads JSON finds why.
    let why =
        json!({ "error": "unauthorized", "error_description": "an access token is required" });
    assert_eq!(refused.json(), why);
    let path = address.strip_prefix("http://localhost:8080").unwrap();
    let metadata = world.ask("GET", path, "Origin: https://elsewhere.example\r\n", "");
    assert_eq!(metadata.header("Access-Control-Allow-Origin"), Some("*"));
    let metadata = metadata.json();
    // §3.3: the resource that it describes is the one that was asked.
    assert_eq!(metadata["resource"], "http://localhost:8080/id/api");
    assert_eq!(
        metadata["authorization_servers"],
        json!(["http://localhost:8080/id"])
    );
    for elsewhere in [
        "/.well-known/oauth-protected-resource/api",
        "/.well-known/oauth-protected-resource/id/apis",
        "/.well-known/oauth-protected-resource/id",
    ] {
        assert_eq!(
            world.ask("GET", elsewhere, "", "").status,
            404,
            "{elsewhere}"
        );
    }
}

#[test]
fn a_service_with_the_scopes_reads_and_writes_and_the_log_names_it() {
    let world = World::started();
    world.user("alice");
    let robot = service(&world);
    let token = token(&world, &robot, BOTH);
    let people = get(&world, &token, "/api/people").json();
    let names: Vec<&str> = people["people"]
        .as_array()
        .unwrap()
        .iter()
        .map(|person| person["username"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"alice"), "{names:?}");
    let add = json!({ "verb": "user_add", "person": { "username": "bob", "groups": [] }, "password": null });
    let added = post(&world, &token, &add);
    assert_eq!(added.status, 200, "{added:?}");
    assert_eq!(
        get(&world, &token, "/api/people/bob").json()["username"],
        "bob"
    );
    // Twice is refused, and says why.
    assert_eq!(post(&world, &token, &add).status, 409);
    let link = post(
        &world,
        &token,
        &json!({ "verb": "user_link", "user": "bob" }),
    );
    assert!(link.json()["url"].as_str().unwrap().contains("/link?"));
    let shown = get(&world, &token, "/api/applications/Robot").json();
    assert_eq!(shown["client_id"], robot.id.as_str());
    assert_eq!(get(&world, &token, "/api/people/nobody").status, 404);
    let events = get(&world, &token, "/api/events?person=bob").json();
    let events = events["events"].as_array().unwrap();
    assert!(!events.is_empty() && events.iter().all(|event| event["actor"] == "Robot"));
    // Nothing secret is read here.
    for path in ["/api/people", "/api/applications", "/api/people/alice"] {
        let text = get(&world, &token, path).body;
        assert!(
            !text.contains("argon2") && !text.contains("hash"),
            "{path}: {text}"
        );
    }
}

#[test]
fn rfc9068_section_4_a_token_for_somebody_else_opens_nothing() {
    let world = World::started();
    world.user("alice");
    let client = world.client(
        "Notes",
        &[
            "--redirect-uri",
            REDIRECT,
            "--trusted",
            "--scope",
            &format!("openid profile {BOTH}"),
        ],
    );
    let tokens = world
        .sign_in("alice")
        .tokens(&client, &format!("openid {BOTH}"));
    let access = tokens["access_token"].as_str().unwrap();
    // RFC 6750 §3.1: to whoever has a token that holds it is said why; of any other nothing is said.
    let (elsewhere, nothing) = (
        "the access token was issued for another service",
        "the access token is invalid or expired",
    );
    let refused = |token: &str, why: &str| {
        let answer = get(&world, token, "/api/people");
        let (status, challenge) = challenge(&answer);
        assert_eq!(status, 401);
        let words = format!("error=\"invalid_token\", error_description=\"{why}\"");
        assert!(challenge.contains(&words), "{challenge}");
        assert_eq!(answer.json()["error_description"], why);
    };
    refused(access, elsewhere);
    refused(tokens["id_token"].as_str().unwrap(), nothing);
    refused("nonsense", nothing);
    let (head, signature) = access.rsplit_once('.').unwrap();
    let forged: String = signature.chars().rev().collect();
    refused(&format!("{head}.{forged}"), nothing);
    let revoked = world.ask(
        "POST",
        "/revoke",
        &client.basic(),
        &format!("token={access}"),
    );
    assert_eq!(revoked.status, 200);
    refused(access, nothing);
    // Never in the address or a form (RFC 9700 §4.3.2, RFC 9728 `bearer_methods_supported`).
    let robot = token(&world, &service(&world), BOTH);
    let query = format!("/api/people?access_token={robot}");
    assert_eq!(world.ask("GET", &query, "", "").status, 401);
    let form = format!("access_token={robot}");
    assert_eq!(world.ask("POST", "/api/commands", "", &form).status, 401);
}

#[test]
fn rfc6750_section_3_1_a_token_without_the_scope_is_told_which() {
    let world = World::started();
    let robot = service(&world);
    let reader = token(&world, &robot, "doorlight:read");
    assert_eq!(get(&world, &reader, "/api/people").status, 200);
    let disable = json!({ "verb": "user_disable", "user": "root" });
    let (status, words) = challenge(&post(&world, &reader, &disable));
    assert_eq!(status, 403);
    assert!(
        words.contains("error=\"insufficient_scope\"")
            && words.contains("scope=\"doorlight:write\"")
    );
    let writer = token(&world, &robot, "doorlight:write");
    assert_eq!(get(&world, &writer, "/api/people").status, 403);
}

#[test]
fn a_person_must_be_an_administrator_still() {
    let world = World::started();
    world.user("alice");
    let audience = format!("{}/api", world.issuer());
    let console = world.client(
        "Console",
        &[
            "--redirect-uri",
            REDIRECT,
            "--trusted",
            "--scope",
            &format!("openid {BOTH}"),
            "--audience",
            &audience,
        ],
    );
    let tokens = world
        .sign_in("alice")
        .tokens(&console, &format!("openid {BOTH}"));
    let alice = tokens["access_token"].as_str().unwrap();
    let (status, words) = challenge(&get(&world, alice, "/api/people"));
    assert_eq!(status, 403);
    assert!(words.contains("insufficient_scope"), "{words}");
    // Whoever tries is seen; nobody waits for such an event, so it may come a moment later.
    let tried = "only tokens of administrators and of services are taken here";
    until("the refusal is recorded", || {
        let audit = world.run(&["audit", "--person", "alice", "--limit", "1000"], "");
        let audit = String::from_utf8(audit.stdout).unwrap();
        audit.contains(tried).then_some(())
    });

    world.verb(
        &["user", "add", "carol", "--admin", "--password-stdin"],
        &format!("{}\n", crate::world::PASSWORD),
    );
    let tokens = world
        .sign_in("carol")
        .tokens(&console, &format!("openid {BOTH}"));
    let carol = tokens["access_token"].as_str().unwrap();
    assert_eq!(get(&world, carol, "/api/people").status, 200);
    let add = json!({ "verb": "user_disable", "user": "alice" });
    assert_eq!(post(&world, carol, &add).status, 200);
    let events = get(&world, carol, "/api/events?person=alice&kind=user.disabled").json();
    assert_eq!(
        events["events"][0]["actor"], "carol (through Console)",
        "{events}"
    );
    world.verb(
        &["user", "add", "dora", "--admin", "--password-stdin"],
        &format!("{}\n", crate::world::PASSWORD),
    );
    // Who is shut out does nothing any more, with a token that has not expired.
    world.verb(&["user", "disable", "carol"], "");
    assert_eq!(get(&world, carol, "/api/people").status, 401);
    assert_eq!(post(&world, carol, &add).status, 401);
}

/// The last token of an application that was taken off the list would administer for up to an hour.
#[test]
fn an_application_that_the_api_is_taken_from_is_shut_out_at_once() {
    let world = World::started();
    world.user("alice");
    let robot = service(&world);
    let token = token(&world, &robot, BOTH);
    let api = format!("{}/api", world.issuer());
    let disable = json!({ "verb": "user_disable", "user": "alice" });
    assert_eq!(get(&world, &token, "/api/people").status, 200);
    world.verb(&["resource", "add", &api], "");
    let (status, words) = challenge(&get(&world, &token, "/api/people"));
    assert_eq!(status, 401);
    assert!(words.contains("error=\"invalid_token\""), "{words}");
    assert_eq!(post(&world, &token, &disable).status, 401);
    world.verb(&["resource", "edit", &api, "--client", "Robot"], "");
    assert_eq!(get(&world, &token, "/api/people").status, 200);
    world.verb(&["resource", "remove", &api], "");
    assert_eq!(get(&world, &token, "/api/people").status, 401);
}

#[test]
fn bad_commands_change_nothing() {
    let world = World::started();
    world.user("alice");
    let robot = token(&world, &service(&world), BOTH);
    let bearer = format!("Authorization: Bearer {robot}\r\n");
    let json = "Content-Type: application/json\r\n";
    let disable = r#"{"verb":"user_disable","user":"alice"}"#;
    for (command, words) in [
        (json!({"verb": "user_disable"}), "the field user is missing"),
        (
            json!({"verb": "user_disable", "user": 7}),
            "the field user is wrong: expected a string",
        ),
        (
            json!({"verb": "user_add", "person": {"username": "bob", "groups": "family"}}),
            "the field person.groups is wrong: expected a list",
        ),
    ] {
        let told = post(&world, &robot, &command).json()["message"].clone();
        assert_eq!(told, words, "{command}");
    }
    for (headers, body, status) in [
        (json, "", 400),
        (json, "[]", 400),
        (json, "{}", 400),
        (json, r#"{"verb":"user_disable"}"#, 400),
        (json, r#"{"verb":"user_disable","user":7}"#, 400),
        (json, r#"{"verb":"become_root","user":"alice"}"#, 400),
        // Of two members with one name readers take different ones.
        (
            json,
            r#"{"verb":"user_disable","user":"bob","user":"alice"}"#,
            400,
        ),
        (json, r#"{"verb":"setup_link"}"#, 403),
        (json, r#"{"verb":"setup_link","user":"alice"}"#, 400),
        (json, r#"{"verb":"user_disable","user":"nobody"}"#, 404),
        // A form of another site can send these without asking first.
        ("Content-Type: text/plain\r\n", disable, 415),
        (
            "Content-Type: application/x-www-form-urlencoded\r\n",
            disable,
            415,
        ),
        ("", disable, 415),
    ] {
        let answer = world.ask("POST", "/api/commands", &format!("{bearer}{headers}"), body);
        assert_eq!(answer.status, status, "{headers}{body}: {answer:?}");
    }
    assert_eq!(
        get(&world, &robot, "/api/people/alice").json()["disabled"],
        false
    );
    assert_eq!(get(&world, &robot, "/api/events?before=x").status, 409);
}

/// A token with the scope for writing could take in a document with signing keys and hashes of its thief's own, and so
/// stay in for good after it was taken away.
#[test]
fn what_belongs_to_the_machine_is_refused_to_every_token() {
    let world = World::started();
    let robot = service(&world);
    let token = token(&world, &robot, BOTH);
    let exported = |name: &str| {
        let file = world.dir.join(name);
        world.verb(
            &["export", "--with-secrets", "--to", file.to_str().unwrap()],
            "",
        );
        std::fs::read_to_string(&file).unwrap()
    };
    let before = exported("before.json");
    for command in [
        json!({"verb": "setup_link"}),
        json!({"verb": "metrics_token"}),
        json!({"verb": "backups_set", "given": {"folder": "/tmp"}}),
        json!({"verb": "backups_set", "given": {"recipients": []}}),
        json!({"verb": "backups_off"}),
        json!({"verb": "backups_run"}),
        json!({
            "verb": "import",
            "document": {"version": 1, "groups": [{"name": "planted"}]},
            "wish": {"dry_run": false, "replace": true},
        }),
    ] {
        let answer = post(&world, &token, &command);
        assert_eq!(answer.status, 403, "{command}: {answer:?}");
        assert_eq!(answer.json()["error"], "forbidden", "{command}");
    }
    assert_eq!(exported("after.json"), before);
}

/// The id was shown as a text and wanted as a number.
#[test]
fn a_secret_is_removed_by_the_id_that_is_shown() {
    let world = World::started();
    let robot = token(&world, &service(&world), BOTH);
    world.client("Nightly", &["--grant", "client_credentials"]);
    let rotate = json!({ "verb": "client_rotate_secret", "client": "Nightly" });
    let rotated = post(&world, &robot, &rotate).json();
    let (old, new) = (&rotated["secrets"][0]["id"], &rotated["secrets"][1]["id"]);
    let remove = |secret: &Value| {
        let command =
            json!({ "verb": "client_remove_secret", "client": "Nightly", "secret": secret });
        post(&world, &robot, &command)
    };
    assert_eq!(remove(&json!(7)).status, 400);
    let unknown = remove(&json!("the old one"));
    assert_eq!(unknown.status, 400, "{unknown:?}");
    assert_eq!(
        unknown.json()["message"],
        "the field secret is wrong: expected the id of one, as “secrets” shows it"
    );
    let left = remove(old).json();
    assert_eq!(left["secrets"].as_array().unwrap().len(), 1, "{left}");
    assert_eq!(&left["secrets"][0]["id"], new);
}

/// The thief of such a token made themselves an administrator, or gave one a new password, signed in as that, and
/// downloaded the data file with all its keys.
#[test]
fn a_token_neither_makes_nor_touches_an_administrator_or_what_may_administer() {
    let world = World::started();
    world.user("alice");
    let robot = service(&world);
    let token = token(&world, &robot, BOTH);
    let api = format!("{}/api", world.issuer());
    world.trusted();
    world.client("Half", &["--redirect-uri", REDIRECT, "--audience", &api]);
    let refused = |commands: &[Value]| {
        let exported = |name: &str| {
            let file = world.dir.join(name);
            let to = ["export", "--with-secrets", "--to", file.to_str().unwrap()];
            world.verb(&to, "");
            let text = std::fs::read_to_string(&file).unwrap();
            std::fs::remove_file(&file).unwrap();
            text
        };
        let before = exported("before.json");
        for command in commands {
            let answer = post(&world, &token, command);
            assert_eq!(answer.status, 403, "{command}: {answer:?}");
            assert_eq!(answer.json()["error"], "forbidden", "{command}");
            let why = answer.json()["message"].to_string();
            assert!(why.contains("administrator"), "{why}");
        }
        assert_eq!(exported("after.json"), before);
    };
    let touching = |name: &str| {
        [
            json!({"verb": "user_passwd", "user": name, "password": "quite another long one"}),
            json!({"verb": "user_link", "user": name}),
            json!({"verb": "user_disable", "user": name}),
            json!({"verb": "user_remove", "user": name}),
        ]
    };
    // The only one there is, and one of two.
    for name in ["root", "carol"] {
        world.admin(name);
        refused(&touching(name));
    }
    world.verb(&["user", "disable", "carol"], "");
    refused(&[json!({"verb": "user_enable", "user": "carol"})]);
    let mallory = json!({"username": "mallory", "admin": true});
    let door = json!({"name": "Door", "grants": ["client_credentials"], "scope": "doorlight:write",
        "audiences": [api]});
    // One for another address would open this API as soon as Doorlight has that.
    let later = json!({"name": "Later", "grants": ["client_credentials"], "scope": "doorlight:read",
        "audiences": ["https://later.example/api"]});
    let opened = json!({"scope": "openid doorlight:read", "audiences": [api]});
    refused(&[
        json!({"verb": "user_add", "person": mallory, "password": "quite another long one"}),
        json!({"verb": "user_add", "person": mallory, "password": null}),
        // What may administer is another way in, which outlives the token.
        json!({"verb": "client_add", "client": door}),
        json!({"verb": "client_add", "client": later}),
        json!({"verb": "client_edit", "client": "App", "changes": opened}),
        json!({"verb": "client_edit", "client": "Half", "changes": {"scope": "openid doorlight:write"}}),
        json!({"verb": "client_edit", "client": "Robot", "changes": {"name": "Mine"}}),
        json!({"verb": "client_rotate_secret", "client": "Robot"}),
        json!({"verb": "client_remove", "client": "Robot"}),
        json!({"verb": "resource_add", "identifier": api, "given": {"clients": ["App"]}}),
    ]);
    world.verb(&["resource", "add", &api, "--client", "Robot"], "");
    refused(&[
        json!({"verb": "resource_edit", "identifier": api, "given": {"clients": ["Robot", "App"]}}),
        json!({"verb": "resource_remove", "identifier": api}),
        json!({"verb": "client_edit", "client": "Robot", "changes": {"name": "Mine"}}),
    ]);
    // The machine itself still may, and a token the rest.
    world.verb(&["user", "link", "root"], "");
    world.verb(&["client", "rotate-secret", "Robot"], "");
    for command in [
        json!({"verb": "user_link", "user": "alice"}),
        json!({"verb": "user_remove", "user": "alice"}),
        json!({"verb": "client_edit", "client": "App", "changes": {"name": "Renamed"}}),
    ] {
        let answer = post(&world, &token, &command);
        assert_eq!(answer.status, 200, "{command}: {answer:?}");
    }
}

#[test]
fn rfc9449_section_7_a_bound_token_needs_a_proof_for_this_very_address_and_once() {
    let world = World::started();
    let robot = service(&world);
    let key = Key::new();
    let at = |path: &str| format!("{}{path}", world.issuer());
    let proof = key.proof("POST", &at("/token"));
    let body = format!("grant_type=client_credentials&scope={}", encode(BOTH));
    let answer = world.ask(
        "POST",
        "/token",
        &format!("{}{proof}", robot.basic()),
        &body,
    );
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let people = |headers: &str| world.ask("GET", "/api/people", headers, "").status;
    let here = at("/api/people");
    assert_eq!(people(&format!("Authorization: Bearer {token}\r\n")), 401);
    assert_eq!(people(&format!("Authorization: DPoP {token}\r\n")), 401);
    for (key, method, address) in [
        (&key, "GET", at("/userinfo")),
        (&key, "POST", here.clone()),
        (&Key::new(), "GET", here.clone()),
    ] {
        let headers = key.with_token(method, &address, &token);
        assert_eq!(people(&headers), 401, "{method} {address}");
    }
    let good = key.with_token("GET", &here, &token);
    assert_eq!(people(&good), 200);
    assert_eq!(people(&good), 401);
}

/// A mistyped field was once passed over: the application was added, and open to everybody.
#[test]
fn a_field_that_is_unknown_is_refused_by_its_name_and_nothing_is_done() {
    let world = World::started();
    world.user("alice");
    let robot = token(&world, &service(&world), BOTH);
    let client = |more: Value| {
        let mut client = json!({ "name": "App", "redirect_uris": [REDIRECT] });
        client
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({ "verb": "client_add", "client": client })
    };
    let long = "x".repeat(10_000);
    for (command, field) in [
        (
            client(json!({ "allowed_group": ["admins"] })),
            "allowed_group",
        ),
        (
            json!({ "verb": "client_edit", "client": "Robot", "changes": { "dpop": true } }),
            "dpop",
        ),
        (
            json!({ "verb": "user_add", "person": { "username": "bob", "emial": "b@home.arpa" } }),
            "emial",
        ),
        (
            json!({ "verb": "user_disable", "user": "alice", "until": 1 }),
            "until",
        ),
        (json!({ "verb": "metrics_off", "now": true }), "now"),
        (
            json!({ "verb": "registration_add_token", "token": { "note": "tv", "use": 1 } }),
            "use",
        ),
        (
            json!({ "verb": "resource_add", "identifier": "https://a.example", "given": { "scopes": "a" } }),
            "scopes",
        ),
        (json!({ "verb": "metrics_off", &long: 1 }), "xxx"),
    ] {
        let answer = post(&world, &robot, &command);
        assert_eq!(answer.status, 400, "{command}: {answer:?}");
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(field) && message.len() < 300, "{message}");
    }
    // What was sent in it is not said back.
    let secret =
        json!({ "verb": "user_passwd", "user": "alice", "password": ["seven purple tractors"] });
    let answer = post(&world, &robot, &secret);
    assert_eq!(answer.status, 400);
    assert!(!answer.body.contains("purple"), "{answer:?}");
    assert_eq!(get(&world, &robot, "/api/applications/App").status, 404);
    assert_eq!(get(&world, &robot, "/api/people/bob").status, 404);
    assert_eq!(
        get(&world, &robot, "/api/people/alice").json()["disabled"],
        false
    );
}
