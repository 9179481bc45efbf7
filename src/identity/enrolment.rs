//! One-time links: making the first administrator, and choosing a password.
//! Owns: when a link holds, that it is good once, and what its use changes. Links are used in the writer's turn, so two
//! uses at once see each other. Not here: making links (`people`), hashing.

use super::people::{self, Around, PersonEdit};
use super::session::{self, Browser, SignedIn};
use super::validate;
use crate::crypto::random::Fresh;
use crate::model::{
    AdminError, Authentication, Change, Decision, Event, EventKind, Link, LinkPurpose, Session,
    Settings, User,
};
use crate::types::{BearerSecret, LinkId, Phc, Secret, Timestamp, UserId};

/// Why a link did nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnrolmentError {
    /// Used, expired, withdrawn, another's, or not needed any more. The person is told one sentence for all of them.
    Closed,
    /// A value that cannot be taken; the link stays good.
    Admin(AdminError),
}

/// A link that holds: its secret was shown, and its time is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenLink {
    link: LinkId,
    /// What it is for.
    pub purpose: LinkPurpose,
}

impl OpenLink {
    /// Whose password it sets.
    pub fn person(&self) -> Option<UserId> {
        match self.purpose {
            LinkPurpose::SignIn(user) => Some(user),
            LinkPurpose::Setup => None,
        }
    }
}

/// What the browser that uses a link brings along.
#[derive(Clone)]
pub struct Arrival {
    /// The browser.
    pub browser: Browser,
    /// Its session, if it has one that holds.
    pub current: Option<Session>,
    /// For the new session.
    pub settings: Settings,
    /// For the new session.
    pub fresh: Fresh,
    /// The writer's turn.
    pub now: Timestamp,
}

impl Arrival {
    /// At the writer's turn. What others were granted while this one waited for it is older than that.
    pub fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }
}

/// Whether the presented secret opens the link.
pub fn open(
    link: Option<&Link>,
    presented: &BearerSecret,
    now: Timestamp,
) -> Result<OpenLink, EnrolmentError> {
    let link = link.ok_or(EnrolmentError::Closed)?;
    let is_in_life = now.is_in_life(link.created, link.expires);
    if link.id.0 != presented.selector || link.hash != presented.hash() || !is_in_life {
        return Err(EnrolmentError::Closed);
    }
    Ok(OpenLink {
        link: link.id,
        purpose: link.purpose,
    })
}

/// Whether the link makes the first administrator: only while there is none.
pub fn for_setup(link: OpenLink, admins: u64) -> Result<OpenLink, EnrolmentError> {
    match link.purpose {
        LinkPurpose::Setup if admins == 0 => Ok(link),
        _ => Err(EnrolmentError::Closed),
    }
}

/// Whose password the link sets: only while they are there and switched on.
pub fn for_person(link: OpenLink, user: Option<User>) -> Result<User, EnrolmentError> {
    user.filter(|user| link.purpose == LinkPurpose::SignIn(user.id) && !user.disabled)
        .ok_or(EnrolmentError::Closed)
}

/// A password as it is typed, twice; `known` are words that an attacker would try first.
pub fn choose(password: &Secret, again: &Secret, known: &[&str]) -> Result<(), AdminError> {
    validate::password(password, known)?;
    if password != again {
        return Err(AdminError::invalid(
            "password_again",
            "the two passwords differ",
        ));
    }
    Ok(())
}

/// Makes the first administrator. `hash` is of an acceptable password.
pub fn set_up(
    link: Result<OpenLink, EnrolmentError>,
    details: PersonEdit,
    hash: Phc,
    around: &Around,
    id: UserId,
    arrival: Arrival,
) -> Decision<SignedIn, EnrolmentError> {
    let (kind, now) = (EventKind::SetupCompleted, arrival.now);
    let link = match link.and_then(|link| for_setup(link, around.admins)) {
        Ok(link) => link,
        Err(error) => return refuse(error, kind, &arrival),
    };
    let details = PersonEdit {
        admin: true,
        disabled: false,
        ..details
    };
    // The person does it themselves; nobody's name stands for it yet.
    let by = super::author::Author {
        name: "setup link".to_owned(),
        address: arrival.browser.address,
        now,
    };
    let made = people::add(details, Some(hash), around, id, &by);
    let user = match made.reply {
        Ok(user) => user,
        Err(error) => return Decision::reply(Err(EnrolmentError::Admin(error))),
    };
    let mut changes = vec![Change::DeleteLink(link.link)];
    changes.extend(people::withdraw(around, LinkPurpose::Setup));
    changes.extend(made.changes);
    let mut events = vec![by.did(kind).user(&user)];
    events.extend(made.events);
    enter(&user, changes, events, arrival)
}

/// Lets a backup take the place of this file, which nobody administers. All setup links of it are used up.
pub fn give_way(
    link: Result<OpenLink, EnrolmentError>,
    around: &Around,
    by: &super::author::Author,
) -> Decision<(), EnrolmentError> {
    match link.and_then(|link| for_setup(link, around.admins)) {
        Ok(_) => Decision {
            changes: people::withdraw(around, LinkPurpose::Setup),
            events: vec![by.did(EventKind::Restored).detail("in place of this file")],
            reply: Ok(()),
        },
        Err(error) => {
            let event = Event::refused(
                EventKind::Restored,
                by.now,
                "the link does not hold any more",
            );
            Decision::refuse(error, event.from(by.address))
        }
    }
}

/// Sets the password that a person chose through their link, ends what others may hold, and signs them in.
pub fn redeem(
    link: Result<OpenLink, EnrolmentError>,
    user: Option<User>,
    hash: Phc,
    around: &Around,
    arrival: Arrival,
) -> Decision<SignedIn, EnrolmentError> {
    let (kind, now) = (EventKind::PasswordSet, arrival.now);
    let opened = link.and_then(|link| for_person(link, user).map(|user| (link, user)));
    let (link, mut user) = match opened {
        Ok(opened) => opened,
        Err(error) => return refuse(error, kind, &arrival),
    };
    user.password = Some(hash);
    let mut changes = vec![Change::DeleteLink(link.link)];
    changes.extend(people::cut_off(&mut user, around, now));
    changes.push(Change::PutUser(Box::new(user.clone())));
    let event = Event::success(kind, now)
        .user(&user)
        .from(arrival.browser.address)
        .detail("with a one-time link");
    // Their own session is the first thing after.
    let arrival = arrival.at(user.tokens_not_before);
    enter(&user, changes, vec![event], arrival)
}

fn enter(
    user: &User,
    mut changes: Vec<Change>,
    mut events: Vec<Event>,
    arrival: Arrival,
) -> Decision<SignedIn, EnrolmentError> {
    let authentication = Authentication {
        time: arrival.now,
        amr: vec!["pwd".to_owned()],
    };
    // An older session of the person was ended with the others: it is not renewed, whatever its age.
    let current = arrival.current.filter(|session| session.user != user.id);
    let (signed_in, ended) = session::begin(
        user,
        authentication,
        current,
        &arrival.browser,
        &arrival.settings,
        arrival.fresh,
        arrival.now,
    );
    changes.extend(ended.map(Change::DeleteSession));
    changes.push(Change::PutSession(Box::new(signed_in.session.clone())));
    events.push(
        Event::success(EventKind::SignIn, arrival.now)
            .user(user)
            .from(arrival.browser.address)
            .detail("with a one-time link"),
    );
    Decision {
        changes,
        events,
        reply: Ok(signed_in),
    }
}

fn refuse(
    error: EnrolmentError,
    kind: EventKind,
    arrival: &Arrival,
) -> Decision<SignedIn, EnrolmentError> {
    let event = Event::refused(kind, arrival.now, "the link does not hold any more")
        .from(arrival.browser.address);
    Decision::refuse(error, event)
}

#[cfg(test)]
#[path = "enrolment_tests.rs"]
mod tests;
