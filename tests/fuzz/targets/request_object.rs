//! Request objects (RFC 9101), signed as they should be and saying anything: what is taken comes from the client, for
//! us and now, and leads nowhere but to the client.

use crate::{input, key, world};
use doorlight::model::Profile;
use doorlight::oauth::authorize::request_object::{Beside, open};
use doorlight::oauth::authorize::{Via, read};
use doorlight::types::{Form, Issuer, Timestamp};
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);
const HEADER: &[u8] = br#"{"alg":"EdDSA","typ":"oauth-authz-req+jwt"}"#;

pub fn run(data: &[u8]) {
    let Some([outside, claims]) = input::text_lines(data) else {
        return;
    };
    let Ok(issuer) = "https://id.example".parse::<Issuer>() else {
        panic!("an issuer");
    };
    let Ok(outside) = Form::parse(outside.as_bytes()) else {
        return;
    };
    let form = outside
        .without("request")
        .with("request", &key::signed(HEADER, claims.as_bytes()));
    let mut client = world::client();
    client.jwks = Some(json!({ "keys": [key::jwk()] }));
    for profile in [Profile::Standard, Profile::Strict] {
        client.profile = profile;
        for beside in [Beside::Count, Beside::AreIgnored] {
            if let Ok(merged) = open(&client, &form, beside, &issuer, NOW) {
                let Some(merged) = merged else {
                    panic!("an object was there");
                };
                said(claims, &form, &merged, beside);
            }
        }
        let alone = form
            .without("client_id")
            .with("client_id", world::CLIENT_ID);
        if let Ok(heard) = read(&client, &alone, Via::Browser, &issuer, NOW) {
            let target = match &heard.request {
                Ok(request) => &request.target,
                Err((target, _)) => target,
            };
            assert_eq!(target.redirect_uri.as_str(), "https://notes.example/cb");
        }
    }
}

fn said(claims: &str, form: &Form, merged: &Form, beside: Beside) {
    let Ok(claims) = serde_json::from_str::<Value>(claims) else {
        panic!("claims that are no JSON: {claims}");
    };
    assert_eq!(claims["iss"], world::CLIENT_ID);
    assert_ne!(claims["sub"], world::CLIENT_ID);
    assert!(
        claims["exp"].is_null()
            || claims["exp"]
                .as_f64()
                .is_some_and(|exp| exp > 1_795_000_000.0)
    );
    assert!(!merged.has("request") && !merged.has("request_uri"));
    // RFC 9101 §6.3: what is inside counts; when it is empty, as left out (RFC 6749 §3.1).
    for name in ["state", "redirect_uri", "scope", "nonce", "prompt"] {
        match claims[name].as_str() {
            Some(inside) => {
                let counts = Some(inside).filter(|inside| !inside.is_empty());
                assert_eq!(merged.one(name), Ok(counts), "{name}");
            }
            None if beside == Beside::AreIgnored => assert!(!merged.has(name), "{name}"),
            None => assert!(merged.all(name).eq(form.all(name)), "{name}"),
        }
    }
}
