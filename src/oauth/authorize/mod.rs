//! The authorization endpoint. RFC 6749 §3.1 and §4.1, OpenID Connect Core §3.1.2 and §6, RFC 7636, RFC 9101, RFC 9126,
//! RFC 9207, RFC 9700.
//!
//! The checks, in this order:
//! 1. `client_id` names an enabled client, or is the address of a document that describes one
//!    (`registration::document`), else an error page; a `request_uri` of ours names what this client pushed
//!    (`par`), else an error page;
//! 2. a request object is signed by the client, for us, in time; its parameters count (`request_object`);
//! 3. `redirect_uri` is one of the client's own (`redirect_uri`), else an error page;
//!    from here on every refusal is a redirect with `error`, `state` and `iss`;
//! 4. the request was pushed where it must be (`par`); nothing is repeated, `response_type` is `code`, `response_mode`
//!    is known, nothing unsupported is asked for (`request`);
//! 5. PKCE fits the client (`pkce`); the scope, `prompt`, `max_age`, `claims`, resources and `dpop_jkt` can be used;
//! 6. the person: signed in, recently enough, the one that is meant, in a group that may (`step`);
//! 7. the person agreed (`step`);
//! 8. a code is issued (`decide`).
//!
//! A push (`par`) is held against 2 to 5. An answer of either kind ends the pushed request.
//!
//! Then the answer goes out in its mode (`response`), signed where that is asked for (`jarm`).
//!
//! Not here: pages, cookies, how somebody signs in.

pub mod jarm;
pub mod par;
pub mod pkce;
pub mod redirect_uri;
pub mod request;
pub mod request_object;
pub mod response;
pub mod step;

use crate::crypto::random::Fresh;
use crate::model::{
    AuthorizationCode, Change, Client, Consent, Decision, Event, EventKind, Profile, Session, User,
    quoted,
};
use crate::oauth::error::AuthorizeError;
use crate::types::{BearerSecret, Form, Id, Issuer, Timestamp};
use redirect_uri::Mismatch;
use request::{NoTarget, Request, Target};
use request_object::Beside;
use response::Response;
use std::time::Duration;
use step::{Asked, Step, Subject};

/// How long a code may wait for its use.
pub const CODE_LIFE: Duration = Duration::from_secs(60);

/// Issues a code, or says why not. Run on the writer: what `step` found before is asked again on today's records.
pub fn decide(
    request: &Request,
    client: &Client,
    subject: Option<(&User, &Session)>,
    consent: Option<&Consent>,
    asked: &Asked,
    fresh: Fresh,
    now: Timestamp,
) -> Decision<Response, AuthorizeError> {
    let subject = subject.map(|(user, session)| Subject { user, session });
    let refuse = |error: AuthorizeError| {
        let event = refusal(request, client, &error, now);
        let event = subject.map_or(event.clone(), |s| event.user(s.user));
        Decision {
            changes: used_up(&request.target).into_iter().collect(),
            ..Decision::refuse(error, event)
        }
    };
    match step::next(request, client, subject, consent, asked, now) {
        Step::Refuse(error) => refuse(error),
        // The page that came before has been overtaken: the session ended, or its consent was withdrawn.
        Step::SignIn | Step::Choose => refuse(AuthorizeError::LoginRequired),
        Step::Ask(_) => refuse(AuthorizeError::ConsentRequired),
        Step::Issue => match subject {
            Some(subject) => issue(request, client, subject, consent, asked, fresh, now),
            None => refuse(AuthorizeError::LoginRequired),
        },
    }
}

/// How a request came to the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// Whole, through a browser.
    Browser,
    /// It is just being pushed (`par`).
    Push,
    /// A browser named the one that was pushed.
    Pushed(Id),
}

/// A request that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Its parameters, wherever they stood.
    pub form: Form,
    /// What it comes to, or why it cannot be used.
    pub request: Result<Request, (Target, AuthorizeError)>,
}

/// Checks 2 to 5. `at`: when it was first seen, for what ends with time.
pub fn read(
    client: &Client,
    form: &Form,
    via: Via,
    issuer: &Issuer,
    at: Timestamp,
) -> Result<Heard, NoTarget> {
    let beside = if via == Via::Push || client.profile == Profile::Strict {
        Beside::AreIgnored
    } else {
        Beside::Count
    };
    let opened = match request_object::open(client, form, beside, issuer, at) {
        Ok(opened) => opened,
        Err(error) => return outside(client, form, error),
    };
    let form = opened.unwrap_or_else(|| form.clone());
    let mut target = request::target(client, &form)?;
    let request = match via {
        Via::Browser if par::is_required(client) => Err((target, AuthorizeError::NotPushed)),
        _ => {
            if let Via::Pushed(id) = via {
                target.pushed = Some(id);
            }
            Request::parse(target, client, &form)
        }
    };
    Ok(Heard { form, request })
}

/// The answer to a bad request object goes where the parameters outside say: nothing inside is believed.
fn outside(client: &Client, form: &Form, error: AuthorizeError) -> Result<Heard, NoTarget> {
    match request::target(client, form) {
        Ok(target) => Ok(Heard {
            form: form.clone(),
            request: Err((target, error)),
        }),
        Err(NoTarget::RedirectUri(Mismatch::Missing)) => Err(NoTarget::RequestObject(error)),
        Err(why) => Err(why),
    }
}

/// An answer of either kind ends a pushed request (RFC 9126 §4).
pub fn used_up(target: &Target) -> Option<Change> {
    target.pushed.map(Change::DeletePushedRequest)
}

/// The pushed request was answered between the reading and the writer's turn: one request, one answer.
pub fn answered_already(
    request: &Request,
    client: &Client,
    now: Timestamp,
) -> Decision<Response, AuthorizeError> {
    let error = AuthorizeError::PushedRequestGone;
    let event = refusal(request, client, &error, now);
    Decision::refuse(error, event)
}

/// The event of a refusal that the client is told.
pub fn refusal(
    request: &Request,
    client: &Client,
    error: &AuthorizeError,
    now: Timestamp,
) -> Event {
    let detail = match error {
        AuthorizeError::NoScope => format!(
            "scope expected within {} received {}",
            client.scope,
            quoted(&request.raw_scope)
        ),
        other => other.detail(),
    };
    Event::refused(EventKind::Authorization, now, detail).client(client)
}

fn issue(
    request: &Request,
    client: &Client,
    subject: Subject<'_>,
    consent: Option<&Consent>,
    asked: &Asked,
    fresh: Fresh,
    now: Timestamp,
) -> Decision<Response, AuthorizeError> {
    let secret = BearerSecret::new(Id::new(now, fresh.id), fresh.secret);
    let code = AuthorizationCode {
        id: secret.selector,
        hash: secret.hash(),
        client: client.id,
        user: subject.user.id,
        session: subject.session.id,
        redirect_uri: request.target.redirect_uri.as_str().to_owned(),
        redirect_uri_sent: request.target.redirect_uri.was_sent(),
        challenge: request.challenge.clone(),
        nonce: request.nonce.clone(),
        scope: request.scope.clone(),
        claims: request.claims.clone(),
        resources: request.resources.clone(),
        authentication: subject.session.authentication.clone(),
        created: now,
        expires: now.plus(CODE_LIFE),
        redeemed: None,
        dpop_jkt: request.dpop_jkt,
    };
    let mut changes = vec![Change::PutCode(Box::new(code))];
    changes.extend(used_up(&request.target));
    let mut events = Vec::new();
    if asked.allowed {
        let scope = client.standing(consent).map_or_else(
            || request.asked_scope.clone(),
            |c| c.scope.joined_with(&request.asked_scope),
        );
        changes.push(Change::PutConsent(Consent {
            user: subject.user.id,
            client: client.id,
            scope,
            given: now,
        }));
        let event = Event::success(EventKind::Consent, now)
            .client(client)
            .user(subject.user);
        events.push(event.detail(format!("scope {}", request.scope)));
    }
    let event = Event::success(EventKind::Authorization, now)
        .client(client)
        .user(subject.user);
    events.push(event.detail(format!("scope {}", request.scope)));
    Decision {
        changes,
        events,
        reply: Ok(Response::code(&request.target, &secret)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::{NOW, client, session, user};
    use crate::types::Form;

    #[test]
    fn a_code_is_bound_to_all_that_it_was_asked_with() {
        let client = client();
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let form = format!(
            "client_id={}&response_type=code&scope=openid+email+unknown&state=s&nonce=n&redirect_uri={}\
             &code_challenge={challenge}&code_challenge_method=S256",
            client.id, "https%3A%2F%2Fnotes.example%2Fcb"
        );
        let form = Form::parse(form.as_bytes()).unwrap();
        let target = request::target(&client, &form).unwrap();
        let request = Request::parse(target, &client, &form).unwrap();
        let (user, session) = (user(), session());
        let asked = Asked {
            allowed: true,
            ..Asked::default()
        };
        let fresh = Fresh {
            id: [1; 10],
            secret: [2; 32],
        };
        let decision = decide(
            &request,
            &client,
            Some((&user, &session)),
            None,
            &asked,
            fresh,
            NOW,
        );
        let [Change::PutCode(code), Change::PutConsent(consent)] = &decision.changes[..] else {
            panic!("{:?}", decision.changes)
        };
        assert_eq!(code.scope.to_string(), "email openid");
        assert_eq!(
            (code.nonce.as_deref(), code.client, code.user),
            (Some("n"), client.id, user.id)
        );
        assert_eq!(code.expires, NOW.plus(CODE_LIFE));
        assert_eq!(consent.scope, code.scope);

        let without = decide(
            &request,
            &client,
            Some((&user, &session)),
            None,
            &Asked::default(),
            fresh,
            NOW,
        );
        assert_eq!(without.reply.unwrap_err(), AuthorizeError::ConsentRequired);
        assert!(without.changes.is_empty());
    }
}
