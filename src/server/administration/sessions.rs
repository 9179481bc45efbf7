//! Sessions and grants, as an administrator ends them. The rules stand in `identity::access`.

use super::{Actor, OperationError, submit};
use crate::identity::access;
use crate::model::{AdminError, Decision};
use crate::server::context::Context;
use crate::types::{GrantId, SessionId};

/// Ends a browser's session.
pub fn end_session(ctx: &Context, id: SessionId, actor: &Actor) -> Result<(), OperationError> {
    submit(ctx, actor, move |view, by| {
        Ok(match view.session(id)? {
            Some(session) => access::end_session(&session, view.user(session.user)?.as_ref(), by),
            None => Decision::reply(Err(missing("session", id))),
        })
    })
}

/// Ends a grant, and every token issued from it.
pub fn end_grant(ctx: &Context, id: GrantId, actor: &Actor) -> Result<(), OperationError> {
    submit(ctx, actor, move |view, by| {
        Ok(match view.grant(id)? {
            Some(grant) => {
                let (user, client) = (view.user(grant.user)?, view.client(grant.client)?);
                access::end_grant(grant, user.as_ref(), client.as_ref(), by)
            }
            None => Decision::reply(Err(missing("grant", id))),
        })
    })
}

/// Ends every session and every grant.
pub fn end_everything(ctx: &Context, actor: &Actor) -> Result<(), OperationError> {
    submit(ctx, actor, move |view, by| {
        let sessions = view.sessions(None, usize::MAX)?;
        let grants = view.grants(None, usize::MAX)?;
        Ok(access::end_everything(&sessions, grants, by))
    })
}

fn missing(what: &'static str, name: impl ToString) -> AdminError {
    AdminError::NotFound {
        what,
        name: name.to_string(),
    }
}
