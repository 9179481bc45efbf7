//! Who may exchange which token (RFC 8693), by table.

use super::*;
use crate::model::{GrantType, PROTOCOL_CLAIMS};
use crate::oauth::testing::{NOW, client, public_client, resource, user};
use crate::types::{ClientId, GrantId, GroupName, Id, Issuer};
use serde_json::Map;
use std::time::Duration;

const ONE: Thumbprint = Thumbprint::from_digest([1; 32]);
const OTHER: Thumbprint = Thumbprint::from_digest([2; 32]);

fn issuer() -> Issuer {
    "https://id.example".parse().unwrap()
}

/// The application that exchanges: `front:` is its own service, `back:` the one it calls.
fn asking() -> Client {
    let mut client = client();
    client.id = ClientId(Id::new(NOW, [40; 10]));
    client.grants = [GrantType::TokenExchange].into();
    client.scope = "read write openid offline_access doorlight:write"
        .parse()
        .unwrap();
    let (mut front, mut back) = (resource("front:"), resource("back:"));
    front.servers = [client.id].into();
    back.clients = [client.id].into();
    back.token_seconds = 3_600;
    client.resources = vec![front, back];
    client
}

fn with(changes: &[(&str, Value)]) -> Standing {
    let grant = GrantId(Id::new(NOW, [3; 10]));
    let token = Id::new(NOW, [4; 10]);
    let claims = json!({
        "iss": "https://id.example", "sub": user().id, "aud": "front:", "client_id": client().id,
        "iat": NOW.secs(), "exp": NOW.secs() + 100, "jti": format!("{grant}.{token}"),
        "scope": "openid read offline_access doorlight:write", "auth_time": 5, "acr": "1",
    });
    let Value::Object(mut claims): Value = claims else {
        panic!("no object")
    };
    for (name, value) in changes {
        claims.insert((*name).to_owned(), value.clone());
    }
    Standing {
        token: AccessToken::from_claims("at+jwt", claims, &issuer()).unwrap(),
        stands: true,
        user: Some(user().into()),
    }
}

fn request(targets: &[&str]) -> Request {
    Request {
        subject_token: Secret::new("s".to_owned()),
        actor_token: None,
        targets: targets.iter().map(|t| (*t).to_owned()).collect(),
        scope: None,
        token_type: ACCESS_TOKEN,
        key: None,
    }
}

fn run(subject: Standing, client: &Client, request: &Request) -> Result<Issued, TokenError> {
    let decision = decide(Some(subject), None, client, request, [9; 10], NOW);
    assert!(decision.changes.is_empty() && decision.events.len() == 1);
    decision.reply
}

fn claims(issued: &Issued) -> Map<String, Value> {
    issued.access_claims(&issuer())
}

#[test]
fn rfc8693_section_4_1_the_new_token_says_who_acts_and_what_it_came_from() {
    let first = with(&[("act", json!({ "sub": "before" }))]);
    let issued = run(first, &asking(), &request(&["back:"])).unwrap();
    let claims = claims(&issued);
    assert_eq!(claims["sub"], json!(user().id));
    assert_eq!(claims["act"]["sub"], json!(asking().id));
    assert_eq!(claims["act"]["act"]["sub"], "before");
    assert_eq!(claims["scope"], "read");
    assert_eq!(claims["exp"], NOW.secs() + 100);
    assert_eq!(claims["aud"], "back:");
    assert_eq!(
        (&claims["auth_time"], &claims["acr"]),
        (&json!(5), &json!("1"))
    );
    // What our own checks read is no name for a claim of an application's own.
    let free: Vec<&String> = claims
        .keys()
        .filter(|name| !PROTOCOL_CLAIMS.contains(&name.as_str()))
        .collect();
    assert!(free.is_empty(), "{free:?}");
    let again = AccessToken::from_claims("at+jwt", claims, &issuer()).unwrap();
    assert_eq!(again.origins.len(), 1);
    assert_eq!(again.grant, Some(GrantId(Id::new(NOW, [3; 10]))));
}

#[test]
fn rfc8693_section_5_only_what_was_sent_or_issued_to_it_is_exchanged() {
    let asking = asking();
    let own = asking.id.to_string();
    for (changes, good) in [
        (vec![], true),
        (vec![("aud", json!(["x:", "front:"]))], true),
        (vec![("aud", json!(own))], true),
        (vec![("aud", json!("x:")), ("client_id", json!(own))], true),
        (vec![("aud", json!("x:"))], false),
        // It may ask for that one, but it is not that service.
        (vec![("aud", json!("back:"))], false),
        (vec![("aud", json!("https://id.example"))], false),
        (vec![("aud", json!(null))], false),
    ] {
        let reply = run(with(&changes), &asking, &request(&["back:"]));
        assert_eq!(reply.is_ok(), good, "{changes:?}");
        if let Err(error) = reply {
            assert_eq!(error.wire().code, "invalid_request", "{changes:?}");
        }
    }
}

#[test]
fn rfc8693_section_2_2_2_a_token_that_does_not_stand_is_refused() {
    let fallen = Standing {
        stands: false,
        ..with(&[])
    };
    let expired = with(&[("exp", json!(NOW.secs()))]);
    for subject in [fallen, expired] {
        let reply = run(subject, &asking(), &request(&["back:"]));
        assert!(matches!(reply, Err(TokenError::InvalidExchange(_))));
    }
    let none = decide(None, None, &asking(), &request(&["back:"]), [9; 10], NOW);
    assert!(matches!(none.reply, Err(TokenError::InvalidExchange(_))));
    let with_actor = Request {
        actor_token: Some(Secret::new("a".to_owned())),
        ..request(&["back:"])
    };
    let reply = run(with(&[]), &asking(), &with_actor);
    assert!(matches!(reply, Err(TokenError::InvalidExchange(_))));
}

#[test]
fn rfc8693_section_2_1_a_public_or_disabled_client_and_a_person_shut_out_get_nothing() {
    let public = Client {
        auth_method: public_client().auth_method,
        ..asking()
    };
    let disabled = Client {
        disabled: true,
        ..asking()
    };
    for client in [public, disabled] {
        let reply = run(with(&[]), &client, &request(&["back:"]));
        assert_eq!(reply.unwrap_err(), TokenError::UnauthorizedClient);
    }
    let staff: GroupName = "staff".parse().unwrap();
    let closed = Client {
        allowed_groups: [staff].into(),
        ..asking()
    };
    let reply = run(with(&[]), &closed, &request(&["back:"]));
    assert!(matches!(reply, Err(TokenError::InvalidExchange(_))));
}

#[test]
fn rfc8693_section_2_1_the_scope_never_widens() {
    for (asked, good) in [
        ("", Some("read")),
        ("read", Some("read")),
        ("write", None),
        ("openid", None),
        ("offline_access", None),
        ("doorlight:write", None),
        ("read write", None),
    ] {
        let request = Request {
            scope: Some(asked.parse().unwrap()),
            ..request(&["back:"])
        };
        let reply = run(with(&[]), &asking(), &request);
        match good {
            Some(scope) => assert_eq!(reply.unwrap().scope.to_string(), scope),
            None => assert_eq!(reply.unwrap_err(), TokenError::InvalidScope, "{asked}"),
        }
    }
}

#[test]
fn rfc8707_section_2_a_token_for_doorlight_itself_is_not_exchanged_for() {
    for targets in [vec![], vec!["front:"], vec!["back:", "x:"]] {
        let reply = run(with(&[]), &asking(), &request(&targets));
        assert_eq!(reply.unwrap_err(), TokenError::InvalidTarget, "{targets:?}");
    }
}

#[test]
fn rfc9449_section_7_2_a_bound_token_needs_its_key() {
    let bound = || with(&[("cnf", json!({ "jkt": ONE }))]);
    for (key, good) in [(None, false), (Some(OTHER), false), (Some(ONE), true)] {
        let request = Request {
            key,
            ..request(&["back:"])
        };
        let reply = run(bound(), &asking(), &request);
        assert_eq!(reply.is_ok(), good, "{key:?}");
    }
}

#[test]
fn a_chain_of_exchanges_has_an_end() {
    let asking = asking();
    let mut subject = with(&[]);
    for round in 0..20_u8 {
        let decision = decide(
            Some(subject),
            None,
            &asking,
            &request(&["back:"]),
            [100 + round; 10],
            NOW.plus(Duration::from_secs(1)),
        );
        let Ok(issued) = decision.reply else {
            assert_eq!(usize::from(round), ORIGINS_MAX);
            return;
        };
        subject = Standing {
            token: AccessToken::from_claims("at+jwt", claims(&issued), &issuer()).unwrap(),
            ..with(&[])
        };
    }
    panic!("it never ended");
}
