//! `/metrics`: what the server did since the start and how it stands now, for Prometheus. On the control socket always;
//! over HTTP only with a token that an administrator made, and otherwise as if there were no such address: counts tell
//! strangers who is at home.
//! Counting costs a request four additions to memory. Not here: what is counted elsewhere (`store::Counters`,
//! `ops::outbound`, `listener::counters`).

mod exposition;
pub mod refused;
mod requests;

use crate::crypto::rotation::KeyState;
use crate::model::{EventKind, Outcome};
use crate::ops::clock::{self, Doubt, Way};
use crate::ops::outbound::{self, Cause, Purpose};
use crate::server::administration::{OperationError, keys};
use crate::server::context::Context;
use crate::server::incoming::Incoming;
use crate::server::listener;
use crate::server::pages::failure;
use crate::server::respond;
use crate::store::{StoreError, View};
use crate::types::{Secret, Timestamp, TokenHash};
use exposition::{Exposition, Labels, MEDIA_TYPE};
use rouille::Response;
use std::path::Path;

pub use requests::Requests;

/// The token endpoint's grants, and the event that each leaves.
const GRANTS: [(&str, EventKind); 5] = [
    ("authorization_code", EventKind::CodeRedeemed),
    ("refresh_token", EventKind::TokenRefreshed),
    ("client_credentials", EventKind::ClientCredentials),
    ("device_code", EventKind::DeviceCodeRedeemed),
    ("token_exchange", EventKind::TokenExchanged),
];

/// `GET /metrics` over HTTP.
pub fn handle(incoming: &Incoming<'_>) -> Response {
    match may_read(incoming) {
        Ok(true) => answer(incoming.ctx),
        Ok(false) => failure::not_found(incoming),
        Err(error) => {
            log::warn!("{error}");
            failure::busy(incoming)
        }
    }
}

/// RFC 6750 §2.1. The hashes are compared in constant time.
fn may_read(incoming: &Incoming<'_>) -> Result<bool, StoreError> {
    let settings = incoming.ctx.settings()?;
    let Some(expected) = settings.metrics_token else {
        return Ok(false);
    };
    let given = incoming.request.header("Authorization").and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("Bearer")
            .then(|| token.trim().to_owned())
    });
    Ok(given.is_some_and(|token| TokenHash::of(&Secret::new(token)) == expected))
}

/// The text, for whoever may read it.
pub fn answer(ctx: &Context) -> Response {
    match text(ctx) {
        Ok(text) => {
            let mut response = respond::plain(200, &text);
            response
                .headers
                .retain(|(name, _)| !name.eq_ignore_ascii_case("Content-Type"));
            respond::set(&mut response, "Content-Type", MEDIA_TYPE);
            response
        }
        Err(error) => {
            log::warn!("{error}");
            respond::plain(503, "the data file cannot be read\n")
        }
    }
}

/// What a running server has to tell.
fn text(ctx: &Context) -> Result<String, OperationError> {
    let mut text = Exposition::default();
    about(&mut text, ctx.store.is_ready());
    ctx.requests.tell(&mut text);
    refused::tell(&mut text);
    recorded(ctx, &mut text);
    writer(ctx, &mut text);
    connections(&mut text);
    calls(&mut text);
    certificate(ctx, &mut text);
    clock(&mut text, clock::doubt());
    // While the file is down there is the more to tell about the rest.
    if let Ok(snapshot) = ctx.store.snapshot() {
        of_file(&mut text, &snapshot.view(), ctx.store.path(), clock::now())?;
    }
    Ok(text.finish())
}

/// What a file has to tell that no server serves.
pub fn at_rest(view: &View<'_>, path: &Path, now: Timestamp) -> Result<String, OperationError> {
    let mut text = Exposition::default();
    about(&mut text, false);
    of_file(&mut text, view, path, now)?;
    Ok(text.finish())
}

fn about(text: &mut Exposition, ready: bool) {
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    text.gauges("doorlight_build_info", "The program.", [(&version[..], 1)]);
    let help = "1 while a server can write the data file.";
    text.gauge("doorlight_ready", help, u64::from(ready));
}

/// From the audit log: counted when the commit is durable.
fn recorded(ctx: &Context, text: &mut Exposition) {
    let counters = ctx.store.counters();
    let grants =
        GRANTS.map(|(grant, kind)| ([("grant", grant)], counters.events(kind, Outcome::Success)));
    text.counter(
        "doorlight_tokens_issued_total",
        "Answers of the token endpoint with a token, by grant.",
        grants
            .iter()
            .map(|(labels, count)| (labels.as_slice(), *count)),
    );
    let outcomes = [Outcome::Success, Outcome::Refused];
    let sign_ins = outcomes.map(|outcome| {
        (
            [("outcome", outcome.as_str())],
            counters.events(EventKind::SignIn, outcome),
        )
    });
    text.counter(
        "doorlight_sign_ins_total",
        "Sign-ins of people, by outcome.",
        sign_ins
            .iter()
            .map(|(labels, count)| (labels.as_slice(), *count)),
    );
    let backups = [
        (
            [("outcome", "success")],
            EventKind::BackupMade,
            Outcome::Success,
        ),
        (
            [("outcome", "failure")],
            EventKind::BackupFailed,
            Outcome::Refused,
        ),
    ];
    text.counter(
        "doorlight_backups_total",
        "Backups in the folder that is set, by outcome.",
        backups
            .iter()
            .map(|(labels, kind, outcome)| (labels.as_slice(), counters.events(*kind, *outcome))),
    );
    let mut events = Vec::new();
    for kind in EventKind::ALL {
        for outcome in outcomes {
            let labels = [("kind", kind.as_str()), ("outcome", outcome.as_str())];
            events.push((labels, counters.events(*kind, outcome)));
        }
    }
    let happened = events.iter().filter(|(_, count)| *count > 0);
    text.counter(
        "doorlight_events_total",
        "Events of the audit log; refusals that are too many to record are not among them.",
        happened.map(|(labels, count)| (labels.as_slice(), *count)),
    );
}

fn writer(ctx: &Context, text: &mut Exposition) {
    let counters = ctx.store.counters();
    text.gauge(
        "doorlight_writer_queue_length",
        "Jobs that wait for the writer.",
        counters.waiting(),
    );
    text.counter(
        "doorlight_writer_jobs_total",
        "Jobs that had their turn with the writer.",
        [(Labels::default(), counters.jobs())],
    );
    text.counter(
        "doorlight_writer_failures_total",
        "Batches that were given up because the data file could not be written.",
        [(Labels::default(), counters.failed())],
    );
    text.histogram(
        "doorlight_writer_commit_duration_seconds",
        "Commits of the data file, each a batch of jobs, until they are durable.",
        [(Labels::default(), counters.commits.read())],
    );
}

fn connections(text: &mut Exposition) {
    let counters = listener::counters();
    text.gauge(
        "doorlight_connections",
        "Connections that there are.",
        counters.open(),
    );
    for (name, help, count) in [
        (
            "doorlight_connections_accepted_total",
            "Connections that were accepted.",
            counters.accepted(),
        ),
        (
            "doorlight_connections_shed_total",
            "Idle or stalling connections that were closed to make room.",
            counters.shed(),
        ),
        (
            "doorlight_connections_turned_away_total",
            "Connections that were answered 503, for want of room.",
            counters.turned_away(),
        ),
    ] {
        text.counter(name, help, [(Labels::default(), count)]);
    }
}

/// Where https ends in front of Doorlight there is none.
fn certificate(ctx: &Context, text: &mut Exposition) {
    let ends = ctx
        .certificate
        .get()
        .map(|keeper| (Labels::default(), keeper.validity().not_after.secs()));
    text.gauges(
        "doorlight_certificate_expiry_timestamp_seconds",
        "When the certificate of https ends, in seconds since 1970.",
        ends,
    );
}

/// The log and the overview say the rest.
fn clock(text: &mut Exposition, doubt: Option<Doubt>) {
    let off = |way| match doubt {
        Some(doubt) if doubt.way == way => doubt.by.as_secs(),
        _ => 0,
    };
    let ways = [("ahead", Way::Ahead), ("behind", Way::Behind)]
        .map(|(name, way)| ([("way", name)], off(way)));
    text.gauges(
        "doorlight_clock_doubt_seconds",
        "How far off the clock of the machine is while it is in doubt; 0 while it is sure.",
        ways.iter().map(|(labels, off)| (labels.as_slice(), *off)),
    );
}

fn calls(text: &mut Exposition) {
    let of = |purpose: Purpose| ([("purpose", purpose.as_str())], outbound::counters(purpose));
    let purposes = Purpose::ALL.map(of);
    text.counter(
        "doorlight_outbound_calls_total",
        "Calls to other servers that were asked for.",
        purposes
            .iter()
            .map(|(labels, of)| (labels.as_slice(), of.calls())),
    );
    text.counter(
        "doorlight_outbound_failed_total",
        "Calls to other servers that were tried and failed.",
        purposes
            .iter()
            .map(|(labels, of)| (labels.as_slice(), of.failed())),
    );
    let mut refused = Vec::new();
    for purpose in Purpose::ALL {
        for cause in Cause::ALL {
            let labels = [("purpose", purpose.as_str()), ("cause", cause.as_str())];
            refused.push((labels, outbound::counters(purpose).refused(cause)));
        }
    }
    text.counter(
        "doorlight_outbound_refused_total",
        "Calls to other servers that a rule of ours did not allow.",
        refused
            .iter()
            .map(|(labels, count)| (labels.as_slice(), *count)),
    );
}

fn of_file(
    text: &mut Exposition,
    view: &View<'_>,
    path: &Path,
    now: Timestamp,
) -> Result<(), OperationError> {
    if let Ok(file) = std::fs::metadata(path) {
        text.gauge(
            "doorlight_data_file_bytes",
            "Size of the data file.",
            file.len(),
        );
    }
    let folder = view
        .settings()?
        .and_then(|settings| settings.backups.folder);
    let good = view.backup_record()?.good;
    let good = good.filter(|good| folder.is_some_and(|folder| good.is_in(&folder)));
    text.gauges(
        "doorlight_backup_age_seconds",
        "Age of the last good backup in the folder that is set; none is told while there is none, or no folder is set.",
        good.iter()
            .map(|good| (Labels::default(), now.since(good.time).as_secs())),
    );
    let signing = keys::list(view, now)?;
    let ages: Vec<_> = signing
        .iter()
        .filter(|key| key.state == KeyState::Signing)
        .map(|key| {
            (
                [("alg", key.algorithm.as_str())],
                now.since(key.created).as_secs(),
            )
        })
        .collect();
    text.gauges(
        "doorlight_signing_key_age_seconds",
        "Age of the key that signs; keys are replaced every 90 days.",
        ages.iter().map(|(labels, age)| (labels.as_slice(), *age)),
    );
    Ok(())
}
