use super::*;
use crate::model::{ClientAuthMethod, ClientKind, Consent, ConsentPolicy, GrantType};
use crate::oauth::testing::NOW;
use crate::types::InitialTokenId;
use crate::types::appearance::skeleton;
use serde_json::json;
use std::time::Duration;

const MOMENT: Moment = Moment {
    now: NOW,
    address: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
};

fn fresh() -> Fresh {
    Fresh {
        id: [1; 10],
        secret: [2; 32],
    }
}

fn try_register(metadata: &Value, around: &Around) -> Result<Client, RegistrationError> {
    let wanted = wanted(metadata.to_string().as_bytes())?;
    let decision = register(&wanted, None, around, fresh(), [3; 32], MOMENT);
    decision.reply.map(|(client, _)| client)
}

fn registered(metadata: &Value) -> Client {
    try_register(metadata, &Around::default()).unwrap()
}

fn notes() -> Value {
    json!({ "redirect_uris": ["https://notes.example/cb"], "client_name": "Notes" })
}

fn token(uses_left: u32) -> (InitialAccessToken, BearerSecret) {
    let secret = BearerSecret::new(Id::new(NOW, [4; 10]), [5; 32]);
    let token = InitialAccessToken {
        id: InitialTokenId(secret.selector),
        hash: secret.hash(),
        note: "Tablet".to_owned(),
        created: NOW,
        expires: NOW.plus(Duration::from_secs(60)),
        uses_left,
    };
    (token, secret)
}

#[test]
fn rfc7591_section_3_who_may_register() {
    use RegistrationPolicy::{Off, Open, Token};
    let (good, secret) = token(1);
    let other = BearerSecret::new(secret.selector, [6; 32]);
    let (used, _) = token(0);
    let late = good.expires;
    for (what, policy, presented, record, now, admitted) in [
        ("open, a stranger", Open, None, None, NOW, true),
        ("a token, a stranger", Token, None, None, NOW, false),
        ("off, a stranger", Off, None, None, NOW, false),
        ("a good token", Token, Some(&secret), Some(&good), NOW, true),
        (
            "open with a token",
            Open,
            Some(&secret),
            Some(&good),
            NOW,
            true,
        ),
        (
            "off with a token",
            Off,
            Some(&secret),
            Some(&good),
            NOW,
            false,
        ),
        ("unknown", Token, Some(&secret), None, NOW, false),
        ("open, unknown", Open, Some(&secret), None, NOW, false),
        (
            "wrong verifier",
            Token,
            Some(&other),
            Some(&good),
            NOW,
            false,
        ),
        ("expired", Token, Some(&secret), Some(&good), late, false),
        ("used up", Token, Some(&secret), Some(&used), NOW, false),
    ] {
        let answer = admit(policy, presented, record.cloned(), now);
        assert_eq!(answer.is_ok(), admitted, "{what}");
        if presented.is_some() && !admitted {
            let error = answer.unwrap_err();
            assert!(
                matches!(error, RegistrationError::InvalidToken(_)),
                "{what}"
            );
        }
    }
}

#[test]
fn the_last_use_of_a_token_deletes_it() {
    let wanted = wanted(notes().to_string().as_bytes()).unwrap();
    for (uses, change) in [
        (1, Change::DeleteInitialToken(token(1).0.id)),
        (3, Change::PutInitialToken(Box::new(token(2).0))),
    ] {
        let (token, _) = token(uses);
        let around = Around {
            never_used: NEVER_USED_MAX,
            ..Around::default()
        };
        let decision = register(&wanted, Some(token), &around, fresh(), [3; 32], MOMENT);
        assert!(decision.reply.is_ok(), "the limit is for strangers");
        assert_eq!(decision.changes.last(), Some(&change));
        assert_eq!(decision.events.len(), 1);
    }
}

#[test]
fn strangers_leave_at_most_so_many_that_nobody_used() {
    let mut clients = vec![registered(&notes()); NEVER_USED_MAX];
    let full = Around::of(&clients, None, Sectors::default());
    assert_eq!(
        try_register(&notes(), &full),
        Err(RegistrationError::TooMany)
    );
    assert!(clients[0].mark_used(NOW));
    let room = Around::of(&clients, None, Sectors::default());
    assert!(try_register(&notes(), &room).is_ok());
}

#[test]
fn a_stranger_never_has_the_name_of_another() {
    let taken = |names: &[&str]| Around {
        names: names.iter().map(|name| skeleton(name)).collect(),
        ..Around::default()
    };
    for (names, name) in [
        (&[][..], "Notes"),
        (&["NOTES"], "Notes (2)"),
        (&["Notes", "notes (2)", "Notes (3)"], "Notes (4)"),
        // With a Cyrillic o, and with one that is a nought.
        (&["N\u{43e}tes"], "Notes (2)"),
        (&["N0tes"], "Notes (2)"),
    ] {
        let client = try_register(&notes(), &taken(names)).unwrap();
        assert_eq!(client.name, name);
    }
    let nameless = json!({ "redirect_uris": ["https://notes.example/cb"] });
    assert_eq!(registered(&nameless).name, "notes.example");
}

#[test]
fn what_a_registered_client_begins_with() {
    let client = registered(&notes());
    assert_eq!(client.kind, ClientKind::Web);
    assert_eq!(client.auth_method, ClientAuthMethod::ClientSecretBasic);
    assert_eq!(client.secrets.len(), 1);
    assert_eq!(client.grants, [GrantType::AuthorizationCode].into());
    assert_eq!(client.consent, ConsentPolicy::Once);
    assert!(!client.may_introspect && !client.allow_http && client.audiences.is_empty());

    // More is asked for: what is given is what is allowed. Members that nobody knows change nothing.
    let mut greedy = notes();
    greedy["scope"] = json!("openid email groups phone admin");
    greedy["client_id"] = json!("chosen");
    greedy["client_secret"] = json!("chosen");
    greedy["trusted"] = json!(true);
    greedy["consent"] = json!("trusted");
    greedy["may_introspect"] = json!(true);
    greedy["audiences"] = json!(["https://api.example"]);
    greedy["software_statement"] = json!("x");
    let given = registered(&greedy);
    assert_eq!(given.scope.to_string(), "email openid");
    let usual = Client {
        scope: given.scope.clone(),
        ..client
    };
    assert_eq!(given, usual);
}

#[test]
fn the_kind_follows_the_type_the_addresses_and_the_method() {
    let of = |uri: &str, method: &str, kind: Option<&str>| {
        let mut metadata = json!({ "redirect_uris": [uri], "token_endpoint_auth_method": method });
        if let Some(kind) = kind {
            metadata["application_type"] = json!(kind);
        }
        let client = registered(&metadata);
        (client.kind, client.is_native(), client.secrets.len())
    };
    let (web, loopback) = ("https://a.example/cb", "http://127.0.0.1/cb");
    use ClientKind::{Native, SinglePage, Web};
    assert_eq!(of(web, "client_secret_post", None), (Web, false, 1));
    assert_eq!(of(web, "none", Some("web")), (SinglePage, false, 0));
    assert_eq!(of(loopback, "none", None), (Native, true, 0));
    assert_eq!(of("com.example.app:/cb", "none", None), (Native, true, 0));
    // RFC 8252 §8.4: with a secret of its own, and still on a person's device.
    assert_eq!(of(loopback, "client_secret_basic", None), (Web, true, 1));
    assert_eq!(of(web, "none", Some("native")), (Native, true, 0));
}

/// A client that an administrator has given more.
fn favoured() -> Client {
    Client {
        consent: ConsentPolicy::Trusted,
        scope: "openid email groups".parse().unwrap(),
        allow_http: true,
        redirect_uris: vec![
            "https://notes.example/cb".parse().unwrap(),
            "http://nas.example/cb".parse().unwrap(),
        ],
        grants: [GrantType::AuthorizationCode, GrantType::ClientCredentials].into(),
        may_introspect: true,
        audiences: vec!["https://api.example".to_owned()],
        allowed_groups: ["family".parse().unwrap()].into(),
        ..registered(&notes())
    }
}

fn put(old: &Client, change: &[(&str, Value)]) -> Client {
    let mut body = notes();
    body["client_id"] = json!(old.id);
    for (member, value) in change {
        body[member] = value.clone();
    }
    let body = body.to_string();
    let around = Around::default();
    let decision = update(old.clone(), body.as_bytes(), &around, fresh(), MOMENT);
    decision.reply.unwrap().0
}

#[test]
fn rfc7592_section_2_2_what_an_administrator_gave_stays_and_nothing_is_gained() {
    let old = favoured();
    let uris = json!(old.redirect_uris);
    let same = [
        ("redirect_uris", uris.clone()),
        ("grant_types", json!(old.grants)),
        ("scope", json!("openid email groups")),
    ];
    assert_eq!(put(&old, &same), old);
    let narrowed = put(&old, &[]);
    assert_eq!(narrowed.grants, [GrantType::AuthorizationCode].into());
    for (member, value) in [
        ("trusted", json!(true)),
        ("disabled", json!(false)),
        ("allowed_groups", json!([])),
        ("audiences", json!([])),
        ("scope", json!("openid email groups phone admin")),
    ] {
        let after = put(&old, &[("redirect_uris", uris.clone()), (member, value)]);
        assert_eq!(after.scope, old.scope, "{member}");
        assert_eq!(after.allowed_groups, old.allowed_groups);
        assert_eq!(after.audiences, old.audiences);
        assert_eq!(after.consent, old.consent);
        assert!(after.may_introspect && after.allow_http);
        assert_eq!(after.secrets, old.secrets);
    }
}

/// RFC 9126 §6, JARM §3.
#[test]
fn pushed_requests_and_signed_answers_are_registered_and_never_taken_back() {
    let mut wanted = notes();
    wanted["require_pushed_authorization_requests"] = json!(true);
    wanted["authorization_signed_response_alg"] = json!("ES256");
    let client = registered(&wanted);
    assert!(client.require_par);
    let es256 = Some(crate::model::Algorithm::Es256);
    assert_eq!(client.authorization_signed_response_alg, es256);
    let issuer = "https://id.example".parse().unwrap();
    let secret = crate::types::Secret::new("t".to_owned());
    let told = answer::information(&client, &issuer, None, &secret);
    assert_eq!(told["require_pushed_authorization_requests"], true);
    assert_eq!(told["authorization_signed_response_alg"], "ES256");
    let later = put(
        &client,
        &[("require_pushed_authorization_requests", json!(false))],
    );
    assert!(later.require_par);
    assert_eq!(later.authorization_signed_response_alg, None);
    for (member, value) in [
        ("require_pushed_authorization_requests", json!("true")),
        ("authorization_signed_response_alg", json!("none")),
        ("authorization_signed_response_alg", json!(["ES256"])),
        ("request_object_signing_alg", json!("ES256")),
        ("require_signed_request_object", json!(true)),
    ] {
        let mut bad = notes();
        bad[member] = value;
        let refused = try_register(&bad, &Around::default()).unwrap_err();
        let code = refused.wire().unwrap().code;
        assert_eq!(code, "invalid_client_metadata", "{member}");
    }
}

/// Whoever gets hold of a registration access token must not have people sent elsewhere unasked.
#[test]
fn a_new_address_is_not_trusted_and_what_people_agreed_to_counts_no_more() {
    let old = favoured();
    let fewer = put(&old, &[]);
    let agreed = |given| Consent {
        user: crate::oauth::testing::user().id,
        client: old.id,
        scope: "openid".parse().unwrap(),
        resources: [].into(),
        given,
    };
    assert_eq!(fewer.consent, ConsentPolicy::Trusted);
    assert!(fewer.standing(Some(&agreed(NOW))).is_some());
    let moved = put(
        &old,
        &[("redirect_uris", json!(["https://evil.example/cb"]))],
    );
    assert_eq!(moved.consent, ConsentPolicy::Once);
    assert!(moved.standing(Some(&agreed(NOW))).is_none());
    assert!(moved.standing(Some(&agreed(NOW.just_after()))).is_some());
}

#[test]
fn a_client_that_becomes_public_loses_its_secret_and_gets_another_when_it_comes_back() {
    let old = registered(&notes());
    let public = put(&old, &[("token_endpoint_auth_method", json!("none"))]);
    assert!(public.is_public() && public.secrets.is_empty());
    let body = json!({ "client_id": public.id, "redirect_uris": ["https://notes.example/cb"] });
    let body = body.to_string();
    let around = Around::default();
    let back = update(public, body.as_bytes(), &around, fresh(), MOMENT);
    let (client, secret) = back.reply.unwrap();
    let hash = TokenHash::of(&secret.unwrap());
    assert_eq!(client.secrets[0].hash.quick(), Some(hash));
}

/// A public key (RFC 8037 appendix A.2).
fn keys() -> Value {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": x }] })
}

#[test]
fn a_client_may_prove_who_it_is_in_every_way_that_there_is() {
    for (method, secrets, signs) in [
        ("client_secret_basic", 1, false),
        ("client_secret_post", 1, false),
        ("client_secret_jwt", 1, true),
        ("private_key_jwt", 0, false),
        ("none", 0, false),
    ] {
        let mut metadata = notes();
        metadata["token_endpoint_auth_method"] = json!(method);
        metadata["jwks"] = keys();
        let client = registered(&metadata);
        assert_eq!(json!(client.auth_method), method);
        assert_eq!(client.secrets.len(), secrets, "{method}");
        let kept = client.secrets.iter().any(|secret| secret.key.is_some());
        assert_eq!(kept, signs, "{method}");
        assert_eq!(client.jwks, Some(keys()));
        // The other way round, a secret that signs and one that does not are never the same.
        for other in ["client_secret_basic", "client_secret_jwt"] {
            let after = put(&client, &[("token_endpoint_auth_method", json!(other))]);
            let kept = after.secrets.iter().filter(|secret| secret.key.is_some());
            assert_eq!(after.secrets.len(), 1, "{method} {other}");
            assert_eq!(kept.count(), usize::from(other == "client_secret_jwt"));
        }
    }
}

#[test]
fn what_makes_a_client_stricter_is_taken_and_never_loosened_by_itself() {
    let mut metadata = notes();
    metadata["dpop_bound_access_tokens"] = json!(true);
    metadata["require_pushed_authorization_requests"] = json!(true);
    let strict = registered(&metadata);
    assert!(strict.dpop_bound_access_tokens && strict.require_par);
    let after = put(&strict, &[("dpop_bound_access_tokens", json!(false))]);
    assert!(after.dpop_bound_access_tokens && after.require_par);
}

#[test]
fn rfc7592_section_2_only_its_own_token_manages_a_client() {
    let client = registered(&notes());
    let own = registration_token(client.id, [3; 32]);
    let wrong = registration_token(client.id, [9; 32]);
    let elsewhere = registration_token(ClientId(Id::new(NOW, [8; 10])), [3; 32]);
    let id = Some(client.id);
    let off = Client {
        disabled: true,
        ..client.clone()
    };
    let by_hand = Client {
        registered: None,
        ..client.clone()
    };
    let there = || Some(client.clone());
    assert_eq!(manager(id, Some(&own), there()), Ok(client.clone()));
    assert_eq!(manager(id, None, there()), Err(RegistrationError::NoToken));
    for (what, id, token, record) in [
        ("wrong verifier", id, &wrong, there()),
        ("another's selector", id, &elsewhere, there()),
        ("no such client", id, &own, None),
        ("no id", None, &own, None),
        ("switched off", id, &own, Some(off)),
        ("an administrator's", id, &own, Some(by_hand)),
    ] {
        let refused = manager(id, Some(token), record);
        assert!(
            matches!(refused, Err(RegistrationError::InvalidToken(_))),
            "{what}"
        );
    }
}

#[test]
fn rfc6749_section_5_2_descriptions_have_no_quotes_and_no_backslashes() {
    let errors = [
        RegistrationError::InvalidToken("x"),
        RegistrationError::MalformedBody,
        RegistrationError::TooMany,
        RegistrationError::TooOften(Duration::from_secs(1)),
        RegistrationError::Unavailable,
    ];
    let bad = [
        json!({ "jwks_uri": "x" }),
        json!({ "request_uris": ["x"] }),
        json!({ "redirect_uris": ["http://\"\\.example/"] }),
        json!({ "redirect_uris": [] }),
        json!({ "client_name": "\u{202e}\"\\" }),
    ];
    let refused = bad.iter().map(|metadata| {
        let around = Around::default();
        try_register(metadata, &around).unwrap_err()
    });
    for error in errors.into_iter().chain(refused) {
        let wire = error.wire().unwrap();
        let allowed = |b: u8| matches!(b, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        assert!(wire.description.bytes().all(allowed), "{wire:?}");
        assert!(!error.detail().is_empty());
    }
}

#[test]
fn the_manual_says_how_many_and_for_how_long() {
    assert_eq!(NEVER_USED_MAX, 100);
    let stranger = registered(&notes());
    let days = |count: u64| NOW.plus(Duration::from_secs(count * 24 * 3_600));
    assert_eq!(stranger.forgotten_at(), Some(days(7)));
    let mut used = stranger;
    assert!(used.mark_used(NOW));
    assert_eq!(used.forgotten_at(), Some(days(90)));
    let manual = include_str!("../../../packaging/manual/applications.md");
    assert!(
        manual.contains(
            "at most a hundred that nobody has used, which are forgotten after seven days"
        )
    );
    assert!(manual.contains("not used for 90 days"));
    assert!(manual.contains(DEFAULT_SCOPE));
}
