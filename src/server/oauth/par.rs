//! `POST /par` (RFC 9126).

use crate::crypto::random::Fresh;
use crate::model::{Decision, Event, EventKind};
use crate::oauth::authorize::par::{PushError, START_LIFE, decide};
use crate::oauth::client_auth::AuthenticatedClient;
use crate::oauth::dpop::ProofError;
use crate::oauth::error::AuthorizeError;
use crate::oauth::replay::{NotOnce, Purpose};
use crate::oauth::token::sender;
use crate::server::fetched::{self, Unfetched};
use crate::server::incoming::Incoming;
use crate::server::{dpop, replays, respond};
use crate::store::StoreError;
use crate::types::{Form, Secret};
use rouille::Response;
use serde_json::json;

/// Answers an authenticated client.
pub fn handle(
    incoming: &Incoming<'_>,
    form: &Form,
    authenticated: &AuthenticatedClient,
) -> Response {
    let client = authenticated.client();
    let pushed = match push(incoming, form, authenticated) {
        Ok(pushed) => pushed,
        Err(error) => {
            log::warn!("{error}");
            Err(PushError::Unavailable)
        }
    };
    match pushed {
        // RFC 9126 §2.2.
        Ok(request_uri) => respond::json(
            201,
            &json!({ "request_uri": request_uri.expose(), "expires_in": START_LIFE.as_secs() }),
        ),
        Err(error) => {
            let event = Event::refused(EventKind::Authorization, incoming.now, error.detail())
                .client(client)
                .from(Some(incoming.address()));
            incoming.ctx.record_refusal(event);
            respond::oauth_error(error.wire())
        }
    }
}

/// Decided on a snapshot: what is refused must not keep the writer busy, and what is taken is looked at again when a
/// browser comes with it.
fn push(
    incoming: &Incoming<'_>,
    form: &Form,
    authenticated: &AuthenticatedClient,
) -> Result<Result<Secret, PushError>, StoreError> {
    let (ctx, client) = (incoming.ctx, authenticated.client());
    let proof = match dpop::proof(incoming, None) {
        Ok(proof) => proof,
        Err(error) => return Ok(Err(PushError::Proof(error))),
    };
    if let Err(error) = sender::fits(client, proof.as_ref()) {
        return Ok(Err(PushError::Proof(error)));
    }
    let client = match form.one("request") {
        Ok(Some(object)) => match fetched::with_keys(incoming, client.clone(), object) {
            Ok(client) => client,
            Err(Unfetched::Busy) => return Ok(Err(PushError::Unavailable)),
            Err(Unfetched::Failed) => {
                let why = "the keys of the client could not be fetched";
                return Ok(Err(PushError::Refused(AuthorizeError::BadRequestObject(
                    why,
                ))));
            }
        },
        _ => client.clone(),
    };
    let waiting = ctx.store.snapshot()?.view().pushed_request_count()?;
    let Decision {
        changes,
        events,
        reply,
    } = decide(
        &client,
        form,
        &ctx.config.issuer,
        proof.map(|proof| proof.key),
        waiting,
        Fresh::draw(),
        incoming.now,
    );
    if reply.is_err() {
        return Ok(reply);
    }
    let (uses, now) = (replays::of(authenticated, proof.as_ref()), incoming.now);
    ctx.store.submit(move |view| {
        let refuse = |error: NotOnce| {
            Decision::reply(Err(match error {
                NotOnce::Replayed(Purpose::DpopProof) => PushError::Proof(ProofError::Replayed),
                NotOnce::Replayed(Purpose::ClientAssertion) => PushError::AssertionUsed,
                NotOnce::TooMany | NotOnce::Unknowable => PushError::Unavailable,
            }))
        };
        replays::deciding_once(view, &uses, now, refuse, || {
            Ok(Decision {
                changes,
                events,
                reply,
            })
        })
    })
}
