//! Client authentication by a signed assertion: `private_key_jwt` and `client_secret_jwt`. RFC 7521 §4.2, RFC 7523 §3,
//! OpenID Connect Core §9, FAPI 2.0 Security Profile §5.3.2.1.
//! Owns: what an assertion must say and who may have signed it. Not here: that each is used once (`replay`, in the
//! writer's turn), secrets that are sent as they are (`client_auth`).

use super::algorithm;
use super::client_auth::AuthenticatedClient;
use super::error::TokenError;
use super::replay::{self, Purpose};
use crate::crypto::compact::Compact;
use crate::crypto::jwk_set::KeySet;
use crate::model::{Client, ClientAuthMethod, Profile};
use crate::types::{Form, Issuer, Timestamp, WireClientId};
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

/// The one `client_assertion_type` (RFC 7523 §2.2).
const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Longer ones are nobody's.
const LONGEST: usize = 8_192;
/// Of a `jti`, in bytes; its hash is kept.
const LONGEST_JTI: usize = 256;
/// How far ahead an assertion may expire (PROTOCOL, Token endpoint): it bounds how long its `jti` is remembered.
const LIFE: Duration = Duration::from_secs(300);
/// How much a clock may lag or lead where it costs nothing.
const SKEW: Duration = Duration::from_secs(30);
/// How far ahead `nbf` and `iat` may be (FAPI 2.0 §5.3.2.1: 10 s are taken, 60 s refused).
const AHEAD: Duration = Duration::from_secs(10);

/// An assertion as it came; nothing in it is checked yet.
#[derive(Debug)]
pub struct Assertion<'f> {
    jws: Compact<'f>,
    /// The whole of it.
    pub text: &'f str,
    /// Whom it claims to be from; `None` when that is no client id.
    pub client_id: Option<WireClientId>,
}

impl<'f> Assertion<'f> {
    /// The assertion of a request, if it has one. Beside a secret it is a second method (RFC 6749 §2.3).
    pub fn parse(form: &'f Form, has_header: bool) -> Result<Option<Self>, TokenError> {
        let one = |name| {
            form.one(name)
                .map_err(|e| TokenError::RepeatedParameter(e.0))
        };
        let (kind, text) = match (one("client_assertion_type")?, one("client_assertion")?) {
            (None, None) => return Ok(None),
            (Some(kind), Some(text)) => (kind, text),
            _ => return Err(refused("half an assertion")),
        };
        if has_header || one("client_secret")?.is_some() {
            return Err(TokenError::TwoAuthenticationMethods);
        }
        if kind != TYPE {
            return Err(refused("an unknown type of assertion"));
        }
        if text.len() > LONGEST {
            return Err(refused("the assertion is too long"));
        }
        let jws = Compact::parse(text).map_err(|_| refused("the assertion is malformed"))?;
        let claims = jws
            .unverified_claims()
            .map_err(|_| refused("the assertion is malformed"))?;
        let subject = claims.get("sub").and_then(Value::as_str);
        let subject = subject.ok_or(refused("the assertion has no sub"))?;
        // RFC 7521 §4.2: a client_id beside it must name the same client.
        if one("client_id")?.is_some_and(|id| id != subject) {
            return Err(refused("client_id differs from the assertion"));
        }
        Ok(Some(Self {
            jws,
            text,
            client_id: subject.parse().ok(),
        }))
    }

    /// Checks it against the client of that id. `endpoint` is the one that was asked.
    pub fn verify(
        &self,
        client: Option<Arc<Client>>,
        issuer: &Issuer,
        endpoint: &str,
        now: Timestamp,
    ) -> Result<AuthenticatedClient, TokenError> {
        let client = client
            .filter(|client| Some(client.wire_id()) == self.client_id)
            .ok_or(refused("unknown client"))?;
        if client.disabled {
            return Err(refused("the client is disabled"));
        }
        let claims = self.signed_by(&client)?;
        let id = client.wire_id().to_string();
        // RFC 7523 §3, 1 and 2: both name the client.
        for name in ["iss", "sub"] {
            if text(&claims, name) != Some(id.as_str()) {
                return Err(refused("iss and sub must be the client id"));
            }
        }
        audience(&claims, &client, issuer, endpoint)?;
        let until = times(&claims, now)?;
        // RFC 7523 §3, 7; OpenID Connect Core §9 makes it required.
        let jti = text(&claims, "jti")
            .filter(|jti| (1..=LONGEST_JTI).contains(&jti.len()))
            .ok_or(refused("the assertion has no usable jti"))?;
        let used = replay::of(Purpose::ClientAssertion, &id, jti, until, now)
            .ok_or(refused("the assertion is good for too long"))?;
        Ok(AuthenticatedClient::by_assertion(client, used))
    }

    /// RFC 7523 §3, 9: with the client's own key, by the method that is registered (RFC 8725 §3.1).
    fn signed_by(&self, client: &Client) -> Result<Map<String, Value>, TokenError> {
        let wrong = |_| refused("the assertion is not signed with a key of the client");
        match client.auth_method {
            ClientAuthMethod::PrivateKeyJwt => {
                let keys = client.jwks.as_ref().map(KeySet::parse);
                // FAPI 2.0 §5.4.1. What is no algorithm of public keys is refused with the signature.
                let alg = self.jws.algorithm();
                if alg.is_some_and(|alg| !algorithm::is_taken_from(client, alg)) {
                    return Err(refused("the strict profile takes no RS256"));
                }
                match keys {
                    Some(Ok(keys)) => self.jws.verified_by(&keys).map_err(wrong),
                    _ => Err(refused("the client has no usable keys")),
                }
            }
            ClientAuthMethod::ClientSecretJwt => client
                .secrets
                .iter()
                .filter_map(|secret| secret.key.as_ref())
                .find_map(|key| self.jws.verified_by_secret(key.bytes()).ok())
                .ok_or(refused(
                    "the assertion is not signed with a secret of the client",
                )),
            ClientAuthMethod::ClientSecretBasic
            | ClientAuthMethod::ClientSecretPost
            | ClientAuthMethod::None => Err(refused("not the registered method")),
        }
    }
}

/// RFC 7523 §3, 3. The strict profile takes the issuer as one string only: an assertion for one server must not be good
/// at another (FAPI 2.0 §5.3.2.1). Others may name the token endpoint, or the endpoint asked (RFC 9126 §2).
fn audience(
    claims: &Map<String, Value>,
    client: &Client,
    issuer: &Issuer,
    endpoint: &str,
) -> Result<(), TokenError> {
    let token_endpoint = issuer.endpoint("/token");
    let ours = |value: &Value| {
        value.as_str().is_some_and(|aud| {
            aud == issuer.as_str()
                || (client.profile == Profile::Standard
                    && (aud == token_endpoint || aud == endpoint))
        })
    };
    let holds = match claims.get("aud") {
        Some(Value::Array(many)) => client.profile == Profile::Standard && many.iter().any(ours),
        Some(one) => ours(one),
        None => false,
    };
    if holds {
        Ok(())
    } else {
        Err(refused("the assertion is for somebody else"))
    }
}

/// RFC 7523 §3, 4 to 6. Returns the moment after which it is worthless, and its `jti` may be forgotten.
fn times(claims: &Map<String, Value>, now: Timestamp) -> Result<Timestamp, TokenError> {
    let seconds = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => Timestamp::from_numeric_date(value)
            .map(Some)
            .ok_or(refused("a time of the assertion is not a number")),
    };
    let expires = seconds("exp")?.ok_or(refused("the assertion has no exp"))?;
    let until = expires.plus(SKEW);
    if now >= until {
        return Err(refused("the assertion has expired"));
    }
    if expires > now.plus(LIFE + SKEW) {
        return Err(refused("the assertion is good for too long"));
    }
    for name in ["nbf", "iat"] {
        if seconds(name)?.is_some_and(|at| at > now.plus(AHEAD)) {
            return Err(refused("the assertion is from the future"));
        }
    }
    Ok(until)
}

fn text<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c str> {
    claims.get(name).and_then(Value::as_str)
}

fn refused(why: &'static str) -> TokenError {
    TokenError::InvalidClient { basic: false, why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::digest::base64url;
    use crate::crypto::jws;
    use crate::crypto::keyring::testing::ring;
    use crate::model::{Algorithm, ClientSecret};
    use crate::oauth::testing::{NOW, client, secret};
    use crate::types::SecretHash;
    use ring::hmac;
    use serde_json::json;

    const ENDPOINT: &str = "https://id.example/introspect";

    fn issuer() -> Issuer {
        "https://id.example".parse().unwrap()
    }

    fn by_key() -> Client {
        Client {
            auth_method: ClientAuthMethod::PrivateKeyJwt,
            secrets: Vec::new(),
            jwks: Some(ring().jwks()),
            ..client()
        }
    }

    fn claims(client: &Client) -> Value {
        json!({
            "iss": client.id, "sub": client.id, "aud": "https://id.example", "jti": "one",
            "exp": NOW.secs() + 60, "iat": NOW.secs(),
        })
    }

    fn signed(algorithm: Algorithm, claims: &Value) -> String {
        let ring = ring();
        let key = ring.signer(algorithm, NOW).unwrap();
        jws::sign(key, "JWT", claims.to_string().as_bytes())
    }

    fn form(assertion: &str) -> Form {
        Form::default()
            .with("client_assertion_type", TYPE)
            .with("client_assertion", assertion)
    }

    fn outcome(client: &Client, assertion: &str) -> Result<AuthenticatedClient, TokenError> {
        let form = form(assertion);
        let assertion = Assertion::parse(&form, false)?.unwrap();
        assertion.verify(Some(Arc::new(client.clone())), &issuer(), ENDPOINT, NOW)
    }

    fn why(result: Result<AuthenticatedClient, TokenError>) -> &'static str {
        match result {
            Err(TokenError::InvalidClient { basic: false, why }) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rfc7523_section_3_a_sound_assertion_names_its_client() {
        let client = by_key();
        for algorithm in [Algorithm::Es256, Algorithm::Rs256] {
            let proved = outcome(&client, &signed(algorithm, &claims(&client))).unwrap();
            assert_eq!(proved.client().id, client.id);
            let until = Timestamp::from_secs(NOW.secs() + 90);
            let purpose = Purpose::ClientAssertion;
            let used = replay::of(purpose, &client.wire_id().to_string(), "one", until, NOW);
            assert_eq!(proved.assertion(), used);
        }
    }

    #[test]
    fn rfc7523_section_3_each_claim_is_checked() {
        let client = by_key();
        let strict = Client {
            profile: Profile::Strict,
            ..client.clone()
        };
        let with = |name: &str, value: Value| {
            let mut claims = claims(&client);
            claims[name] = value;
            signed(Algorithm::Es256, &claims)
        };
        let without = |name: &str| {
            let mut claims = claims(&client);
            claims.as_object_mut().unwrap().remove(name);
            signed(Algorithm::Es256, &claims)
        };
        let at = |offset: i64| json!(NOW.secs().checked_add_signed(offset).unwrap());
        for (good, client) in [
            (with("aud", json!("https://id.example/token")), &client),
            (with("aud", json!(ENDPOINT)), &client),
            (
                with("aud", json!(["https://x.example", "https://id.example"])),
                &client,
            ),
            (with("exp", at(-29)), &client),
            (with("exp", at(330)), &client),
            (with("exp", json!(NOW.secs() as f64 + 60.5)), &client),
            (with("nbf", at(10)), &client),
            (without("iat"), &client),
            (signed(Algorithm::Es256, &claims(&client)), &strict),
        ] {
            assert!(outcome(client, &good).is_ok());
        }
        for (bad, client, expected) in [
            (
                signed(Algorithm::Rs256, &claims(&client)),
                &strict,
                "the strict profile takes no RS256",
            ),
            (without("iss"), &client, "iss and sub must be the client id"),
            (
                with("iss", json!("other")),
                &client,
                "iss and sub must be the client id",
            ),
            (without("sub"), &client, "the assertion has no sub"),
            (with("sub", json!("nobody")), &client, "unknown client"),
            (
                without("aud"),
                &client,
                "the assertion is for somebody else",
            ),
            (
                with("aud", json!("https://other.example")),
                &client,
                "the assertion is for somebody else",
            ),
            (
                with("aud", json!(1)),
                &client,
                "the assertion is for somebody else",
            ),
            (
                with("aud", json!("https://id.example/token")),
                &strict,
                "the assertion is for somebody else",
            ),
            (
                with("aud", json!(["https://id.example"])),
                &strict,
                "the assertion is for somebody else",
            ),
            (without("exp"), &client, "the assertion has no exp"),
            (
                with("exp", json!("soon")),
                &client,
                "a time of the assertion is not a number",
            ),
            (
                with("exp", json!(-1)),
                &client,
                "a time of the assertion is not a number",
            ),
            (with("exp", at(-30)), &client, "the assertion has expired"),
            (
                with("exp", at(331)),
                &client,
                "the assertion is good for too long",
            ),
            (
                with("exp", json!(u64::MAX)),
                &client,
                "a time of the assertion is not a number",
            ),
            (
                with("nbf", at(11)),
                &client,
                "the assertion is from the future",
            ),
            (
                with("nbf", at(60)),
                &client,
                "the assertion is from the future",
            ),
            (
                with("iat", at(60)),
                &client,
                "the assertion is from the future",
            ),
            (without("jti"), &client, "the assertion has no usable jti"),
            (
                with("jti", json!("")),
                &client,
                "the assertion has no usable jti",
            ),
            (
                with("jti", json!("j".repeat(257))),
                &client,
                "the assertion has no usable jti",
            ),
        ] {
            assert_eq!(why(outcome(client, &bad)), expected);
        }
    }

    #[test]
    fn rfc8725_section_2_1_only_the_clients_own_keys_sign() {
        let client = by_key();
        let good = signed(Algorithm::Es256, &claims(&client));
        let not_ours = "the assertion is not signed with a key of the client";
        // The same claims, and for a signature a MAC with the public key, nothing, or another's.
        let body = base64url(claims(&client).to_string().as_bytes());
        for header in [
            json!({ "alg": "none" }),
            json!({ "alg": "HS256" }),
            json!({ "alg": "ES256", "kid": "x" }),
        ] {
            let head = base64url(header.to_string().as_bytes());
            let key = hmac::Key::new(hmac::HMAC_SHA256, ring().jwks().to_string().as_bytes());
            let mac = hmac::sign(&key, format!("{head}.{body}").as_bytes());
            for signature in [String::new(), base64url(mac.as_ref())] {
                let token = format!("{head}.{body}.{signature}");
                assert_eq!(why(outcome(&client, &token)), not_ours);
            }
        }
        let (signed_part, _) = good.rsplit_once('.').unwrap();
        let changed = format!("{signed_part}.{}", base64url(&[1; 64]));
        assert_eq!(why(outcome(&client, &changed)), not_ours);

        let keyless = Client {
            jwks: None,
            ..client.clone()
        };
        assert_eq!(
            why(outcome(&keyless, &good)),
            "the client has no usable keys"
        );
        let by_secret = Client {
            auth_method: ClientAuthMethod::ClientSecretBasic,
            ..client.clone()
        };
        assert_eq!(why(outcome(&by_secret, &good)), "not the registered method");
        let off = Client {
            disabled: true,
            ..client
        };
        assert_eq!(why(outcome(&off, &good)), "the client is disabled");
    }

    #[test]
    fn openid_core_section_9_client_secret_jwt_is_signed_with_the_secret() {
        let kept = ClientSecret {
            hash: SecretHash::of(&secret()),
            created: NOW,
            key: Some(secret().expose().as_bytes().to_vec().into()),
        };
        let client = Client {
            auth_method: ClientAuthMethod::ClientSecretJwt,
            secrets: vec![kept],
            ..client()
        };
        let signed_part = format!(
            "{}.{}",
            base64url(br#"{"alg":"HS256"}"#),
            base64url(claims(&client).to_string().as_bytes())
        );
        let mac = |key: &[u8]| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, key);
            let mac = hmac::sign(&key, signed_part.as_bytes());
            format!("{signed_part}.{}", base64url(mac.as_ref()))
        };
        assert!(outcome(&client, &mac(secret().expose().as_bytes())).is_ok());
        let wrong = "the assertion is not signed with a secret of the client";
        assert_eq!(why(outcome(&client, &mac(b"guess"))), wrong);
        let by_key = signed(Algorithm::Es256, &claims(&client));
        assert_eq!(why(outcome(&client, &by_key)), wrong);
    }

    #[test]
    fn rfc7521_section_4_2_the_parameters_stand_once_and_alone() {
        let good = signed(Algorithm::Es256, &claims(&by_key()));
        let parse = |form: &Form, header: bool| {
            Assertion::parse(form, header).map(|assertion| assertion.is_some())
        };
        assert_eq!(parse(&Form::default(), true), Ok(false));
        assert_eq!(parse(&form(&good), false), Ok(true));
        let both = Err(TokenError::TwoAuthenticationMethods);
        assert_eq!(parse(&form(&good), true), both);
        assert_eq!(parse(&form(&good).with("client_secret", "x"), false), both);
        for bad in [
            Form::default().with("client_assertion", &good),
            Form::default().with("client_assertion_type", TYPE),
            Form::default()
                .with("client_assertion_type", "urn:other")
                .with("client_assertion", &good),
            form("a.b.c"),
            form(&"a".repeat(LONGEST + 1)),
            form(&good).with("client_id", "other"),
        ] {
            assert!(matches!(
                parse(&bad, false),
                Err(TokenError::InvalidClient { basic: false, .. })
            ));
        }
        let twice = form(&good).with("client_assertion", &good);
        assert!(matches!(
            parse(&twice, false),
            Err(TokenError::RepeatedParameter(_))
        ));
    }
}
