//! Signing in on another device: the code, what it is for, and the answer. RFC 8628 §3.3, §3.3.1, §5.1, §5.4.
//! Codes are looked up for people who are signed in: strangers cannot try any. An address with a code in it fills the
//! code in and does nothing else.

use super::sign_in::below_base;
use super::when::ago;
use super::{failure, frame, sign_in};
use crate::model::{Client, Decision, DeviceAuthorization, Event, EventKind};
use crate::oauth::authorize::step::Subject;
use crate::oauth::device_answer::{self, AnswerError, Waiting};
use crate::oauth::device_authorization::VERIFICATION_PATH;
use crate::server::guesses::household;
use crate::server::incoming::{Incoming, Visitor};
use crate::server::respond::{self, Leads, set};
use crate::store::StoreError;
use crate::types::{Form, Id, UserCode};
use crate::views::{ClientFace, DeviceCode, DeviceConfirm, DeviceDone, ErrorPage, ScopeLine};
use rouille::Response;

/// What a seal is for: its person has seen the page of that device.
const PURPOSE: &str = "device sign-in";
/// Said alike of codes that never were, have ended, or were answered.
const WRONG: &str =
    "No device waits with this code. Look at the device again: the code may have changed.";
const NO_CODE: &str = "The code has eight letters, such as BCDF-GHJK.";

/// `GET /device`.
pub fn show(incoming: &Incoming<'_>) -> Response {
    let query = incoming.query().unwrap_or_default();
    let code = query.text("user_code").parse::<UserCode>().ok();
    match sign_in::visitor(incoming) {
        Ok(Some(visitor)) => {
            let code = code.map(|code| code.to_string()).unwrap_or_default();
            code_page(incoming, &visitor, &code, None, 200)
        }
        Ok(None) => respond::see_other(&sign_in_for(incoming, code)),
        Err(error) => busy(incoming, &error),
    }
}

/// The sign-in page that comes back here.
fn sign_in_for(incoming: &Incoming<'_>, code: Option<UserCode>) -> String {
    let back = code.map_or_else(
        || VERIFICATION_PATH.to_owned(),
        |code| format!("{VERIFICATION_PATH}?user_code={code}"),
    );
    let back = Form::default().with("continue", &back).encode();
    format!("{}?{back}", below_base(incoming, "/login"))
}

fn code_page(
    incoming: &Incoming<'_>,
    visitor: &Visitor,
    code: &str,
    error: Option<&str>,
    status: u16,
) -> Response {
    let title = "Sign in on another device";
    frame::with(incoming, Some(visitor), title, |page| {
        let view = DeviceCode {
            page,
            code: code.chars().take(20).collect(),
            error: error.map(str::to_owned),
            wait_seconds: None,
        };
        respond::page(status, Leads::Here, &view)
    })
}

/// `POST /device`: which device it is.
pub fn handle(incoming: &Incoming<'_>, visitor: &Visitor, form: &Form) -> Response {
    let Ok(typed) = form.one("user_code") else {
        return failure::malformed(incoming);
    };
    let typed = typed.unwrap_or_default();
    // What is no code is no guess either.
    let Ok(code) = typed.parse::<UserCode>() else {
        return code_page(incoming, visitor, typed, Some(NO_CODE), 400);
    };
    let (user, address) = (visitor.user.id, incoming.address());
    let limits = &incoming.ctx.devices;
    if let Err(wait) = limits.type_code(user, address, incoming.now) {
        return too_many(incoming, visitor, typed, wait.as_secs().max(1));
    }
    let found = match look_up(incoming, code) {
        Ok(found) => found,
        Err(error) => {
            limits.right(user, address);
            return busy(incoming, &error);
        }
    };
    let (device, client) = (found.0.as_ref(), found.1.as_ref());
    let waiting = device_answer::waiting(device, client, incoming.now);
    if !matches!(waiting, Err(AnswerError::Gone)) {
        limits.right(user, address);
    }
    let subject = Subject {
        user: &visitor.user,
        session: &visitor.session,
    };
    let allowed =
        waiting.and_then(|waiting| device_answer::may_allow(&waiting, subject).map(|()| waiting));
    match allowed {
        Ok(waiting) => confirm_page(incoming, visitor, &waiting),
        Err(error) => {
            let why = match error {
                AnswerError::NotInGroup => "the person is in no group that may use the application",
                AnswerError::Client => "the application is gone or switched off",
                AnswerError::Gone | AnswerError::SignedOut => "no device waits with that code",
            };
            let event = Event::refused(EventKind::DeviceCodeTyped, incoming.now, why)
                .user(&visitor.user)
                .from(Some(address));
            // Of what nobody waits for, the application is nobody's business.
            let client = client.filter(|_| error != AnswerError::Gone);
            let event = client.map_or(event.clone(), |client| event.client(client));
            incoming.ctx.record_refusal(event);
            refused(incoming, visitor, error, typed)
        }
    }
}

type Found = (Option<DeviceAuthorization>, Option<Client>);

fn look_up(incoming: &Incoming<'_>, code: UserCode) -> Result<Found, StoreError> {
    let snapshot = incoming.ctx.store.snapshot()?;
    let view = snapshot.view();
    let device = view.device_authorization_of(code)?;
    let client = match &device {
        Some(device) => view.client(device.client)?,
        None => None,
    };
    Ok((device, client))
}

fn too_many(incoming: &Incoming<'_>, visitor: &Visitor, typed: &str, seconds: u64) -> Response {
    let title = "Sign in on another device";
    let mut response = frame::with(incoming, Some(visitor), title, |page| {
        let view = DeviceCode {
            page,
            code: typed.chars().take(20).collect(),
            error: None,
            wait_seconds: Some(seconds),
        };
        respond::page(429, Leads::Here, &view)
    });
    set(&mut response, "Retry-After", seconds.to_string());
    response
}

fn confirm_page(incoming: &Incoming<'_>, visitor: &Visitor, waiting: &Waiting<'_>) -> Response {
    let (device, client) = (waiting.device, waiting.client);
    // What it is all about first, then the rest in order.
    let (first, rest): (Vec<&str>, Vec<&str>) =
        waiting.scope.tokens().partition(|token| *token == "openid");
    let title = format!("Sign in to {} on another device?", client.name);
    let switch_to = sign_in_for(incoming, Some(device.user_code));
    let view = |page| DeviceConfirm {
        page,
        client: face(client),
        person: visitor.user.display_name().to_owned(),
        scopes: first
            .iter()
            .chain(&rest)
            .map(|s| ScopeLine::new(s))
            .collect(),
        code: device.user_code.to_string(),
        asked: ago(device.created, incoming.now),
        address: device
            .address
            .map(|a| a.to_canonical().to_string())
            .unwrap_or_default(),
        same_network: device
            .address
            .is_some_and(|address| household(address) == household(incoming.address())),
        device: device.id.to_string(),
        seal: seal(incoming, visitor, device.id),
        switch_to,
    };
    frame::with(incoming, Some(visitor), &title, |page| {
        respond::page(200, Leads::Here, &view(page))
    })
}

/// There is no address to return to, so there is no host to show.
fn face(client: &Client) -> ClientFace {
    ClientFace {
        name: client.name.clone(),
        logo: None,
        registered_itself: client.registered.is_some(),
        described_at: String::new(),
        on_this_device: false,
        host: String::new(),
        policy_url: client.policy_uri.clone(),
        terms_url: client.tos_uri.clone(),
    }
}

fn seal(incoming: &Incoming<'_>, visitor: &Visitor, device: Id) -> String {
    let (session, device) = (visitor.session.id.to_string(), device.to_string());
    incoming.ctx.seal.tag(PURPOSE, &[&session, &device])
}

/// `POST /device/answer`: allow or deny, from the page that showed what it is about.
pub fn answer(incoming: &Incoming<'_>, visitor: &Visitor, form: &Form) -> Response {
    let (device, sealed) = (form.text("device"), form.text("seal"));
    let session = visitor.session.id.to_string();
    let allow = match form.one("decision") {
        Ok(Some("allow")) => true,
        Ok(Some("deny")) => false,
        _ => return failure::malformed(incoming),
    };
    let known = incoming
        .ctx
        .seal
        .verify(PURPOSE, &[&session, device], sealed);
    let Some(device) = device.parse::<Id>().ok().filter(|_| known) else {
        return failure::stale_form(incoming, Some(visitor));
    };
    match submit(incoming, visitor, device, allow) {
        Ok(Ok(client_name)) => done_page(incoming, visitor, client_name, allow),
        Ok(Err(error)) => refused(incoming, visitor, error, ""),
        Err(error) => busy(incoming, &error),
    }
}

/// Everything is asked again on the writer, on the records as they are by then. Gives the application's name.
fn submit(
    incoming: &Incoming<'_>,
    visitor: &Visitor,
    device: Id,
    allow: bool,
) -> Result<Result<String, AnswerError>, StoreError> {
    let (now, address) = (incoming.now, Some(incoming.address()));
    let (user, session) = (visitor.user.id, visitor.session.id);
    incoming.ctx.store.submit(move |view| {
        let device = view.device_authorization(device)?;
        let client = match &device {
            Some(device) => view.client(device.client)?,
            None => None,
        };
        let consent = match &client {
            Some(client) => view.consent(user, client.id)?,
            None => None,
        };
        let (user, session) = (view.user(user)?, view.session(session)?);
        let subject = user.as_ref().zip(session.as_ref());
        let subject = subject.map(|(user, session)| Subject { user, session });
        let name = client.as_ref().map(|client| client.name.clone());
        let decision = device_answer::decide(
            device,
            client.as_ref(),
            subject,
            consent.as_ref(),
            allow,
            now,
        );
        let mut events = decision.events;
        for event in &mut events {
            event.address = address;
        }
        Ok(Decision {
            changes: decision.changes,
            events,
            reply: decision.reply.map(|()| name.unwrap_or_default()),
        })
    })
}

fn done_page(
    incoming: &Incoming<'_>,
    visitor: &Visitor,
    client_name: String,
    allowed: bool,
) -> Response {
    let title = if allowed {
        "You can go back to your device"
    } else {
        "The device was not let in"
    };
    frame::with(incoming, Some(visitor), title, |page| {
        let view = DeviceDone {
            page,
            client_name,
            allowed,
        };
        respond::page(200, Leads::Here, &view)
    })
}

fn refused(
    incoming: &Incoming<'_>,
    visitor: &Visitor,
    error: AnswerError,
    typed: &str,
) -> Response {
    let (title, text) = match error {
        AnswerError::Gone => return code_page(incoming, visitor, typed, Some(WRONG), 400),
        AnswerError::SignedOut => return respond::see_other(&sign_in_for(incoming, None)),
        AnswerError::Client => (
            "This application is not known here",
            "A device asks to be signed in to it, but it is not registered any more, or it has been switched off.",
        ),
        AnswerError::NotInGroup => (
            "You may not use this application",
            "The code is right, but your account is in none of the groups that may use the application. The device \
             still waits for somebody who may.",
        ),
    };
    frame::with(incoming, Some(visitor), title, |page| {
        let mut view = ErrorPage::new(page, title, text);
        view.advice = vec!["Ask the person who runs this server if you need it.".to_owned()];
        respond::page(403, Leads::Here, &view)
    })
}

fn busy(incoming: &Incoming<'_>, error: &StoreError) -> Response {
    log::warn!("{error}");
    failure::busy(incoming)
}
