//! Who may register an application, and the tokens that let them. The rules stand in `oauth::registration`.

use super::{Actor, OperationError, submit};
use crate::crypto::random::Fresh;
use crate::model::{AdminError, Decision, InitialAccessToken, RegistrationPolicy};
use crate::oauth::registration::initial_token;
use crate::server::context::Context;
use crate::types::{BearerSecret, InitialTokenId};

pub use crate::oauth::registration::initial_token::NewInitialToken;

/// Says who may register from now on.
pub fn set_policy(
    ctx: &Context,
    policy: RegistrationPolicy,
    actor: &Actor,
) -> Result<(), OperationError> {
    submit(ctx, actor, move |view, by| {
        let settings = view.settings_made()?;
        Ok(initial_token::set_policy(settings, policy, by))
    })
}

/// Says whether applications may be known by a document from now on.
pub fn set_documents(ctx: &Context, on: bool, actor: &Actor) -> Result<(), OperationError> {
    submit(ctx, actor, move |view, by| {
        let settings = view.settings_made()?;
        Ok(initial_token::set_documents(settings, on, by))
    })
}

/// Makes an initial access token; its text is shown once.
pub fn add_token(
    ctx: &Context,
    new: NewInitialToken,
    actor: &Actor,
) -> Result<(InitialAccessToken, BearerSecret), OperationError> {
    let fresh = Fresh::draw();
    submit(ctx, actor, move |view, by| {
        let there = view.initial_tokens()?.len();
        Ok(initial_token::add(&new, there, fresh, by))
    })
}

/// Takes an initial access token back.
pub fn remove_token(ctx: &Context, id: &str, actor: &Actor) -> Result<(), OperationError> {
    let name = id.to_owned();
    submit(ctx, actor, move |view, by| {
        let token = match name.parse::<InitialTokenId>() {
            Ok(id) => view.initial_token(id)?,
            Err(_) => None,
        };
        Ok(match token {
            Some(token) => initial_token::remove(&token, by),
            None => Decision::reply(Err(AdminError::NotFound {
                what: "registration token",
                name,
            })),
        })
    })
}
