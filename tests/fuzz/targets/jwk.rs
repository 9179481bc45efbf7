//! Keys that applications register or publish (RFC 7517, RFC 7518 §6, RFC 8037 §2): what is taken has a name that hangs
//! on the key alone (RFC 7638), was never private, and verifies nothing that it did not sign.

use crate::key;
use doorlight::crypto::jwk_set::KeySet;
use doorlight::crypto::public_key::{JwkError, JwsAlgorithm, PublicKey};
use doorlight::types::strict_json::parse_object;
use serde_json::{Map, Value, json};

const ALGORITHMS: [JwsAlgorithm; 4] = [
    JwsAlgorithm::Rs256,
    JwsAlgorithm::Ps256,
    JwsAlgorithm::Es256,
    JwsAlgorithm::EdDsa,
];

pub fn run(data: &[u8]) {
    let Ok(jwk) = parse_object(data) else {
        return;
    };
    let read = PublicKey::parse(&jwk);
    in_a_set(&jwk, &read);
    let Ok(key) = read else {
        return;
    };
    let kept = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    assert!(
        !kept.iter().any(|member| jwk.contains_key(*member)),
        "a private key"
    );
    // RFC 7638 §3.2: only what the key is, in whatever order and company it stands.
    let required = ["kty", "crv", "n", "e", "x", "y"];
    let bare: Map<String, Value> = jwk
        .iter()
        .filter(|(name, _)| required.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let again = PublicKey::parse(&bare);
    assert_eq!(
        again.as_ref().map(PublicKey::thumbprint),
        Ok(key.thumbprint()),
        "another name"
    );
    let fitting = ALGORITHMS.iter().filter(|algorithm| key.fits(**algorithm));
    let most = if jwk.get("kty") == Some(&json!("RSA")) && !jwk.contains_key("alg") {
        2
    } else {
        1
    };
    assert_eq!(fitting.count(), most, "{jwk:?}");
    let ours = key.thumbprint().to_string();
    let theirs = PublicKey::parse(&key::jwk()).map(|key| key.thumbprint().to_string());
    if theirs.as_deref() != Ok(ours.as_str()) {
        let signature = key::pair().sign(b"message");
        for algorithm in ALGORITHMS {
            assert!(!key.verifies(algorithm, b"message", signature.as_ref()));
        }
    }
}

/// RFC 7517 §5: alone in a set, the key is there, is left out, or makes the set one that is not taken.
fn in_a_set(jwk: &Map<String, Value>, read: &Result<PublicKey, JwkError>) {
    let set = KeySet::parse(&json!({ "keys": [jwk] }));
    match (read, set) {
        (Ok(key), Ok(set)) => {
            let found = ALGORITHMS.iter().flat_map(|alg| set.candidates(*alg, None));
            assert!(found.into_iter().all(|candidate| candidate == key));
            assert!(!set.is_empty());
        }
        (Err(JwkError::Unsupported | JwkError::NotForSignatures), Ok(set)) => {
            assert!(set.is_empty())
        }
        (Err(error), Err(same)) => assert_eq!(*error, same),
        (read, set) => panic!("{read:?} alone, {set:?} in a set"),
    }
}
