//! `/admin`: is all well, and what happened lately.

use super::desk::{Answer, Desk};
use super::{applications, audit};
use crate::model::Outcome;
use crate::ops::outbound;
use crate::server::administration::OperationError;
use crate::server::respond::{self, Leads};
use crate::store::{EventFilter, View};
use crate::types::Timestamp;
use crate::views::admin::{Counts, Overview};
use std::time::Duration;

/// Events that the page shows, and that the count of refusals looks at.
const SHOWN: usize = 12;
const COUNTED: usize = 5_000;
const DAY: Duration = Duration::from_secs(86_400);

/// `GET /admin`.
pub fn show(desk: &Desk<'_>) -> Answer {
    let incoming = desk.incoming;
    let snapshot = incoming.ctx.store.snapshot()?;
    let view = snapshot.view();
    let counts = Counts {
        applications: view.client_count()?,
        people: view.user_count()?,
        sessions: view.session_count()?,
        refusals: refusals(&view, incoming.now.minus(DAY))?,
    };
    let latest = view.events(&EventFilter::default(), None, SHOWN)?.events;
    let issuer = &incoming.ctx.config.issuer;
    Ok(desk.page("Overview", &[], |page| {
        let view = Overview {
            page,
            counts,
            issuer: issuer.to_string(),
            discovery: applications::discovery(incoming),
            events: latest.iter().map(|(_, event)| audit::line(event)).collect(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            calls: calls(),
            data_file: incoming.ctx.config.data.display().to_string(),
        };
        respond::page(200, Leads::Here, &view)
    }))
}

/// What became of calls to other servers.
fn calls() -> Option<String> {
    let (calls, refused, failed) = outbound::totals();
    (calls > 0)
        .then(|| format!("{calls} since the start; not allowed: {refused}; failed: {failed}"))
}

/// Refusals since then, of the newest events.
fn refusals(view: &View<'_>, since: Timestamp) -> Result<u64, OperationError> {
    const AT_A_TIME: usize = 500;
    let (mut count, mut before) = (0, None);
    for _ in 0..COUNTED / AT_A_TIME {
        let page = view.events(&EventFilter::default(), before, AT_A_TIME)?;
        let lately = page
            .events
            .iter()
            .take_while(|(_, event)| event.time >= since);
        let (mut seen, mut refused) = (0, 0);
        for (_, event) in lately {
            seen += 1;
            refused += u64::from(event.outcome == Outcome::Refused);
        }
        count += refused;
        before = page.next;
        if before.is_none() || seen < page.events.len() {
            break;
        }
    }
    Ok(count)
}
