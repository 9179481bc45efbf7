//! What the registration endpoint and the address of a registration refuse: the specification's error, and nothing
//! changed.

use crate::registration::{JSON, bearer, management, open, register, registered};
use crate::world::{REDIRECT, World};
use serde_json::{Value, json};

/// Metadata that is fine but for one member.
fn with(member: &str, value: Value) -> Value {
    let mut metadata = json!({ "redirect_uris": [REDIRECT] });
    metadata[member] = value;
    metadata
}

fn clients(world: &World) -> usize {
    world
        .verb(&["client", "list"], "")
        .as_array()
        .unwrap()
        .len()
}

#[test]
fn rfc7591_section_3_2_2_metadata_that_cannot_be_registered() {
    let world = open();
    let keys = world.ask("GET", "/jwks.json", "", "").json();
    let both = json!({ "redirect_uris": [REDIRECT], "jwks": keys, "jwks_uri": "https://app.example/jwks" });
    for (what, metadata) in [
        ("RFC 7591 §2: two sets of keys", both),
        (
            "keys by address",
            with("jwks_uri", json!("ftp://app.example/jwks")),
        ),
        ("keys of no set", with("jwks", json!({ "keys": 1 }))),
        (
            "a weak key",
            with(
                "jwks",
                json!({ "keys": [{ "kty": "RSA", "n": "AQ", "e": "AQAB" }] }),
            ),
        ),
        (
            "grant: implicit",
            with("grant_types", json!(["authorization_code", "implicit"])),
        ),
        (
            "grant: client_credentials",
            with("grant_types", json!(["client_credentials"])),
        ),
        (
            "grant: refresh alone",
            with("grant_types", json!(["refresh_token"])),
        ),
        ("no grant", with("grant_types", json!([]))),
        (
            "grants of no list",
            with("grant_types", json!("authorization_code")),
        ),
        (
            "response type: token",
            with("response_types", json!(["token"])),
        ),
        (
            "response type: code id_token",
            with("response_types", json!(["code", "code id_token"])),
        ),
        ("no response type", with("response_types", json!([]))),
        (
            "method: unknown",
            with("token_endpoint_auth_method", json!("tls_client_auth")),
        ),
        (
            "method: no text",
            with("token_endpoint_auth_method", json!(["none"])),
        ),
        ("scope: malformed", with("scope", json!("open\\id"))),
        ("scope: a list", with("scope", json!(["openid"]))),
        (
            "scope: none that is allowed",
            with("scope", json!("admin groups")),
        ),
        (
            "name: too long",
            with("client_name", json!("x".repeat(101))),
        ),
        (
            "name: turned around",
            with("client_name", json!("Not\u{202e}es")),
        ),
        (
            "name: control character",
            with("client_name", json!("Not\nes")),
        ),
        ("name: no text", with("client_name", json!(1))),
        (
            "application type",
            with("application_type", json!("service")),
        ),
        ("subject type", with("subject_type", json!("private"))),
        (
            "subject type: a list",
            with("subject_type", json!(["pairwise"])),
        ),
        (
            "ID token: none",
            with("id_token_signed_response_alg", json!("none")),
        ),
        (
            "ID token: HS256",
            with("id_token_signed_response_alg", json!("HS256")),
        ),
        (
            "ID token: encrypted",
            with("id_token_encrypted_response_alg", json!("RSA-OAEP")),
        ),
        (
            "userinfo: signed",
            with("userinfo_signed_response_alg", json!("none")),
        ),
        (
            "sector: http",
            with("sector_identifier_uri", json!("http://app.example/sector")),
        ),
        (
            "sector: no text",
            with(
                "sector_identifier_uri",
                json!(["https://app.example/sector"]),
            ),
        ),
        (
            "keys of its own, and none there",
            with("token_endpoint_auth_method", json!("private_key_jwt")),
        ),
        (
            "DPoP: no flag",
            with("dpop_bound_access_tokens", json!("yes")),
        ),
        (
            "algorithm of assertions",
            with("token_endpoint_auth_signing_alg", json!("ES256")),
        ),
        (
            "the device grant",
            with(
                "grant_types",
                json!([
                    "authorization_code",
                    "urn:ietf:params:oauth:grant-type:device_code"
                ]),
            ),
        ),
        (
            "bound to a certificate",
            with("tls_client_certificate_bound_access_tokens", json!(true)),
        ),
    ] {
        let answer = register(&world, "", &metadata);
        assert_eq!(answer.status, 400, "{what}: {answer:?}");
        assert_eq!(answer.json()["error"], "invalid_client_metadata", "{what}");
        assert_eq!(answer.header("Cache-Control"), Some("no-store"), "{what}");
    }
    assert_eq!(clients(&world), 0);
}

/// What people are shown of an application, and where they end up. One address may ask only so often: a world of its own.
#[test]
fn rfc7591_section_2_words_and_pages_that_cannot_be_registered() {
    let world = open();
    for (what, metadata) in [
        (
            "client_uri: script",
            with("client_uri", json!("javascript:alert(1)")),
        ),
        (
            "logo_uri: data",
            with("logo_uri", json!("data:image/png;base64,AA")),
        ),
        ("policy_uri: no address", with("policy_uri", json!("terms"))),
        ("tos_uri: no text", with("tos_uri", json!({}))),
        (
            "contacts: no list",
            with("contacts", json!("ann@example.org")),
        ),
        ("contacts: too many", with("contacts", json!(vec!["a"; 11]))),
        (
            "default_max_age: negative",
            with("default_max_age", json!(-1)),
        ),
        (
            "default_max_age: no number",
            with("default_max_age", json!("60")),
        ),
        (
            "require_auth_time: no flag",
            with("require_auth_time", json!("yes")),
        ),
        (
            "sign-out: http",
            with(
                "post_logout_redirect_uris",
                json!(["http://app.example/bye"]),
            ),
        ),
        (
            "sign-out: fragment",
            with(
                "post_logout_redirect_uris",
                json!(["https://app.example/#bye"]),
            ),
        ),
    ] {
        let answer = register(&world, "", &metadata);
        assert_eq!(answer.status, 400, "{what}: {answer:?}");
        assert_eq!(answer.json()["error"], "invalid_client_metadata", "{what}");
        assert_eq!(answer.header("Cache-Control"), Some("no-store"), "{what}");
    }
    assert_eq!(clients(&world), 0);
}

/// Addresses of documents that Doorlight would fetch.
#[test]
fn rfc7591_section_2_addresses_that_cannot_be_registered() {
    let world = open();
    for (what, metadata) in [
        (
            "RFC 7591 §2: an address of keys that is no text",
            with("jwks_uri", json!(["https://app.example/jwks"])),
        ),
        (
            "RFC 7591 §2: an address of keys with a name and password",
            with("jwks_uri", json!("https://a:b@app.example/jwks")),
        ),
        (
            "OpenID Connect Core §6.2: addresses that are no list",
            with("request_uris", json!("https://app.example/ro")),
        ),
        (
            "OpenID Connect Core §6.2: an address that is not of the web",
            with("request_uris", json!(["urn:app:ro"])),
        ),
        (
            "OpenID Connect Core §6.2: an address that is too long",
            with(
                "request_uris",
                json!([format!("https://app.example/{}", "x".repeat(512))]),
            ),
        ),
    ] {
        let answer = register(&world, "", &metadata);
        assert_eq!(answer.status, 400, "{what}: {answer:?}");
        assert_eq!(answer.json()["error"], "invalid_client_metadata", "{what}");
    }
    assert_eq!(clients(&world), 0);
}

#[test]
fn rfc7591_section_3_2_2_redirect_uris_that_cannot_be_registered() {
    let world = open();
    let web = |uris: Value| json!({ "redirect_uris": uris });
    let native = |uri: &str| json!({ "redirect_uris": [uri], "application_type": "native" });
    let claims_web = |uri: &str| json!({ "redirect_uris": [uri], "application_type": "web" });
    for (what, metadata) in [
        ("missing", json!({})),
        ("null", web(Value::Null)),
        ("none", web(json!([]))),
        ("no list", web(json!(REDIRECT))),
        ("no text", web(json!([1]))),
        ("empty", web(json!([""]))),
        (
            "too long",
            web(json!([format!("{REDIRECT}/{}", "x".repeat(2_000))])),
        ),
        ("relative", web(json!(["/cb"]))),
        ("fragment", web(json!(["https://app.example/cb#x"]))),
        ("wildcard", web(json!(["https://*.example/cb"]))),
        ("user name", web(json!(["https://a@app.example/cb"]))),
        ("plain http", web(json!(["http://app.example/cb"]))),
        (
            "plain http behind a space",
            web(json!([" http://app.example/cb"])),
        ),
        ("script", web(json!(["javascript:alert(1)"]))),
        (
            "one of two",
            web(json!([REDIRECT, "http://app.example/cb"])),
        ),
        ("web on localhost", claims_web("http://localhost/cb")),
        ("web on https localhost", claims_web("https://localhost/cb")),
        (
            "web with a scheme of its own",
            claims_web("com.example.app:/cb"),
        ),
        ("native on remote http", native("http://app.example/cb")),
        ("native with a scheme of anybody", native("myapp:/cb")),
    ] {
        let answer = register(&world, "", &metadata);
        assert_eq!(answer.status, 400, "{what}: {answer:?}");
        assert_eq!(answer.json()["error"], "invalid_redirect_uri", "{what}");
    }
    assert_eq!(clients(&world), 0);
}

#[test]
fn rfc7591_section_3_1_bodies_that_are_no_registration() {
    let world = open();
    let good = json!({ "redirect_uris": [REDIRECT] }).to_string();
    let large = with("software_id", json!("x".repeat(17_000))).to_string();
    let twice =
        r#"{"redirect_uris":["https://a.example/"],"redirect_uris":["https://b.example/"]}"#;
    for (what, headers, body) in [
        ("no body", JSON, ""),
        ("no JSON", JSON, "redirect_uris=x"),
        ("no object", JSON, "[]"),
        ("cut off", JSON, &good[..20]),
        ("a member twice", JSON, twice),
        ("too large", JSON, &large),
        ("as a form", "", &good),
        ("as text", "Content-Type: text/plain\r\n", &good),
    ] {
        let answer = world.ask("POST", "/register", headers, body);
        assert_eq!(answer.status, 400, "{what}: {answer:?}");
        assert_eq!(answer.json()["error"], "invalid_client_metadata", "{what}");
    }
    assert_eq!(clients(&world), 0);
    for method in ["GET", "PUT", "DELETE"] {
        assert_eq!(world.ask(method, "/register", "", "").status, 405);
    }
    assert_eq!(world.ask("POST", "/register/x", "", "").status, 405);
    assert_eq!(world.ask("GET", "/register/x/y", "", "").status, 404);
}

#[test]
fn rfc6750_section_3_1_initial_access_tokens_that_do_not_hold() {
    let world = open();
    let metadata = json!({ "redirect_uris": [REDIRECT] });
    let token = world.verb(&["registration", "add-token"], "");
    let other = world.verb(&["registration", "add-token"], "");
    let text = token["token"].as_str().unwrap();
    let (selector, _) = text.split_once('.').unwrap();
    let (_, verifier) = other["token"].as_str().unwrap().split_once('.').unwrap();
    let made = registered(&world, &metadata);
    for (what, token) in [
        ("malformed", json!("x")),
        ("cut off", json!(text[..text.len() - 1])),
        (
            "of another selector",
            json!(format!("{selector}.{verifier}")),
        ),
        (
            "a registration access token",
            made["registration_access_token"].clone(),
        ),
    ] {
        // Registration is open to whoever has no token at all; a wrong one is wrong all the same.
        let answer = register(&world, &bearer(&token), &metadata);
        assert_eq!(answer.status, 401, "{what}: {answer:?}");
        assert_eq!(answer.json()["error"], "invalid_token", "{what}");
    }
    assert_eq!(clients(&world), 1);
    let left = world.verb(&["registration", "list-tokens"], "");
    assert_eq!(
        (&left[0]["uses_left"], &left[1]["uses_left"]),
        (&json!(1), &json!(1))
    );
}

#[test]
fn rfc7592_section_2_tokens_that_do_not_open_a_registration() {
    let world = open();
    let metadata = json!({ "redirect_uris": [REDIRECT], "client_name": "Notes" });
    let made = registered(&world, &metadata);
    let other = registered(&world, &metadata);
    let (path, headers) = management(&world, &made);
    let (_, of_other) = management(&world, &other);
    let initial = world.verb(&["registration", "add-token"], "");
    let by_hand = world.client("By hand", &["--redirect-uri", REDIRECT]);
    let text = made["registration_access_token"].as_str().unwrap();
    let body =
        json!({ "client_id": made["client_id"], "redirect_uris": ["https://evil.example/"] });
    for method in ["GET", "PUT", "DELETE"] {
        let ask = |path: &str, headers: &str| {
            let headers = format!("{JSON}{headers}");
            world.ask(method, path, &headers, &body.to_string())
        };
        let none = ask(&path, "");
        assert_eq!(none.status, 401, "{method}");
        assert_eq!(
            none.header("WWW-Authenticate"),
            Some("Bearer realm=\"Doorlight\"")
        );
        for (what, path, headers) in [
            ("another client's", path.as_str(), of_other.clone()),
            ("initial", &path, bearer(&initial["token"])),
            ("cut off", &path, bearer(&json!(text[..60]))),
            (
                "no such client",
                "/register/00000000000000000000000000",
                headers.clone(),
            ),
            ("no id", "/register/x", headers.clone()),
            (
                "an administrator's client",
                &format!("/register/{}", by_hand.id),
                headers.clone(),
            ),
        ] {
            let answer = ask(path, &headers);
            assert_eq!(answer.status, 401, "{method} {what}: {answer:?}");
            assert_eq!(answer.json()["error"], "invalid_token", "{method} {what}");
        }
    }
    assert_eq!(
        world.ask("GET", &path, &headers, "").json()["redirect_uris"],
        json!([REDIRECT])
    );
    assert_eq!(clients(&world), 3);
}

#[test]
fn rfc7592_section_2_2_replacements_that_are_refused() {
    let world = open();
    let made = registered(&world, &json!({ "redirect_uris": [REDIRECT] }));
    let (path, headers) = management(&world, &made);
    let before = world.ask("GET", &path, &headers, "").json();
    let of = |member: &str, value: Value| {
        let mut body = json!({ "client_id": made["client_id"], "redirect_uris": [REDIRECT] });
        body[member] = value;
        body
    };
    for (what, body, error) in [
        (
            "no client_id",
            json!({ "redirect_uris": [REDIRECT] }),
            "invalid_client_metadata",
        ),
        (
            "another client_id",
            of("client_id", json!("x")),
            "invalid_client_metadata",
        ),
        (
            "a secret of its own choice",
            of("client_secret", json!("x")),
            "invalid_client_metadata",
        ),
        (
            "a secret that is no text",
            of("client_secret", json!(1)),
            "invalid_client_metadata",
        ),
        (
            "the token",
            of(
                "registration_access_token",
                made["registration_access_token"].clone(),
            ),
            "invalid_client_metadata",
        ),
        (
            "the address",
            of(
                "registration_client_uri",
                made["registration_client_uri"].clone(),
            ),
            "invalid_client_metadata",
        ),
        (
            "the end of the secret",
            of("client_secret_expires_at", json!(0)),
            "invalid_client_metadata",
        ),
        (
            "the moment",
            of("client_id_issued_at", made["client_id_issued_at"].clone()),
            "invalid_client_metadata",
        ),
        (
            "no redirect_uris",
            of("redirect_uris", Value::Null),
            "invalid_redirect_uri",
        ),
        (
            "plain http",
            of("redirect_uris", json!(["http://app.example/cb"])),
            "invalid_redirect_uri",
        ),
        (
            "more grants",
            of(
                "grant_types",
                json!(["authorization_code", "client_credentials"]),
            ),
            "invalid_client_metadata",
        ),
        (
            "other scopes only",
            of("scope", json!("groups admin")),
            "invalid_client_metadata",
        ),
    ] {
        let answer = world.ask("PUT", &path, &format!("{JSON}{headers}"), &body.to_string());
        assert_eq!(answer.status, 400, "{what}: {answer:?}");
        assert_eq!(answer.json()["error"], error, "{what}");
    }
    assert_eq!(world.ask("GET", &path, &headers, "").json(), before);
}
