//! Hosts that may be called, as an administrator allows them. The rules stand in `oauth::outbound_hosts`.

use super::{Actor, OperationError, submit};
use crate::model::AdminError;
use crate::oauth::outbound_hosts;
use crate::server::context::Context;
use crate::store::View;
use crate::types::Host;

/// All of them.
pub fn list(view: &View<'_>) -> Result<Vec<Host>, OperationError> {
    let settings = view.settings()?;
    Ok(settings
        .map(|s| s.outbound_hosts.into_iter().collect())
        .unwrap_or_default())
}

/// Allows one, or takes that back.
pub fn set(
    ctx: &Context,
    host: &str,
    allowed: bool,
    actor: &Actor,
) -> Result<Host, OperationError> {
    let host: Host = host
        .parse()
        .map_err(|why| AdminError::invalid("host", why))?;
    let named = host.clone();
    submit(ctx, actor, move |view, by| {
        let settings = view.settings_made()?;
        Ok(outbound_hosts::set(settings, &host, allowed, by))
    })?;
    Ok(named)
}
