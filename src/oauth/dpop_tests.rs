use super::*;
use crate::crypto::digest::{base64url, sha256};
use crate::oauth::testing::NOW;
use proptest::prelude::*;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::json;

const ENDPOINT: &str = "https://id.example/token";
const ACCESS_TOKEN: &str = "header.claims.signature";

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}

fn x() -> String {
    base64url(pair().public_key().as_ref())
}

fn header() -> Value {
    json!({ "typ": "dpop+jwt", "alg": "EdDSA", "jwk": { "crv": "Ed25519", "kty": "OKP", "x": x() } })
}

fn claims() -> Value {
    json!({ "jti": "one", "htm": "POST", "htu": ENDPOINT, "iat": NOW.secs() })
}

fn made(header: &Value, claims: &Value) -> String {
    let signed = [header, claims].map(|part| base64url(part.to_string().as_bytes()));
    let signed = signed.join(".");
    let signature = base64url(pair().sign(signed.as_bytes()).as_ref());
    format!("{signed}.{signature}")
}

fn with(mut value: Value, member: &str, to: Value) -> Value {
    value[member] = to;
    value
}

fn without(mut value: Value, member: &str) -> Value {
    value.as_object_mut().unwrap().remove(member);
    value
}

fn target(access_token: Option<&str>) -> Target<'_> {
    Target {
        method: "POST",
        endpoint: ENDPOINT,
        access_token,
    }
}

fn checked(proof: &str) -> Result<Option<Proof>, ProofError> {
    check([proof], target(None), NOW)
}

#[test]
fn rfc9449_section_4_3_a_good_proof_shows_its_key() {
    let proof = checked(&made(&header(), &claims())).unwrap().unwrap();
    let jwk = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, x());
    assert_eq!(proof.key, Thumbprint::from_digest(sha256(jwk.as_bytes())));
    assert_eq!(check([], target(None), NOW), Ok(None));
}

#[test]
fn rfc9449_section_4_3_item_1_more_than_one_header_is_refused() {
    let proof = made(&header(), &claims());
    let twice = check([proof.as_str(), proof.as_str()], target(None), NOW);
    assert_eq!(twice, Err(ProofError::Repeated));
    // Two fields that a proxy joined.
    let joined = format!("{proof}, {proof}");
    assert_eq!(checked(&joined), Err(ProofError::Malformed));
}

#[test]
fn rfc9449_section_4_3_each_check_of_the_header_and_its_refusal() {
    let jwk = &header()["jwk"];
    let zeros = base64url(&[0; 32]);
    let point = json!({ "kty": "EC", "crv": "P-256", "x": zeros, "y": zeros });
    let rsa = json!({ "kty": "RSA", "n": base64url(&[255; 128]), "e": "AQAB" });
    let shared = json!({ "kty": "oct", "k": zeros });
    for (case, header, error) in [
        ("typ missing", without(header(), "typ"), ProofError::Type),
        (
            "typ of another JWT",
            with(header(), "typ", json!("JWT")),
            ProofError::Type,
        ),
        (
            "typ of an access token",
            with(header(), "typ", json!("at+jwt")),
            ProofError::Type,
        ),
        (
            "typ mistyped",
            with(header(), "typ", json!(["dpop+jwt"])),
            ProofError::Type,
        ),
        (
            "alg missing",
            without(header(), "alg"),
            ProofError::Algorithm,
        ),
        (
            "alg none",
            with(header(), "alg", json!("none")),
            ProofError::Algorithm,
        ),
        (
            "alg symmetric",
            with(header(), "alg", json!("HS256")),
            ProofError::Algorithm,
        ),
        (
            "alg unknown",
            with(header(), "alg", json!("ES512")),
            ProofError::Algorithm,
        ),
        (
            "alg of another key type",
            with(header(), "alg", json!("ES256")),
            ProofError::Key,
        ),
        ("jwk missing", without(header(), "jwk"), ProofError::Key),
        (
            "jwk mistyped",
            with(header(), "jwk", json!(jwk.to_string())),
            ProofError::Key,
        ),
        (
            "jwk private",
            with(header(), "jwk", with(jwk.clone(), "d", json!(zeros))),
            ProofError::Key,
        ),
        (
            "jwk symmetric",
            with(header(), "jwk", shared),
            ProofError::Key,
        ),
        (
            "jwk for encryption",
            with(header(), "jwk", with(jwk.clone(), "use", json!("enc"))),
            ProofError::Key,
        ),
        (
            "jwk off its curve",
            with(with(header(), "jwk", point), "alg", json!("ES256")),
            // No signature verifies against such a point.
            ProofError::Signature,
        ),
        (
            "jwk weak",
            with(with(header(), "jwk", rsa), "alg", json!("RS256")),
            ProofError::Key,
        ),
        (
            "crit",
            with(header(), "crit", json!(["exp"])),
            ProofError::Malformed,
        ),
    ] {
        assert_eq!(checked(&made(&header, &claims())), Err(error), "{case}");
    }
}

#[test]
fn rfc9449_section_4_3_each_check_of_the_claims_and_its_refusal() {
    let now = NOW.secs();
    let put = |name: &str, value: Value| with(claims(), name, value);
    for (case, claims, error) in [
        ("jti missing", without(claims(), "jti"), ProofError::Id),
        ("jti empty", put("jti", json!("")), ProofError::Id),
        ("jti mistyped", put("jti", json!(1)), ProofError::Id),
        (
            "jti too long",
            put("jti", json!("j".repeat(257))),
            ProofError::Id,
        ),
        ("htm missing", without(claims(), "htm"), ProofError::Method),
        ("htm another", put("htm", json!("GET")), ProofError::Method),
        (
            "htm in another case",
            put("htm", json!("post")),
            ProofError::Method,
        ),
        ("htu missing", without(claims(), "htu"), ProofError::Address),
        (
            "htu of another endpoint",
            put("htu", json!("https://id.example/userinfo")),
            ProofError::Address,
        ),
        (
            "htu of another host",
            put("htu", json!("https://evil.example/token")),
            ProofError::Address,
        ),
        (
            "htu mistyped",
            put("htu", json!([ENDPOINT])),
            ProofError::Address,
        ),
        ("iat missing", without(claims(), "iat"), ProofError::Time),
        (
            "iat mistyped",
            put("iat", json!(now.to_string())),
            ProofError::Time,
        ),
        ("iat negative", put("iat", json!(-1)), ProofError::Time),
        ("iat huge", put("iat", json!(1e300)), ProofError::Time),
        ("iat too old", put("iat", json!(now - 61)), ProofError::Time),
        (
            "iat too far ahead",
            put("iat", json!(now + 61)),
            ProofError::Time,
        ),
        ("exp passed", put("exp", json!(now)), ProofError::Time),
        ("exp mistyped", put("exp", json!("x")), ProofError::Time),
        (
            "nbf far ahead",
            put("nbf", json!(now + 3_600)),
            ProofError::Time,
        ),
    ] {
        assert_eq!(checked(&made(&header(), &claims)), Err(error), "{case}");
    }
}

#[test]
fn rfc9449_section_4_3_what_is_at_the_edge_is_taken() {
    let now = NOW.secs();
    for (name, value) in [
        ("jti", json!("j".repeat(256))),
        ("iat", json!(now - 60)),
        ("iat", json!(now + 60)),
        ("iat", Value::from(NOW.millis() as f64 / 1_000.0 + 0.5)),
        ("exp", json!(now + 1)),
        ("nbf", json!(now + 60)),
        ("nonce", json!("of another server")),
        ("more", json!({ "a": [1] })),
    ] {
        let claims = with(claims(), name, value);
        assert!(checked(&made(&header(), &claims)).is_ok(), "{claims}");
    }
}

#[test]
fn rfc9449_section_4_3_item_6_the_key_in_the_header_signed_it() {
    let good = made(&header(), &claims());
    let (signed, _) = good.rsplit_once('.').unwrap();
    let other = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
    let forged = base64url(other.sign(signed.as_bytes()).as_ref());
    let forged = format!("{signed}.{forged}");
    assert_eq!(checked(&forged), Err(ProofError::Signature));
    assert_eq!(checked(&format!("{signed}.")), Err(ProofError::Signature));
    let parts: Vec<&str> = good.split('.').collect();
    let changed = with(claims(), "jti", json!("two")).to_string();
    let changed = [parts[0], &base64url(changed.as_bytes()), parts[2]].join(".");
    assert_eq!(checked(&changed), Err(ProofError::Signature));
    let twice = format!(r#"{{"jti":"a","jti":"b","htm":"POST","htu":"{ENDPOINT}"}}"#);
    let signed = format!("{}.{}", parts[0], base64url(twice.as_bytes()));
    let twice = format!(
        "{signed}.{}",
        base64url(pair().sign(signed.as_bytes()).as_ref())
    );
    assert_eq!(checked(&twice), Err(ProofError::Malformed));
}

#[test]
fn rfc9449_section_4_3_item_12_the_hash_is_of_the_presented_token() {
    let at = |claims: &Value| {
        check(
            [made(&header(), claims).as_str()],
            target(Some(ACCESS_TOKEN)),
            NOW,
        )
    };
    let right = with(claims(), "ath", json!(s256(ACCESS_TOKEN)));
    assert!(at(&right).is_ok());
    for wrong in [
        claims(),
        with(claims(), "ath", json!("")),
        with(claims(), "ath", json!(1)),
        with(claims(), "ath", json!(s256("another"))),
        with(claims(), "ath", json!(format!("{}=", s256(ACCESS_TOKEN)))),
    ] {
        assert_eq!(at(&wrong), Err(ProofError::TokenHash), "{wrong}");
    }
}

#[test]
fn rfc9449_section_11_1_a_use_is_remembered_for_as_long_as_the_proof_is_good() {
    let newest = with(claims(), "iat", json!(NOW.secs() + 60));
    let text = made(&header(), &newest);
    let first = checked(&text).unwrap().unwrap();
    let mut now = NOW;
    while let Ok(again) = check([text.as_str()], target(None), now) {
        assert_eq!(again.unwrap().used.record.key, first.used.record.key);
        assert!(now < first.used.record.expires);
        now = now.plus(Duration::from_millis(500));
    }
    assert!(now > NOW.plus(WINDOW));
    // Another moment, the same `jti`: the same use.
    let older = checked(&made(&header(), &claims())).unwrap().unwrap();
    assert_eq!(older.used.record.key, first.used.record.key);
    let other = with(claims(), "jti", json!("two"));
    let other = checked(&made(&header(), &other)).unwrap().unwrap();
    assert_ne!(other.used.record.key, first.used.record.key);
}

#[test]
fn rfc9449_section_4_3_item_9_spellings_of_one_address_are_one() {
    for same in [
        "https://id.example/token",
        "HTTPS://ID.EXAMPLE/token",
        "https://id.example:443/token",
        "https://id.example/token?a=b",
        "https://id.example/token#part",
        "https://id.example/token?#",
        "https://id.example/./a/../token",
        "https://id.example/%74oken",
    ] {
        assert_eq!(normal(same), normal(ENDPOINT), "{same}");
    }
    for other in [
        "http://id.example/token",
        "https://id.example:8443/token",
        "https://id.example/token/",
        "https://id.example/Token",
        "https://id.example//token",
        "https://id.example.evil/token",
        "https://id.example/",
        "/token",
        "id.example/token",
        "",
        // What browsers would mend.
        "https:id.example/token",
        "https:\\\\id.example\\token",
        "https:///id.example/token",
        " https://id.example/token",
        "https://id.example/to\nken",
        "https://user@id.example/token",
        "https://id.example/token%",
        "https://id.example/%zzoken",
        "ftp://id.example/token",
    ] {
        assert!(
            normal(other).is_none() || normal(other) != normal(ENDPOINT),
            "{other}"
        );
    }
    assert_eq!(normal("https://a/%c3%a9"), normal("https://a/%C3%A9"));
    assert_ne!(normal("https://a/b%2Fc"), normal("https://a/b/c"));
}

#[test]
fn rfc6749_section_5_2_descriptions_have_no_quotes_and_no_backslashes() {
    for error in [
        ProofError::Missing,
        ProofError::Repeated,
        ProofError::Malformed,
        ProofError::Type,
        ProofError::Algorithm,
        ProofError::Key,
        ProofError::Signature,
        ProofError::Id,
        ProofError::Method,
        ProofError::Address,
        ProofError::Time,
        ProofError::TokenHash,
        ProofError::Replayed,
    ] {
        let plain = |b: u8| matches!(b, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        assert!(error.words().bytes().all(plain), "{error:?}");
    }
}

proptest! {
    #[test]
    fn an_address_is_normal_after_one_time_and_keeps_its_place(
        scheme in "(http|https|HTTP|hTTps)", host in "[a-zA-Z][a-zA-Z0-9]{0,10}(\\.[a-z]{2,5})?",
        port in proptest::option::of(1u16..), path in "(/[A-Za-z0-9._~%-]{0,8}){0,4}", query in "(\\?[a-z=&]{0,8})?",
        fragment in "(#[a-z]{0,5})?",
    ) {
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let bare = format!("{scheme}://{host}{port}{path}");
        if let Some(once) = normal(&bare) {
            let again = normal(&once);
            prop_assert_eq!(again.as_deref(), Some(once.as_str()));
            prop_assert_eq!(normal(&format!("{bare}{query}{fragment}")), Some(once.clone()));
            let begin = format!("{}://{}", scheme.to_lowercase(), host.to_lowercase());
            prop_assert!(once.starts_with(&begin), "{}", once);
            prop_assert_ne!(normal(&format!("{scheme}://{host}x{port}{path}")), Some(once.clone()));
            prop_assert_ne!(normal(&format!("{bare}x")), Some(once));
        }
    }

    #[test]
    fn any_text_is_no_address_or_one(text: String) {
        if let Some(once) = normal(&text) {
            prop_assert_eq!(normal(&once), Some(once));
        }
    }

    #[test]
    fn any_text_is_refused_as_a_proof_without_a_panic(text: String, parts in "[A-Za-z0-9_.-]{0,200}") {
        prop_assert!(checked(&text).is_err());
        prop_assert!(checked(&parts).is_err());
    }

    #[test]
    fn any_header_and_claims_are_refused_or_taken_without_a_panic(
        typ in "(dpop.jwt|JWT)", alg in "(EdDSA|ES256|none)", jti: String, htu: String, iat: f64, ath: String,
    ) {
        let header = with(with(header(), "typ", json!(typ)), "alg", json!(alg));
        let claims = json!({ "jti": jti, "htm": "POST", "htu": htu, "iat": iat, "ath": ath });
        prop_assert!(check([made(&header, &claims).as_str()], target(Some(ACCESS_TOKEN)), NOW).is_err());
    }
}
