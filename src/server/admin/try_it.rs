//! `/admin/try`: Doorlight plays an application and signs the administrator in through its own public endpoints.
//! RFC 6749 §4.1, RFC 7636, RFC 9207, OpenID Connect Core §3.1. Owns: the client's side of that round trip.
//! The requests of `loopback` pass through the route table like any other, without a socket.

mod loopback;
mod round;

use super::desk::{self, Answer, Desk};
use crate::crypto::digest::constant_time_eq;
use crate::model::{Client, ClientKind, GrantType, Profile};
use crate::oauth::clients::{ClientEdit, NewClient};
use crate::server::administration::OperationError;
use crate::server::administration::{clients, sessions};
use crate::server::incoming::Incoming;
use crate::server::pages::failure;
use crate::server::respond::{self, Leads, set};
use crate::types::append_query;
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

/// `GET /admin/try`.
pub fn show(desk: &Desk<'_>) -> Answer {
    let query = desk.incoming.query().unwrap_or_default();
    let error = FAILED
        .iter()
        .find(|(key, _)| *key == query.text("error"))
        .map(|(_, words)| (*words).to_owned());
    Ok(desk.page("Try it", &[], |mut page| {
        if desk.visitor.user.email.is_none() {
            page.notices.push(Notice {
                tone: Tone::Warning,
                text: "You have no email address here, and some applications refuse that. You can add one on your \
                       page under People."
                    .to_owned(),
                line: None,
            });
        }
        respond::page(200, Leads::Here, &TryIt { page, error })
    }))
}

fn failed(incoming: &Incoming<'_>, why: &str) -> Response {
    let base = incoming.ctx.config.issuer.path();
    let mut response = respond::see_other(&desk::address(base, PATH, &[("error", why)]));
    set(&mut response, "Set-Cookie", Round::forget(incoming));
    response
}

/// `POST /admin/try`: sends the browser to the authorization endpoint, as an application would.
pub fn begin(desk: &Desk<'_>) -> Answer {
    let incoming = desk.incoming;
    let client = match application(desk)? {
        Ok(client) => client,
        Err(why) => return Ok(failed(incoming, why)),
    };
    let round = Round::draw();
    let chosen = desk
        .form
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
    let cookie = round.cookie(incoming, &desk.visitor.session);
    set(&mut response, "Set-Cookie", cookie);
    Ok(response)
}

/// The test application, made at the first try and kept in step with Doorlight's address.
fn application(desk: &Desk<'_>) -> Result<Result<Client, &'static str>, OperationError> {
    let (ctx, actor) = (desk.ctx(), desk.actor());
    let callback = callback(desk.incoming);
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
fn end_grants(desk: &Desk<'_>, client: &Client) -> Result<(), OperationError> {
    let (ctx, actor) = (desk.ctx(), desk.actor());
    let held = {
        let snapshot = ctx.store.snapshot()?;
        snapshot
            .view()
            .grants_of(desk.visitor.user.id, usize::MAX)?
    };
    for grant in held {
        if grant.client == client.id && grant.ended.is_none() {
            sessions::end_grant(ctx, grant.id, &actor)?;
        }
    }
    Ok(())
}

/// `GET /admin/try/callback`: takes the answer of the authorization endpoint, checks it, and fetches everything that an
/// application would.
pub fn finish(desk: &Desk<'_>) -> Answer {
    let (incoming, visitor) = (desk.incoming, desk.visitor);
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
    let client = match application(desk)? {
        Ok(client) => client,
        Err(why) => return Ok(failed(incoming, why)),
    };
    let client_id = client.wire_id().to_string();
    let result = loopback::redeem(incoming, &client_id, &callback(incoming), code, &round)
        .and_then(|tokens| loopback::explore(incoming, &client_id, &tokens, &round));
    end_grants(desk, &client)?;
    Ok(match result {
        Ok(shown) => {
            let drawn = |page| {
                let view = TryResult { page, ..shown };
                respond::page(200, Leads::Here, &view)
            };
            let mut response = desk.page("What an application gets", &[], drawn);
            set(&mut response, "Set-Cookie", Round::forget(incoming));
            response
        }
        Err(Failed(why)) => failed(incoming, why),
    })
}
