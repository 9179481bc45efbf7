//! `/authorize`, and the pages that stand between a request and its answer.
//! Not here: finding the client and what it asks for (`known`).

use super::known::{self, Brought, Unknown, brought};
use crate::crypto::jws;
use crate::crypto::random::Fresh;
use crate::model::{Client, Decision, Event, EventKind};
use crate::oauth::authorize::jarm::Unsigned;
use crate::oauth::authorize::request::{NoTarget, Request, Target};
use crate::oauth::authorize::response::{Delivery, Outgoing, Response as Answer};
use crate::oauth::authorize::step::{self, Asked, Step, Subject};
use crate::oauth::authorize::{answered_already, decide, refusal, used_up};
use crate::oauth::error::AuthorizeError;
use crate::oauth::id_token_hint::is_id_token;
use crate::oauth::registration::document;
use crate::server::client_documents::Description;
use crate::server::cookies;
use crate::server::incoming::{Incoming, Visitor};
use crate::server::metrics::refused;
use crate::server::pages::{consent, failure, frame, interaction, sign_in};
use crate::server::respond::{self, Leads};
use crate::store::StoreError;
use crate::types::Form;
use crate::views::{FormPost, Hidden};
use rouille::Response;
use serde_json::Value;
use std::convert::Infallible;
use std::sync::Arc;

/// `GET` and `POST /authorize`.
pub fn handle(incoming: &Incoming<'_>) -> Response {
    let posted = incoming.request.method() == "POST";
    let form = if posted {
        incoming.form()
    } else {
        incoming.query()
    };
    match form {
        // A browser sends no `SameSite=Lax` cookie with a form from another site: asked again by GET, it does, and a
        // session that is there is seen.
        Ok(form) if posted && cookies::session_secret(incoming).is_none() => respond::see_other(
            &sign_in::below_base(incoming, &interaction::to_authorize(&form)),
        ),
        Ok(form) => go_on(incoming, &form, false),
        Err(_) => failure::malformed(incoming),
    }
}

/// Goes on with a request: afresh, after a sign-in, or with the permission just given.
pub fn go_on(incoming: &Incoming<'_>, form: &Form, allowed: bool) -> Response {
    let answered = brought(incoming, &interaction::bare(form))
        .and_then(|brought| answer(incoming, form, brought, allowed));
    match answered {
        Ok(response) => response,
        Err(error) => {
            log::warn!("{error}");
            failure::busy(incoming)
        }
    }
}

fn answer(
    incoming: &Incoming<'_>,
    form: &Form,
    brought: Result<Brought, Unknown>,
    allowed: bool,
) -> Result<Response, StoreError> {
    let ctx = incoming.ctx;
    let snapshot = ctx.store.snapshot()?;
    let view = snapshot.view();
    let settings = ctx.settings()?;
    let visitor = incoming.visitor(&view, &settings)?;
    let (form, marks) = interaction::take(incoming, form, visitor.as_ref());
    let known = match brought {
        Ok(brought) => known::within(&view, incoming, &form, brought)?,
        Err(unknown) => Err(unknown),
    };
    let known = match known {
        Ok(known) => known,
        Err((client, why)) => return Ok(no_target(incoming, &form, client.as_deref(), &why)),
    };
    let (client, description, unmarked) = (known.client, known.description, known.unmarked);
    let request = match known.request {
        Ok(request) => request,
        Err((target, error)) => return Ok(refuse(incoming, &client, &target, error)),
    };
    let hinted = match &request.id_token_hint {
        Some(hint) => hinted_user(incoming, hint, &client)?,
        None => None,
    };
    let asked = Asked {
        sign_in_since: marks.sign_in_since,
        chosen: marks.chosen,
        allowed,
        hinted,
    };
    let consent = match &visitor {
        Some(visitor) => view.consent(visitor.user.id, client.id)?,
        None => None,
    };
    let subject = visitor.as_ref().map(|v| Subject {
        user: &v.user,
        session: &v.session,
    });
    let step = step::next(
        &request,
        &client,
        subject,
        consent.as_ref(),
        &asked,
        incoming.now,
    );
    if unmarked && step.is_page() {
        let marked = interaction::begin(incoming, &form);
        return Ok(respond::see_other(&sign_in::below_base(incoming, &marked)));
    }
    Ok(match step {
        Step::Refuse(error) => {
            let event =
                refusal(&request, &client, &error, incoming.now).from(Some(incoming.address()));
            ctx.record_refusal(
                visitor
                    .as_ref()
                    .map_or(event.clone(), |v| event.user(&v.user)),
            );
            use_up(incoming, &request.target);
            deliver(incoming, &client, &Answer::error(&request.target, error))
        }
        Step::SignIn => {
            let again = interaction::ask_sign_in(incoming, &form);
            sign_in::page_for_client(
                incoming,
                visitor.as_ref(),
                consent::face(&client, &request.target),
                request.login_hint.as_deref(),
                &again,
            )
        }
        Step::Choose => {
            let face = consent::face(&client, &request.target);
            sign_in::choose_page(incoming, visitor.as_ref(), face, &form)
        }
        Step::Ask(new) => consent::page(incoming, visitor.as_ref(), &client, &request, &new, &form),
        Step::Issue => issue(incoming, &client, description, request, visitor, asked),
    })
}

/// Everything is asked again on the writer, on the records as they are by then.
fn issue(
    incoming: &Incoming<'_>,
    client: &Client,
    description: Option<Description>,
    request: Request,
    visitor: Option<Visitor>,
    asked: Asked,
) -> Response {
    let (now, fresh, client_id) = (incoming.now, Fresh::draw(), client.id);
    let address = Some(incoming.address());
    let ids = visitor.map(|visitor| (visitor.user.id, visitor.session.id));
    let target = request.target.clone();
    let submitted = incoming.ctx.store.submit(move |view| {
        let (client, differs) = match &description {
            None => (view.shared_client(client_id)?, false),
            Some(described) => match described.taken_over(view, now)? {
                Ok((client, differs)) => (Some(Arc::new(client)), differs),
                Err(_) => (None, false),
            },
        };
        let (user, session) = match ids {
            Some((user, session)) => (view.shared_user(user)?, view.session(session)?),
            None => (None, None),
        };
        let consent = match ids {
            Some((user, _)) => view.consent(user, client_id)?,
            None => None,
        };
        let subject = user
            .as_deref()
            .filter(|user| !user.disabled)
            .zip(session.as_ref());
        let Some(client) = client.filter(|client| !client.disabled) else {
            return Ok(Decision::reply(Err(AuthorizeError::ClientMayNotAuthorize)));
        };
        let gone = match request.target.pushed {
            Some(id) => view.pushed_request(id)?.is_none(),
            None => false,
        };
        let mut decision = if gone {
            answered_already(&request, &client, now)
        } else {
            decide(
                &request,
                &client,
                subject,
                consent.as_ref(),
                &asked,
                fresh,
                now,
            )
        };
        if differs && decision.reply.is_ok() {
            let (change, event) =
                document::taken_over(view.client(client_id)?.as_ref(), &client, now);
            decision.changes.insert(0, change);
            decision.events.insert(0, event);
        }
        for event in &mut decision.events {
            event.address = address;
        }
        Ok(decision)
    });
    let answer = match submitted {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => refused_with(&target, error),
        Err(error) => {
            log::warn!("{error}");
            refused_with(&target, AuthorizeError::Unavailable)
        }
    };
    deliver(incoming, client, &answer)
}

/// Sends an error to the client, and records why.
pub fn refuse(
    incoming: &Incoming<'_>,
    client: &Client,
    target: &Target,
    error: AuthorizeError,
) -> Response {
    let event =
        Event::refused(EventKind::Authorization, incoming.now, error.detail()).client(client);
    incoming
        .ctx
        .record_refusal(event.from(Some(incoming.address())));
    use_up(incoming, target);
    deliver(incoming, client, &refused_with(target, error))
}

fn refused_with(target: &Target, error: AuthorizeError) -> Answer {
    refused::note(error.wire().code);
    Answer::error(target, error)
}

/// Forgets the pushed request that an error answers. Once for each push: what is gone is found no more.
fn use_up(incoming: &Incoming<'_>, target: &Target) {
    let Some(change) = used_up(target) else {
        return;
    };
    let submitted = incoming.ctx.store.submit(move |_| {
        Ok(Decision::<(), Infallible> {
            changes: vec![change],
            events: Vec::new(),
            reply: Ok(()),
        })
    });
    if let Err(error) = submitted {
        // The client gets its answer all the same; the request ends by itself.
        log::warn!("{error}");
    }
}

/// By redirect, or in a form that posts itself.
fn deliver(incoming: &Incoming<'_>, client: &Client, answer: &Answer) -> Response {
    let delivery = match answer.deliver(&incoming.ctx.config.issuer, client, incoming.now) {
        Outgoing::Ready(delivery) => delivery,
        Outgoing::ToSign(unsigned) => match signed(incoming, unsigned) {
            Ok(Some(delivery)) => delivery,
            Ok(None) => return failure::busy(incoming),
            Err(error) => {
                log::warn!("{error}");
                return failure::busy(incoming);
            }
        },
    };
    match delivery {
        Delivery::Redirect(location) => respond::see_other(&location),
        Delivery::Form { action, fields } => {
            let page = frame::bare(incoming, "Signing you in");
            let fields = fields
                .into_iter()
                .map(|(name, value)| Hidden {
                    name: name.to_owned(),
                    value,
                })
                .collect();
            let view = FormPost {
                page,
                action,
                client_name: client.name.clone(),
                fields,
            };
            respond::page(200, Leads::ToApplication, &view)
        }
    }
}

/// The answer, signed with our key of its algorithm (JARM §2.1); `None` where there is none.
fn signed(incoming: &Incoming<'_>, unsigned: Unsigned) -> Result<Option<Delivery>, StoreError> {
    let jwt = jws::sign_claims(
        &*incoming.ctx.keys()?,
        unsigned.algorithm(),
        jws::RESPONSE_TYPE,
        unsigned.claims(),
        incoming.now,
    );
    Ok(jwt.map(|jwt| unsigned.signed(jwt)))
}

/// An error page; there is nowhere to redirect to. The administrator finds expected and received in the audit log.
pub fn no_target(
    incoming: &Incoming<'_>,
    form: &Form,
    client: Option<&Client>,
    why: &NoTarget,
) -> Response {
    let detail = why.detail(form.text("client_id"));
    let mut event = Event::refused(EventKind::Authorization, incoming.now, detail)
        .from(Some(incoming.address()));
    if let Some(client) = client {
        event = event.client(client);
    }
    // Strangers can cause any number of these; one in the browser of somebody who is signed in is told from them. It does
    // not say that they meant it: the cookie comes with whatever page sends the browser here (SameSite=Lax).
    match sign_in::visitor(incoming) {
        Ok(Some(visitor)) => event = event.user(&visitor.user),
        Ok(None) => {}
        Err(error) => log::warn!("{error}"),
    }
    incoming.ctx.record_refusal(event);
    failure::no_target(incoming, client, form, why)
}

/// The person of an `id_token_hint` of ours, expired or not (OpenID Connect Core §3.1.2.1). A hint that is not ours,
/// or another client's, says nothing.
fn hinted_user(
    incoming: &Incoming<'_>,
    hint: &str,
    client: &Client,
) -> Result<Option<String>, StoreError> {
    let Ok(verified) = jws::verify(&*incoming.ctx.keys()?, hint) else {
        return Ok(None);
    };
    let text = |name: &str| verified.claims.get(name).and_then(Value::as_str);
    let ours = is_id_token(&verified.typ, &verified.claims, &incoming.ctx.config.issuer)
        && text("aud") == Some(client.wire_id().to_string().as_str());
    Ok(text("sub").filter(|_| ours).map(str::to_owned))
}
