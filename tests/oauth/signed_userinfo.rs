//! Signed userinfo (OpenID Connect Core §5.3.2), and EdDSA (RFC 8037) wherever a client asks for it.

use crate::world::{REDIRECT, TestClient, World};
use doorlight::crypto::compact::Compact;
use doorlight::crypto::jwk_set::KeySet;
use serde_json::{Value, json};

/// The claims of a token, checked against the published keys, and what it is signed with.
fn opened(world: &World, jwt: &str) -> (Value, String) {
    let keys = KeySet::parse(&world.ask("GET", "/jwks.json", "", "").json()).unwrap();
    let compact = Compact::parse(jwt).unwrap();
    let claims = Value::Object(compact.verified_by(&keys).unwrap());
    (claims, compact.header("alg").unwrap().to_owned())
}

fn key_types(world: &World) -> Vec<String> {
    let keys = world.ask("GET", "/jwks.json", "", "").json();
    let types = keys["keys"].as_array().unwrap().iter();
    let mut types: Vec<String> = types
        .map(|key| key["kty"].as_str().unwrap().to_owned())
        .collect();
    types.sort_unstable();
    types
}

fn signing(world: &World, name: &str, more: &[&str]) -> TestClient {
    let usual = ["--redirect-uri", REDIRECT, "--trusted"];
    world.client(name, &[usual.as_slice(), more].concat())
}

fn bearer(tokens: &Value) -> String {
    let access = tokens["access_token"].as_str().unwrap();
    format!("Authorization: Bearer {access}\r\n")
}

#[test]
fn openid_core_section_5_3_2_a_signed_answer_is_addressed() {
    let world = World::started();
    world.user("alice");
    let mut browser = world.sign_in("alice");
    for alg in ["RS256", "ES256", "EdDSA"] {
        let client = signing(&world, alg, &["--userinfo-signed-response-alg", alg]);
        let tokens = browser.tokens(&client, "openid email");
        let answer = world.ask("GET", "/userinfo", &bearer(&tokens), "");
        assert_eq!(
            answer.header("Content-Type"),
            Some("application/jwt"),
            "{alg}"
        );
        assert_eq!(answer.header("Cache-Control"), Some("no-store"), "{alg}");
        let (claims, signed_with) = opened(&world, &answer.body);
        assert_eq!(signed_with, alg);
        assert_eq!(claims["iss"], world.issuer());
        assert_eq!(claims["aud"], client.id);
        assert_eq!(claims["email"], "alice@example.org");
        let (id, _) = opened(&world, tokens["id_token"].as_str().unwrap());
        assert_eq!(claims["sub"], id["sub"]);
        // It opens nothing.
        let with_it = format!("Authorization: Bearer {}\r\n", answer.body);
        assert_eq!(world.ask("GET", "/userinfo", &with_it, "").status, 401);
        assert_eq!(world.introspect(&client, &answer.body)["active"], false);
        // Errors are as ever.
        let refused = world.ask("GET", "/userinfo", "Authorization: Bearer x\r\n", "");
        assert_eq!(refused.status, 401);
    }
    let plain = browser.tokens(&world.trusted(), "openid");
    let answer = world.ask("GET", "/userinfo", &bearer(&plain), "");
    assert_eq!(answer.header("Content-Type"), Some("application/json"));
    assert!(answer.json().get("aud").is_none());
}

/// A service that was sent an access token can fetch it, and would sign the person out of any browser with an image.
#[test]
fn rfc8725_section_3_12_a_signed_answer_is_no_id_token_hint() {
    let world = World::started();
    world.user("alice");
    let mut browser = world.sign_in("alice");
    let client = signing(&world, "App", &["--userinfo-signed-response-alg", "RS256"]);
    let tokens = browser.tokens(&client, "openid");
    let answer = world.ask("GET", "/userinfo", &bearer(&tokens), "").body;
    let asked = browser.get(&format!("/logout?id_token_hint={answer}"));
    assert_eq!(asked.status, 200);
    let silent = browser.authorize(&client, "openid", "&prompt=none");
    assert!(silent.parameter("code").is_some(), "{silent:?}");
    // The ID token itself still does.
    let id = tokens["id_token"].as_str().unwrap();
    browser.get(&format!("/logout?id_token_hint={id}"));
    let silent = browser.authorize(&client, "openid", "&prompt=none");
    assert_eq!(silent.parameter("error").as_deref(), Some("login_required"));
}

/// Some applications cannot read a key set with a kind of key that they do not know.
#[test]
fn a_key_for_eddsa_exists_once_a_client_uses_it_and_signs_at_once() {
    let world = World::started();
    world.user("alice");
    assert_eq!(key_types(&world), ["EC", "RSA"]);
    let refused = world.run(&["keys", "rotate", "--alg", "EdDSA"], "");
    assert!(!refused.status.success());
    assert_eq!(key_types(&world), ["EC", "RSA"]);

    let client = signing(&world, "Ed", &["--id-token-alg", "EdDSA"]);
    assert_eq!(key_types(&world), ["EC", "OKP", "RSA"]);
    let mut browser = world.sign_in("alice");
    let tokens = browser.tokens(&client, "openid");
    let id_token = tokens["id_token"].as_str().unwrap();
    let (claims, signed_with) = opened(&world, id_token);
    assert_eq!(signed_with, "EdDSA");
    // Core §3.1.3.6: half of a SHA-512, in base64url.
    assert_eq!(claims["at_hash"].as_str().unwrap().len(), 43);
    let (_, access) = opened(&world, tokens["access_token"].as_str().unwrap());
    assert_eq!(access, "ES256");
    // As a hint it names its person.
    let hinted = browser.authorize(
        &client,
        "openid",
        &format!("&prompt=none&id_token_hint={id_token}"),
    );
    assert!(hinted.parameter("code").is_some());
    let answered = browser.authorize(&client, "openid", "&response_mode=jwt");
    let (_, jarm) = opened(&world, &answered.parameter("response").unwrap());
    assert_eq!(jarm, "EdDSA");

    // A second client needs no second key; a rotation makes one, and the old one stays to be checked with.
    let _ = signing(
        &world,
        "Ed too",
        &["--userinfo-signed-response-alg", "EdDSA"],
    );
    assert_eq!(key_types(&world), ["EC", "OKP", "RSA"]);
    world.verb(&["keys", "rotate", "--alg", "EdDSA"], "");
    assert_eq!(key_types(&world), ["EC", "OKP", "OKP", "RSA"]);
    opened(&world, id_token);
    let again = browser.tokens(&client, "openid");
    opened(&world, again["id_token"].as_str().unwrap());
}

/// Anyone could otherwise break what others read.
#[test]
fn strangers_bring_no_key_of_another_kind_about() {
    let world = crate::registration::open();
    let wanted = json!({ "redirect_uris": [REDIRECT], "userinfo_signed_response_alg": "EdDSA" });
    let refused = crate::registration::register(&world, "", &wanted);
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["error"], "invalid_client_metadata");
    let plain = crate::registration::registered(&world, &json!({ "redirect_uris": [REDIRECT] }));
    let (path, header) = crate::registration::management(&world, &plain);
    let mut update = wanted.clone();
    update["client_id"] = plain["client_id"].clone();
    let headers = format!("{}{header}", crate::registration::JSON);
    let refused = world.ask("PUT", &path, &headers, &update.to_string());
    assert_eq!(
        refused.json()["error"],
        "invalid_client_metadata",
        "{refused:?}"
    );
    assert_eq!(key_types(&world), ["EC", "RSA"]);

    let token = world.verb(&["registration", "add-token"], "");
    let header = crate::registration::bearer(&token["token"]);
    let made = crate::registration::register(&world, &header, &wanted);
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.json()["userinfo_signed_response_alg"], "EdDSA");
    assert_eq!(key_types(&world), ["EC", "OKP", "RSA"]);
    // Now it is there for everybody.
    let later = crate::registration::registered(&world, &wanted);
    assert_eq!(later["userinfo_signed_response_alg"], "EdDSA");
}

#[test]
fn access_tokens_are_not_signed_with_eddsa() {
    let world = World::started();
    let usual = ["client", "add", "Ed", "--redirect-uri", REDIRECT];
    let refused = world.run(
        &[usual.as_slice(), &["--access-token-alg", "EdDSA"]].concat(),
        "",
    );
    assert!(!refused.status.success());
    let strict = [
        "--profile",
        "strict",
        "--userinfo-signed-response-alg",
        "EdDSA",
    ];
    let refused = world.run(&[usual.as_slice(), &strict].concat(), "");
    assert!(!refused.status.success());
    assert_eq!(key_types(&world), ["EC", "RSA"]);
}
