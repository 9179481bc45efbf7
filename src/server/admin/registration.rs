//! `/admin/registration`: who may register an application, and the tokens that let them.

use super::desk::{self, Answer, Done};
use crate::model::{AdminError, InitialAccessToken, RegistrationPolicy};
use crate::oauth::registration::NEVER_USED_MAX;
use crate::oauth::registration::document::DOCUMENTS_MAX;
use crate::server::administration::OperationError;
use crate::server::administration::registration::{self as operations, NewInitialToken};
use crate::server::incoming::{Incoming, Visitor};
use crate::server::pages::failure;
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

/// Answers what stands below `/admin/registration`.
pub fn answer(incoming: &Incoming<'_>, visitor: &Visitor, form: &Form, rest: &str) -> Response {
    let desk = Desk { incoming, visitor };
    let rest = rest.trim_start_matches('/');
    let token = rest
        .strip_prefix("tokens/")
        .and_then(|rest| rest.strip_suffix("/remove"));
    let answered = match (rest, token, desk::is_post(incoming)) {
        ("", _, false) => desk.show(None),
        ("", _, true) => desk.set_policy(form),
        ("documents", _, true) => desk.set_documents(form),
        ("tokens", _, true) => desk.add_token(form),
        (_, Some(id), true) => desk.remove_token(id),
        _ => Ok(failure::not_found(incoming)),
    };
    answered.unwrap_or_else(|error| desk::failed(incoming, visitor, error))
}

struct Desk<'a> {
    incoming: &'a Incoming<'a>,
    visitor: &'a Visitor,
}

impl Desk<'_> {
    /// The page; `refused` is a form that was not taken.
    fn show(&self, refused: Option<views::Form>) -> Answer {
        let ctx = self.incoming.ctx;
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
        Ok(desk::page(
            self.incoming,
            self.visitor,
            title,
            DONE,
            |page| {
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
            },
        ))
    }

    fn set_policy(&self, form: &Form) -> Answer {
        let Some(policy) = RegistrationPolicy::parse(form.text("policy")) else {
            return self.refused(form, &AdminError::invalid("policy", "choose from the list"));
        };
        let actor = desk::actor(self.incoming, self.visitor);
        operations::set_policy(self.incoming.ctx, policy, &actor)?;
        Ok(desk::go(self.incoming, PATH, "saved"))
    }

    fn set_documents(&self, form: &Form) -> Answer {
        let on = match form.text("documents") {
            "on" => true,
            "off" => false,
            _ => {
                let error = AdminError::invalid("documents", "choose from the list");
                return self.refused(form, &error);
            }
        };
        let actor = desk::actor(self.incoming, self.visitor);
        operations::set_documents(self.incoming.ctx, on, &actor)?;
        Ok(desk::go(self.incoming, PATH, "saved"))
    }

    fn add_token(&self, form: &Form) -> Answer {
        let actor = desk::actor(self.incoming, self.visitor);
        let made = new_token(form)
            .map_err(OperationError::Admin)
            .and_then(|new| operations::add_token(self.incoming.ctx, new, &actor));
        match made {
            Ok((token, secret)) => Ok(self.issued(&token, &secret)),
            Err(error) => match desk::refusal(self.incoming, self.visitor, error) {
                Ok(error) => self.refused(form, &error),
                Err(response) => Ok(response),
            },
        }
    }

    fn refused(&self, form: &Form, error: &AdminError) -> Answer {
        let typed = form
            .pairs()
            .filter(|(name, _)| matches!(*name, "note" | "days" | "uses"));
        let mut typed = views::Form::from_pairs(typed);
        match error {
            AdminError::Invalid { field, message } => typed.refuse(field, views::capital(message)),
            other => typed.refuse("", views::capital(&other.to_string())),
        }
        self.show(Some(typed))
    }

    fn issued(&self, token: &InitialAccessToken, secret: &BearerSecret) -> Response {
        let endpoint = self.incoming.ctx.config.issuer.endpoint("/register");
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
        desk::page(self.incoming, self.visitor, &title, &[], |page| {
            let view = Issued {
                page,
                section: "applications",
                explanation: "Give it to the application that is to register itself.".to_owned(),
                rows,
                more: Vec::new(),
                next: (
                    format!("{}{PATH}", self.incoming.ctx.config.issuer.path()),
                    "Done".to_owned(),
                ),
                also: None,
            };
            respond::page(200, Leads::Here, &view)
        })
    }

    fn remove_token(&self, id: &str) -> Answer {
        let actor = desk::actor(self.incoming, self.visitor);
        operations::remove_token(self.incoming.ctx, id, &actor)?;
        Ok(desk::go(self.incoming, PATH, "removed"))
    }
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
