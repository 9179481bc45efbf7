//! Public keys of others, as JWK, and what they may verify. RFC 7517 §4, RFC 7518 §6, RFC 8037 §2, RFC 7638.
//! Owns: which keys are taken at all. Not here: where they come from, which token they belong to.

use super::digest::{base64url, from_base64url, sha256};
use super::random;
use crate::types::Thumbprint;
use ring::agreement::{self, EphemeralPrivateKey};
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::{Map, Value};

/// A JWS algorithm that is verified (RFC 7518 §3.1, RFC 8037 §3.1). All are asymmetric: a public key is never taken for
/// a shared secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum JwsAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl JwsAlgorithm {
    /// The `alg` values, as discovery lists them. Ed25519 has two: RFC 9864 §2.2 names the curve, and §4.1.2 keeps
    /// `EdDSA` for those who came before. With a key of that curve they say the same.
    const VALUES: [(&'static str, Self); 5] = [
        ("RS256", Self::Rs256),
        ("PS256", Self::Ps256),
        ("ES256", Self::Es256),
        ("EdDSA", Self::EdDsa),
        ("Ed25519", Self::EdDsa),
    ];

    /// Every `alg` value that is verified.
    pub fn names() -> [&'static str; 5] {
        Self::VALUES.map(|(name, _)| name)
    }

    /// From an `alg` value; `none` and the HMAC ones are none of these.
    pub fn parse(text: &str) -> Option<Self> {
        let found = Self::VALUES.into_iter().find(|(name, _)| *name == text);
        found.map(|(_, algorithm)| algorithm)
    }
}

/// Why a JWK is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwkError {
    /// A member is missing, mistyped or not base64url of the right length.
    Malformed(&'static str),
    /// A key type, curve or algorithm that is not verified here.
    Unsupported,
    /// It has private members: whoever sent it has published a secret.
    Private,
    /// It is marked for another use than signatures.
    NotForSignatures,
    /// RSA under 2,048 or over 8,192 bits, or with an exponent that is even or under 3.
    WeakRsa,
    /// Coordinates that are no point of the curve.
    OffCurve,
}

/// A public key that may verify signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// Its `kid`, if it has one.
    pub kid: Option<String>,
    alg: Option<JwsAlgorithm>,
    material: Material,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// Uncompressed.
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// RFC 7518 §6.2.2 and §6.3.2, RFC 8037 §2; `k` is a shared secret (RFC 7518 §6.4).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl PublicKey {
    /// Reads and checks one JWK. Members that are not understood are ignored (RFC 7517 §4).
    pub fn parse(jwk: &Map<String, Value>) -> Result<Self, JwkError> {
        if PRIVATE.iter().any(|member| jwk.contains_key(*member)) {
            return Err(JwkError::Private);
        }
        let optional = |name: &'static str| match jwk.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(JwkError::Malformed(name)),
        };
        if optional("use")?.is_some_and(|wanted| wanted != "sig") {
            return Err(JwkError::NotForSignatures);
        }
        if let Some(operations) = jwk.get("key_ops") {
            let operations = operations
                .as_array()
                .ok_or(JwkError::Malformed("key_ops"))?;
            if !operations.iter().any(|operation| operation == "verify") {
                return Err(JwkError::NotForSignatures);
            }
        }
        let alg = match optional("alg")? {
            Some(text) => Some(JwsAlgorithm::parse(text).ok_or(JwkError::Unsupported)?),
            None => None,
        };
        let key = Self {
            kid: optional("kid")?.map(str::to_owned),
            alg,
            material: material(jwk)?,
        };
        match alg {
            Some(alg) if !key.fits(alg) => Err(JwkError::Malformed("alg")),
            _ => Ok(key),
        }
    }

    /// Whether its point is on its curve: for a key that is about to be kept. Whoever uses one need not ask, for no
    /// signature verifies against a point that is not. An agreement with a key made for the purpose fails exactly where
    /// it is not on the curve: ring asks before it multiplies.
    pub fn check_point(&self) -> Result<(), JwkError> {
        let Material::P256(point) = &self.material else {
            return Ok(());
        };
        let peer = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, point);
        EphemeralPrivateKey::generate(&agreement::ECDH_P256, &random::system())
            .and_then(|own| agreement::agree_ephemeral(own, &peer, |_| ()))
            .map_err(|_| JwkError::OffCurve)
    }

    /// Whether the key may verify this algorithm: by its type, and by its own `alg` where it has one.
    pub fn fits(&self, algorithm: JwsAlgorithm) -> bool {
        let by_type = matches!(
            (&self.material, algorithm),
            (
                Material::Rsa { .. },
                JwsAlgorithm::Rs256 | JwsAlgorithm::Ps256
            ) | (Material::P256(_), JwsAlgorithm::Es256)
                | (Material::Ed25519(_), JwsAlgorithm::EdDsa)
        );
        by_type && self.alg.is_none_or(|own| own == algorithm)
    }

    /// Whether `signature` over `message` is this key's, made with `algorithm`.
    pub fn verifies(&self, algorithm: JwsAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        if !self.fits(algorithm) {
            return false;
        }
        match &self.material {
            Material::Rsa { n, e } => {
                let parameters = if algorithm == JwsAlgorithm::Ps256 {
                    &signature::RSA_PSS_2048_8192_SHA256
                } else {
                    &signature::RSA_PKCS1_2048_8192_SHA256
                };
                RsaPublicKeyComponents { n, e }
                    .verify(parameters, message, signature)
                    .is_ok()
            }
            Material::P256(point) => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point)
                    .verify(message, signature)
                    .is_ok()
            }
            Material::Ed25519(point) => UnparsedPublicKey::new(&signature::ED25519, point)
                .verify(message, signature)
                .is_ok(),
        }
    }

    /// The JWK thumbprint (RFC 7638 §3, RFC 8037 §2 and appendix A.3): what a DPoP-bound token is bound to.
    pub fn thumbprint(&self) -> Thumbprint {
        let required = match &self.material {
            Material::Rsa { n, e } => format!(
                r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#,
                base64url(e),
                base64url(n)
            ),
            Material::P256(point) => {
                let (x, y) = point
                    .get(1..)
                    .and_then(|xy| xy.split_at_checked(32))
                    .unwrap_or_default();
                format!(
                    r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
                    base64url(x),
                    base64url(y)
                )
            }
            Material::Ed25519(point) => format!(
                r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#,
                base64url(point)
            ),
        };
        Thumbprint::from_digest(sha256(required.as_bytes()))
    }
}

fn material(jwk: &Map<String, Value>) -> Result<Material, JwkError> {
    let text = |name: &'static str| {
        jwk.get(name)
            .and_then(Value::as_str)
            .ok_or(JwkError::Malformed(name))
    };
    let bytes = |name: &'static str| from_base64url(text(name)?).ok_or(JwkError::Malformed(name));
    // RFC 7518 §6.2.1.2: coordinates of the full 32 octets.
    let coordinate = |name: &'static str| {
        bytes(name).and_then(|bytes| {
            if bytes.len() == 32 {
                Ok(bytes)
            } else {
                Err(JwkError::Malformed(name))
            }
        })
    };
    match text("kty")? {
        "RSA" => rsa(bytes("n")?, bytes("e")?),
        "EC" if text("crv")? == "P-256" => {
            let (x, y) = (coordinate("x")?, coordinate("y")?);
            let point = [&[4], x.as_slice(), &y].concat();
            Ok(Material::P256(point))
        }
        "OKP" if text("crv")? == "Ed25519" => Ok(Material::Ed25519(coordinate("x")?)),
        _ => Err(JwkError::Unsupported),
    }
}

fn rsa(n: Vec<u8>, e: Vec<u8>) -> Result<Material, JwkError> {
    // RFC 7518 §2, Base64urlUInt: no leading zero octets.
    if n.first() == Some(&0) {
        return Err(JwkError::Malformed("n"));
    }
    if e.first() == Some(&0) {
        return Err(JwkError::Malformed("e"));
    }
    let leading = n.first().map_or(0, |byte| byte.leading_zeros() as usize);
    let bits = n.len() * 8 - leading.min(n.len() * 8);
    let odd = e.last().is_some_and(|byte| byte % 2 == 1);
    let one = e.as_slice() == [1];
    if !(2_048..=8_192).contains(&bits) || !odd || one || e.len() > 4 {
        return Err(JwkError::WeakRsa);
    }
    Ok(Material::Rsa { n, e })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::keyring::testing::ring as keys;
    use proptest::prelude::*;
    use ring::signature::{Ed25519KeyPair, KeyPair, RSA_PSS_SHA256, RsaKeyPair};
    use serde_json::json;

    fn parse(jwk: &Value) -> Result<PublicKey, JwkError> {
        PublicKey::parse(jwk.as_object().unwrap())
    }

    fn ours(kty: &str) -> Value {
        keys().jwks()["keys"]
            .as_array()
            .unwrap()
            .iter()
            .find(|key| key["kty"] == kty)
            .unwrap()
            .clone()
    }

    fn without(mut jwk: Value, members: &[&str]) -> Value {
        for member in members {
            jwk.as_object_mut().unwrap().remove(*member);
        }
        jwk
    }

    fn with(mut jwk: Value, member: &str, value: Value) -> Value {
        jwk[member] = value;
        jwk
    }

    #[test]
    fn rfc7638_section_3_1_thumbprint_of_the_example() {
        let key = parse(&json!({
            "kty": "RSA", "alg": "RS256", "kid": "2011-04-29", "e": "AQAB",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi\
                  FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb\
                  9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls\
                  1jF44-csFCur-kEgU8awapJzKnqDKgw"
        }));
        assert_eq!(
            key.unwrap().thumbprint().to_string(),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
    }

    #[test]
    fn rfc8037_appendix_a_3_thumbprint_of_the_example() {
        let key = parse(&json!({
            "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
        }));
        assert_eq!(
            key.unwrap().thumbprint().to_string(),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }

    #[test]
    fn our_own_published_keys_are_taken_and_their_thumbprints_are_their_names() {
        for kty in ["EC", "RSA"] {
            let key = parse(&ours(kty)).unwrap();
            assert_eq!(Some(key.thumbprint().to_string()), key.kid);
        }
    }

    #[test]
    fn rfc9864_section_2_2_ed25519_is_known_by_both_names_and_a_key_may_bear_either() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        for name in ["EdDSA", "Ed25519"] {
            assert_eq!(JwsAlgorithm::parse(name), Some(JwsAlgorithm::EdDsa));
            let key = json!({ "kty": "OKP", "crv": "Ed25519", "alg": name, "x": x });
            assert!(parse(&key).unwrap().fits(JwsAlgorithm::EdDsa), "{name}");
        }
        let other = json!({ "kty": "OKP", "crv": "Ed448", "alg": "EdDSA", "x": x });
        assert_eq!(parse(&other), Err(JwkError::Unsupported));
        assert_eq!(JwsAlgorithm::parse("Ed448"), None);
    }

    #[test]
    fn a_key_verifies_its_own_algorithms_and_no_other() {
        let message = b"message";
        let random = random::system();
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        let x = base64url(pair.public_key().as_ref());
        let ed = parse(&json!({ "kty": "OKP", "crv": "Ed25519", "x": x })).unwrap();
        let signature = pair.sign(message);
        assert!(ed.verifies(JwsAlgorithm::EdDsa, message, signature.as_ref()));
        assert!(!ed.verifies(JwsAlgorithm::EdDsa, b"other", signature.as_ref()));
        assert!(!ed.verifies(JwsAlgorithm::Es256, message, signature.as_ref()));

        let rsa = crate::crypto::keyring::testing::rsa_pkcs8();
        let pair = RsaKeyPair::from_pkcs8(&rsa).unwrap();
        let public: RsaPublicKeyComponents<Vec<u8>> = pair.public().into();
        let jwk = json!({ "kty": "RSA", "n": base64url(&public.n), "e": base64url(&public.e) });
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(&RSA_PSS_SHA256, &random, message, &mut signature)
            .unwrap();
        let key = parse(&jwk).unwrap();
        assert!(key.verifies(JwsAlgorithm::Ps256, message, &signature));
        assert!(!key.verifies(JwsAlgorithm::Rs256, message, &signature));
        let only_rs256 = parse(&with(jwk, "alg", json!("RS256"))).unwrap();
        assert!(!only_rs256.verifies(JwsAlgorithm::Ps256, message, &signature));
    }

    #[test]
    fn keys_that_are_not_taken() {
        let (ec, rsa) = (ours("EC"), ours("RSA"));
        let cases = [
            (with(ec.clone(), "d", json!("AA")), JwkError::Private),
            (with(rsa.clone(), "p", json!("AA")), JwkError::Private),
            (json!({ "kty": "oct", "k": "AAAA" }), JwkError::Private),
            (json!({ "kty": "oct" }), JwkError::Unsupported),
            (
                with(ec.clone(), "use", json!("enc")),
                JwkError::NotForSignatures,
            ),
            (
                with(ec.clone(), "key_ops", json!(["sign"])),
                JwkError::NotForSignatures,
            ),
            (
                with(ec.clone(), "crv", json!("P-384")),
                JwkError::Unsupported,
            ),
            (
                with(ec.clone(), "alg", json!("none")),
                JwkError::Unsupported,
            ),
            (
                with(ec.clone(), "alg", json!("HS256")),
                JwkError::Unsupported,
            ),
            (
                with(ec.clone(), "alg", json!("RS256")),
                JwkError::Malformed("alg"),
            ),
            (
                with(ec.clone(), "kid", json!(1)),
                JwkError::Malformed("kid"),
            ),
            (without(ec.clone(), &["y"]), JwkError::Malformed("y")),
            (
                with(ec.clone(), "x", json!("AAAA")),
                JwkError::Malformed("x"),
            ),
            (without(rsa.clone(), &["e"]), JwkError::Malformed("e")),
            (with(rsa.clone(), "e", json!("AQ")), JwkError::WeakRsa),
            (with(rsa.clone(), "e", json!("BA")), JwkError::WeakRsa),
            (
                with(rsa.clone(), "n", json!(base64url(&[255; 128]))),
                JwkError::WeakRsa,
            ),
            (
                with(rsa.clone(), "n", json!(base64url(&[255; 255]))),
                JwkError::WeakRsa,
            ),
            (
                with(rsa.clone(), "n", json!(base64url(&[255; 1_025]))),
                JwkError::WeakRsa,
            ),
            (json!({}), JwkError::Malformed("kty")),
        ];
        for (jwk, error) in cases {
            assert_eq!(parse(&jwk), Err(error), "{jwk}");
        }
    }

    #[test]
    fn a_point_off_the_curve_is_noticed_and_verifies_nothing() {
        let ring = keys();
        let now = crate::types::Timestamp::from_secs(1_795_000_000);
        let pair = ring.signer(crate::model::Algorithm::Es256, now).unwrap();
        let signature = pair.sign(b"message");
        let good = parse(&ours("EC")).unwrap();
        assert_eq!(good.check_point(), Ok(()));
        assert!(good.verifies(JwsAlgorithm::Es256, b"message", &signature));
        let zeros = json!(base64url(&[0; 32]));
        let off = parse(&with(ours("EC"), "y", zeros)).unwrap();
        assert_eq!(off.check_point(), Err(JwkError::OffCurve));
        assert!(!off.verifies(JwsAlgorithm::Es256, b"message", &signature));
    }

    proptest! {
        #[test]
        fn any_members_are_refused_or_taken_without_a_panic(
            kty in "(EC|RSA|OKP)", x in "[A-Za-z0-9_-]{0,90}", n in "[A-Za-z0-9_-]{0,400}",
        ) {
            let crv = if kty == "OKP" { "Ed25519" } else { "P-256" };
            let jwk = json!({ "kty": kty, "crv": crv, "x": x, "y": x, "n": n, "e": "AQAB" });
            if let Ok(key) = parse(&jwk) {
                for (_, algorithm) in JwsAlgorithm::VALUES {
                    prop_assert!(!key.verifies(algorithm, b"message", b"signature"));
                }
            }
        }
    }
}
