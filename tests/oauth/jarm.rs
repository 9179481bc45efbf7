//! Signed authorization responses (JARM) on the wire.

use crate::world::{Answer, REDIRECT, TestClient, World, claims, hidden, redeem};
use doorlight::crypto::compact::Compact;
use doorlight::crypto::jwk_set::KeySet;
use doorlight::ops::clock;
use serde_json::Value;

/// The claims of the answer, checked against the published keys, and what they are signed with.
fn opened(world: &World, client: &TestClient, jwt: &str) -> (Value, String) {
    let keys = KeySet::parse(&world.ask("GET", "/jwks.json", "", "").json()).unwrap();
    let compact = Compact::parse(jwt).unwrap();
    let claims = Value::Object(compact.verified_by(&keys).unwrap());
    assert_eq!(claims["iss"], world.issuer());
    assert_eq!(claims["aud"], client.id);
    assert_eq!(claims["state"], "s-1");
    let now = clock::now().secs();
    let exp = claims["exp"].as_u64().unwrap();
    assert!(exp > now && exp <= now + 600, "{exp} at {now}");
    (claims, compact.header("alg").unwrap().to_owned())
}

fn response(answer: &Answer) -> String {
    for bare in ["code", "state", "iss", "error"] {
        assert_eq!(answer.parameter(bare), None, "{answer:?}");
    }
    answer.parameter("response").unwrap()
}

#[test]
fn jarm_a_signed_answer_gives_tokens() {
    let world = World::started();
    world.user("alice");
    let usual = world.trusted();
    let more = ["--redirect-uri", REDIRECT, "--trusted"];
    let alg = ["--authorization-signed-response-alg", "ES256"];
    let chosen = world.client("Chosen", &[more.as_slice(), &alg].concat());
    let mut browser = world.sign_in("alice");
    for (client, alg) in [(&usual, "RS256"), (&chosen, "ES256")] {
        for mode in ["jwt", "query.jwt", "form_post.jwt"] {
            let answer = browser.authorize(client, "openid", &format!("&response_mode={mode}"));
            let jwt = if mode == "form_post.jwt" {
                let fields = hidden(&answer.body, REDIRECT);
                let [(name, jwt)] = &fields[..] else {
                    panic!("{fields:?}")
                };
                assert_eq!(name, "response");
                jwt.clone()
            } else {
                assert!(answer.header("Location").unwrap().starts_with(REDIRECT));
                response(&answer)
            };
            let (claims, signed_with) = opened(&world, client, &jwt);
            assert_eq!(signed_with, alg, "{mode}");
            let code = claims["code"].as_str().unwrap();
            assert_eq!(world.token(client, &redeem(code)).status, 200, "{mode}");
        }
    }
}

#[test]
fn jarm_errors_are_signed_as_the_mode_says() {
    let world = World::started();
    let client = world.trusted();
    let mut browser = crate::world::Browser::new(&world);
    for (more, error) in [
        ("&prompt=none", "login_required"),
        ("&max_age=x", "invalid_request"),
        ("&nonce=again", "invalid_request"),
    ] {
        let answer = browser.authorize(&client, "openid", &format!("&response_mode=jwt{more}"));
        let (claims, _) = opened(&world, &client, &response(&answer));
        assert_eq!(claims["error"], error, "{more}");
        assert!(claims.get("code").is_none());
    }
    // No mode that exists: the error is not signed.
    for mode in ["fragment.jwt", "query.jwt&response_mode=jwt", "JWT"] {
        let answer = browser.authorize(&client, "openid", &format!("&response_mode={mode}"));
        assert_eq!(
            answer.parameter("error").as_deref(),
            Some("invalid_request")
        );
    }
}

#[test]
fn a_signed_answer_is_no_token() {
    let world = World::started();
    world.user("alice");
    let client = world.trusted();
    let mut browser = world.sign_in("alice");
    let jwt = response(&browser.authorize(&client, "openid", "&response_mode=jwt"));
    assert!(claims(&jwt)["code"].is_string());
    let bearer = format!("Authorization: Bearer {jwt}\r\n");
    assert_eq!(world.ask("GET", "/userinfo", &bearer, "").status, 401);
    assert_eq!(world.introspect(&client, &jwt)["active"], false);
    // As a hint it says nothing of a person: whoever is signed in goes on.
    let hinted = browser.authorize(&client, "openid", &format!("&id_token_hint={jwt}"));
    assert!(hinted.parameter("code").is_some());
}
