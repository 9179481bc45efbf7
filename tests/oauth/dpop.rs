//! Demonstrating proof of possession (RFC 9449).

use crate::prover::{Key, fresh, line, now, sha256};
use crate::world::{Answer, Browser, REDIRECT, TestClient, World, claims, redeem};
use serde_json::{Value, json};

const SERVICE: &str = "grant_type=client_credentials";

fn token_url(world: &World) -> String {
    format!("{}/token", world.issuer())
}

fn userinfo_url(world: &World) -> String {
    format!("{}/userinfo", world.issuer())
}

/// A token request with a fresh proof of the key.
fn token(world: &World, client: &TestClient, key: &Key, body: &str) -> Answer {
    let proof = key.proof("POST", &token_url(world));
    world.ask(
        "POST",
        "/token",
        &format!("{}{proof}", client.basic()),
        body,
    )
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap().to_owned()
}

fn error(answer: &Answer) -> (u16, String) {
    (answer.status, text(&answer.json(), "error"))
}

#[test]
fn rfc9449_section_5_a_proof_binds_the_token_of_a_service() {
    let world = World::started();
    let client = world.trusted();
    let key = Key::new();
    let answer = token(&world, &client, &key, SERVICE);
    assert_eq!(answer.status, 200, "{answer:?}");
    let tokens = answer.json();
    assert_eq!(tokens["token_type"], "DPoP");
    let access = text(&tokens, "access_token");
    assert_eq!(claims(&access)["cnf"], json!({ "jkt": key.jkt() }));
    // RFC 9449 §6.2.
    let known = world.introspect(&client, &access);
    assert_eq!(known["cnf"], json!({ "jkt": key.jkt() }));
    assert_eq!(known["token_type"], "DPoP");

    let plain = world.token(&client, SERVICE).json();
    assert_eq!(plain["token_type"], "Bearer");
    assert!(claims(&text(&plain, "access_token")).get("cnf").is_none());
}

#[test]
fn rfc9449_section_7_userinfo_answers_whoever_proves_the_tokens_key() {
    let world = World::started();
    world.user("alice");
    let client = world.trusted();
    let key = Key::new();
    let code = world.sign_in("alice").code(&client, "openid email");
    let tokens = token(&world, &client, &key, &redeem(&code)).json();
    let access = text(&tokens, "access_token");
    for method in ["GET", "POST"] {
        let headers = key.with_token(method, &userinfo_url(&world), &access);
        let headers = headers.replace("DPoP eyJ", "dpop eyJ");
        let answer = world.ask(method, "/userinfo", &headers, "");
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["email"], "alice@example.org");
    }
}
