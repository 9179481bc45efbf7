//! `/admin/registration`: who may register an application, and the tokens that let them.

use super::desk::{self, Answer, Desk, Done};
use crate::model::{AdminError, InitialAccessToken, RegistrationPolicy};
use crate::oauth::registration::NEVER_USED_MAX;
use crate::oauth::registration::document::DOCUMENTS_MAX;
use crate::server::administration::OperationError;
use crate::server::administration::registration::{self as operations, NewInitialToken};
use crate::server::pages::when::when;
use crate::server::respond::{self, Leads};
use crate::types::{BearerSecret, Form};
use crate::views;
use crate::views::admin::{CopyRow, InitialTokenRow, Issued, Registration};
use rouille::Response;

const PATH: &str = "/admin/registration";

const DONE: &[Done] = &[
    ("saved", "The setting was saved."),
    (
        "removed",
        "The token was removed. What it registered stays.",
    ),
];

/// `GET /admin/registration`.
pub fn show(desk: &Desk<'_>) -> Answer {
    drawn(desk, None)
}

/// The page; `refused` is a form that was not taken.
fn drawn(desk: &Desk<'_>, refused: Option<views::Form>) -> Answer {
    let ctx = desk.ctx();
    let snapshot = ctx.store.snapshot()?;
    let view = snapshot.view();
    let settings = ctx.settings()?;
    let usual = NewInitialToken::default();
    let status = if refused.is_some() { 422 } else { 200 };
    let form = refused.unwrap_or_else(|| {
        views::Form::new()
            .with("days", usual.days.to_string())
            .with("uses", usual.uses.to_string())
    });
    let documents = if settings.client_documents {
        "on"
    } else {
        "off"
    };
    let form = form
        .with("policy", settings.registration.as_str())
        .with("documents", documents);
    let clients = view.clients(None, usize::MAX)?;
    let tokens = view.initial_tokens()?.iter().map(row).collect();
    let title = "Applications that register themselves";
    Ok(desk.page(title, DONE, |page| {
        let view = Registration {
            page,
            form,
            tokens,
            endpoint: ctx.config.issuer.endpoint("/register"),
            registered: clients
                .iter()
                .filter(|c| c.registered.is_some() && c.document().is_none())
                .count(),
            never_used: clients.iter().filter(|c| c.is_strangers_unused()).count(),
            never_used_most: NEVER_USED_MAX,
            described: clients.iter().filter(|c| c.document().is_some()).count(),
            described_most: DOCUMENTS_MAX,
        };
        respond::page(status, Leads::Here, &view)
    }))
}

/// `POST /admin/registration`.
pub fn set_policy(desk: &Desk<'_>) -> Answer {
    let form = desk.form;
    let Some(policy) = RegistrationPolicy::parse(form.text("policy")) else {
        return refused(
            desk,
            form,
            &AdminError::invalid("policy", "choose from the list"),
        );
    };
    let actor = desk.actor();
    operations::set_policy(desk.ctx(), policy, &actor)?;
    Ok(desk.go(PATH, "saved"))
}

/// `POST /admin/registration/documents`.
pub fn set_documents(desk: &Desk<'_>) -> Answer {
    let form = desk.form;
    let on = match form.text("documents") {
        "on" => true,
        "off" => false,
        _ => {
            let error = AdminError::invalid("documents", "choose from the list");
            return refused(desk, form, &error);
        }
    };
    let actor = desk.actor();
    operations::set_documents(desk.ctx(), on, &actor)?;
    Ok(desk.go(PATH, "saved"))
}

/// `POST /admin/registration/tokens`.
pub fn add_token(desk: &Desk<'_>) -> Answer {
    let form = desk.form;
    let actor = desk.actor();
    let made = new_token(form)
        .map_err(OperationError::Admin)
        .and_then(|new| operations::add_token(desk.ctx(), new, &actor));
    match made {
        Ok((token, secret)) => Ok(issued(desk, &token, &secret)),
        Err(error) => refused(desk, form, &desk::refusal(error)?),
    }
}

fn refused(desk: &Desk<'_>, form: &Form, error: &AdminError) -> Answer {
    let typed = form
        .pairs()
        .filter(|(name, _)| matches!(*name, "note" | "days" | "uses"));
    let mut typed = views::Form::from_pairs(typed);
    match error {
        AdminError::Invalid { field, message } => typed.refuse(field, views::capital(message)),
        other => typed.refuse("", views::capital(&other.to_string())),
    }
    drawn(desk, Some(typed))
}

fn issued(desk: &Desk<'_>, token: &InitialAccessToken, secret: &BearerSecret) -> Response {
    let endpoint = desk.ctx().config.issuer.endpoint("/register");
    let row = |label: &str, value: &str, hint: &str| CopyRow {
        label: label.to_owned(),
        value: value.to_owned(),
        hint: hint.to_owned(),
    };
    let hint = "It is shown only now. Doorlight keeps nothing but a fingerprint of it.";
    let rows = vec![
        row("Initial access token", secret.text().expose(), hint),
        row("Registration address", &endpoint, ""),
    ];
    let title = format!("The token {} was made", token.note);
    desk.page(&title, &[], |page| {
        let view = Issued {
            page,
            section: "applications",
            explanation: "Give it to the application that is to register itself.".to_owned(),
            rows,
            more: Vec::new(),
            next: (format!("{}{PATH}", desk.base()), "Done".to_owned()),
            also: None,
        };
        respond::page(200, Leads::Here, &view)
    })
}

/// `POST /admin/registration/tokens/*/remove`.
pub fn remove_token(desk: &Desk<'_>) -> Answer {
    let actor = desk.actor();
    operations::remove_token(desk.ctx(), desk.named, &actor)?;
    Ok(desk.go(PATH, "removed"))
}

fn new_token(form: &Form) -> Result<NewInitialToken, AdminError> {
    let number = |name: &'static str| {
        form.text(name)
            .trim()
            .parse()
            .map_err(|_| AdminError::invalid(name, "must be a whole number"))
    };
    Ok(NewInitialToken {
        note: form.text("note").to_owned(),
        days: number("days")?,
        uses: number("uses")?,
    })
}

fn row(token: &InitialAccessToken) -> InitialTokenRow {
    InitialTokenRow {
        id: token.id.to_string(),
        note: token.note.clone(),
        uses_left: token.uses_left,
        created: when(token.created),
        expires: when(token.expires),
    }
}
