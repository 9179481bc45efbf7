//! Signing in: the page, the password, and the account that is meant.

use super::password::{self, Failed};
use super::{consent, failure, frame, interaction};
use crate::identity::session::{Browser, SignedIn};
use crate::server::incoming::{Incoming, Visitor};
use crate::server::known_device::{self, DeviceId};
use crate::server::oauth::known;
use crate::server::respond::{self, Leads, set};
use crate::server::{cookies, forms};
use crate::store::StoreError;
use crate::types::{Form, Secret};
use crate::views::{self, AccountChoice, AccountChooser, ClientFace, Reauthenticate};
use rouille::Response;

/// Said to everyone alike: which of name and password was wrong is nobody's business.
const WRONG: &str = "The name or the password is not right.";

/// Who is signed in, asked outside a request to `/authorize`.
pub fn visitor(incoming: &Incoming<'_>) -> Result<Option<Visitor>, StoreError> {
    let snapshot = incoming.ctx.store.snapshot()?;
    let view = snapshot.view();
    match view.settings()? {
        Some(settings) => incoming.visitor(&view, &settings),
        None => Ok(None),
    }
}

/// A path of ours below the issuer's.
pub fn below_base(incoming: &Incoming<'_>, path: &str) -> String {
    format!(
        "{}{}",
        incoming.ctx.config.issuer.path(),
        interaction::continue_to(path)
    )
}

/// `GET /login`.
pub fn show(incoming: &Incoming<'_>) -> Response {
    let query = incoming.query().unwrap_or_default();
    let attempt = Attempt {
        continue_to: query.text("continue").to_owned(),
        ..Attempt::default()
    };
    match visitor(incoming) {
        Ok(visitor) => page(incoming, visitor.as_ref(), &attempt, 200),
        Err(error) => {
            log::warn!("{error}");
            failure::busy(incoming)
        }
    }
}

/// The page for an application's request.
pub fn page_for_client(
    incoming: &Incoming<'_>,
    visitor: Option<&Visitor>,
    client: ClientFace,
    login_hint: Option<&str>,
    continue_to: &str,
) -> Response {
    let known = visitor.map(|visitor| visitor.user.username.as_str());
    let attempt = Attempt {
        username: known.or(login_hint).unwrap_or_default().to_owned(),
        client: Some(client),
        continue_to: continue_to.to_owned(),
        ..Attempt::default()
    };
    page(incoming, visitor, &attempt, 200)
}

/// "Not you?": the sign-in page for the same request, for somebody else.
pub fn page_after_switch(incoming: &Incoming<'_>, bare: &Form) -> Result<Response, StoreError> {
    let visitor = visitor(incoming)?;
    let continue_to = interaction::ask_sign_in(incoming, bare);
    let client = face_in(incoming, &continue_to)?;
    Ok(page(
        incoming,
        visitor.as_ref(),
        &Attempt {
            client,
            continue_to,
            ..Attempt::default()
        },
        200,
    ))
}

#[derive(Default)]
struct Attempt {
    username: String,
    client: Option<ClientFace>,
    error: Option<String>,
    wait_seconds: Option<u64>,
    continue_to: String,
}

fn page(
    incoming: &Incoming<'_>,
    visitor: Option<&Visitor>,
    attempt: &Attempt,
    status: u16,
) -> Response {
    let mut response = frame::with(incoming, visitor, "Sign in", |page| {
        let view = views::SignIn {
            page,
            client: attempt.client.clone(),
            username: attempt.username.clone(),
            error: attempt.error.clone(),
            wait_seconds: attempt.wait_seconds,
            continue_to: attempt.continue_to.clone(),
        };
        respond::page(status, Leads::ToApplication, &view)
    });
    if let Some(seconds) = attempt.wait_seconds {
        set(&mut response, "Retry-After", seconds.to_string());
    }
    response
}

/// `POST /login`.
pub fn handle(incoming: &Incoming<'_>) -> Response {
    let Ok(form) = incoming.form() else {
        return failure::malformed(incoming);
    };
    match sign_in(incoming, &form) {
        Ok(response) => response,
        Err(error) => {
            log::warn!("{error}");
            failure::busy(incoming)
        }
    }
}

fn sign_in(incoming: &Incoming<'_>, form: &Form) -> Result<Response, StoreError> {
    let visitor = visitor(incoming)?;
    if !forms::is_ours(incoming, visitor.as_ref(), form) {
        return Ok(failure::stale_form(incoming, visitor.as_ref()));
    }
    let continue_to = form.text("continue");
    if form.text("decision") == "cancel" {
        return match interaction::request_in(continue_to) {
            Some(request) => consent::denied(incoming, &request),
            None => Ok(respond::see_other(&below_base(incoming, "/"))),
        };
    }
    let (username, password) = (form.one("username"), form.one("password"));
    let (Ok(username), Ok(password)) = (username, password) else {
        return Ok(failure::malformed(incoming));
    };
    let username = username.unwrap_or_default().trim().to_owned();
    let password = Secret::new(password.unwrap_or_default().to_owned());
    let failed =
        |error: Option<String>, wait: Option<u64>, status: u16| -> Result<Response, StoreError> {
            let attempt = Attempt {
                username: username.chars().take(100).collect(),
                client: face_in(incoming, continue_to)?,
                error,
                wait_seconds: wait,
                continue_to: continue_to.to_owned(),
            };
            Ok(page(incoming, visitor.as_ref(), &attempt, status))
        };
    match password::attempt(incoming, &username, &password, visitor.as_ref())? {
        Ok(entered) => Ok(enter(
            incoming,
            &entered.signed_in,
            entered.device,
            continue_to,
        )),
        Err(Failed::Wrong) => failed(Some(WRONG.to_owned()), None, 401),
        Err(Failed::Wait(seconds)) => failed(None, Some(seconds), 429),
        Err(Failed::Busy) => Ok(failure::busy(incoming)),
    }
}

/// Sets the session cookie, remembers the browser (`device`, if it is known already), and goes on.
pub fn enter(
    incoming: &Incoming<'_>,
    signed_in: &SignedIn,
    device: Option<DeviceId>,
    continue_to: &str,
) -> Response {
    let mut response = respond::see_other(&below_base(incoming, continue_to));
    let seconds = signed_in.session.expires.since(incoming.now).as_secs();
    let cookie = cookies::set_session(&incoming.ctx.config.issuer, &signed_in.secret, seconds);
    set(&mut response, "Set-Cookie", cookie);
    let session = &signed_in.session;
    let issued = session.authentication.time;
    let cookie = known_device::remember(incoming, session.user, device, issued);
    set(&mut response, "Set-Cookie", cookie);
    response
}

/// What the browser says of itself.
pub fn browser(incoming: &Incoming<'_>) -> Browser {
    Browser {
        address: Some(incoming.address()),
        user_agent: incoming
            .request
            .header("User-Agent")
            .unwrap_or_default()
            .to_owned(),
    }
}

/// The password once more, before something is changed. `GET /login/again`.
pub fn again_page(incoming: &Incoming<'_>, visitor: &Visitor, continue_to: &str) -> Response {
    again(incoming, visitor, continue_to, None, None, 200)
}

fn again(
    incoming: &Incoming<'_>,
    visitor: &Visitor,
    continue_to: &str,
    error: Option<&str>,
    wait_seconds: Option<u64>,
    status: u16,
) -> Response {
    let mut response = frame::with(incoming, Some(visitor), "Your password again", |page| {
        let view = Reauthenticate {
            page,
            username: visitor.user.username.to_string(),
            reason: "Enter your password again to make changes.".to_owned(),
            error: error.map(str::to_owned),
            wait_seconds,
            continue_to: continue_to.to_owned(),
        };
        respond::page(status, Leads::Here, &view)
    });
    if let Some(seconds) = wait_seconds {
        set(&mut response, "Retry-After", seconds.to_string());
    }
    response
}

/// `POST /login/again`.
pub fn handle_again(incoming: &Incoming<'_>, visitor: &Visitor, form: &Form) -> Response {
    let continue_to = form.text("continue");
    let password = match form.one("password") {
        Ok(password) => Secret::new(password.unwrap_or_default().to_owned()),
        Err(_) => return failure::malformed(incoming),
    };
    match password::attempt(
        incoming,
        visitor.user.username.as_str(),
        &password,
        Some(visitor),
    ) {
        Ok(Ok(entered)) => enter(incoming, &entered.signed_in, entered.device, continue_to),
        Ok(Err(Failed::Wrong)) => again(
            incoming,
            visitor,
            continue_to,
            Some("The password is not right."),
            None,
            401,
        ),
        Ok(Err(Failed::Wait(seconds))) => {
            again(incoming, visitor, continue_to, None, Some(seconds), 429)
        }
        Ok(Err(Failed::Busy)) => failure::busy(incoming),
        Err(error) => {
            log::warn!("{error}");
            failure::busy(incoming)
        }
    }
}

/// Which account to go on with.
pub fn choose_page(
    incoming: &Incoming<'_>,
    visitor: Option<&Visitor>,
    client: ClientFace,
    form: &Form,
) -> Response {
    let continue_to = interaction::to_authorize(form);
    let accounts = visitor.map(|visitor| AccountChoice {
        id: visitor.user.id.to_string(),
        name: visitor.user.display_name().to_owned(),
        detail: visitor
            .user
            .email
            .clone()
            .unwrap_or_else(|| visitor.user.username.to_string()),
    });
    frame::with(incoming, visitor, "Choose an account", |page| {
        let view = AccountChooser {
            page,
            client: Some(client),
            accounts: accounts.into_iter().collect(),
            continue_to,
        };
        respond::page(200, Leads::ToApplication, &view)
    })
}

/// `POST /select-account`.
pub fn handle_choice(incoming: &Incoming<'_>, visitor: &Visitor, form: &Form) -> Response {
    let Some(request) = interaction::request_in(form.text("continue")) else {
        return failure::malformed(incoming);
    };
    let (bare, _) = interaction::take(incoming, &request, Some(visitor));
    if form.text("account") == visitor.user.id.to_string() {
        return respond::see_other(&below_base(
            incoming,
            &interaction::chosen(incoming, &bare, visitor),
        ));
    }
    match page_after_switch(incoming, &bare) {
        Ok(response) => response,
        Err(error) => {
            log::warn!("{error}");
            failure::busy(incoming)
        }
    }
}

fn face_in(incoming: &Incoming<'_>, continue_to: &str) -> Result<Option<ClientFace>, StoreError> {
    let Some(form) = interaction::request_in(continue_to) else {
        return Ok(None);
    };
    let found = known::find(incoming, &form)?;
    Ok(found
        .ok()
        .map(|known| consent::face(&known.client, known.target())))
}
