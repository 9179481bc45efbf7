//! Takes a document in: the whole of it in one commit, or nothing.
//! Owns: when it happens, and that a dry run does all but write. Not here: what becomes of each record (`plan`).

use super::document::Document;
use super::plan::{self, Wish};
use super::report::Report;
use crate::model::{Algorithm, Decision, EventKind};
use crate::oauth;
use crate::server::administration::{Actor, OperationError, keys, submit};
use crate::server::context::Context;

/// Takes a document in. Where something is wrong with it, nothing is written, and the report says what.
pub fn import(
    ctx: &Context,
    document: Document,
    wish: Wish,
    actor: &Actor,
) -> Result<Report, OperationError> {
    let made = keys::generate(Algorithm::EdDsa)?;
    let issuer = ctx.config.issuer.clone();
    let report = submit(ctx, actor, move |view, by| {
        let plan = plan::of(view, document, wish, &issuer, by)?;
        let mut report = plan.report.shortened();
        report.dry_run = wish.dry_run;
        if wish.dry_run || !report.problems.is_empty() || plan.changes.is_empty() {
            return Ok(Decision::reply(Ok(report)));
        }
        let mut events = plan.events;
        let what = report
            .added
            .words()
            .unwrap_or_else(|| "nothing new".to_owned());
        events.push(by.did(EventKind::Imported).detail(format!("added: {what}")));
        let decision = Decision {
            changes: plan.changes,
            events,
            reply: Ok(report),
        };
        Ok(oauth::keys::provide(decision, &plan.keys, made, by.now))
    })?;
    Ok(report)
}
