//! What a person says to a device that waits. RFC 8628 §3.3, §5.4.
//! Owns: who may answer, for whom, and that there is one answer. Not here: the page (`server::pages::device`), which is
//! shown whatever the consent policy of the application: nothing else stands between a person and somebody who asked
//! on a device of their own and sent them the address (RFC 8628 §5.4).
//!
//! The checks, in this order:
//! 1. the code is live and nobody has answered (RFC 8628 §3.3);
//! 2. the application is there and switched on;
//! 3. the person and their session hold; to say no needs nothing more;
//! 4. the person is in a group that may use the application.

use super::authorize::step::Subject;
use super::standing;
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
        .filter(|device| now < device.expires && device.answer.is_none())
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
pub fn may_allow(waiting: &Waiting<'_>, subject: Subject<'_>) -> Result<(), AnswerError> {
    if standing::may_use(subject.user, waiting.client) {
        Ok(())
    } else {
        Err(AnswerError::NotInGroup)
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
    if allow && let Err(error) = may_allow(&waiting, subject) {
        let event = Event::refused(kind, now, standing::Fallen::Group.words());
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
            given: now,
        }));
    }
    Decision {
        changes,
        events: vec![event],
        reply: Ok(()),
    }
}
