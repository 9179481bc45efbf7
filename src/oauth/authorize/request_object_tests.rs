use super::*;
use crate::crypto::digest::base64url;
use crate::crypto::jws;
use crate::crypto::keyring::testing::ring;
use crate::model::Algorithm;
use crate::oauth::authorize::request::NoTarget;
use crate::oauth::authorize::{Heard, Via, read};
use crate::oauth::testing::{NOW, client};
use serde_json::json;

const REDIRECT: &str = "https://notes.example/cb";

fn signer() -> Client {
    Client {
        jwks: Some(ring().jwks()),
        audiences: vec!["https://api.example".to_owned(), "other".to_owned()],
        ..client()
    }
}

fn strict() -> Client {
    Client {
        profile: Profile::Strict,
        ..signer()
    }
}

fn issuer() -> Issuer {
    "https://id.example".parse().unwrap()
}

/// A sound object.
fn claims() -> Value {
    json!({
        "iss": client().id, "aud": "https://id.example", "exp": NOW.secs() + 60, "nbf": NOW.secs(),
        "client_id": client().id, "response_type": "code", "redirect_uri": REDIRECT, "scope": "openid",
        "state": "inside", "nonce": "n", "max_age": 600,
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn signed_as(typ: &str, claims: &Value) -> String {
    let ring = ring();
    let key = ring.signer(Algorithm::Es256, NOW).unwrap();
    jws::sign(key, typ, claims.to_string().as_bytes())
}

fn form(claims: &Value) -> Form {
    Form::default()
        .with("client_id", &client().id.to_string())
        .with("request", &signed_as("oauth-authz-req+jwt", claims))
}

fn outcome(client: &Client, form: &Form, via: Via) -> Result<Heard, NoTarget> {
    read(client, form, via, &issuer(), NOW)
}

/// What the object of a request is refused for.
fn refusal(client: &Client, form: &Form, via: Via) -> AuthorizeError {
    match outcome(client, form, via) {
        Ok(Heard {
            request: Err((_, error)),
            ..
        })
        | Err(NoTarget::RequestObject(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn rfc9101_section_6_3_parameters_inside_win() {
    let outside = form(&claims())
        .with("state", "outside")
        .with("redirect_uri", "https://evil.example")
        .with("scope", "openid email")
        .with("response_type", "code")
        .with("prompt", "login");
    let heard = outcome(&signer(), &outside, Via::Browser).unwrap();
    let request = heard.request.unwrap();
    assert_eq!(request.target.redirect_uri.as_str(), REDIRECT);
    assert_eq!(request.target.state.as_deref(), Some("inside"));
    assert_eq!(request.scope.to_string(), "openid");
    assert_eq!(request.nonce.as_deref(), Some("n"));
    assert_eq!(request.max_age, Some(Duration::from_secs(600)));
    // OpenID Connect Core §6.1: what the object leaves out may stand outside.
    assert!(request.prompt.login);
    assert!(!heard.form.has("request"));
}

#[test]
fn rfc6749_section_3_1_what_is_empty_inside_is_left_out_and_lets_nothing_outside_count() {
    let outside = form(&with("state", json!(""))).with("state", "outside");
    let heard = outcome(&signer(), &outside, Via::Browser).unwrap();
    assert_eq!(heard.request.unwrap().target.state, None);
}

#[test]
fn rfc9101_section_6_3_and_rfc9126_section_3_nothing_outside_counts_where_that_is_the_rule() {
    let outside = form(&without("state"))
        .with("state", "outside")
        .with("prompt", "login");
    let pushed = outcome(&signer(), &outside, Via::Push).unwrap();
    let strict = outcome(&strict(), &outside, Via::Push).unwrap();
    for heard in [pushed, strict] {
        let request = heard.request.unwrap();
        assert_eq!(request.target.state, None);
        assert!(!request.prompt.login);
    }
}

#[test]
fn rfc9101_section_4_parameters_have_their_json_types() {
    let claims_parameter = json!({ "userinfo": { "email": { "essential": true } } });
    for (name, value, good) in [
        ("claims", claims_parameter, true),
        ("resource", json!("https://api.example"), true),
        ("resource", json!(["https://api.example", "other"]), true),
        ("unknown", json!({ "a": [1] }), true),
        ("acr_values", json!("1"), true),
        ("max_age", json!("600"), true),
        ("resource", json!([1]), false),
        ("resource", json!({}), false),
        ("state", json!(1), false),
        ("state", json!(null), false),
        ("scope", json!(["openid"]), false),
        ("nonce", json!({}), false),
        ("prompt", json!(true), false),
        ("redirect_uri", json!([REDIRECT]), false),
    ] {
        let form = form(&with(name, value.clone()));
        if good {
            let heard = outcome(&signer(), &form, Via::Browser).unwrap();
            assert!(heard.request.is_ok(), "{name}={value}: {heard:?}");
        } else {
            let error = refusal(&signer(), &form, Via::Browser);
            assert_eq!(
                error.wire().code,
                "invalid_request_object",
                "{name}={value}"
            );
        }
    }
    // What the endpoint refuses outside, it refuses inside.
    for (name, value, code) in [
        ("response_type", json!("token"), "unsupported_response_type"),
        ("max_age", json!(-1), "invalid_request"),
        ("response_mode", json!("fragment"), "invalid_request"),
        ("registration", json!({}), "registration_not_supported"),
        ("scope", json!("nothing"), "invalid_scope"),
    ] {
        let error = refusal(&signer(), &form(&with(name, value)), Via::Browser);
        assert_eq!(error.wire().code, code, "{name}");
    }
    let evil = with("redirect_uri", json!("https://evil.example"));
    let found = outcome(&signer(), &form(&evil), Via::Browser);
    assert!(matches!(found, Err(NoTarget::RedirectUri(_))), "{found:?}");
}

#[test]
fn fapi2_section_5_4_1_a_strict_client_signs_no_request_with_rs256() {
    let ring = ring();
    let key = ring.signer(Algorithm::Rs256, NOW).unwrap();
    let object = jws::sign(key, "JWT", claims().to_string().as_bytes());
    let form = form(&claims()).without("request").with("request", &object);
    let heard = outcome(&signer(), &form, Via::Push).unwrap();
    assert!(heard.request.is_ok(), "{heard:?}");
    let error = refusal(&strict(), &form, Via::Push);
    assert_eq!(error.wire().code, "invalid_request_object");
}

#[test]
fn rfc9101_section_6_each_claim_is_checked() {
    let at = |offset: i64| json!(NOW.secs().checked_add_signed(offset).unwrap());
    let (usual, strict) = (signer(), strict());
    for (claims, client) in [
        (claims(), &usual),
        (claims(), &strict),
        (
            with("aud", json!(["https://x", "https://id.example"])),
            &usual,
        ),
        (without("exp"), &usual),
        (without("nbf"), &usual),
        (without("client_id"), &usual),
        (without("response_type"), &usual),
        (with("exp", at(1)), &usual),
        (with("nbf", at(10)), &usual),
        (with("sub", json!("somebody")), &usual),
        (with("exp", at(3_600)), &strict),
        (with("nbf", at(-3_500)), &strict),
    ] {
        let form = form(&claims).with("response_type", "code");
        let heard = outcome(client, &form, Via::Pushed(Default::default())).unwrap();
        assert!(heard.request.is_ok(), "{claims}: {heard:?}");
    }
    for (claims, client) in [
        (without("iss"), &usual),
        (with("iss", json!("other")), &usual),
        (with("iss", json!(1)), &usual),
        (without("aud"), &usual),
        (with("aud", json!("https://other.example")), &usual),
        (with("aud", json!("https://id.example/")), &usual),
        (with("aud", json!([])), &usual),
        (with("exp", at(0)), &usual),
        (with("exp", json!("1")), &usual),
        (with("exp", json!(null)), &usual),
        (with("nbf", at(11)), &usual),
        (with("nbf", json!([])), &usual),
        (with("sub", json!(client().id)), &usual),
        (with("client_id", json!("other")), &usual),
        (with("client_id", json!(null)), &usual),
        (with("response_type", json!("token")), &usual),
        (with("request", json!("a.b.c")), &usual),
        (with("request_uri", json!("https://a")), &usual),
        (without("exp"), &strict),
        (without("nbf"), &strict),
        (without("client_id"), &strict),
        (with("exp", at(3_601)), &strict),
        (with("nbf", at(-3_601)), &strict),
    ] {
        let form = form(&claims).with("response_type", "code");
        let error = refusal(client, &form, Via::Browser);
        assert_eq!(error.wire().code, "invalid_request_object", "{claims}");
    }
}

/// RFC 8725 §2.1 and §3.1: the key decides the algorithm, `none` is no signature.
#[test]
fn rfc9101_section_6_2_an_object_is_signed_with_a_key_of_the_client() {
    let sound = signed_as("oauth-authz-req+jwt", &claims());
    let (head, rest) = sound.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let header = |header: Value| base64url(header.to_string().as_bytes());
    let other = base64url(with("state", json!("changed")).to_string().as_bytes());
    let refused = |client: &Client, object: &str| {
        let form = Form::default().with("request", object);
        refusal(client, &form, Via::Browser).wire().code
    };
    for object in [
        format!("{}.{payload}.", header(json!({ "alg": "none" }))),
        format!("{}.{payload}.{signature}", header(json!({ "alg": "none" }))),
        format!(
            "{}.{payload}.{signature}",
            header(json!({ "alg": "HS256" }))
        ),
        format!("{}.{payload}.{signature}", header(json!({ "typ": "JWT" }))),
        format!("{head}.{other}.{signature}"),
        format!("{head}.{payload}."),
        format!("{head}.{payload}"),
        format!("{sound}.a"),
        "a.b.c".to_owned(),
        "x".repeat(LONGEST + 1),
        signed_as("at+jwt", &claims()),
        signed_as("dpop+jwt", &claims()),
        signed_as("", &claims()),
    ] {
        assert_eq!(
            refused(&signer(), &object),
            "invalid_request_object",
            "{object}"
        );
    }
    for typ in ["JWT", "jwt", "application/oauth-authz-req+jwt"] {
        let form = Form::default().with("request", &signed_as(typ, &claims()));
        assert!(
            outcome(&signer(), &form, Via::Browser)
                .unwrap()
                .request
                .is_ok(),
            "{typ}"
        );
    }
    // The keys are somebody else's, or none that can be used.
    for jwks in [json!({ "keys": [] }), json!({})] {
        let client = Client {
            jwks: Some(jwks),
            ..signer()
        };
        assert_eq!(refused(&client, &sound), "invalid_request_object");
    }
    assert_eq!(refused(&client(), &sound), "request_not_supported");
}

#[test]
fn rfc9101_section_5_a_request_has_one_object_in_one_way() {
    let sound = form(&claims());
    for (form, code) in [
        (sound.clone().with("request", "a.b.c"), "invalid_request"),
        (
            sound.clone().with("request_uri", "https://a.example"),
            "invalid_request",
        ),
        (
            sound.clone().with("state", "a").with("state", "b"),
            "invalid_request",
        ),
        (
            sound.clone().with("response_type", "token"),
            "invalid_request_object",
        ),
    ] {
        assert_eq!(refusal(&signer(), &form, Via::Browser).wire().code, code);
    }
    let twice = sound
        .clone()
        .with("redirect_uri", REDIRECT)
        .with("redirect_uri", REDIRECT);
    assert_eq!(
        outcome(&signer(), &twice, Via::Browser).unwrap_err(),
        NoTarget::Repeated
    );
    // An empty one counts as left out (RFC 6749 §3.1).
    let empty = Form::default().with("request", "");
    assert_eq!(
        open(&signer(), &empty, Beside::Count, &issuer(), NOW),
        Ok(None)
    );
}

/// Nothing of an object that does not hold is believed, least of all where to answer.
#[test]
fn the_answer_to_a_bad_object_goes_where_the_parameters_outside_say() {
    let bad = form(&with("aud", json!("other"))).with("scope", "openid");
    assert!(matches!(
        outcome(&signer(), &bad, Via::Browser),
        Err(NoTarget::RequestObject(AuthorizeError::BadRequestObject(_)))
    ));
    let evil = bad.clone().with("redirect_uri", "https://evil.example");
    for client in [signer(), client()] {
        let found = outcome(&client, &evil, Via::Browser);
        assert!(matches!(found, Err(NoTarget::RedirectUri(_))), "{found:?}");
    }
    let good = bad.with("redirect_uri", REDIRECT).with("state", "s");
    let (target, error) = outcome(&signer(), &good, Via::Browser)
        .unwrap()
        .request
        .unwrap_err();
    assert_eq!(target.state.as_deref(), Some("s"));
    assert_eq!(error.wire().code, "invalid_request_object");
}

/// A person who takes longer to sign in than an object lives is not sent back.
#[test]
fn an_object_is_held_against_the_moment_at_which_it_was_first_seen() {
    let form = form(&claims());
    let at = |at| open(&signer(), &form, Beside::Count, &issuer(), at);
    let end = Timestamp::from_secs(NOW.secs() + 60);
    assert!(at(end.minus(Duration::from_millis(1))).is_ok());
    assert!(at(end).is_err());
}
