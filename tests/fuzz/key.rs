//! A key of an application's, and what it signs: Ed25519, whose signatures nobody can turn into others that hold too.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Map, Value, json};

/// The key that every run signs with.
pub fn pair() -> Ed25519KeyPair {
    match Ed25519KeyPair::from_seed_unchecked(&[7; 32]) {
        Ok(pair) => pair,
        Err(error) => panic!("{error}"),
    }
}

/// Its public half, as a JWK.
pub fn jwk() -> Map<String, Value> {
    let x = base64url(pair().public_key().as_ref());
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
    jwk.as_object().cloned().unwrap_or_default()
}

/// A compact JWS of these bytes (RFC 7515 §3.1).
pub fn signed(header: &[u8], payload: &[u8]) -> String {
    let signed = format!("{}.{}", base64url(header), base64url(payload));
    let signature = base64url(pair().sign(signed.as_bytes()).as_ref());
    format!("{signed}.{signature}")
}

pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
