//! `/admin/audit`: what happened, newest first, and the same as JSON lines.

use super::desk::{self, Answer, Desk};
use super::{listing, refusal};
use crate::model::{Event, EventKind, Outcome};
use crate::server::administration::audit::{Export, Wanted};
use crate::server::pages::failure;
use crate::server::pages::when::when;
use crate::server::respond::{self, Leads, set};
use crate::store::EventPage;
use crate::types::Form;
use crate::views::admin::{Audit, EventRow};
use crate::views::{self, Choice, Hidden};
use rouille::ResponseBody;

const PATH: &str = "/admin/audit";

fn wanted(query: &Form) -> Wanted {
    let text = |name: &str| query.text(name).trim().to_owned();
    Wanted {
        person: text("person"),
        application: text("application"),
        kind: text("kind"),
        outcome: text("outcome"),
        request: text("request"),
    }
}

/// `GET /admin/audit`.
pub fn list(desk: &Desk<'_>) -> Answer {
    let incoming = desk.incoming;
    let Ok(query) = incoming.query() else {
        return Ok(failure::malformed(incoming));
    };
    let wanted = wanted(&query);
    let after = query.text("after");
    let snapshot = incoming.ctx.store.snapshot()?;
    let view = snapshot.view();
    let (events, wrong) = match wanted.page(&view, after.parse().ok(), listing::ROWS) {
        Ok(events) => (events, None),
        Err(error) => (EventPage::default(), Some(desk::refusal(error)?)),
    };
    let settings = view.settings_made()?;
    let pairs = [
        ("person", wanted.person.as_str()),
        ("application", &wanted.application),
        ("kind", &wanted.kind),
        ("outcome", &wanted.outcome),
        ("request", &wanted.request),
    ];
    let address = |path: &str, after: &str| {
        let pairs: Vec<_> = pairs.into_iter().chain([("after", after)]).collect();
        desk::address(incoming.ctx.config.issuer.path(), path, &pairs)
    };
    let older = events.next.map(|next| address(PATH, &next.to_string()));
    let newest = (!after.is_empty()).then(|| address(PATH, ""));
    let export = address(&format!("{PATH}/export"), "");
    let kinds = EventKind::ALL.iter().map(|kind| Choice {
        value: kind.as_str().to_owned(),
        label: kind.words().to_owned(),
    });
    let kinds = kinds.collect();
    let mut form = views::Form::from_pairs(pairs);
    if let Some(wrong) = &wrong {
        form.refuse("", views::capital(&wrong.to_string()));
    }
    let rows = events.events.iter().map(|(_, event)| row(event)).collect();
    Ok(desk.page("Audit log", &[], |page| {
        let view = Audit {
            page,
            form,
            kinds,
            rows,
            older,
            newest,
            export,
            days_kept: settings.audit_days,
        };
        respond::page(if wrong.is_some() { 422 } else { 200 }, Leads::Here, &view)
    }))
}

/// `GET /admin/audit/export`.
pub fn export(desk: &Desk<'_>) -> Answer {
    let incoming = desk.incoming;
    let Ok(query) = incoming.query() else {
        return Ok(failure::malformed(incoming));
    };
    let filter = {
        let snapshot = incoming.ctx.store.snapshot()?;
        wanted(&query).filter(&snapshot.view())?
    };
    let mut response = respond::plain(200, "");
    response.data = ResponseBody::from_reader(Export::new(incoming.ctx.store.clone(), filter));
    response
        .headers
        .retain(|(name, _)| !name.eq_ignore_ascii_case("Content-Type"));
    set(&mut response, "Content-Type", "application/jsonl");
    set(
        &mut response,
        "Content-Disposition",
        "attachment; filename=\"doorlight-audit.jsonl\"",
    );
    Ok(response)
}

/// An event for the page of the log, where the names have columns of their own.
fn row(event: &Event) -> EventRow {
    EventRow {
        when: when(event.time),
        words: words(event),
        kind: event.kind.as_str().to_owned(),
        refusal: refusal::of(event),
        person: name(&event.username, event.user),
        application: name(&event.client_name, event.client),
        address: event.address.map(|a| a.to_string()).unwrap_or_default(),
        details: details(event),
    }
}

/// An event for the overview, where the names stand in the sentence.
pub(super) fn line(event: &Event) -> EventRow {
    let row = row(event);
    let names: Vec<&str> = [&row.person, &row.application]
        .into_iter()
        .map(String::as_str)
        .filter(|name| !name.is_empty())
        .collect();
    let words = match names.is_empty() {
        true => row.words.clone(),
        false => format!("{}: {}", event.words(), names.join(", ")),
    };
    EventRow { words, ..row }
}

/// What happened; to which group or settings, for those have no column; and who did it, where that is not the person whom
/// it concerns.
fn words(event: &Event) -> String {
    let words = event.words();
    let words = match tells_of_what(event) && !event.detail.is_empty() {
        true => format!("{words}: {}", event.detail),
        false => words.into_owned(),
    };
    match &event.actor {
        Some(actor) if event.username.as_ref() != Some(actor) => format!("{words}, by {actor}"),
        _ => words,
    }
}

fn tells_of_what(event: &Event) -> bool {
    matches!(
        event.kind,
        EventKind::GroupChanged
            | EventKind::GroupDeleted
            | EventKind::SettingsChanged
            | EventKind::IssuerChanged
    )
}

fn details(event: &Event) -> Vec<Hidden> {
    // What stands in the line already is not said again.
    let said = tells_of_what(event) || event.outcome == Outcome::Refused;
    let note = (!said).then(|| event.detail.clone());
    let given = [
        ("By", event.actor.clone()),
        ("Note", note),
        ("Person (sub)", event.user.map(|id| id.to_string())),
        ("Client id", event.client.map(|id| id.to_string())),
        ("Request", event.request.map(|id| id.to_string())),
    ];
    given
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)))
        .map(|(name, value)| Hidden {
            name: name.to_owned(),
            value,
        })
        .collect()
}

fn name(name: &Option<String>, id: Option<impl ToString>) -> String {
    name.clone()
        .or_else(|| id.map(|id| id.to_string()))
        .unwrap_or_default()
}
