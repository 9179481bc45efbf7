//! The signing keys, loaded and ready. JWK (RFC 7517), thumbprints as `kid` (RFC 7638).

use super::digest::{base64url, sha256};
use super::random;
use crate::model::{Algorithm, SigningKey};
use crate::types::Timestamp;
use ring::error::Unspecified;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair, UnparsedPublicKey};
use rsa::pkcs8::EncodePrivateKey;
use serde_json::{Value, json};

/// A key record that does not load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError(pub String);

impl std::fmt::Display for KeyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "signing key: {}", self.0)
    }
}

impl std::error::Error for KeyError {}

/// One key, parsed.
pub struct LoadedKey {
    /// The thumbprint of its public half.
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// From when it signs; published before.
    pub active_from: Timestamp,
    pair: Pair,
    jwk: Value,
}

enum Pair {
    Ec(Box<EcdsaKeyPair>),
    Rsa(Box<RsaKeyPair>),
    Ed(Box<Ed25519KeyPair>),
}

/// All published keys.
#[derive(Default)]
pub struct KeyRing {
    keys: Vec<LoadedKey>,
}

impl KeyRing {
    /// Loads the records. A record that does not load is an error: nothing is signed with half the keys.
    pub fn load(records: &[SigningKey]) -> Result<Self, KeyError> {
        Ok(Self {
            keys: records
                .iter()
                .map(LoadedKey::load)
                .collect::<Result<_, _>>()?,
        })
    }

    /// The key that signs now: the newest that is active; the oldest of all where the clock was set back.
    pub fn signer(&self, algorithm: Algorithm, now: Timestamp) -> Option<&LoadedKey> {
        let ours = || self.keys.iter().filter(|key| key.algorithm == algorithm);
        ours()
            .filter(|key| key.active_from <= now)
            .max_by_key(|key| key.active_from)
            .or_else(|| ours().min_by_key(|key| key.active_from))
    }

    /// A published key by its `kid`.
    pub fn by_kid(&self, kid: &str) -> Option<&LoadedKey> {
        self.keys.iter().find(|key| key.kid == kid)
    }

    /// The JWK set (RFC 7517 §5): every key, public halves only.
    pub fn jwks(&self) -> Value {
        json!({ "keys": self.keys.iter().map(|key| &key.jwk).collect::<Vec<_>>() })
    }
}

impl LoadedKey {
    /// Parses a record's PKCS#8.
    pub fn load(record: &SigningKey) -> Result<Self, KeyError> {
        let bad = |why: &str| KeyError(format!("{} {why}", record.kid));
        let pair = Pair::parse(record.algorithm, record.private.bytes()).map_err(|e| bad(&e.0))?;
        let members = pair.public_members();
        let kty = record.algorithm.key_type();
        let kid = thumbprint(kty, &members);
        if kid != record.kid {
            return Err(bad("is not the thumbprint of its key"));
        }
        let mut jwk =
            json!({ "kty": kty, "use": "sig", "alg": record.algorithm.as_str(), "kid": kid });
        for (name, value) in members {
            jwk[name] = Value::String(value);
        }
        Ok(Self {
            kid,
            algorithm: record.algorithm,
            active_from: record.active_from,
            pair,
            jwk,
        })
    }

    /// A JWS signature: fixed-length `r ‖ s` for ES256 (RFC 7518 §3.4), PKCS #1 v1.5 for RS256 (§3.3),
    /// RFC 8037 §3.1 for EdDSA.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = random::system();
        let signed = match &self.pair {
            Pair::Ec(pair) => pair.sign(&random, message).map(|s| s.as_ref().to_vec()),
            Pair::Rsa(pair) => sign_rsa(pair, message),
            Pair::Ed(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        };
        // ring fails here only when the system gives no random bytes.
        signed.unwrap_or_else(|_| {
            log::error!("the operating system gives no random bytes; stopping");
            std::process::abort();
        })
    }

    /// Whether `signature` over `message` is this key's.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.pair {
            Pair::Ec(pair) => UnparsedPublicKey::new(
                &signature::ECDSA_P256_SHA256_FIXED,
                pair.public_key().as_ref(),
            )
            .verify(message, signature)
            .is_ok(),
            Pair::Rsa(pair) => UnparsedPublicKey::new(
                &signature::RSA_PKCS1_2048_8192_SHA256,
                pair.public_key().as_ref(),
            )
            .verify(message, signature)
            .is_ok(),
            Pair::Ed(pair) => {
                UnparsedPublicKey::new(&signature::ED25519, pair.public_key().as_ref())
                    .verify(message, signature)
                    .is_ok()
            }
        }
    }
}

/// RSA keeps 10 KiB of numbers on the stack. On its own, so that a connection's thread which signs by ES256 only never
/// touches those pages: a thousand connections would hold 10 MiB of them.
#[inline(never)]
fn sign_rsa(pair: &RsaKeyPair, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
    let mut out = vec![0; pair.public().modulus_len()];
    pair.sign(
        &signature::RSA_PKCS1_SHA256,
        &random::system(),
        message,
        &mut out,
    )?;
    Ok(out)
}

/// A fresh key, published at once and signing from `active_from`. RSA takes seconds on a small machine: never on the
/// writer.
pub fn generate(
    algorithm: Algorithm,
    now: Timestamp,
    active_from: Timestamp,
) -> Result<SigningKey, KeyError> {
    let failed = |e: &dyn std::fmt::Display| {
        KeyError(format!("cannot generate {}: {e}", algorithm.as_str()))
    };
    let private = match algorithm {
        Algorithm::Es256 => EcdsaKeyPair::generate_pkcs8(
            &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
            &random::system(),
        )
        .map_err(|e| failed(&e))?
        .as_ref()
        .to_vec(),
        Algorithm::Rs256 => {
            let key = rsa::PrivateKey::new(&mut SystemRng, 2048).map_err(|e| failed(&e))?;
            key.to_pkcs8_der()
                .map_err(|e| failed(&e))?
                .as_bytes()
                .to_vec()
        }
        Algorithm::EdDsa => Ed25519KeyPair::generate_pkcs8(&random::system())
            .map_err(|e| failed(&e))?
            .as_ref()
            .to_vec(),
    };
    let kid = thumbprint(
        algorithm.key_type(),
        &Pair::parse(algorithm, &private)?.public_members(),
    );
    Ok(SigningKey {
        kid,
        algorithm,
        private: private.into(),
        created: now,
        active_from,
    })
}

impl Pair {
    fn parse(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        let bad = |e: ring::error::KeyRejected| KeyError(e.to_string());
        Ok(match algorithm {
            Algorithm::Es256 => Self::Ec(Box::new(
                EcdsaKeyPair::from_pkcs8(
                    &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
                    der,
                    &random::system(),
                )
                .map_err(bad)?,
            )),
            Algorithm::Rs256 => Self::Rsa(Box::new(RsaKeyPair::from_pkcs8(der).map_err(bad)?)),
            Algorithm::EdDsa => Self::Ed(Box::new(Ed25519KeyPair::from_pkcs8(der).map_err(bad)?)),
        })
    }

    /// The public members of its JWK beside `kty` (RFC 7518 §6.2.1, §6.3.1, RFC 8037 §2).
    fn public_members(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Ec(pair) => {
                // An uncompressed point: 0x04 ‖ x ‖ y.
                let point = pair.public_key().as_ref();
                let (x, y) = point
                    .get(1..)
                    .and_then(|xy| xy.split_at_checked(32))
                    .unwrap_or_default();
                vec![
                    ("crv", "P-256".to_owned()),
                    ("x", base64url(x)),
                    ("y", base64url(y)),
                ]
            }
            Self::Rsa(pair) => {
                let public: signature::RsaPublicKeyComponents<Vec<u8>> = pair.public().into();
                vec![("e", base64url(&public.e)), ("n", base64url(&public.n))]
            }
            Self::Ed(pair) => vec![
                ("crv", "Ed25519".to_owned()),
                ("x", base64url(pair.public_key().as_ref())),
            ],
        }
    }
}

/// RFC 7638 §3: SHA-256 over the required members in alphabetical order.
fn thumbprint(kty: &str, members: &[(&str, String)]) -> String {
    let mut all: Vec<(&str, &str)> = members
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    all.push(("kty", kty));
    all.sort_unstable();
    let body: Vec<String> = all
        .iter()
        .map(|(name, value)| format!(r#""{name}":"{value}""#))
        .collect();
    base64url(&sha256(format!("{{{}}}", body.join(",")).as_bytes()))
}

/// The system's generator, as `rsa` wants it.
struct SystemRng;

impl rsa::rand_core::TryRng for SystemRng {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(u32::from_le_bytes(random::bytes()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(u64::from_le_bytes(random::bytes()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        random::fill(bytes);
        Ok(())
    }
}

impl rsa::rand_core::TryCryptoRng for SystemRng {}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use std::sync::OnceLock;

    /// One ring for all tests: generating RSA keys takes time.
    pub(crate) fn records() -> &'static [SigningKey] {
        static RECORDS: OnceLock<Vec<SigningKey>> = OnceLock::new();
        RECORDS.get_or_init(|| {
            let past = Timestamp::from_secs(1_000);
            [Algorithm::Es256, Algorithm::Rs256]
                .map(|a| generate(a, past, past).unwrap())
                .to_vec()
        })
    }

    pub(crate) fn rsa_pkcs8() -> Vec<u8> {
        let record = records().iter().find(|r| r.algorithm == Algorithm::Rs256);
        record.unwrap().private.bytes().to_vec()
    }

    pub(crate) fn ring() -> KeyRing {
        KeyRing::load(records()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7638_section_3_1_thumbprint() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi\
                 FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgn\
                 Yb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqb\
                 w0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let members = [("e", "AQAB".to_owned()), ("n", n.to_owned())];
        assert_eq!(
            thumbprint("RSA", &members),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
    }

    #[test]
    fn the_published_set_has_no_private_member() {
        let text = testing::ring().jwks().to_string();
        for member in [
            "\"d\"", "\"p\"", "\"q\"", "\"dp\"", "\"dq\"", "\"qi\"", "\"k\"",
        ] {
            assert!(!text.contains(member), "{member}");
        }
    }

    #[test]
    fn a_key_under_another_kid_does_not_load() {
        let mut record = testing::records()[0].clone();
        record.kid = "x".to_owned();
        assert!(LoadedKey::load(&record).is_err());
    }
}
