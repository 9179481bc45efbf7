//! `/admin`: is all well, and what happened lately.

use super::desk::{Answer, Desk, Done};
use super::{applications, audit};
use crate::ops::outbound;
use crate::server::doctor::{Finding, Level};
use crate::server::pages::when::ago;
use crate::server::respond::{self, Leads};
use crate::store::EventFilter;
use crate::views::admin::{CheckRow, Checks, Counts, Overview};
use crate::views::{self, Tone};
use std::time::Duration;

/// Events that the page shows, and that the count of refusals looks at.
const SHOWN: usize = 12;
const COUNTED: usize = 5_000;
const DAY: Duration = Duration::from_secs(86_400);

const DONE: &[Done] = &[("checked", "Everything was looked at again.")];

/// `GET /admin`.
pub fn show(desk: &Desk<'_>) -> Answer {
    let incoming = desk.incoming;
    let snapshot = incoming.ctx.store.snapshot()?;
    let view = snapshot.view();
    let counts = Counts {
        applications: view.client_count()?,
        people: view.user_count()?,
        sessions: view.session_count()?,
        refusals: view.refusals_since(incoming.now.minus(DAY), COUNTED)?,
    };
    let latest = view.events(&EventFilter::default(), None, SHOWN)?.events;
    let record = view.backup_record()?;
    let settings = incoming.ctx.settings()?;
    let issuer = &incoming.ctx.config.issuer;
    Ok(desk.page("Overview", DONE, |page| {
        let view = Overview {
            page,
            counts,
            issuer: issuer.to_string(),
            discovery: applications::discovery(incoming),
            events: latest.iter().map(|(_, event)| audit::line(event)).collect(),
            checks: checks(desk),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            calls: calls(),
            backup: record.good.map(|good| ago(good.time, incoming.now)),
            backs_up: settings.backups.folder.is_some(),
            data_file: incoming.ctx.config.data.display().to_string(),
        };
        respond::page(200, Leads::Here, &view)
    }))
}

/// `POST /admin/check`.
pub fn check(desk: &Desk<'_>) -> Answer {
    // Where another round is under way, its findings come in a moment.
    desk.ctx().rounds.begin(desk.ctx(), desk.incoming.now);
    Ok(desk.go("/admin", "checked"))
}

/// What the doctor found: lately, and when somebody asked for all of it.
fn checks(desk: &Desk<'_>) -> Checks {
    let (ctx, now) = (desk.ctx(), desk.incoming.now);
    let mut findings = ctx.rounds.quick(ctx, now).to_vec();
    let thorough = ctx.rounds.thorough();
    findings.extend(
        thorough
            .iter()
            .flat_map(|round| round.findings.iter().cloned()),
    );
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    let (wrong, fine): (Vec<_>, Vec<_>) = findings
        .iter()
        .partition(|finding| finding.level >= Level::Warning || finding.change.is_some());
    Checks {
        wrong: wrong.into_iter().map(check_row).collect(),
        fine: fine.into_iter().map(check_row).collect(),
        looked: thorough.map(|round| ago(round.at, now)),
    }
}

fn check_row(finding: &Finding) -> CheckRow {
    CheckRow {
        name: views::capital(finding.check),
        // A note that names a line to type is seen, and what is fine has no tone.
        tone: match finding.level {
            Level::Ok => Tone::Good,
            Level::Note | Level::Warning => Tone::Warning,
            Level::Fault => Tone::Bad,
        },
        found: sentence(&finding.found),
        change: finding.change.clone(),
    }
}

/// With a capital letter, where it does not begin with an address.
fn sentence(found: &str) -> String {
    if found.starts_with("http") {
        found.to_owned()
    } else {
        views::capital(found)
    }
}

/// What became of calls to other servers.
fn calls() -> Option<String> {
    let (calls, refused, failed) = outbound::totals();
    (calls > 0)
        .then(|| format!("{calls} since the start; not allowed: {refused}; failed: {failed}"))
}
