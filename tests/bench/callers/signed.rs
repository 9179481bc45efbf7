//! Tokens for a service that signs: an assertion (RFC 7523) or a proof of a key (RFC 9449) with each request.
//! Signed here and on the way, some ten microseconds each: the column `busy` says what that costs the load generator.

use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

use super::Application;
use crate::Attempt;
use crate::http::{self, Answer, string_member};
use crate::load::{Caller, Verdict};

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// An ES256 key.
pub struct Signer {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl Signer {
    #[expect(clippy::disallowed_methods, reason = "a client's own chance")]
    pub fn new() -> Attempt<Self> {
        let random = SystemRandom::new();
        let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let failed = |_| "no key could be made";
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &random).map_err(failed)?;
        let pair = EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref(), &random)
            .map_err(|_| "the key cannot be read")?;
        Ok(Self { pair, random })
    }

    /// The public half.
    pub fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let (x, y) = point.get(1..).unwrap_or_default().split_at(32);
        json!({ "kty": "EC", "crv": "P-256", "x": encoded(x), "y": encoded(y) })
    }

    fn jwt(&self, header: &Value, claims: &Value) -> String {
        let [header, claims] = [header, claims].map(|part| encoded(part.to_string().as_bytes()));
        let message = format!("{header}.{claims}");
        match self.pair.sign(&self.random, message.as_bytes()) {
            Ok(signature) => format!("{message}.{}", encoded(signature.as_ref())),
            // The server refuses it, which is counted.
            Err(_) => message,
        }
    }
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What a request is signed for.
enum What {
    Assertion,
    Proof,
}

pub struct Signed {
    application: Application,
    signer: Rc<Signer>,
    what: What,
    /// With a number, the `jti`: each connection has its own.
    name: String,
    sent: u64,
    last: String,
}

impl Signed {
    /// Authenticates by `private_key_jwt`.
    pub fn by_assertion(application: &Application, signer: &Rc<Signer>, number: usize) -> Self {
        Self::new(application, signer, What::Assertion, number)
    }

    /// Authenticates by its secret, and has its tokens bound to the key.
    pub fn by_proof(application: &Application, signer: &Rc<Signer>, number: usize) -> Self {
        Self::new(application, signer, What::Proof, number)
    }

    fn new(application: &Application, signer: &Rc<Signer>, what: What, number: usize) -> Self {
        Self {
            application: application.clone(),
            signer: signer.clone(),
            what,
            // A later round must not repeat what an earlier one said.
            name: format!("{}-{number}", nanoseconds()),
            sent: 0,
            last: String::new(),
        }
    }

    fn assertion(&self) -> String {
        let (id, now) = (&self.application.client_id, seconds());
        let issuer = format!("http://{}", self.application.host);
        let jti = format!("{}-{}", self.name, self.sent);
        let claims =
            json!({ "iss": id, "sub": id, "aud": issuer, "jti": jti, "iat": now, "exp": now + 60 });
        self.signer.jwt(&json!({ "alg": "ES256" }), &claims)
    }

    fn proof(&self) -> String {
        let endpoint = format!("http://{}/token", self.application.host);
        let jti = format!("{}-{}", self.name, self.sent);
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.signer.jwk() });
        let claims = json!({ "htm": "POST", "htu": endpoint, "jti": jti, "iat": seconds() });
        self.signer.jwt(&header, &claims)
    }
}

impl Caller for Signed {
    fn request(&mut self, out: &mut Vec<u8>) {
        self.sent += 1;
        let grant = ("grant_type", "client_credentials");
        let host = &self.application.host;
        let request = match self.what {
            What::Assertion => {
                let assertion = self.assertion();
                let fields = [
                    grant,
                    ("client_assertion_type", ASSERTION),
                    ("client_assertion", &assertion),
                ];
                http::post(host, "/token", &[], &fields)
            }
            What::Proof => {
                let proof = self.proof();
                let headers = [
                    ("Authorization", self.application.basic.as_str()),
                    ("DPoP", &proof),
                ];
                http::post(host, "/token", &headers, &[grant])
            }
        };
        out.extend_from_slice(&request);
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Verdict {
        let kind = match self.what {
            What::Assertion => "Bearer",
            What::Proof => "DPoP",
        };
        match string_member(answer.body, "access_token") {
            Some(token)
                if answer.status == 200
                    && token != self.last
                    && string_member(answer.body, "token_type") == Some(kind) =>
            {
                token.clone_into(&mut self.last);
                Verdict::Done
            }
            _ => Verdict::Wrong(answer.summary()),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a client has its own clock")]
fn nanoseconds() -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_nanos()
}

fn seconds() -> u64 {
    u64::try_from(nanoseconds() / 1_000_000_000).unwrap_or_default()
}
