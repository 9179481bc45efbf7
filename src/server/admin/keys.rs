//! `/admin/keys`: the keys that sign tokens, replaced or withdrawn by hand.

use super::desk::{self, Done};
use crate::crypto::rotation;
use crate::oauth::keys::algorithm;
use crate::server::administration::OperationError;
use crate::server::administration::keys::{self as operations, KeyLine};
use crate::server::incoming::{Incoming, Visitor};
use crate::server::pages::failure;
use crate::server::pages::when::when;
use crate::server::respond::{self, Leads};
use crate::types::Form;
use crate::views::admin::{Confirm, KeyRow, KeyState, Keys};
use rouille::Response;

const PATH: &str = "/admin/keys";

const DONE: &[Done] = &[
    (
        "rotated",
        "The key was replaced. The new one signs from now on.",
    ),
    ("withdrawn", "The key was withdrawn. Its tokens have ended."),
];

/// Answers what stands below `/admin/keys`.
pub fn answer(incoming: &Incoming<'_>, visitor: &Visitor, form: &Form, rest: &str) -> Response {
    let rest = rest.trim_start_matches('/');
    let answered = match (rest, rest.split_once('/'), desk::is_post(incoming)) {
        ("", _, false) => list(incoming, visitor),
        ("rotate", _, true) => rotate(incoming, visitor, form),
        (_, Some((kid, "withdraw")), false) => ask_withdraw(incoming, visitor, kid),
        (_, Some((kid, "withdraw")), true) => withdraw(incoming, visitor, kid),
        _ => Ok(failure::not_found(incoming)),
    };
    answered.unwrap_or_else(|error| desk::failed(incoming, visitor, error))
}

fn list(incoming: &Incoming<'_>, visitor: &Visitor) -> Result<Response, OperationError> {
    let snapshot = incoming.ctx.store.snapshot()?;
    let lines = operations::list(&snapshot.view(), incoming.now)?;
    let algorithms = operations::algorithms(&snapshot.view())?;
    Ok(desk::page(incoming, visitor, "Keys", DONE, |page| {
        let view = Keys {
            page,
            rows: lines.iter().map(row).collect(),
            algorithms: algorithms.iter().map(|a| a.as_str().to_owned()).collect(),
            published_at: incoming.ctx.config.issuer.endpoint("/jwks.json"),
        };
        respond::page(200, Leads::Here, &view)
    }))
}

fn rotate(
    incoming: &Incoming<'_>,
    visitor: &Visitor,
    form: &Form,
) -> Result<Response, OperationError> {
    let algorithm = algorithm(form.text("alg"))?;
    operations::rotate(incoming.ctx, algorithm, &desk::actor(incoming, visitor))?;
    Ok(desk::go(incoming, PATH, "rotated"))
}

fn ask_withdraw(
    incoming: &Incoming<'_>,
    visitor: &Visitor,
    kid: &str,
) -> Result<Response, OperationError> {
    let snapshot = incoming.ctx.store.snapshot()?;
    let lines = operations::list(&snapshot.view(), incoming.now)?;
    let Some(key) = lines.iter().find(|line| line.kid == kid) else {
        return Ok(failure::not_found(incoming));
    };
    let address = format!("{}{PATH}", incoming.ctx.config.issuer.path());
    let title = format!("Withdraw this {} key?", key.algorithm.as_str());
    Ok(desk::page(incoming, visitor, &title, &[], |page| {
        let view = Confirm {
            page,
            section: "keys",
            consequences: vec![
                format!("The key is {}.", key.kid),
                "Every token that was signed with it ends now.".to_owned(),
                "Applications may fail until they fetch the new keys, and may ask people to sign in again.".to_owned(),
                "If only its time has come, replace it instead: then nobody notices.".to_owned(),
            ],
            action: format!("{address}/{}/withdraw", key.kid),
            fields: Vec::new(),
            button: "Withdraw the key".to_owned(),
            back: address.clone(),
        };
        respond::page(200, Leads::Here, &view)
    }))
}

fn withdraw(
    incoming: &Incoming<'_>,
    visitor: &Visitor,
    kid: &str,
) -> Result<Response, OperationError> {
    operations::withdraw(incoming.ctx, kid, &desk::actor(incoming, visitor))?;
    Ok(desk::go(incoming, PATH, "withdrawn"))
}

fn row(line: &KeyLine) -> KeyRow {
    KeyRow {
        kid: line.kid.clone(),
        alg: line.algorithm.as_str().to_owned(),
        state: match line.state {
            rotation::KeyState::Published => KeyState::Published,
            rotation::KeyState::Signing => KeyState::Signing,
            rotation::KeyState::Retired => KeyState::Retired,
        },
        created: when(line.created),
        until: Some(when(line.until)),
    }
}
