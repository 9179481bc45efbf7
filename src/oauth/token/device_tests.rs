use super::*;
use crate::crypto::random::Fresh;
use crate::model::{GrantType, Outcome, Session, User};
use crate::oauth::standing;
use crate::oauth::testing::{
    self, NOW, agreed, authentication, public_client, secret, session, user,
};

fn client() -> Client {
    Client {
        grants: [GrantType::DeviceCode, GrantType::RefreshToken].into(),
        audiences: vec!["https://api.example".to_owned()],
        ..public_client()
    }
}

fn waiting() -> DeviceAuthorization {
    testing::device(&client())
}

fn allowed() -> DeviceAuthorization {
    let answer = DeviceAnswer::Allowed {
        user: user().id,
        session: session().id,
        authentication: authentication(),
        at: NOW,
    };
    DeviceAuthorization {
        answer: Some(answer),
        ..waiting()
    }
}

fn request() -> Request {
    let device_code = BearerSecret {
        selector: waiting().id,
        verifier: secret(),
    };
    Request {
        device_code: Some(device_code),
        resources: Vec::new(),
        key: None,
    }
}

fn fresh() -> FreshTokens {
    FreshTokens {
        grant: [5; 10],
        access: [6; 10],
        refresh: Fresh {
            id: [7; 10],
            secret: [8; 32],
        },
    }
}

fn at(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

fn run(
    device: Option<DeviceAuthorization>,
    earlier: Option<Grant>,
    request: &Request,
    now: Timestamp,
) -> Decision<Issued, TokenError> {
    on(
        device,
        earlier,
        request,
        now,
        &client(),
        Some(&user()),
        Some(&session()),
    )
}

fn on(
    device: Option<DeviceAuthorization>,
    earlier: Option<Grant>,
    request: &Request,
    now: Timestamp,
    client: &Client,
    user: Option<&User>,
    session: Option<&Session>,
) -> Decision<Issued, TokenError> {
    let ground = Ground {
        client: Some(client),
        user,
        session,
    };
    let found = Known {
        device,
        earlier,
        consent: Some(agreed(client)),
    };
    decide(found, ground, client, request, fresh(), now)
}

#[test]
fn a_code_gives_tokens_once_and_a_replay_ends_the_grant_also_after_it_expired() {
    let first = run(Some(allowed()), None, &request(), at(30));
    assert!(first.reply.as_ref().unwrap().refresh.is_some());
    let [
        Change::PutDeviceAuthorization(used),
        Change::PutGrant(grant),
        Change::PutRefreshToken(_),
    ] = &first.changes[..]
    else {
        panic!("{:?}", first.changes)
    };
    assert_eq!(
        (used.redeemed, grant.session),
        (Some(grant.id), session().id)
    );
    assert!(grant.offline);
    for now in [at(31), at(3_000)] {
        let found = find(Some(used), &client(), &request(), now);
        assert_eq!(found, Ok(Found::Answered));
        let replay = run(
            Some((**used).clone()),
            Some((**grant).clone()),
            &request(),
            now,
        );
        assert!(matches!(
            replay.reply,
            Err(TokenError::InvalidDeviceCode(_))
        ));
        let [Change::PutGrant(ended)] = &replay.changes[..] else {
            panic!("{:?}", replay.changes)
        };
        assert_eq!(ended.ended, Some((now, GrantEnd::CodeReplayed)));
        assert_eq!(replay.events[0].outcome, Outcome::Refused);
        // And once it has ended, nothing is left to end.
        let again = run(
            Some((**used).clone()),
            Some((**ended).clone()),
            &request(),
            now,
        );
        assert!(again.reply.is_err() && again.changes.is_empty());
    }
}

#[test]
fn a_code_that_had_its_time_is_not_good_again_when_the_clock_is_set_back() {
    let back = NOW.minus(Duration::from_secs(601));
    let expired = TokenError::DeviceCodeExpired;
    let found = find(Some(&waiting()), &client(), &request(), back);
    assert_eq!(found, Err(expired.clone()));
    let decision = run(Some(allowed()), None, &request(), back);
    assert_eq!(decision.reply.unwrap_err(), expired);
    assert!(decision.changes.is_empty());
}

/// RFC 8628 §3.5, each of its answers and whatever else is wrong: nothing is given and nothing changes.
#[test]
fn rfc8628_section_3_5_what_a_poll_is_answered() {
    let client = client();
    let other = Client {
        id: crate::types::ClientId(Id::new(NOW, [99; 10])),
        ..client.clone()
    };
    let denied = DeviceAuthorization {
        answer: Some(DeviceAnswer::Denied),
        ..waiting()
    };
    let mut wrong = request();
    wrong.device_code = Some(BearerSecret::new(waiting().id, [1; 32]));
    let mut none = request();
    none.device_code = None;
    let pending = Ok(Found::Waiting(waiting().id));
    let unknown = Err(TokenError::InvalidDeviceCode("unknown code"));
    let foreign = "the code was issued to another application";
    let expired = Err(TokenError::DeviceCodeExpired);
    let refused = Err(TokenError::DeviceDenied);
    for (name, device, client, request, now, found) in [
        (
            "pending",
            Some(waiting()),
            &client,
            request(),
            at(599),
            pending.clone(),
        ),
        (
            "expired",
            Some(waiting()),
            &client,
            request(),
            at(600),
            expired.clone(),
        ),
        (
            "allowed and expired",
            Some(allowed()),
            &client,
            request(),
            at(600),
            expired,
        ),
        ("denied", Some(denied), &client, request(), NOW, refused),
        (
            "allowed",
            Some(allowed()),
            &client,
            request(),
            at(599),
            Ok(Found::Answered),
        ),
        ("unknown", None, &client, request(), NOW, unknown.clone()),
        (
            "another verifier",
            Some(allowed()),
            &client,
            wrong,
            NOW,
            unknown.clone(),
        ),
        ("malformed", Some(allowed()), &client, none, NOW, unknown),
        (
            "another client's",
            Some(allowed()),
            &other,
            request(),
            NOW,
            Err(TokenError::InvalidDeviceCode(foreign)),
        ),
    ] {
        assert_eq!(
            find(device.as_ref(), client, &request, now),
            found,
            "{name}"
        );
        if found == Ok(Found::Answered) {
            continue;
        }
        // The writer says the same, should the record have changed on the way.
        let (user, session) = (user(), session());
        let decision = on(
            device,
            None,
            &request,
            now,
            client,
            Some(&user),
            Some(&session),
        );
        let said = decision.reply.unwrap_err();
        let expected = match found {
            Err(error) => error,
            Ok(_) => TokenError::AuthorizationPending,
        };
        assert_eq!(said, expected, "{name}");
        assert!(decision.changes.is_empty(), "{name}");
    }
    assert_eq!(pending, Ok(Found::Waiting(waiting().id)));
}

#[test]
fn a_form_without_a_device_code_or_with_two_is_refused() {
    let parse = |form: &str| Request::parse(&Form::parse(form.as_bytes()).unwrap());
    let missing = TokenError::MissingParameter("device_code");
    assert_eq!(parse("").unwrap_err(), missing);
    assert_eq!(parse("device_code=").unwrap_err(), missing);
    let twice = TokenError::RepeatedParameter("device_code".to_owned());
    assert_eq!(parse("device_code=a&device_code=b").unwrap_err(), twice);
    assert!(parse("device_code=a").unwrap().device_code.is_none());
}

#[test]
fn a_yes_that_lost_its_ground_gives_nothing() {
    let (alice, client, here) = (user(), client(), session());
    let closed = Client {
        allowed_groups: ["staff".parse().unwrap()].into(),
        ..client.clone()
    };
    let off = Client {
        disabled: true,
        ..client.clone()
    };
    let disabled = User {
        disabled: true,
        ..alice.clone()
    };
    let reset = User {
        tokens_not_before: NOW.just_after(),
        ..alice.clone()
    };
    let elsewhere = Session {
        id: crate::types::SessionId(Id::new(NOW, [77; 10])),
        ..here.clone()
    };
    for (name, client, user, session) in [
        ("group left", &closed, Some(&alice), Some(&here)),
        ("application off", &off, Some(&alice), Some(&here)),
        ("person gone", &client, None, Some(&here)),
        ("person disabled", &client, Some(&disabled), Some(&here)),
        ("person reset", &client, Some(&reset), Some(&here)),
        ("signed out", &client, Some(&alice), None),
        ("another session", &client, Some(&alice), Some(&elsewhere)),
    ] {
        let decision = on(
            Some(allowed()),
            None,
            &request(),
            at(1),
            client,
            user,
            session,
        );
        let error = decision.reply.unwrap_err();
        assert!(
            matches!(error, TokenError::InvalidDeviceCode(_)),
            "{name}: {error:?}"
        );
        assert!(decision.changes.is_empty(), "{name}");
    }
}

#[test]
fn without_offline_access_the_grant_hangs_on_the_browsers_session() {
    let device = DeviceAuthorization {
        scope: "openid email".parse().unwrap(),
        ..allowed()
    };
    let decision = run(Some(device), None, &request(), NOW);
    assert!(decision.reply.unwrap().refresh.is_none());
    let Change::PutGrant(grant) = &decision.changes[1] else {
        panic!("{:?}", decision.changes)
    };
    assert!(!grant.offline);
    let (client, user) = (client(), user());
    let signed_out = Ground {
        client: Some(&client),
        user: Some(&user),
        session: None,
    };
    assert_eq!(
        standing::of_grant(grant, signed_out, at(1)),
        Err(standing::Fallen::Session)
    );
}

#[test]
fn rfc8707_section_2_a_poll_may_narrow_the_resources_and_never_widen_them() {
    let device = DeviceAuthorization {
        resources: vec!["https://api.example".to_owned()],
        ..allowed()
    };
    let with = |resource: &str| Request {
        resources: vec![resource.to_owned()],
        ..request()
    };
    let good = run(
        Some(device.clone()),
        None,
        &with("https://api.example"),
        NOW,
    );
    assert_eq!(good.reply.unwrap().audience, ["https://api.example"]);
    let bad = run(Some(device), None, &with("https://other.example"), NOW);
    assert_eq!(bad.reply.unwrap_err(), TokenError::InvalidTarget);
    assert!(bad.changes.is_empty());
}

#[test]
fn rfc8628_section_3_5_who_polls_too_soon_waits_five_seconds_longer_each_time() {
    let mut pace = None;
    let mut poll = |millis: u64| {
        let (after, soon) = Pace::after(pace, NOW.plus(Duration::from_millis(millis)));
        pace = Some(after);
        (after.interval.as_secs(), soon)
    };
    for (millis, expected) in [
        (0, (5, false)),
        (5_000, (5, false)),
        // A little early is on time: requests do not all take equally long.
        (9_600, (5, false)),
        (13_000, (10, true)),
        (18_000, (15, true)),
        (33_000, (15, false)),
        (47_000, (20, true)),
        (67_000, (20, false)),
    ] {
        assert_eq!(poll(millis), expected, "{millis}");
    }
}
