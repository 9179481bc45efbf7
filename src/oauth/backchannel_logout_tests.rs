use super::*;
use crate::model::Outcome;
use crate::oauth::testing::{NOW, client, grant, session, user};

const OUT: &str = "https://notes.example/out";

fn told() -> Client {
    Client {
        backchannel_logout_uri: Some(OUT.to_owned()),
        ..client()
    }
}

fn person(grants: Vec<Grant>) -> Person {
    Person {
        user: user(),
        grants,
        sessions: vec![session()],
    }
}

/// Who is told, by whose grants and which changes.
fn told_by(changes: &[Change], person: &Person, client: Client) -> Vec<Delivery> {
    let clients = [(client.id, client)].into();
    let owed = owed(changes, person, &clients, NOW);
    let deliveries = owed.into_iter().map(|change| match change {
        Change::PutDelivery(delivery) => *delivery,
        other => panic!("{other:?}"),
    });
    deliveries.collect()
}

fn put(user: User) -> Change {
    Change::PutUser(Box::new(user))
}

#[test]
fn each_way_in_which_a_grant_falls_is_told() {
    let family: GroupName = "family".parse().unwrap();
    let closed = Client {
        allowed_groups: [family.clone()].into(),
        ..told()
    };
    let g = grant(&told());
    let offline = Grant {
        offline: true,
        ..g.clone()
    };
    let withdrawn = Change::PutGrant(Box::new(Grant {
        ended: Some((NOW, GrantEnd::RevokedByPerson)),
        ..g.clone()
    }));
    let disabled = User {
        disabled: true,
        ..user()
    };
    let reset = User {
        tokens_not_before: NOW.just_after(),
        ..user()
    };
    let left = User {
        groups: [].into(),
        ..user()
    };
    let table = [
        ("the session ends", Change::DeleteSession(session().id), &g),
        (
            "§2.7: and the tokens outlive it",
            Change::DeleteSession(session().id),
            &offline,
        ),
        ("the person is disabled", put(disabled), &offline),
        ("their tokens are called back", put(reset), &offline),
        ("they are deleted", Change::DeleteUser(user().id), &offline),
        ("they leave the group", put(left), &g),
        ("the group is deleted", Change::DeleteGroup(family), &g),
        ("the permission is withdrawn", withdrawn, &g),
    ];
    for (how, change, grant) in table {
        let told = told_by(&[change], &person(vec![grant.clone()]), closed.clone());
        let [delivery] = &told[..] else {
            panic!("{how}: {told:?}")
        };
        assert_eq!(
            (delivery.client, delivery.user, delivery.session),
            (client().id, user().id, session().id),
            "{how}"
        );
        assert_eq!(
            (delivery.uri.as_str(), delivery.due, delivery.attempts),
            (OUT, NOW, 0)
        );
    }
}

#[test]
fn an_application_that_is_closed_is_told_of_whom_it_is_closed_to() {
    let group = |name: &str| name.parse::<GroupName>().unwrap();
    let closed_to = |names: &[&str]| Client {
        allowed_groups: names.iter().map(|name| group(name)).collect(),
        ..told()
    };
    let disabled = Client {
        disabled: true,
        ..told()
    };
    let reset = Client {
        tokens_not_before: NOW.just_after(),
        ..told()
    };
    let renamed = Client {
        name: "Notebook".to_owned(),
        ..told()
    };
    let both = closed_to(&["cooks", "family"]);
    let table = [
        ("it is disabled", told(), disabled.clone(), true, 1),
        ("its tokens are called back", told(), reset, true, 1),
        ("to all but cooks", told(), closed_to(&["cooks"]), true, 1),
        (
            "to the family",
            both.clone(),
            closed_to(&["cooks"]),
            true,
            1,
        ),
        ("not to the family", both, closed_to(&["family"]), true, 0),
        ("to others", told(), closed_to(&["family"]), true, 0),
        ("opened", closed_to(&["family"]), told(), false, 0),
        ("renamed", told(), renamed, false, 0),
        ("as it was", disabled.clone(), disabled.clone(), false, 0),
        ("opened again", disabled, told(), false, 0),
    ];
    for (how, before, after, restricted, count) in table {
        let changes = [Change::PutClient(Box::new(after))];
        assert_eq!(is_restricted(&before, &changes), restricted, "{how}");
        let all = person(vec![grant(&before)]);
        assert_eq!(told_by(&changes, &all, before).len(), count, "{how}");
    }
}

/// A sign-in without a refresh token was over for us with its access token, and the application never heard of the rest.
#[test]
fn a_sign_in_lasts_as_long_as_its_session_whatever_its_tokens_do() {
    let over = Grant {
        expires: NOW,
        ..grant(&told())
    };
    let disabled = User {
        disabled: true,
        ..user()
    };
    let withdrawn = Grant {
        ended: Some((NOW, GrantEnd::RevokedByPerson)),
        ..over.clone()
    };
    let changes = [
        put(disabled.clone()),
        Change::PutGrant(Box::new(withdrawn)),
        Change::DeleteSession(session().id),
    ];
    for change in changes {
        let told = told_by(
            std::slice::from_ref(&change),
            &person(vec![over.clone()]),
            told(),
        );
        assert_eq!(told.len(), 1, "{change:?}");
    }
    let alone = Person {
        sessions: Vec::new(),
        ..person(vec![over])
    };
    assert_eq!(told_by(&[put(disabled)], &alone, told()), []);
}

#[test]
fn nobody_is_told_of_what_did_not_end() {
    let g = grant(&told());
    let ended = |end| Grant {
        ended: Some((NOW, end)),
        ..g.clone()
    };
    let other = SessionId(Id::new(NOW, [9; 10]));
    let renamed = User {
        name: Some("Alice B.".to_owned()),
        ..user()
    };
    let left = User {
        groups: [].into(),
        ..user()
    };
    let gone = Change::DeleteSession(session().id);
    let machine = Grant {
        scope: "api:read".parse().unwrap(),
        ..g.clone()
    };
    let table = [
        (
            "another session",
            Change::DeleteSession(other),
            g.clone(),
            told(),
        ),
        (
            "an edit that takes nothing",
            put(renamed),
            g.clone(),
            told(),
        ),
        (
            "a group that the application does not ask for",
            put(left),
            g.clone(),
            told(),
        ),
        ("it has no address", gone.clone(), g.clone(), client()),
        ("nobody signed in", gone.clone(), machine, told()),
        (
            "it was told before",
            gone,
            ended(GrantEnd::RevokedByPerson),
            told(),
        ),
        (
            "a replay",
            Change::PutGrant(Box::new(ended(GrantEnd::CodeReplayed))),
            g.clone(),
            told(),
        ),
        (
            "it had fallen",
            Change::DeleteUser(user().id),
            ended(GrantEnd::RevokedByClient),
            told(),
        ),
    ];
    for (how, change, grant, client) in table {
        assert_eq!(
            told_by(&[change], &person(vec![grant]), client),
            [],
            "{how}"
        );
    }
}

#[test]
fn many_grants_of_one_session_are_told_once() {
    let second = Grant {
        id: GrantId(Id::new(NOW, [8; 10])),
        ..grant(&told())
    };
    let elsewhere = Grant {
        id: GrantId(Id::new(NOW, [9; 10])),
        session: SessionId(Id::new(NOW, [9; 10])),
        offline: true,
        ..grant(&told())
    };
    let all = person(vec![grant(&told()), second, elsewhere]);
    let told = told_by(&[Change::DeleteUser(user().id)], &all, told());
    assert_eq!(told.len(), 2);
    assert_ne!(told[0].id, told[1].id);
}

fn delivery() -> Delivery {
    told_by(
        &[Change::DeleteSession(session().id)],
        &person(vec![grant(&told())]),
        told(),
    )
    .remove(0)
}

#[test]
fn section_2_4_the_claims_of_a_logout_token() {
    let issuer = "https://id.example".parse().unwrap();
    let jti = Id::new(NOW, [6; 10]);
    let claims = claims(&issuer, &delivery(), &client(), jti, NOW);
    let expected = json!({
        "iss": "https://id.example",
        "sub": user().id,
        "aud": client().id,
        "iat": NOW.secs(),
        "exp": NOW.secs() + 120,
        "jti": jti,
        "sid": session().id,
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    });
    assert_eq!(claims, expected);
}

#[test]
fn section_2_8_what_an_answer_means() {
    let try_at = |delivery: Delivery, heard: Heard, at: Timestamp| {
        after_attempt(delivery, heard, Some(&told()), Some(&user()), at)
    };
    for good in [200, 204] {
        let done = try_at(delivery(), Heard::Status(good), NOW);
        assert_eq!(done.changes, [Change::DeleteDelivery(delivery().id)]);
        assert_eq!(done.events[0].outcome, Outcome::Success);
        assert_eq!(done.events[0].client, Some(client().id));
    }
    let gone = try_at(delivery(), Heard::Unwanted, NOW);
    assert_eq!((gone.changes.len(), gone.events.len()), (1, 0));

    let kept = |decision: &Decision<Option<Timestamp>, Infallible>| match &decision.changes[..] {
        [Change::PutDelivery(kept)] => (**kept).clone(),
        other => panic!("{other:?}"),
    };
    let wrong = try_at(delivery(), Heard::Status(400), NOW);
    assert_eq!(kept(&wrong).given_up, Some(NOW));
    assert_eq!(wrong.events[0].outcome, Outcome::Refused);
    for heard in [
        Heard::Status(201),
        Heard::Status(302),
        Heard::Status(404),
        Heard::Status(503),
        Heard::Nothing("x".repeat(1_000)),
    ] {
        let failed = try_at(delivery(), heard.clone(), NOW);
        let record = kept(&failed);
        assert_eq!((record.given_up, record.attempts), (None, 1), "{heard:?}");
        assert!(record.problem.unwrap().len() <= 300);
        assert_eq!(failed.events.len(), 1);
    }
}

#[test]
fn the_gaps_grow_from_a_second_to_ten_minutes_and_a_day_is_enough() {
    let (mut record, mut now, mut gaps, mut events) = (delivery(), NOW, Vec::new(), 0);
    while record.given_up.is_none() {
        assert!(is_due(&record, now));
        let decision = after_attempt(record, Heard::Status(500), None, None, now);
        events += decision.events.len();
        let [Change::PutDelivery(kept)] = &decision.changes[..] else {
            panic!()
        };
        record = (**kept).clone();
        let again = record.given_up.is_none().then_some(record.due);
        assert_eq!(decision.reply, Ok(again));
        gaps.push(record.due.since(now).as_secs());
        now = record.due;
    }
    assert_eq!(
        gaps[..12],
        [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]
    );
    let given_up = record.given_up.unwrap().since(NOW);
    assert!(
        (PATIENCE..PATIENCE + LONGEST_GAP).contains(&given_up),
        "{given_up:?}"
    );
    assert_eq!(events, 2, "when it began to fail, and when it was given up");
    assert!(!is_due(&record, now.plus(PATIENCE)));
    assert_eq!(gap(u32::MAX), LONGEST_GAP);
}

/// Where the server was off for a day, or a clock jumped, one attempt that failed was the last.
#[test]
fn a_day_that_passed_without_attempts_is_no_reason_to_give_up() {
    let (mut record, mut now) = (delivery(), NOW.plus(PATIENCE * 3));
    let begun = now;
    while record.given_up.is_none() {
        let decision = after_attempt(record, Heard::Status(503), None, None, now);
        let [Change::PutDelivery(kept)] = &decision.changes[..] else {
            panic!()
        };
        record = (**kept).clone();
        now = record.due;
    }
    assert_eq!(record.attempts, ATTEMPTS);
    assert!(now.since(begun) >= LONGEST_GAP * 3);
}

/// A clock that was a year ahead put deliveries off by a year.
#[test]
fn what_is_due_later_than_any_gap_is_due() {
    let ahead = Delivery {
        due: NOW.plus(PATIENCE * 365),
        ..delivery()
    };
    assert!(is_due(&ahead, NOW));
    let later = Delivery {
        due: NOW.plus(LONGEST_GAP),
        ..delivery()
    };
    assert!(!is_due(&later, NOW));
}

/// Applications look people up by it; the id would name nobody there.
#[test]
fn a_person_who_brought_their_sub_along_is_named_by_it() {
    let mut moved = person(vec![grant(&told())]);
    moved.user.subject = "5f1c0b62-8d3e-4a97-b1f4-0c2d9e7a6b58".parse().ok();
    let told = told_by(&[Change::DeleteUser(user().id)], &moved, told());
    let issuer = "https://id.example".parse().unwrap();
    let jti = Id::new(NOW, [6; 10]);
    let claims = claims(&issuer, &told[0], &client(), jti, NOW);
    assert_eq!(claims["sub"], "5f1c0b62-8d3e-4a97-b1f4-0c2d9e7a6b58");
    assert_eq!(claims["sid"], json!(session().id));
}
