//! Signed texts of others (RFC 7515 §3.1, RFC 8725 §3): only what was signed verifies, as it was signed.

use crate::key;
use doorlight::crypto::compact::Compact;
use doorlight::crypto::jwk_set::KeySet;
use doorlight::crypto::public_key::PublicKey;
use serde_json::json;
use std::sync::OnceLock;

/// What the key has signed, in all these runs.
static SIGNED: OnceLock<String> = OnceLock::new();

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(compact) = Compact::parse(text) else {
        return;
    };
    assert_eq!(text.split('.').count(), 3, "{text}");
    assert!(compact.header("crit").is_none());
    let Ok(key) = PublicKey::parse(&key::jwk()) else {
        panic!("a key that every run has");
    };
    let set = KeySet::parse(&json!({ "keys": [key::jwk()] })).unwrap_or_default();
    let known =
        SIGNED.get_or_init(|| key::signed(br#"{"alg":"EdDSA","typ":"JWT"}"#, br#"{"sub":"a"}"#));
    let signed = |text: &str| text.rsplit_once('.').map(|(signed, _)| signed.to_owned());
    for verified in [compact.verified_with(&key), compact.verified_by(&set)] {
        if let Ok(claims) = verified {
            assert_eq!(signed(text), signed(known), "never signed");
            assert_eq!(claims.get("sub"), Some(&json!("a")));
        }
    }
    // RFC 8725 §2.1: a public key is nobody's shared secret.
    assert!(
        compact
            .verified_by_secret(b"another secret of thirty-two bytes")
            .is_err()
    );
}
