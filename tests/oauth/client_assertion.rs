//! `private_key_jwt` and `client_secret_jwt` on the wire (RFC 7523, OpenID Connect Core §9). What an assertion must say
//! is told by the table in `src/oauth/client_assertion.rs`.

use crate::world::{Answer, TestClient, World, encode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorlight::ops::clock;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

const TYPE: &str = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";

fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[expect(clippy::disallowed_methods, reason = "a client's own chance")]
fn chance() -> SystemRandom {
    SystemRandom::new()
}

fn new_key() -> EcdsaKeyPair {
    let random = chance();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap()
}

fn jwks(key: &EcdsaKeyPair) -> Value {
    let point = key.public_key().as_ref();
    json!({ "keys": [{
        "kty": "EC", "crv": "P-256", "x": b64(&point[1..33]), "y": b64(&point[33..]), "use": "sig", "kid": "k1",
    }] })
}

fn now() -> u64 {
    clock::now().secs()
}

fn claims(world: &World, client: &str, jti: &str) -> Value {
    json!({ "iss": client, "sub": client, "aud": world.issuer(), "jti": jti, "exp": now() + 60 })
}

fn signed(key: &EcdsaKeyPair, claims: &Value) -> String {
    let head = b64(br#"{"alg":"ES256","kid":"k1"}"#);
    let message = format!("{head}.{}", b64(claims.to_string().as_bytes()));
    let signature = key.sign(&chance(), message.as_bytes()).unwrap();
    format!("{message}.{}", b64(signature.as_ref()))
}

fn mac(secret: &str, claims: &Value) -> String {
    let head = b64(br#"{"alg":"HS256"}"#);
    let message = format!("{head}.{}", b64(claims.to_string().as_bytes()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!(
        "{message}.{}",
        b64(hmac::sign(&key, message.as_bytes()).as_ref())
    )
}

fn ask(world: &World, assertion: &str) -> Answer {
    let body = format!(
        "grant_type=client_credentials&client_assertion_type={TYPE}&client_assertion={}",
        encode(assertion)
    );
    let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
    world.ask("POST", "/token", headers, &body)
}

fn by_key(world: &World, key: &EcdsaKeyPair, more: &[&str]) -> Value {
    let file = world.dir.join("jwks.json");
    std::fs::write(&file, jwks(key).to_string()).unwrap();
    let fixed = [
        "client",
        "add",
        "signer",
        "--grant",
        "client_credentials",
        "--scope",
        "api",
        "--auth-method",
        "private_key_jwt",
        "--jwks-file",
        file.to_str().unwrap(),
    ];
    world.verb(&[fixed.as_slice(), more].concat(), "")
}

fn refused(answer: &Answer) {
    assert_eq!(answer.status, 401, "{}", answer.body);
    assert_eq!(answer.json()["error"], "invalid_client");
    assert!(answer.header("WWW-Authenticate").is_none());
}

#[test]
fn an_assertion_is_taken_once_also_after_a_restart() {
    let mut world = World::started();
    let key = new_key();
    let client = by_key(&world, &key, &[]);
    assert!(
        client["client_secret"].is_null(),
        "it has a key, not a secret"
    );
    let id = client["client_id"].as_str().unwrap().to_owned();
    let first = signed(&key, &claims(&world, &id, "first"));
    let answer = ask(&world, &first);
    assert_eq!(answer.status, 200, "{}", answer.body);
    refused(&ask(&world, &first));
    world.kill();
    world.start();
    refused(&ask(&world, &first));
    assert_eq!(
        ask(&world, &signed(&key, &claims(&world, &id, "second"))).status,
        200
    );

    // The same name again, in another assertion.
    let mut again = claims(&world, &id, "second");
    again["exp"] = json!(now() + 120);
    refused(&ask(&world, &signed(&key, &again)));
    // Another's key, another's name.
    refused(&ask(
        &world,
        &signed(&new_key(), &claims(&world, &id, "third")),
    ));
    let other = world.client("other", &["--grant", "client_credentials"]);
    refused(&ask(
        &world,
        &signed(&key, &claims(&world, &other.id, "fourth")),
    ));
    // Its id alone, or with a secret, is not enough.
    let body = format!("grant_type=client_credentials&client_id={id}&client_secret=x");
    let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
    refused(&world.ask("POST", "/token", headers, &body));
}

#[test]
fn two_at_once_with_one_assertion_come_one_after_the_other() {
    let world = World::started();
    let key = new_key();
    let client = by_key(&world, &key, &[]);
    let id = client["client_id"].as_str().unwrap();
    let assertion = signed(&key, &claims(&world, id, "raced"));
    let good = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| ask(&world, &assertion).status == 200))
            .collect();
        tries
            .into_iter()
            .map(|tried| tried.join().unwrap())
            .filter(|good| *good)
            .count()
    });
    assert_eq!(good, 1);
}

#[test]
fn fapi_2_section_5_3_2_1_the_strict_profile_takes_the_issuer_only() {
    let world = World::started();
    let key = new_key();
    let client = by_key(&world, &key, &["--profile", "strict"]);
    let id = client["client_id"].as_str().unwrap();
    let mut to_endpoint = claims(&world, id, "a");
    to_endpoint["aud"] = json!(format!("{}/token", world.issuer()));
    refused(&ask(&world, &signed(&key, &to_endpoint)));
    let mut to_several = claims(&world, id, "b");
    to_several["aud"] = json!([world.issuer()]);
    refused(&ask(&world, &signed(&key, &to_several)));
    let right = ask(&world, &signed(&key, &claims(&world, id, "c")));
    assert_ne!(right.status, 401, "{}", right.body);
}

#[test]
fn openid_core_section_9_a_client_may_sign_with_its_secret() {
    let world = World::started();
    let client: TestClient = world.client(
        "maccer",
        &[
            "--grant",
            "client_credentials",
            "--scope",
            "api",
            "--auth-method",
            "client_secret_jwt",
        ],
    );
    let good = mac(&client.secret, &claims(&world, &client.id, "one"));
    assert_eq!(ask(&world, &good).status, 200);
    refused(&ask(&world, &good));
    refused(&ask(
        &world,
        &mac("guess", &claims(&world, &client.id, "two")),
    ));
    // Who chose to sign does not send the secret.
    let sent = world.token(&client, "grant_type=client_credentials");
    assert_eq!(
        (sent.status, sent.json()["error"].as_str()),
        (401, Some("invalid_client"))
    );
    // A second secret signs as well as the first.
    let rotated = world.verb(&["client", "rotate-secret", "maccer"], "");
    let second = rotated["client_secret"].as_str().unwrap();
    assert_eq!(
        ask(&world, &mac(second, &claims(&world, &client.id, "three"))).status,
        200
    );
}

#[test]
fn key_sets_that_are_not_taken_change_nothing() {
    let world = World::started();
    let good = jwks(&new_key());
    let mut private = good.clone();
    private["keys"][0]["d"] = json!("AAAA");
    let mut off_curve = good.clone();
    off_curve["keys"][0]["y"] = json!(b64(&[0; 32]));
    let weak = json!({ "keys": [{ "kty": "RSA", "e": "AQAB", "n": b64(&[255; 128]) }] });
    let twice = good
        .to_string()
        .replacen("\"kty\"", "\"kty\":\"EC\",\"kty\"", 1);
    for (text, expected) in [
        (private.to_string(), "private key"),
        (off_curve.to_string(), "no point of its curve"),
        (weak.to_string(), "2,048"),
        (json!({ "keys": [] }).to_string(), "no key"),
        (twice, "not a JWK set"),
        ("[]".to_owned(), "not a JWK set"),
    ] {
        let file = world.dir.join("bad.json");
        std::fs::write(&file, &text).unwrap();
        let output = world.run(
            &[
                "client",
                "add",
                "bad",
                "--grant",
                "client_credentials",
                "--auth-method",
                "private_key_jwt",
                "--jwks-file",
                file.to_str().unwrap(),
            ],
            "",
        );
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(expected), "{said}");
    }
    let clients = world.verb(&["client", "list"], "");
    assert_eq!(clients.as_array().unwrap().len(), 0, "{clients}");
}
