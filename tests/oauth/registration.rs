//! Applications that register themselves (RFC 7591, RFC 7592, OpenID Connect Dynamic Client Registration 1.0).

use crate::world::{Answer, REDIRECT, TestClient, World, redeem};
use serde_json::{Value, json};

pub const JSON: &str = "Content-Type: application/json\r\n";

/// A server that takes registrations from anyone.
pub fn open() -> World {
    let world = World::started();
    world.verb(&["registration", "open"], "");
    world
}

pub fn register(world: &World, headers: &str, metadata: &Value) -> Answer {
    let headers = format!("{JSON}{headers}");
    world.ask("POST", "/register", &headers, &metadata.to_string())
}

pub fn bearer(token: &Value) -> String {
    format!("Authorization: Bearer {}\r\n", token.as_str().unwrap())
}

/// The address of a registration, and the header that opens it.
pub fn management(world: &World, registered: &Value) -> (String, String) {
    let uri = registered["registration_client_uri"].as_str().unwrap();
    let path = uri.strip_prefix(&world.issuer()).unwrap().to_owned();
    (path, bearer(&registered["registration_access_token"]))
}

pub fn registered(world: &World, metadata: &Value) -> Value {
    let answer = register(world, "", metadata);
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    answer.json()
}

fn discovered(world: &World) -> Value {
    let document = world.ask("GET", "/.well-known/openid-configuration", "", "");
    document.json()["registration_endpoint"].clone()
}

#[test]
fn a_registered_client_signs_people_in_after_they_agreed() {
    let world = open();
    world.user("alice");
    let made = registered(
        &world,
        &json!({ "redirect_uris": [REDIRECT], "client_name": "Notes" }),
    );
    let client = TestClient {
        id: made["client_id"].as_str().unwrap().to_owned(),
        secret: made["client_secret"].as_str().unwrap().to_owned(),
    };
    let mut browser = world.sign_in("alice");
    let page = browser.authorize(&client, "openid email", "");
    assert_eq!(page.status, 200, "nobody is asked: {page:?}");
    assert!(page.body.contains("Sign in to Notes?"), "{page:?}");
    let agreed = browser.submit(&page, "/consent", &[("decision", "allow")]);
    let code = agreed.parameter("code").unwrap();
    let tokens = world.token(&client, &redeem(&code));
    assert_eq!(tokens.status, 200, "{tokens:?}");
    assert_eq!(tokens.json()["scope"], "email openid");
}

#[test]
fn rfc7591_section_3_2_1_the_answer_holds_all_that_is_registered() {
    let world = open();
    let made = registered(&world, &json!({ "redirect_uris": [REDIRECT] }));
    let id = made["client_id"].as_str().unwrap();
    assert!(made["client_secret"].as_str().unwrap().len() >= 43);
    assert_eq!(made["client_secret_expires_at"], 0);
    assert!(made["client_id_issued_at"].as_u64().unwrap() > 1_700_000_000);
    assert_eq!(
        made["registration_client_uri"],
        format!("{}/register/{id}", world.issuer())
    );
    for (member, value) in [
        ("client_name", json!("app.example")),
        ("redirect_uris", json!([REDIRECT])),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("grant_types", json!(["authorization_code"])),
        ("response_types", json!(["code"])),
        ("scope", json!("email offline_access openid profile")),
        ("application_type", json!("web")),
        ("subject_type", json!("public")),
        ("id_token_signed_response_alg", json!("RS256")),
    ] {
        assert_eq!(made[member], value, "{member}");
    }
    let shown = world.verb(&["client", "show", id], "");
    assert_eq!(shown["registered"], true);
    for member in ["may_introspect", "allow_http", "claims_in_id_token"] {
        assert_eq!(shown[member], false, "{member}");
    }
    assert_eq!(shown["consent"], "once");
}

#[test]
fn off_by_default_and_then_there_is_no_such_address() {
    let world = World::started();
    let metadata = json!({ "redirect_uris": [REDIRECT] });
    assert_eq!(discovered(&world), Value::Null);
    assert_eq!(register(&world, "", &metadata).status, 404);

    world.verb(&["registration", "open"], "");
    let endpoint = format!("{}/register", world.issuer());
    assert_eq!(discovered(&world), json!(endpoint));
    let made = registered(&world, &metadata);
    let (path, headers) = management(&world, &made);

    world.verb(&["registration", "off"], "");
    assert_eq!(discovered(&world), Value::Null);
    assert_eq!(register(&world, "", &metadata).status, 404);
    for method in ["GET", "PUT", "DELETE"] {
        assert_eq!(world.ask(method, &path, &headers, "").status, 404);
    }
}

#[test]
fn an_initial_access_token_registers_as_often_as_it_says() {
    let world = World::started();
    world.verb(&["registration", "token"], "");
    let metadata = json!({ "redirect_uris": [REDIRECT] });
    let none = register(&world, "", &metadata);
    assert_eq!(
        (none.status, none.header("WWW-Authenticate")),
        (401, Some("Bearer realm=\"Doorlight\""))
    );
    let arguments = [
        "registration",
        "add-token",
        "--uses",
        "2",
        "--note",
        "Tablet",
    ];
    let made = world.verb(&arguments, "");
    let headers = bearer(&made["token"]);
    assert_eq!(register(&world, &headers, &metadata).status, 201);
    let listed = world.verb(&["registration", "list-tokens"], "");
    assert_eq!(
        (&listed[0]["note"], &listed[0]["uses_left"]),
        (&json!("Tablet"), &json!(1))
    );
    assert!(listed[0].get("token").is_none());
    assert_eq!(register(&world, &headers, &metadata).status, 201);
    let used_up = register(&world, &headers, &metadata);
    assert_eq!(used_up.status, 401);
    assert_eq!(used_up.json()["error"], "invalid_token");
    let challenge = used_up.header("WWW-Authenticate").unwrap();
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    assert_eq!(world.verb(&["registration", "list-tokens"], ""), json!([]));

    let another = world.verb(&["registration", "add-token"], "");
    let id = another["id"].as_str().unwrap();
    world.verb(&["registration", "rm-token", id], "");
    let taken_back = register(&world, &bearer(&another["token"]), &metadata);
    assert_eq!(taken_back.status, 401);
}

#[test]
fn rfc7592_a_client_reads_replaces_and_deletes_its_registration() {
    let world = open();
    let metadata = json!({
        "redirect_uris": [REDIRECT], "client_name": "Notes", "contacts": ["ann@example.org"],
        "tos_uri": "https://app.example/terms",
    });
    let made = registered(&world, &metadata);
    let (path, headers) = management(&world, &made);
    let read = world.ask("GET", &path, &headers, "");
    assert_eq!(read.status, 200);
    let mut same = made.clone();
    same.as_object_mut().unwrap().remove("client_secret");
    assert_eq!(read.json(), same);

    // What is left out is taken away.
    let change = json!({
        "client_id": made["client_id"], "client_secret": made["client_secret"],
        "redirect_uris": ["https://app.example/new"], "client_name": "Notes 2",
    });
    let put =
        |body: &Value| world.ask("PUT", &path, &format!("{JSON}{headers}"), &body.to_string());
    let changed = put(&change);
    assert_eq!(changed.status, 200, "{changed:?}");
    let changed = changed.json();
    assert_eq!(changed["client_name"], "Notes 2");
    assert_eq!(changed["redirect_uris"], json!(["https://app.example/new"]));
    assert!(changed.get("tos_uri").is_none() && changed.get("contacts").is_none());
    assert_eq!(world.ask("GET", &path, &headers, "").json(), changed);

    let deleted = world.ask("DELETE", &path, &headers, "");
    assert_eq!((deleted.status, deleted.body.as_str()), (204, ""));
    // RFC 7592 §2: 401 where there is no such client.
    for method in ["GET", "PUT", "DELETE"] {
        let gone = world.ask(method, &path, &headers, "");
        assert_eq!(gone.status, 401, "{method}");
        assert_eq!(gone.json()["error"], "invalid_token");
    }
    let kinds: Vec<String> = String::from_utf8(world.run(&["audit"], "").stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| event["outcome"] == "success")
        .map(|event| event["kind"].as_str().unwrap().to_owned())
        .collect();
    let about: Vec<&str> = kinds
        .iter()
        .map(String::as_str)
        .filter(|kind| kind.starts_with("registration"))
        .collect();
    assert_eq!(
        about,
        [
            "registration.deleted",
            "registration.changed",
            "registration"
        ]
    );
}
