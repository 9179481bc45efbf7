//! DPoP proofs (RFC 9449 §4.3), signed as they should be and saying anything: what is taken says what it must.

use crate::{input, key};
use doorlight::oauth::dpop::{Target, check, normal};
use doorlight::types::Timestamp;
use serde_json::{Value, json};
use std::sync::OnceLock;

const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);
const ENDPOINT: &str = "https://id.example/token";

static HEADER: OnceLock<String> = OnceLock::new();

pub fn run(data: &[u8]) {
    let Some([address, claims]) = input::text_lines(data) else {
        return;
    };
    one_spelling(address);
    let target = Target {
        method: "POST",
        endpoint: ENDPOINT,
        access_token: None,
    };
    // As it comes, which nobody signed.
    assert!(check([claims], target, NOW).is_err());
    let header = HEADER.get_or_init(|| {
        json!({ "typ": "dpop+jwt", "alg": "EdDSA", "jwk": key::jwk() }).to_string()
    });
    let proof = key::signed(header.as_bytes(), claims.as_bytes());
    let Ok(taken) = check([proof.as_str()], target, NOW) else {
        return;
    };
    assert!(taken.is_some());
    let Ok(claims) = serde_json::from_str::<Value>(claims) else {
        panic!("claims that are no JSON: {claims}");
    };
    assert_eq!(claims["htm"], "POST");
    let named = claims["htu"].as_str().unwrap_or_default();
    assert_eq!(normal(named), normal(ENDPOINT), "{named}");
    let id = claims["jti"].as_str().unwrap_or_default();
    assert!((1..=256).contains(&id.len()));
    let issued = claims["iat"].as_f64().unwrap_or_default();
    assert!((issued - 1_795_000_000.0).abs() < 61.0, "{issued}");
    // Twice is once too often, and for another endpoint it is not.
    assert!(check([proof.as_str(), proof.as_str()], target, NOW).is_err());
    let elsewhere = Target {
        endpoint: "https://id.example/userinfo",
        ..target
    };
    assert!(check([proof.as_str()], elsewhere, NOW).is_err());
}

/// RFC 9449 §4.3 item 9: a compared address compares with itself, and has neither query nor fragment nor a person.
fn one_spelling(address: &str) {
    let Some(once) = normal(address) else {
        return;
    };
    assert_eq!(normal(&once).as_ref(), Some(&once), "{address}");
    assert!(
        !once.contains(['?', '#', '@']) || once.split('/').skip(3).any(|part| part.contains('@')),
        "{once}"
    );
    let scheme = once.starts_with("https://") || once.starts_with("http://");
    assert!(scheme && once.is_ascii(), "{once}");
}
