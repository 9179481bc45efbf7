//! The token that opens `/metrics` over HTTP: made, replaced and taken away. Only its hash is kept.

use super::{Actor, OperationError, submit};
use crate::crypto::random;
use crate::model::{AdminError, Change, Decision};
use crate::server::context::Context;
use crate::types::{Secret, TokenHash};

/// Makes a token; its text is shown once, and the one before opens nothing any more.
pub fn make_token(ctx: &Context, actor: &Actor) -> Result<Secret, OperationError> {
    let token = Secret::from_random(random::bytes());
    set(ctx, Some(TokenHash::of(&token)), actor)?;
    Ok(token)
}

/// Takes the token away, and with it the address.
pub fn switch_off(ctx: &Context, actor: &Actor) -> Result<(), OperationError> {
    set(ctx, None, actor)
}

fn set(ctx: &Context, token: Option<TokenHash>, actor: &Actor) -> Result<(), OperationError> {
    submit(ctx, actor, move |view, by| {
        let settings = view.settings_made()?;
        if settings.metrics_token == token {
            return Ok(Decision::<(), AdminError>::reply(Ok(())));
        }
        let mut after = settings.clone();
        after.metrics_token = token;
        Ok(Decision {
            events: vec![by.changed_settings(&settings, &after)],
            changes: vec![Change::PutSettings(Box::new(after))],
            reply: Ok(()),
        })
    })
}
