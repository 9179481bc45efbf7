//! Request objects by value (RFC 9101, OpenID Connect Core §6.1) on the wire. What an object must say is told by the
//! tables in `src/oauth/authorize/request_object_tests.rs`.

use crate::prover::{Key, now};
use crate::world::{Browser, PASSWORD, REDIRECT, TestClient, World, challenge, encode, redeem};
use serde_json::{Value, json};

/// A trusted client with that key.
fn signer(world: &World, name: &str, key: &Key, more: &[&str]) -> TestClient {
    let file = world.dir.join("jwks.json");
    std::fs::write(&file, json!({ "keys": [key.jwk()] }).to_string()).unwrap();
    let fixed = [
        "--redirect-uri",
        REDIRECT,
        "--trusted",
        "--jwks-file",
        file.to_str().unwrap(),
    ];
    world.client(name, &[fixed.as_slice(), more].concat())
}

fn claims(world: &World, client: &TestClient) -> Value {
    json!({
        "iss": client.id, "aud": world.issuer(), "exp": now() + 60, "nbf": now(), "client_id": client.id,
        "response_type": "code", "redirect_uri": REDIRECT, "scope": "openid", "state": "inside",
        "code_challenge": challenge(), "code_challenge_method": "S256",
    })
}

fn object(key: &Key, claims: &Value) -> String {
    key.jwt("oauth-authz-req+jwt", claims)
}

fn target(client: &TestClient, object: &str, more: &str) -> String {
    format!("/authorize?client_id={}&request={object}{more}", client.id)
}

#[test]
fn rfc9101_every_algorithm_that_is_listed_signs_a_request() {
    let world = World::started();
    world.user("alice");
    let mut browser = world.sign_in("alice");
    let document = world
        .ask("GET", "/.well-known/openid-configuration", "", "")
        .json();
    let algorithms = document["request_object_signing_alg_values_supported"]
        .as_array()
        .unwrap();
    assert_eq!(algorithms.len(), 5);
    for alg in algorithms {
        let key = Key::of(alg.as_str().unwrap());
        let client = signer(&world, &format!("Signs {alg}"), &key, &[]);
        let object = object(&key, &claims(&world, &client));
        let answer = browser.get(&target(
            &client,
            &object,
            "&state=outside&scope=openid+email",
        ));
        assert_eq!(
            answer.parameter("state").as_deref(),
            Some("inside"),
            "{alg}"
        );
        let code = answer.parameter("code").unwrap();
        let tokens = world.token(&client, &redeem(&code));
        assert_eq!(tokens.json()["scope"], "openid", "{alg}: {tokens:?}");
    }
}

#[test]
fn rfc9101_section_7_bad_objects_are_told_where_the_outside_says() {
    let world = World::started();
    world.user("alice");
    let key = Key::new();
    let client = signer(&world, "Signer", &key, &[]);
    let bare = world.trusted();
    let mut browser = world.sign_in("alice");
    let sound = claims(&world, &client);
    let mut expired = sound.clone();
    expired["exp"] = json!(now() - 1);
    let here = format!("&redirect_uri={}&scope=openid&state=s", encode(REDIRECT));
    let elsewhere = "&redirect_uri=https%3A%2F%2Fevil.example&scope=openid";
    let foreign = object(&Key::new(), &sound);
    for (object, code) in [
        (object(&key, &expired), "invalid_request_object"),
        // Its own header offers the key: only the registered one counts.
        (foreign.clone(), "invalid_request_object"),
        ("a.b.c".to_owned(), "invalid_request_object"),
        (
            format!("{}&request=a", object(&key, &sound)),
            "invalid_request",
        ),
    ] {
        let answer = browser.get(&target(&client, &object, &here));
        assert_eq!(
            answer.parameter("error").as_deref(),
            Some(code),
            "{answer:?}"
        );
        assert_eq!(answer.parameter("state").as_deref(), Some("s"));
        let page = browser.get(&target(&client, &object, elsewhere));
        assert_eq!((page.status, page.header("Location")), (400, None));
    }
    let page = browser.get(&target(&client, &foreign, "&scope=openid"));
    assert_eq!((page.status, page.header("Location")), (400, None));
    assert!(
        page.body.contains("invalid_request_object"),
        "{}",
        page.body
    );
    let without_keys = browser.get(&target(&bare, &foreign, &here));
    assert_eq!(
        without_keys.parameter("error").as_deref(),
        Some("request_not_supported")
    );
}

#[test]
fn a_person_signs_in_for_a_signed_request() {
    let world = World::started();
    world.user("alice");
    let key = Key::new();
    let client = signer(&world, "Signer", &key, &[]);
    let object = object(&key, &claims(&world, &client));
    let mut browser = Browser::new(&world);
    // The address says when it was first seen, for the object may end before the person is done.
    let marked = browser.get(&target(&client, &object, ""));
    assert_eq!(marked.status, 303);
    let page = browser.get(marked.header("Location").unwrap());
    assert!(page.body.contains("Signer"), "{}", page.body);
    let fields = [("username", "alice"), ("password", PASSWORD)];
    let entered = browser.submit(&page, "/login", &fields);
    let answer = browser.get(entered.header("Location").unwrap());
    let code = answer.parameter("code").unwrap();
    assert_eq!(world.token(&client, &redeem(&code)).status, 200);
}

#[test]
fn rfc9126_section_3_a_signed_request_can_be_pushed() {
    let world = World::started();
    world.user("alice");
    let key = Key::new();
    let strict = signer(&world, "Bank", &key, &["--profile", "strict"]);
    let usual = signer(&world, "Notes", &key, &[]);
    let mut browser = world.sign_in("alice");
    for client in [&usual, &strict] {
        let sound = claims(&world, client);
        let push = |claims: &Value| {
            let body = format!("request={}&state=outside", object(&key, claims));
            world.ask("POST", "/par", &client.basic(), &body)
        };
        let pushed = push(&sound);
        assert_eq!(pushed.status, 201, "{pushed:?}");
        let uri = pushed.json()["request_uri"].as_str().unwrap().to_owned();
        let start = format!("/authorize?client_id={}&request_uri={uri}", client.id);
        let answer = browser.get(&start);
        assert!(answer.parameter("code").is_some(), "{answer:?}");
        assert_eq!(answer.parameter("state").as_deref(), Some("inside"));

        for (name, value) in [
            ("client_id", json!(usual.secret)),
            ("iss", json!("other")),
            ("aud", json!("https://other.example")),
            ("exp", json!(1)),
            ("request_uri", json!("https://a.example")),
        ] {
            let mut bad = sound.clone();
            bad[name] = value;
            let refused = push(&bad);
            assert_eq!(refused.status, 400, "{name}");
            assert_eq!(refused.json()["error"], "invalid_request_object", "{name}");
        }
    }
}
