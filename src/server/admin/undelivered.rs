//! Sign-outs that an application was not told of, for its page.

use crate::server::pages::when::when;
use crate::store::{StoreError, View};
use crate::types::ClientId;
use crate::views::admin::{Undelivered, UndeliveredRow};

/// Rows that a page shows.
const ROWS: usize = 5;

/// Of one application. One that is on its way for the first time is no news.
pub(super) fn of(view: &View<'_>, client: ClientId) -> Result<Undelivered, StoreError> {
    let all = view.deliveries()?;
    let failed: Vec<_> = all
        .into_iter()
        .filter(|delivery| delivery.client == client && delivery.attempts > 0)
        .collect();
    let given_up = failed.iter().filter(|d| d.given_up.is_some()).count();
    let rows = failed.iter().rev().take(ROWS);
    let rows = rows.map(|delivery| UndeliveredRow {
        created: when(delivery.created),
        attempts: delivery.attempts,
        problem: delivery.problem.clone().unwrap_or_default(),
        next: delivery.given_up.is_none().then(|| when(delivery.due)),
    });
    Ok(Undelivered {
        waiting: failed.len() - given_up,
        given_up,
        rows: rows.collect(),
    })
}
