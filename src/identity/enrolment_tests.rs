//! Tables of what one-time links do, and when they do nothing.

use super::*;
use crate::identity::people::LINK_LIFE;
use crate::identity::testing::{NOW, user};
use crate::types::{Id, LinkId};
use std::time::Duration;

fn secret(n: u8) -> BearerSecret {
    BearerSecret::new(Id::new(NOW, [n; 10]), [n; 32])
}

fn link(purpose: LinkPurpose) -> Link {
    Link {
        id: LinkId(secret(1).selector),
        hash: secret(1).hash(),
        purpose,
        created: NOW,
        expires: NOW.plus(LINK_LIFE),
    }
}

fn arrival() -> Arrival {
    Arrival {
        browser: Browser::default(),
        current: None,
        settings: Settings::new(vec![0; 32].into()),
        fresh: Fresh {
            id: [2; 10],
            secret: [2; 32],
        },
        now: NOW.plus(Duration::from_secs(60)),
    }
}

fn root() -> PersonEdit {
    PersonEdit {
        username: "root".to_owned(),
        ..PersonEdit::default()
    }
}

fn set_up_with(link: Option<&Link>, around: &Around) -> Decision<SignedIn, EnrolmentError> {
    let arrival = arrival();
    let opened = open(link, &secret(1), arrival.now);
    let id = user("root", 7).id;
    set_up(
        opened,
        root(),
        Phc::new("phc".to_owned()),
        around,
        id,
        arrival,
    )
}

fn redeem_with(link: Option<&Link>, user: Option<User>) -> Decision<SignedIn, EnrolmentError> {
    let arrival = arrival();
    let opened = open(link, &secret(1), arrival.now);
    redeem(
        opened,
        user,
        Phc::new("phc".to_owned()),
        &Around::default(),
        arrival,
    )
}

#[test]
fn a_link_opens_for_its_own_secret_until_its_time_is_over() {
    let link = link(LinkPurpose::Setup);
    let same_selector = BearerSecret::new(secret(1).selector, [9; 32]);
    let end = NOW.plus(LINK_LIFE);
    for (link, presented, now, opens) in [
        (Some(&link), secret(1), NOW, true),
        (
            Some(&link),
            secret(1),
            end.minus(Duration::from_millis(1)),
            true,
        ),
        (Some(&link), secret(1), end, false),
        (Some(&link), same_selector, NOW, false),
        (Some(&link), secret(2), NOW, false),
        // Used: its record is gone.
        (None, secret(1), NOW, false),
    ] {
        assert_eq!(open(link, &presented, now).is_ok(), opens);
    }
}

#[test]
fn setup_makes_one_administrator_signs_them_in_and_uses_the_link_up() {
    let link = link(LinkPurpose::Setup);
    let decision = set_up_with(Some(&link), &Around::default());
    let [
        Change::DeleteLink(gone),
        Change::PutUser(made),
        Change::PutSession(session),
    ] = &decision.changes[..]
    else {
        panic!("{:?}", decision.changes)
    };
    assert_eq!(*gone, link.id);
    assert!(made.admin && !made.disabled && made.password.is_some());
    assert_eq!(session.user, made.id);
    assert_eq!(session.authentication.amr, ["pwd"]);
    assert_eq!(decision.reply.unwrap().session.id, session.id);
}

#[test]
fn setup_does_nothing_with_a_used_link_or_once_somebody_administers() {
    let (setup, other) = (
        link(LinkPurpose::Setup),
        link(LinkPurpose::SignIn(user("anna", 3).id)),
    );
    let administered = Around {
        admins: 1,
        ..Around::default()
    };
    let none = Around::default();
    for (link, around) in [
        (None, &none),
        (Some(&setup), &administered),
        (Some(&other), &none),
    ] {
        let decision = set_up_with(link, around);
        assert_eq!(decision.reply.unwrap_err(), EnrolmentError::Closed);
        assert!(decision.changes.is_empty());
        assert_eq!(decision.events.len(), 1);
    }
}

#[test]
fn a_name_that_cannot_be_leaves_the_setup_link_good() {
    let setup = link(LinkPurpose::Setup);
    let taken = Around {
        namesake: Some(user("root", 3).id),
        ..Around::default()
    };
    let decision = set_up_with(Some(&setup), &taken);
    assert!(decision.changes.is_empty());
    assert!(matches!(
        decision.reply,
        Err(EnrolmentError::Admin(AdminError::NameTaken(_)))
    ));
}

#[test]
fn a_person_who_chose_a_password_is_signed_in_and_nobody_else_is() {
    let anna = user("anna", 3);
    let link = link(LinkPurpose::SignIn(anna.id));
    let decision = redeem_with(Some(&link), Some(anna));
    let [
        Change::DeleteLink(gone),
        Change::PutUser(kept),
        Change::PutSession(session),
    ] = &decision.changes[..]
    else {
        panic!("{:?}", decision.changes)
    };
    assert_eq!(*gone, link.id);
    let cut = kept.tokens_not_before;
    assert!(cut > arrival().now, "what is as old as the link's use ends");
    assert_eq!(session.created, cut);
    let holds = session::holds(session, kept, &arrival().settings, arrival().now);
    assert!(holds);
}

#[test]
fn a_sign_in_link_does_nothing_for_others_the_absent_and_the_switched_off() {
    let anna = user("anna", 3);
    let to_anna = link(LinkPurpose::SignIn(anna.id));
    let off = User {
        disabled: true,
        ..anna.clone()
    };
    for (link, user) in [
        (Some(&to_anna), Some(off)),
        (Some(&to_anna), Some(user("bob", 4))),
        (Some(&to_anna), None),
        (Some(&link(LinkPurpose::Setup)), Some(anna.clone())),
        (None, Some(anna)),
    ] {
        let decision = redeem_with(link, user);
        assert_eq!(decision.reply.unwrap_err(), EnrolmentError::Closed);
        assert!(decision.changes.is_empty());
    }
}

#[test]
fn a_session_that_the_browser_already_had_ends() {
    let anna = user("anna", 3);
    let link = link(LinkPurpose::SignIn(anna.id));
    for owner in [anna.id, user("bob", 4).id] {
        let first = redeem_with(Some(&link), Some(anna.clone())).reply.unwrap();
        let old = Session {
            id: crate::types::SessionId(Id::new(NOW, [9; 10])),
            user: owner,
            ..first.session
        };
        let around = Around {
            sessions: vec![old.clone()]
                .into_iter()
                .filter(|s| s.user == anna.id)
                .collect(),
            ..Around::default()
        };
        let arrival = Arrival {
            current: Some(old.clone()),
            ..arrival()
        };
        let opened = open(Some(&link), &secret(1), arrival.now);
        let hash = Phc::new("phc".to_owned());
        let decision = redeem(opened, Some(anna.clone()), hash, &around, arrival);
        assert!(decision.changes.contains(&Change::DeleteSession(old.id)));
        assert_ne!(decision.reply.unwrap().session.id, old.id);
    }
}

#[test]
fn a_weak_password_and_two_that_differ_are_refused() {
    let text = |text: &str| Secret::new(text.to_owned());
    for (password, again, field) in [
        ("correct horse battery", "correct horse battery", None),
        (
            "correct horse battery",
            "correct horse",
            Some("password_again"),
        ),
        ("password1", "password1", Some("password")),
        ("short", "short", Some("password")),
        ("", "", Some("password")),
    ] {
        let refused = match choose(&text(password), &text(again), &["anna"]) {
            Err(AdminError::Invalid { field, .. }) => Some(field),
            _ => None,
        };
        assert_eq!(refused, field, "{password}");
    }
}
