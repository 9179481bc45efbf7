//! Keys of clients, and the proofs that they make (RFC 9449 §4.2).
#![allow(clippy::panic, reason = "a test that cannot go on panics")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorlight::crypto::keyring;
use doorlight::model::Algorithm;
use doorlight::types::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use serde_json::{Value, json};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

pub enum Key {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    /// The same under its newer name (RFC 9864 §2.2).
    Ed25519(Ed25519KeyPair),
    Rs256(RsaKeyPair),
    Ps256(RsaKeyPair),
}

#[allow(clippy::disallowed_methods, reason = "a client draws its own")]
fn random() -> SystemRandom {
    SystemRandom::new()
}

#[allow(clippy::disallowed_methods, reason = "a client has its own clock")]
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn sha256(bytes: &[u8]) -> String {
    encoded(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}

fn rsa() -> RsaKeyPair {
    static DER: OnceLock<Vec<u8>> = OnceLock::new();
    let der = DER.get_or_init(|| {
        let now = Timestamp::from_secs(now());
        let key = keyring::generate(Algorithm::Rs256, now, now).unwrap();
        key.private.bytes().to_vec()
    });
    RsaKeyPair::from_pkcs8(der).unwrap()
}

fn ed25519() -> Ed25519KeyPair {
    let der = Ed25519KeyPair::generate_pkcs8(&random()).unwrap();
    Ed25519KeyPair::from_pkcs8(der.as_ref()).unwrap()
}

impl Key {
    /// A fresh key for ES256.
    pub fn new() -> Self {
        Self::of("ES256")
    }

    pub fn of(alg: &str) -> Self {
        let random = random();
        match alg {
            "ES256" => {
                let kind = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
                let der = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
                Self::Es256(EcdsaKeyPair::from_pkcs8(kind, der.as_ref(), &random).unwrap())
            }
            "EdDSA" => Self::EdDsa(ed25519()),
            "Ed25519" => Self::Ed25519(ed25519()),
            "RS256" => Self::Rs256(rsa()),
            "PS256" => Self::Ps256(rsa()),
            other => panic!("no key for {other}"),
        }
    }

    fn alg(&self) -> &'static str {
        match self {
            Self::Es256(_) => "ES256",
            Self::EdDsa(_) => "EdDSA",
            Self::Ed25519(_) => "Ed25519",
            Self::Rs256(_) => "RS256",
            Self::Ps256(_) => "PS256",
        }
    }

    pub fn jwk(&self) -> Value {
        match self {
            Self::Es256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({ "crv": "P-256", "kty": "EC", "x": encoded(x), "y": encoded(y) })
            }
            Self::EdDsa(pair) | Self::Ed25519(pair) => {
                let x = encoded(pair.public_key().as_ref());
                json!({ "crv": "Ed25519", "kty": "OKP", "x": x })
            }
            Self::Rs256(pair) | Self::Ps256(pair) => {
                let public: signature::RsaPublicKeyComponents<Vec<u8>> = pair.public().into();
                json!({ "e": encoded(&public.e), "kty": "RSA", "n": encoded(&public.n) })
            }
        }
    }

    /// The thumbprint: members in the order of their names, without spaces (RFC 7638 §3.3).
    pub fn jkt(&self) -> String {
        sha256(self.jwk().to_string().as_bytes())
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = random();
        let rsa = |pair: &RsaKeyPair, padding: &'static dyn signature::RsaEncoding| {
            let mut made = vec![0; pair.public().modulus_len()];
            pair.sign(padding, &random, message, &mut made).unwrap();
            made
        };
        match self {
            Self::Es256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::EdDsa(pair) | Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Rs256(pair) => rsa(pair, &signature::RSA_PKCS1_SHA256),
            Self::Ps256(pair) => rsa(pair, &signature::RSA_PSS_SHA256),
        }
    }

    /// A JWT with that header, `jwk` and `alg` besides, and those claims.
    pub fn jwt(&self, typ: &str, claims: &Value) -> String {
        let header = json!({ "typ": typ, "alg": self.alg(), "jwk": self.jwk() });
        let parts = [header.to_string(), claims.to_string()].map(|part| encoded(part.as_bytes()));
        let signed = parts.join(".");
        let signature = encoded(&self.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// The header line of a fresh proof.
    pub fn proof(&self, method: &str, url: &str) -> String {
        line(&self.jwt("dpop+jwt", &fresh(method, url)))
    }

    /// The header lines of a request with a bound access token.
    pub fn with_token(&self, method: &str, url: &str, token: &str) -> String {
        let mut claims = fresh(method, url);
        claims["ath"] = json!(sha256(token.as_bytes()));
        let proof = line(&self.jwt("dpop+jwt", &claims));
        format!("Authorization: DPoP {token}\r\n{proof}")
    }
}

/// Claims that a proof must have.
pub fn fresh(method: &str, url: &str) -> Value {
    let mut jti = [0; 16];
    ring::rand::SecureRandom::fill(&random(), &mut jti).unwrap();
    json!({ "htm": method, "htu": url, "iat": now(), "jti": encoded(&jti) })
}

pub fn line(proof: &str) -> String {
    format!("DPoP: {proof}\r\n")
}
