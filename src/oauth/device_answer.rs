//! What a person says to a device that waits. RFC 8628 §3.3, §5.4.
//! Owns: who may answer, for whom, and that there is one answer. Not here: the page (`server::pages::device`), which is
//! shown whatever the consent policy of the application: nothing else stands between a person and somebody who asked
//! on a device of their own and sent them the address (RFC 8628 §5.4).
//!
//! The checks, in this order:
//! 1. the code is live and nobody has answered (RFC 8628 §3.3);
//! 2. the application is there and switched on;
//! 3. the person and their session hold; to say no needs nothing more;
//! 4. the person is in a group that may use the application;
//! 5. they signed in recently enough for what is asked for (`protected_resource`).

use super::authorize::step::Subject;
use super::{protected_resource, standing};
use crate::model::{
    Change, Client, Consent, Decision, DeviceAnswer, DeviceAuthorization, Event, EventKind,
};
use crate::types::{Scope, Timestamp};

/// Why an answer is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerError {
    /// No device waits with that code, or not any more.
    Gone,
    /// The application is gone or switched off.
    Client,
    /// The session or the person ended since.
    SignedOut,
    /// The person is not in a group that may use the application.
    NotInGroup,
    /// What is asked for is given away only right after a sign-in.
    NotRecent,
}

/// What the page shows of a device that waits.
#[derive(Clone, Debug)]
pub struct Waiting<'a> {
    /// Its record.
    pub device: &'a DeviceAuthorization,
    /// For whom.
    pub client: &'a Client,
    /// What would be granted: of what was asked, what the client may still have.
    pub scope: Scope,
}

/// Whether the person may answer for the device; asked before the page and again with the answer.
pub fn waiting<'a>(
    device: Option<&'a DeviceAuthorization>,
    client: Option<&'a Client>,
    now: Timestamp,
) -> Result<Waiting<'a>, AnswerError> {
    let device = device
        .filter(|device| now.is_in_life(device.created, device.expires) && device.answer.is_none())
        .ok_or(AnswerError::Gone)?;
    let client = client
        .filter(|client| client.id == device.client)
        .filter(|client| standing::of_client(client, device.created).is_ok())
        .ok_or(AnswerError::Client)?;
    let scope = device.scope.common_with(&client.scope);
    Ok(Waiting {
        device,
        client,
        scope,
    })
}

/// Whether the person may let the device in.
pub fn may_allow(
    waiting: &Waiting<'_>,
    subject: Subject<'_>,
    now: Timestamp,
) -> Result<(), AnswerError> {
    if !standing::may_use(subject.user, waiting.client) {
        return Err(AnswerError::NotInGroup);
    }
    if protected_resource::may_give(&waiting.scope, &subject.session.authentication, now) {
        Ok(())
    } else {
        Err(AnswerError::NotRecent)
    }
}

/// Takes the answer. Run on the writer: what the page was drawn from is asked again on today's records.
pub fn decide(
    device: Option<DeviceAuthorization>,
    client: Option<&Client>,
    subject: Option<Subject<'_>>,
    consent: Option<&Consent>,
    allow: bool,
    now: Timestamp,
) -> Decision<(), AnswerError> {
    let waiting = match waiting(device.as_ref(), client, now) {
        Ok(waiting) => waiting,
        Err(error) => return Decision::reply(Err(error)),
    };
    let Some(subject) = subject.filter(|s| !s.user.disabled && now < s.session.expires) else {
        return Decision::reply(Err(AnswerError::SignedOut));
    };
    let (kind, answer) = if allow {
        let answer = DeviceAnswer::Allowed {
            user: subject.user.id,
            session: subject.session.id,
            authentication: subject.session.authentication.clone(),
            at: now,
        };
        (EventKind::DeviceApproved, answer)
    } else {
        (EventKind::DeviceDenied, DeviceAnswer::Denied)
    };
    if allow && let Err(error) = may_allow(&waiting, subject, now) {
        let why = match error {
            AnswerError::NotRecent => "the person signed in too long ago for what is asked for",
            _ => standing::Fallen::Group.words(),
        };
        let event = Event::refused(kind, now, why);
        let event = event.client(waiting.client).user(subject.user);
        return Decision::refuse(error, event);
    }
    let event = Event::success(kind, now)
        .client(waiting.client)
        .user(subject.user)
        .detail(format!("scope {}", waiting.scope));
    let mut changes = vec![Change::PutDeviceAuthorization(Box::new(
        DeviceAuthorization {
            answer: Some(answer),
            ..waiting.device.clone()
        },
    ))];
    if allow {
        // The person was asked and sees the application on their start page, where they can end it.
        let scope = consent.map_or_else(
            || waiting.scope.clone(),
            |known| known.scope.joined_with(&waiting.scope),
        );
        changes.push(Change::PutConsent(Consent {
            user: subject.user.id,
            client: waiting.client.id,
            scope,
            // Those are not for devices (`target`).
            resources: consent.map_or_else(Default::default, |known| known.resources.clone()),
            given: now,
        }));
    }
    Decision {
        changes,
        events: vec![event],
        reply: Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Session, User};
    use crate::oauth::testing::{NOW, client, device, session, user};
    use std::time::Duration;

    fn run(
        device: Option<DeviceAuthorization>,
        client: Option<&Client>,
        (user, session): (&User, &Session),
        allow: bool,
        now: Timestamp,
    ) -> Decision<(), AnswerError> {
        let subject = Some(Subject { user, session });
        let known = Consent {
            user: user.id,
            client: super::super::testing::client().id,
            scope: "groups".parse().unwrap(),
            resources: [].into(),
            given: NOW,
        };
        decide(device, client, subject, Some(&known), allow, now)
    }

    #[test]
    fn a_yes_is_bound_to_the_person_and_their_session_and_is_remembered() {
        let (client, user, session) = (client(), user(), session());
        let decision = run(
            Some(device(&client)),
            Some(&client),
            (&user, &session),
            true,
            NOW,
        );
        assert_eq!(decision.reply, Ok(()));
        let [
            Change::PutDeviceAuthorization(answered),
            Change::PutConsent(consent),
        ] = &decision.changes[..]
        else {
            panic!("{:?}", decision.changes)
        };
        let allowed = DeviceAnswer::Allowed {
            user: user.id,
            session: session.id,
            authentication: session.authentication.clone(),
            at: NOW,
        };
        assert_eq!(answered.answer, Some(allowed));
        assert_eq!(consent.scope.to_string(), "groups offline_access openid");
        assert_eq!(decision.events[0].kind, EventKind::DeviceApproved);
    }

    #[test]
    fn a_no_is_taken_from_anybody_who_has_the_code() {
        let closed = Client {
            allowed_groups: ["staff".parse().unwrap()].into(),
            ..client()
        };
        let (user, session) = (user(), session());
        let decision = run(
            Some(device(&closed)),
            Some(&closed),
            (&user, &session),
            false,
            NOW,
        );
        let [Change::PutDeviceAuthorization(answered)] = &decision.changes[..] else {
            panic!("{:?}", decision.changes)
        };
        assert_eq!(answered.answer, Some(DeviceAnswer::Denied));
        assert_eq!(decision.events[0].kind, EventKind::DeviceDenied);
    }

    /// With the admin's browser open and a device of one's own, nobody becomes administrator for good.
    #[test]
    fn the_right_to_administer_is_given_to_a_device_only_right_after_a_sign_in() {
        let client = Client {
            scope: "openid doorlight:write offline_access".parse().unwrap(),
            ..client()
        };
        let (user, mut session) = (user(), session());
        session.authentication.time = NOW.minus(Duration::from_secs(16 * 60));
        let asks = |scope: &str| {
            Some(DeviceAuthorization {
                scope: scope.parse().unwrap(),
                ..device(&client)
            })
        };
        let who = (&user, &session);
        let write = run(
            asks("openid doorlight:write"),
            Some(&client),
            who,
            true,
            NOW,
        );
        assert_eq!(write.reply, Err(AnswerError::NotRecent));
        assert!(write.changes.is_empty());
        let no = run(
            asks("openid doorlight:write"),
            Some(&client),
            who,
            false,
            NOW,
        );
        assert_eq!(no.reply, Ok(()));
        let other = run(asks("openid offline_access"), Some(&client), who, true, NOW);
        assert_eq!(other.reply, Ok(()));
    }

    #[test]
    fn rfc8628_section_3_3_an_answer_that_cannot_be_taken_changes_nothing() {
        let (client, user, session) = (client(), user(), session());
        let waiting = device(&client);
        let closed = Client {
            allowed_groups: ["staff".parse().unwrap()].into(),
            ..client.clone()
        };
        let off = Client {
            disabled: true,
            ..client.clone()
        };
        let reset = Client {
            tokens_not_before: NOW.just_after(),
            ..client.clone()
        };
        let disabled = User {
            disabled: true,
            ..user.clone()
        };
        let over = Session {
            expires: NOW,
            ..session.clone()
        };
        let denied = DeviceAuthorization {
            answer: Some(DeviceAnswer::Denied),
            ..waiting.clone()
        };
        let here = (&user, &session);
        let soon = NOW.plus(Duration::from_secs(599));
        let late = NOW.plus(Duration::from_secs(600));
        for (name, device, client, who, now, error) in [
            ("unknown", None, Some(&client), here, NOW, AnswerError::Gone),
            (
                "expired",
                Some(&waiting),
                Some(&client),
                here,
                late,
                AnswerError::Gone,
            ),
            (
                "answered",
                Some(&denied),
                Some(&client),
                here,
                NOW,
                AnswerError::Gone,
            ),
            (
                "client gone",
                Some(&waiting),
                None,
                here,
                NOW,
                AnswerError::Client,
            ),
            (
                "client off",
                Some(&waiting),
                Some(&off),
                here,
                NOW,
                AnswerError::Client,
            ),
            (
                "client reset",
                Some(&waiting),
                Some(&reset),
                here,
                NOW,
                AnswerError::Client,
            ),
            (
                "person disabled",
                Some(&waiting),
                Some(&client),
                (&disabled, &session),
                NOW,
                AnswerError::SignedOut,
            ),
            (
                "session over",
                Some(&waiting),
                Some(&client),
                (&user, &over),
                NOW,
                AnswerError::SignedOut,
            ),
            (
                "no group",
                Some(&waiting),
                Some(&closed),
                here,
                soon,
                AnswerError::NotInGroup,
            ),
        ] {
            let decision = run(device.cloned(), client, who, true, now);
            assert_eq!(decision.reply, Err(error), "{name}");
            assert!(decision.changes.is_empty(), "{name}");
        }
        let nobody = decide(Some(waiting), Some(&client), None, None, true, NOW);
        assert_eq!(nobody.reply, Err(AnswerError::SignedOut));
        assert!(nobody.changes.is_empty());
    }
}
