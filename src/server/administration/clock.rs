//! The administrator's word that the clock of the machine is right, where it is in doubt. Not here: when it is
//! (`ops::clock`).

use super::{Actor, OperationError, submit};
use crate::model::{AdminError, Decision, EventKind};
use crate::ops::clock::{self, Doubt};
use crate::server::context::Context;
use crate::types::Timestamp;

/// Ends the doubt, also for the starts to come: what has expired by the clock is deleted from now on. The time that is
/// trusted, and what was in doubt of it. A clock that was never set is no time that anybody can mean.
pub fn trust(ctx: &Context, actor: &Actor) -> Result<(Timestamp, Option<Doubt>), OperationError> {
    let (now, doubt) = clock::look();
    if clock::was_never_set(now) {
        return Err(AdminError::invalid("clock", "it was never set; set it first").into());
    }
    if let Some(doubt) = doubt {
        let store = ctx.store.clone();
        submit(ctx, actor, move |_, by| {
            // Goes into the commit of this very job.
            store.mark_sure(now);
            Ok(Decision {
                changes: Vec::new(),
                events: vec![by.did(EventKind::ClockTrusted).detail(doubt.found())],
                reply: Ok(()),
            })
        })?;
        clock::trust(doubt);
        ctx.rounds.forget();
    }
    Ok((now, doubt))
}
