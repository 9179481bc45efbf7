//! `/admin/try`: Doorlight plays an application and signs the administrator in through its own public endpoints.
//! RFC 6749 §4.1, RFC 7636, RFC 9207, OpenID Connect Core §3.1. Owns: the client's side of that round trip.
//! The requests of `loopback` pass through the route table like any other, without a socket.

mod loopback;
mod round;

use super::desk;
use crate::crypto::digest::constant_time_eq;
use crate::model::{Client, ClientKind, GrantType, Profile};
use crate::oauth::clients::{ClientEdit, NewClient};
use crate::server::administration::OperationError;
use crate::server::administration::{clients, sessions};
use crate::server::incoming::{Incoming, Visitor};
use crate::server::pages::failure;
use crate::server::respond::{self, Leads, set};
use crate::types::{Form, append_query};
use crate::views::admin::{TryIt, TryResult};
use crate::views::{Notice, Tone};
use loopback::Failed;
use rouille::Response;
use round::Round;
use std::borrow::Cow;

const PATH: &str = "/admin/try";
const CALLBACK: &str = "/admin/try/callback";
const NAME: &str = "Doorlight test application";
const SCOPE: &str = "openid profile email groups phone address";

/// Why a try failed; the address names one of these, and the page says its sentence.
const FAILED: &[(&str, &str)] = &[
    (
        "denied",
        "You did not give permission. That is fine: the application got nothing.",
    ),
    (
        "expired",
        "It took longer than ten minutes, or it was begun in another browser.",
    ),
    (
        "state",
        "The answer did not belong to the question (state). Somebody may have meddled with it.",
    ),
    (
        "issuer",
        "The answer came from another server (iss). Somebody may have meddled with it.",
    ),
    (
        "authorize",
        "The sign-in was refused. The audit log says why.",
    ),
    (
        "token",
        "The code was not exchanged for tokens. The audit log says why.",
    ),
    ("keys", "The published keys could not be read."),
    (
        "userinfo",
        "The user info was not given. The audit log says why.",
    ),
    (
        "claims",
        "The ID token was not meant for this application, or not for this sign-in.",
    ),
    (
        "taken",
        "Another application is called “Doorlight test application”. Give it another name.",
    ),
    (
        "off",
        "“Doorlight test application” is switched off. Switch it on under Applications.",
    ),
];

/// Answers what stands below `/admin/try`.
pub fn answer(incoming: &Incoming<'_>, visitor: &Visitor, form: &Form, rest: &str) -> Response {
    let answered = match (rest, desk::is_post(incoming)) {
        ("" | "/", false) => Ok(show(incoming, visitor)),
        ("" | "/", true) => begin(incoming, visitor, form),
        ("/callback", false) => finish(incoming, visitor),
        _ => Ok(failure::not_found(incoming)),
    };
    answered.unwrap_or_else(|error| desk::failed(incoming, visitor, error))
}

fn show(incoming: &Incoming<'_>, visitor: &Visitor) -> Response {
    let query = incoming.query().unwrap_or_default();
    let error = FAILED
        .iter()
        .find(|(key, _)| *key == query.text("error"))
        .map(|(_, words)| (*words).to_owned());
    desk::page(incoming, visitor, "Try it", &[], |mut page| {
        if visitor.user.email.is_none() {
            page.notices.push(Notice {
                tone: Tone::Warning,
                text: "You have no email address here, and some applications refuse that. You can add one on your \
                       page under People."
                    .to_owned(),
                line: None,
            });
        }
        respond::page(200, Leads::Here, &TryIt { page, error })
    })
}

fn failed(incoming: &Incoming<'_>, why: &str) -> Response {
    let base = incoming.ctx.config.issuer.path();
    let mut response = respond::see_other(&desk::address(base, PATH, &[("error", why)]));
    set(&mut response, "Set-Cookie", Round::forget(incoming));
    response
}

/// Sends the browser to the authorization endpoint, as an application would.
fn begin(
    incoming: &Incoming<'_>,
    visitor: &Visitor,
    form: &Form,
) -> Result<Response, OperationError> {
    let client = match application(incoming, visitor)? {
        Ok(client) => client,
        Err(why) => return Ok(failed(incoming, why)),
    };
    let round = Round::draw();
    let chosen = form
        .all("scope")
        .filter(|scope| client.scope.contains(scope));
    let mut scope = vec!["openid"];
    scope.extend(chosen.filter(|scope| *scope != "openid"));
    let (callback, id) = (callback(incoming), client.wire_id().to_string());
    let challenge = round.challenge();
    let scope = scope.join(" ");
    let pairs = [
        ("response_type", "code"),
        ("client_id", &id),
        ("redirect_uri", &callback),
        ("scope", &scope),
        ("state", &round.state),
        ("nonce", &round.nonce),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]
    .map(|(name, value)| (name, Cow::Borrowed(value)));
    let authorize = incoming.ctx.config.issuer.endpoint("/authorize");
    let mut response = respond::see_other(&append_query(&authorize, &pairs));
    let cookie = round.cookie(incoming, &visitor.session);
    set(&mut response, "Set-Cookie", cookie);
    Ok(response)
}

/// The test application, made at the first try and kept in step with Doorlight's address.
fn application(
    incoming: &Incoming<'_>,
    visitor: &Visitor,
) -> Result<Result<Client, &'static str>, OperationError> {
    let (ctx, actor) = (incoming.ctx, desk::actor(incoming, visitor));
    let callback = callback(incoming);
    let allow_http = callback.starts_with("http:");
    let known = clients::list(ctx)?
        .into_iter()
        .find(|client| client.name.eq_ignore_ascii_case(NAME));
    let Some(client) = known else {
        let new = NewClient {
            name: NAME.to_owned(),
            kind: ClientKind::SinglePage,
            redirect_uris: vec![callback],
            grants: vec![GrantType::AuthorizationCode],
            scope: Some(SCOPE.to_owned()),
            allow_http,
            ..NewClient::default()
        };
        return Ok(Ok(clients::add(ctx, new, &actor)?.0));
    };
    if client.kind != ClientKind::SinglePage {
        return Ok(Err("taken"));
    }
    if client.disabled {
        return Ok(Err("off"));
    }
    let fits = ClientEdit {
        redirect_uris: vec![callback],
        allow_http,
        // It has no key of its own to prove.
        profile: Profile::Standard,
        dpop_bound_access_tokens: false,
        ..ClientEdit::of(&client)
    };
    if fits == ClientEdit::of(&client) {
        return Ok(Ok(client));
    }
    Ok(Ok(clients::edit(ctx, client.id, fits, &actor)?))
}

fn callback(incoming: &Incoming<'_>) -> String {
    incoming.ctx.config.issuer.endpoint(CALLBACK)
}

/// Ends what the test application holds for the visitor: the tokens were for looking at, or for nothing. The page says
/// that they are gone, so it is not shown where they could not be ended.
fn end_grants(
    incoming: &Incoming<'_>,
    visitor: &Visitor,
    client: &Client,
) -> Result<(), OperationError> {
    let (ctx, actor) = (incoming.ctx, desk::actor(incoming, visitor));
    let held = {
        let snapshot = ctx.store.snapshot()?;
        snapshot.view().grants_of(visitor.user.id, usize::MAX)?
    };
    for grant in held {
        if grant.client == client.id && grant.ended.is_none() {
            sessions::end_grant(ctx, grant.id, &actor)?;
        }
    }
    Ok(())
}

/// Takes the answer of the authorization endpoint, checks it, and fetches everything that an application would.
fn finish(incoming: &Incoming<'_>, visitor: &Visitor) -> Result<Response, OperationError> {
    let Ok(query) = incoming.query() else {
        return Ok(failure::malformed(incoming));
    };
    let Some(round) = Round::take(incoming, &visitor.session) else {
        return Ok(failed(incoming, "expired"));
    };
    let (Ok(state), Ok(code), Ok(issuer)) =
        (query.one("state"), query.one("code"), query.one("iss"))
    else {
        return Ok(failure::malformed(incoming));
    };
    if !constant_time_eq(state.unwrap_or_default(), &round.state) {
        return Ok(failed(incoming, "state"));
    }
    // RFC 9207 §2.4: compared before anything else is believed.
    if issuer != Some(incoming.ctx.config.issuer.as_str()) {
        return Ok(failed(incoming, "issuer"));
    }
    let Some(code) = code else {
        let denied = query.text("error") == "access_denied";
        return Ok(failed(
            incoming,
            if denied { "denied" } else { "authorize" },
        ));
    };
    let client = match application(incoming, visitor)? {
        Ok(client) => client,
        Err(why) => return Ok(failed(incoming, why)),
    };
    let client_id = client.wire_id().to_string();
    let result = loopback::redeem(incoming, &client_id, &callback(incoming), code, &round)
        .and_then(|tokens| loopback::explore(incoming, &client_id, &tokens, &round));
    end_grants(incoming, visitor, &client)?;
    Ok(match result {
        Ok(shown) => {
            let drawn = |page| {
                let view = TryResult { page, ..shown };
                respond::page(200, Leads::Here, &view)
            };
            let mut response =
                desk::page(incoming, visitor, "What an application gets", &[], drawn);
            set(&mut response, "Set-Cookie", Round::forget(incoming));
            response
        }
        Err(Failed(why)) => failed(incoming, why),
    })
}
