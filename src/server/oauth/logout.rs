//! `/logout`: by an application (OpenID Connect RP-Initiated Logout) or by the person's own button. The page that says
//! so tells the other applications on its way (Front-Channel Logout §3).

use crate::crypto::jws;
use crate::identity::session;
use crate::model::{Client, Decision};
use crate::oauth::frontchannel_logout::{self, Frame};
use crate::oauth::id_token_hint::is_id_token;
use crate::oauth::logout::{Hint, Request, must_ask};
use crate::server::incoming::{Incoming, Visitor};
use crate::server::logout_notices::{clients_of, grants_of_session};
use crate::server::pages::{failure, frame, sign_in};
use crate::server::respond::{self, Leads, set};
use crate::server::{cookies, forms};
use crate::store::StoreError;
use crate::types::Form;
use crate::views::{Hidden, SignOut, SignedOut};
use rouille::Response;
use serde_json::Value;
use std::collections::BTreeSet;

/// `GET` and `POST /logout`.
pub fn handle(incoming: &Incoming<'_>) -> Response {
    let form = if incoming.request.method() == "POST" {
        incoming.form()
    } else {
        incoming.query()
    };
    let Ok(form) = form else {
        return failure::malformed(incoming);
    };
    // A form from another site brings no `SameSite=Lax` cookie: asked again by GET, the browser sends it, and the person
    // is asked instead of signed out unseen.
    let posted = incoming.request.method() == "POST";
    if posted && !form.has("csrf") && cookies::session_secret(incoming).is_none() {
        let again = format!("/logout?{}", form.encode());
        return respond::see_other(&sign_in::below_base(incoming, &again));
    }
    match answer(incoming, &form) {
        Ok(response) => response,
        Err(error) => {
            log::warn!("{error}");
            failure::busy(incoming)
        }
    }
}

fn answer(incoming: &Incoming<'_>, form: &Form) -> Result<Response, StoreError> {
    let request = match Request::parse(form) {
        Ok(request) => request,
        Err(error) => return Ok(failure::logout(incoming, None, &error)),
    };
    let hint = match &request.id_token_hint {
        Some(hint) => read_hint(incoming, hint)?,
        None => None,
    };
    let snapshot = incoming.ctx.store.snapshot()?;
    let view = snapshot.view();
    let client = match request.client(hint.as_ref()) {
        Ok(Some(id)) => view.client_on_wire(&id)?.map(|client| *client),
        Ok(None) => None,
        Err(error) => return Ok(failure::logout(incoming, None, &error)),
    };
    let back = match request.return_to(client.as_ref()) {
        Ok(back) => back,
        Err(error) => return Ok(failure::logout(incoming, client.as_ref(), &error)),
    };
    let visitor = match view.settings()? {
        Some(settings) => incoming.visitor(&view, &settings)?,
        None => None,
    };
    let confirmed = incoming.request.method() == "POST" && form.has("csrf");
    if confirmed && !forms::is_ours(incoming, visitor.as_ref(), form) {
        return Ok(failure::stale_form(incoming, visitor.as_ref()));
    }
    let here = visitor.as_ref().map(|v| (v.session.id, &v.user));
    // Nobody is signed in here: there is nothing to ask and nothing to end.
    if !confirmed && here.is_some() && must_ask(hint.as_ref(), client.as_ref(), here) {
        return Ok(ask(incoming, visitor.as_ref(), client.as_ref(), form));
    }
    let frames = match visitor {
        Some(visitor) => end(incoming, visitor)?,
        None => Vec::new(),
    };
    let vouched = hint.is_some() || confirmed;
    Ok(done(incoming, client.as_ref(), back, vouched, frames))
}

/// Ends the session. What is to be opened in this browser, as the session stood when it ended.
fn end(incoming: &Incoming<'_>, visitor: Visitor) -> Result<Vec<Frame>, StoreError> {
    let (now, address) = (incoming.now, Some(incoming.address()));
    let issuer = incoming.ctx.config.issuer.clone();
    let submitted = incoming.ctx.store.submit(move |view| {
        let grants = grants_of_session(view, &visitor.session)?;
        let clients = clients_of(view, &grants)?;
        let frames = frontchannel_logout::frames(&issuer, visitor.session.id, &grants, &clients);
        let decision = session::sign_out(&visitor.session, &visitor.user, address, now);
        Ok(Decision {
            changes: decision.changes,
            events: decision.events,
            reply: decision.reply.map(|()| frames),
        })
    })?;
    submitted.map_err(|()| StoreError::Panicked)
}

/// Returns to the application where a valid hint or the person vouches for it, at once when there is nobody to tell;
/// else says that it is done.
fn done(
    incoming: &Incoming<'_>,
    client: Option<&Client>,
    back: Option<String>,
    vouched: bool,
    frames: Vec<Frame>,
) -> Response {
    let mut response = match back {
        Some(address) if vouched && frames.is_empty() => respond::see_other(&address),
        back => {
            let page = frame::bare(incoming, "Signed out");
            let name = client.map_or_else(
                || "the application".to_owned(),
                |client| client.name.clone(),
            );
            let onward = vouched && back.is_some();
            let (frames, origins): (Vec<_>, BTreeSet<_>) = frames
                .into_iter()
                .map(|frame| (frame.address, frame.origin))
                .unzip();
            let view = SignedOut {
                page,
                back: back.map(|address| (address, name)),
                onward,
                frames,
            };
            if origins.is_empty() {
                respond::page(200, Leads::ToApplication, &view)
            } else {
                respond::framing(&origins, &view)
            }
        }
    };
    if cookies::session_secret(incoming).is_some() {
        set(
            &mut response,
            "Set-Cookie",
            cookies::clear_session(&incoming.ctx.config.issuer),
        );
    }
    response
}

fn ask(
    incoming: &Incoming<'_>,
    visitor: Option<&Visitor>,
    client: Option<&Client>,
    form: &Form,
) -> Response {
    let fields = form
        .pairs()
        .filter(|(name, _)| {
            matches!(
                *name,
                "id_token_hint" | "client_id" | "post_logout_redirect_uri" | "state" | "ui_locales"
            )
        })
        .map(|(name, value)| Hidden {
            name: name.to_owned(),
            value: value.to_owned(),
        })
        .collect();
    frame::with(incoming, visitor, "Sign out", |page| {
        let view = SignOut {
            page,
            client_name: client.map(|client| client.name.clone()),
            fields,
        };
        respond::page(200, Leads::ToApplication, &view)
    })
}

/// An ID token of ours; expired is fine (RP-Initiated Logout §2).
fn read_hint(incoming: &Incoming<'_>, hint: &str) -> Result<Option<Hint>, StoreError> {
    let Ok(verified) = jws::verify(&*incoming.ctx.keys()?, hint) else {
        return Ok(None);
    };
    let text = |name: &str| verified.claims.get(name).and_then(Value::as_str);
    if !is_id_token(&verified.typ, &verified.claims, &incoming.ctx.config.issuer) {
        return Ok(None);
    }
    let client = text("aud").and_then(|v| v.parse().ok());
    Ok(client.zip(text("sub")).map(|(client, sub)| Hint {
        client,
        sub: sub.to_owned(),
        sid: text("sid").map(str::to_owned),
    }))
}
