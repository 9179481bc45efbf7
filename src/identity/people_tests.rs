//! Tables of what an administrator may change about a person.

use super::*;
use crate::identity::testing::{NOW, user};
use crate::model::Authentication;
use crate::types::SessionId;

fn by() -> Author {
    Author {
        name: "root".to_owned(),
        address: None,
        now: NOW.plus(Duration::from_secs(60)),
    }
}

fn fresh() -> Fresh {
    Fresh {
        id: [5; 10],
        secret: [6; 32],
    }
}

fn admin(name: &str, n: u8) -> User {
    User {
        admin: true,
        ..user(name, n)
    }
}

fn session(user: &User) -> Session {
    let secret = BearerSecret::new(Id::new(NOW, [7; 10]), [8; 32]);
    Session {
        id: SessionId(secret.selector),
        hash: secret.hash(),
        user: user.id,
        authentication: Authentication {
            time: NOW,
            amr: Vec::new(),
        },
        created: NOW,
        last_seen: NOW,
        expires: NOW,
        address: None,
        user_agent: String::new(),
    }
}

/// One administrator, one session and one link of `user`, and a setup link.
fn around(user: &User) -> Around {
    let link = |n: u8, purpose| {
        let secret = BearerSecret::new(Id::new(NOW, [n; 10]), [n; 32]);
        Link {
            id: LinkId(secret.selector),
            hash: secret.hash(),
            purpose,
            created: NOW,
            expires: NOW,
        }
    };
    Around {
        admins: 1,
        sessions: vec![session(user)],
        links: vec![
            link(1, LinkPurpose::SignIn(user.id)),
            link(2, LinkPurpose::Setup),
        ],
        ..Around::default()
    }
}

fn kinds<T, E>(decision: &Decision<T, E>) -> Vec<EventKind> {
    decision.events.iter().map(|event| event.kind).collect()
}

fn changes<T, E>(decision: &Decision<T, E>) -> Vec<&'static str> {
    let name = |change: &Change| match change {
        Change::PutUser(_) => "user",
        Change::DeleteUser(_) => "no user",
        Change::PutGroup(_) => "group",
        Change::DeleteSession(_) => "no session",
        Change::PutLink(_) => "link",
        Change::DeleteLink(_) => "no link",
        other => panic!("{other:?}"),
    };
    decision.changes.iter().map(name).collect()
}

#[test]
fn a_new_person_gets_the_groups_that_were_missing() {
    let new = NewPerson {
        username: " Anna ".to_owned(),
        email: Some("anna@example.org".to_owned()),
        groups: vec!["family".to_owned(), "cooks".to_owned()],
        ..NewPerson::default()
    };
    let around = Around {
        groups: vec![Group {
            name: "family".parse().unwrap(),
            description: "us".to_owned(),
            created: NOW,
        }],
        ..Around::default()
    };
    let id = user("anna", 1).id;
    let decision = add(
        new.into(),
        Some(Phc::new("phc".to_owned())),
        &around,
        id,
        &by(),
    );
    assert_eq!(changes(&decision), ["group", "user"]);
    assert_eq!(
        kinds(&decision),
        [
            EventKind::UserAdded,
            EventKind::PasswordSet,
            EventKind::GroupChanged
        ]
    );
    let made = decision.reply.unwrap();
    assert_eq!(made.username.as_str(), "Anna");
    assert!(made.email_verified && made.password.is_some());
}

/// Applications compare names of groups letter by letter, and people do not.
#[test]
fn nobody_gets_into_a_new_group_that_looks_like_another() {
    let around = Around {
        admins: 1,
        groups: vec![Group {
            name: "family".parse().unwrap(),
            description: String::new(),
            created: NOW,
        }],
        ..Around::default()
    };
    let anna = user("anna", 1);
    for groups in [&["Family"][..], &["family", "FAMILY"], &["cooks", "Cooks"]] {
        let new = NewPerson {
            username: "anna".to_owned(),
            groups: groups.iter().map(|name| (*name).to_owned()).collect(),
            ..NewPerson::default()
        };
        let edited = edit(anna.clone(), new.clone().into(), &around, &by());
        let added = add(new.into(), None, &around, anna.id, &by());
        for (changes, reply) in [(edited.changes, edited.reply), (added.changes, added.reply)] {
            assert!(changes.is_empty());
            let error = reply.unwrap_err().to_string();
            assert!(error.contains("already"), "{error}");
        }
    }
}

#[test]
fn two_people_never_share_a_name() {
    let (anna, bob) = (user("anna", 1), user("bob", 2));
    let taken = Around {
        namesake: Some(bob.id),
        admins: 1,
        ..Around::default()
    };
    let named = |name: &str| PersonEdit {
        username: name.to_owned(),
        ..PersonEdit::default()
    };
    let error = AdminError::NameTaken("BOB".to_owned());
    let decision = add(named("BOB"), None, &taken, anna.id, &by());
    assert_eq!(decision.reply, Err(error.clone()));
    assert_eq!(edit(anna, named("BOB"), &taken, &by()).reply, Err(error));
    let renamed = edit(bob, named("BOB"), &taken, &by()).reply.unwrap();
    assert_eq!(renamed.username.as_str(), "BOB");
}

#[test]
fn a_claim_that_does_not_fit_changes_nothing() {
    let anna = user("anna", 1);
    let details = PersonEdit {
        website: Some("javascript:alert(1)".to_owned()),
        ..PersonEdit::of(&anna)
    };
    let decision = edit(anna.clone(), details, &around(&anna), &by());
    assert!(decision.changes.is_empty() && decision.events.is_empty());
    assert!(matches!(
        decision.reply,
        Err(AdminError::Invalid {
            field: "website",
            ..
        })
    ));
}

#[test]
fn the_audit_log_learns_which_fields_changed_and_no_values() {
    let anna = user("anna", 1);
    let details = PersonEdit {
        birthdate: Some("1985-03-21".to_owned()),
        admin: true,
        ..PersonEdit::of(&anna)
    };
    let decision = edit(anna.clone(), details, &around(&anna), &by());
    assert_eq!(decision.events[0].detail, "admin, birthdate");
    assert_eq!(decision.reply.unwrap().updated, by().now);
    let same = edit(anna.clone(), PersonEdit::of(&anna), &around(&anna), &by());
    assert!(same.changes.is_empty() && same.events.is_empty());
}

#[test]
fn the_last_enabled_administrator_stays() {
    let root = admin("root", 1);
    let demoted = PersonEdit {
        admin: false,
        ..PersonEdit::of(&root)
    };
    let last = Err(AdminError::LastAdministrator);
    let one = around(&root);
    assert_eq!(delete(&root, &one, &by()).reply, last);
    assert_eq!(set_disabled(root.clone(), true, &one, &by()).reply, last);
    let decision = edit(root.clone(), demoted.clone(), &one, &by());
    assert_eq!(decision.reply.map(|_| ()), last);
    assert!(decision.changes.is_empty());

    let two = Around { admins: 2, ..one };
    assert_eq!(delete(&root, &two, &by()).reply, Ok(()));
    assert!(edit(root.clone(), demoted, &two, &by()).reply.is_ok());
    // A switched-off administrator is not one of those that are counted.
    let off = User {
        disabled: true,
        ..root
    };
    let one = Around { admins: 1, ..two };
    assert_eq!(delete(&off, &one, &by()).reply, Ok(()));
}

#[test]
fn whoever_is_switched_off_or_reset_loses_sessions_tokens_and_link() {
    let anna = user("anna", 1);
    let off = set_disabled(anna.clone(), true, &around(&anna), &by());
    assert_eq!(kinds(&off), [EventKind::UserDisabled]);
    let reset = set_password(
        anna.clone(),
        Phc::new("phc".to_owned()),
        &around(&anna),
        &by(),
    );
    assert_eq!(kinds(&reset), [EventKind::PasswordSet]);
    for decision in [off, reset] {
        assert_eq!(changes(&decision), ["no session", "no link", "user"]);
        let Some(Change::PutUser(kept)) = decision.changes.last() else {
            panic!()
        };
        assert!(
            kept.tokens_not_before > by().now,
            "what is just as old ends"
        );
    }
    let off = User {
        disabled: true,
        ..anna.clone()
    };
    let on = set_disabled(off, false, &around(&anna), &by());
    assert_eq!(changes(&on), ["user"]);
    assert_eq!(kinds(&on), [EventKind::UserEnabled]);
}

#[test]
fn a_new_link_ends_the_earlier_one() {
    let anna = user("anna", 1);
    let decision = link(&anna, &around(&anna), fresh(), &by());
    assert_eq!(changes(&decision), ["no link", "link"]);
    let Some(Change::PutLink(made)) = decision.changes.last() else {
        panic!()
    };
    assert_eq!(made.expires, by().now.plus(LINK_LIFE));
    assert_eq!(made.hash, decision.reply.unwrap().hash());
    let off = User {
        disabled: true,
        ..anna.clone()
    };
    assert!(link(&off, &around(&anna), fresh(), &by()).reply.is_err());
}

#[test]
fn a_setup_link_is_made_only_while_nobody_administers() {
    let anna = user("anna", 1);
    let decision = setup_link(&around(&anna), fresh(), &by());
    assert_eq!(decision.reply.unwrap_err(), AdminError::AlreadySetUp);
    let none = Around {
        admins: 0,
        ..around(&anna)
    };
    let decision = setup_link(&none, fresh(), &by());
    assert_eq!(changes(&decision), ["no link", "link"]);
    assert!(decision.reply.is_ok());
}
