//! Forgetting what has expired, and the oldest events where there are too many. Small batches, one after the other until
//! nothing is dead; each is found in a snapshot and written only when it holds something, so an idle server writes
//! nothing.

use super::apply::{delete_device_authorization, remove};
use super::codec::decode;
use super::schema::{Table, pair};
use super::tables::Tables;
use super::{Store, StoreError, View, replays};
use crate::model::{
    AuthorizationCode, Change, Client, Consent, Decision, Delivery, DeviceAuthorization, Event,
    EventKind, Grant, InitialAccessToken, Link, Outcome, PushedRequest, RefreshToken, Revocation,
    Session, Settings,
};
use crate::types::{ClientId, GrantId, Id, SessionId, Timestamp};
use std::convert::Infallible;
use std::time::Duration;

/// Events that the file keeps, at most, however young they are (README, "Settings").
pub const EVENTS_MAX: u64 = 500_000;

/// Living rows that one step looks at, and rows that it forgets, at most.
const LOOK: usize = 4_000;
const FORGET: usize = 500;
/// Living rows after which a round rests, to go on from there: a million of them must not keep a core busy.
const PATIENCE: usize = 100_000;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);
/// How far clocks may be set back without any doubt (`ops::clock`).
const AHEAD: Duration = Duration::from_secs(5 * 60);

/// Tables with records that expire, those that die in the order of their keys first.
const SWEPT: [Table; 14] = [
    Table::Events,
    Table::Replays,
    Table::Codes,
    Table::Revocations,
    Table::DeviceAuthorizations,
    Table::Sessions,
    Table::Grants,
    Table::RefreshTokens,
    Table::Links,
    Table::InitialTokens,
    Table::Clients,
    Table::Consents,
    Table::PushedRequests,
    Table::Deliveries,
];

/// Where the sweep stands in its round: through each table, and then to the events that are too many.
pub struct Sweeper {
    tables: &'static [Table],
    table: usize,
    past: Vec<u8>,
    looked: usize,
    patience: usize,
    most_events: u64,
    /// No refusal stands before this event. New events come after it.
    no_refusal_before: Vec<u8>,
}

impl Default for Sweeper {
    fn default() -> Self {
        Self {
            tables: &SWEPT,
            table: 0,
            past: Vec::new(),
            looked: 0,
            patience: PATIENCE,
            most_events: EVENTS_MAX,
            no_refusal_before: Vec::new(),
        }
    }
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many records were forgotten, and there may be more.
    Forgot(usize),
    /// All that it looked at lives; there is more to look at.
    Looked,
    /// Nothing is dead any more, or a rest is due.
    Rest,
}

/// What becomes of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Dies,
    Lives,
    /// It does not read, or is of a time to come: it stays, and says nothing of those behind it.
    Untold,
}

/// What one batch found.
#[derive(Default)]
struct Found {
    dead: Vec<Vec<u8>>,
    looked: usize,
    last: Vec<u8>,
    /// Whether there is more behind it.
    more: bool,
}

impl Sweeper {
    /// One that forgets nothing but uses of what may be used once, and events that are too many.
    pub fn of_uses() -> Self {
        Self {
            tables: &[Table::Replays],
            ..Self::default()
        }
    }

    /// One step of the round.
    pub fn step(&mut self, store: &Store, now: Timestamp) -> Result<Step, StoreError> {
        let Some(table) = self.tables.get(self.table).copied() else {
            return self.trim(store, now);
        };
        let found = {
            let snapshot = store.snapshot()?;
            let view = snapshot.view();
            let Some(settings) = view.settings()? else {
                return Ok(Step::Rest);
            };
            expired(&view, table, &self.past, &settings, now)?
        };
        let (count, looked) = (found.dead.len(), found.looked);
        forget(store, table, found.dead, now)?;
        if found.more {
            self.past = found.last;
        } else {
            self.table += 1;
            self.past.clear();
        }
        Ok(self.pace(count, looked))
    }

    /// The end of the round: while there are more events than the file keeps, the oldest refusals go first, for
    /// strangers make those; those of administrators count as theirs. Then the oldest.
    fn trim(&mut self, store: &Store, now: Timestamp) -> Result<Step, StoreError> {
        let found = {
            let snapshot = store.snapshot()?;
            let view = snapshot.view();
            let surplus = view.event_count()?.saturating_sub(self.most_events);
            if surplus == 0 {
                (self.table, self.looked) = (0, 0);
                return Ok(Step::Rest);
            }
            let most = usize::try_from(surplus).map_or(FORGET, |surplus| surplus.min(FORGET));
            let refusals = refusals(&view, &self.no_refusal_before, most)?;
            if refusals.dead.is_empty() && !refusals.more {
                let looked = refusals.looked;
                self.pass(refusals.last);
                let found = oldest(&view, most)?;
                Found { looked, ..found }
            } else {
                refusals
            }
        };
        let (count, looked) = (found.dead.len(), found.looked);
        forget(store, Table::Events, found.dead, now)?;
        self.pass(found.last);
        Ok(self.pace(count, looked))
    }

    /// What was forgotten, or was no refusal, is not looked at again.
    fn pass(&mut self, last: Vec<u8>) {
        if last > self.no_refusal_before {
            self.no_refusal_before = last;
        }
    }

    fn pace(&mut self, forgot: usize, looked: usize) -> Step {
        self.looked += looked;
        if self.looked >= self.patience {
            self.looked = 0;
            Step::Rest
        } else if forgot > 0 {
            Step::Forgot(forgot)
        } else {
            Step::Looked
        }
    }
}

/// The dead of a table after `past`.
fn expired(
    view: &View<'_>,
    table: Table,
    past: &[u8],
    settings: &Settings,
    now: Timestamp,
) -> Result<Found, StoreError> {
    // Of these the older die first: the first that lives ends the walk.
    let in_order = matches!(
        table,
        Table::Events
            | Table::Replays
            | Table::Codes
            | Table::Revocations
            | Table::DeviceAuthorizations
    );
    let mut found = Found::default();
    view.rows_after(table, past, |key, value| {
        match fate(table, key, value, settings, view, now) {
            Fate::Dies => found.dead.push(key.to_vec()),
            Fate::Lives if in_order => return false,
            Fate::Lives | Fate::Untold => found.looked += 1,
        }
        found.go_on(key, FORGET)
    })?;
    let lives_once = matches!(
        table,
        Table::Codes
            | Table::DeviceAuthorizations
            | Table::PushedRequests
            | Table::Links
            | Table::InitialTokens
    );
    if lives_once && !found.more {
        of_a_time_to_come(view, table, settings, now, &mut found)?;
    }
    Ok(found)
}

/// What lives for a while and once, and was made in the future was made by a clock that was set back since: it would live again when
/// that time comes.
fn of_a_time_to_come(
    view: &View<'_>,
    table: Table,
    settings: &Settings,
    now: Timestamp,
    found: &mut Found,
) -> Result<(), StoreError> {
    let first = Id::first_of(now.plus(AHEAD));
    view.rows_after(table, first.as_bytes(), |key, value| {
        match fate(table, key, value, settings, view, now) {
            Fate::Dies | Fate::Lives => found.dead.push(key.to_vec()),
            Fate::Untold => found.looked += 1,
        }
        found.go_on(key, FORGET)
    })
}

/// The oldest refusals after `past`.
fn refusals(view: &View<'_>, past: &[u8], most: usize) -> Result<Found, StoreError> {
    let mut found = Found::default();
    view.rows_after(Table::Events, past, |key, value| {
        if decode::<Event>(value).is_ok_and(|e| e.outcome == Outcome::Refused && e.actor.is_none())
        {
            found.dead.push(key.to_vec());
        } else {
            found.looked += 1;
        }
        found.go_on(key, most)
    })?;
    Ok(found)
}

/// The oldest events.
fn oldest(view: &View<'_>, most: usize) -> Result<Found, StoreError> {
    let mut found = Found::default();
    view.rows_after(Table::Events, &[], |key, _| {
        found.dead.push(key.to_vec());
        found.go_on(key, most)
    })?;
    Ok(found)
}

impl Found {
    /// Notes where the walk stands. Whether the batch has room.
    fn go_on(&mut self, key: &[u8], most: usize) -> bool {
        self.last.clear();
        self.last.extend_from_slice(key);
        self.more = self.dead.len() >= most || self.looked >= LOOK;
        !self.more
    }
}

fn fate(
    table: Table,
    key: &[u8],
    value: &[u8],
    settings: &Settings,
    view: &View<'_>,
    now: Timestamp,
) -> Fate {
    match table {
        // One that does not read goes by its key: the log must not grow behind it.
        Table::Events => {
            let time = decode::<Event>(value).map_or_else(|_| key_time(key), |event| event.time);
            let end = time.plus(DAY * settings.audit_days);
            if now < end && now < time {
                Fate::Untold
            } else {
                Fate::of(now >= end)
            }
        }
        Table::Replays => Fate::of(replays::is_over(key, now)),
        // Other records that do not read are kept, for `verify` to find.
        _ => is_dead(table, key, value, settings, view, now).map_or(Fate::Untold, Fate::of),
    }
}

impl Fate {
    fn of(dead: bool) -> Self {
        if dead { Self::Dies } else { Self::Lives }
    }
}

/// The moment in the key of an event.
fn key_time(key: &[u8]) -> Timestamp {
    let key = <[u8; 8]>::try_from(key).map_or(0, u64::from_be_bytes);
    Timestamp::from_millis(key >> 16)
}

/// Whether nobody can need the record any more.
fn is_dead(
    table: Table,
    key: &[u8],
    value: &[u8],
    settings: &Settings,
    view: &View<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(match table {
        Table::Sessions => is_over(&decode(value)?, settings, now),
        Table::Codes => now >= decode::<AuthorizationCode>(value)?.expires.plus(DAY),
        // Its last access token lives at most 60 minutes longer.
        Table::Grants => {
            let grant: Grant = decode(value)?;
            let end = grant
                .ended
                .map_or(grant.expires, |(at, _)| at.min(grant.expires));
            now >= end.plus(HOUR + HOUR) && !tells_where(&grant, view)?
        }
        Table::RefreshTokens => now >= decode::<RefreshToken>(value)?.expires,
        // A clock that is set back must not revive it.
        Table::Revocations => now >= decode::<Revocation>(value)?.expires.plus(DAY * 7),
        Table::Links => now >= decode::<Link>(value)?.expires,
        // Until then a device that polls on is told why it need not.
        Table::DeviceAuthorizations => {
            now >= decode::<DeviceAuthorization>(value)?.expires.plus(HOUR)
        }
        Table::InitialTokens => now >= decode::<InitialAccessToken>(value)?.expires,
        Table::Clients => is_forgotten(&decode(value)?, now),
        // What waits is never forgotten: `ops::logout_delivery` gives it up in time.
        Table::Deliveries => decode::<Delivery>(value)?
            .given_up
            .is_some_and(|at| now >= at.plus(DAY * 7)),
        Table::Consents => {
            let consent: Consent = decode(value)?;
            key.len() == 32 && view.client(ClientId(consent.client.0))?.is_none()
        }
        Table::PushedRequests => now >= decode::<PushedRequest>(value)?.end(),
        _ => false,
    })
}

fn forget(
    store: &Store,
    table: Table,
    dead: Vec<Vec<u8>>,
    now: Timestamp,
) -> Result<(), StoreError> {
    if dead.is_empty() {
        return Ok(());
    }
    match table {
        Table::Clients => return forget_clients(store, dead, now),
        Table::Sessions => return end_sessions(store, dead, now),
        _ => {}
    }
    store.submit_rows(move |tables| {
        let view = View::of_writer(tables);
        dead.iter()
            .try_for_each(|key| forget_one(tables, &view, table, key))
    })
}

/// Whether a session has ended by itself.
fn is_over(session: &Session, settings: &Settings, now: Timestamp) -> bool {
    let idle = session.last_seen.plus(DAY * settings.session_idle_days);
    now >= session.expires || now >= idle
}

/// Whether the grant is all that tells where its living session is signed in: its tokens are over, but when the session
/// ends, the application is to be told (`oauth::backchannel_logout`). The latest of each application is enough.
fn tells_where(grant: &Grant, view: &View<'_>) -> Result<bool, StoreError> {
    let is_told = view
        .client(grant.client)?
        .is_some_and(|client| client.is_told_of_logouts());
    if !is_told || !grant.scope.contains("openid") || view.session(grant.session)?.is_none() {
        return Ok(false);
    }
    let later = view.grants_since(grant.user, grant.id.0.time())?;
    Ok(!later.iter().any(|other| {
        other.id > grant.id
            && (other.client, other.session) == (grant.client, grant.session)
            && other.scope.contains("openid")
    }))
}

/// Sessions end by a decision however they end: what follows from it is owed here too.
fn end_sessions(store: &Store, dead: Vec<Vec<u8>>, now: Timestamp) -> Result<(), StoreError> {
    let submitted = store.submit(move |view| {
        let settings = view.settings()?;
        let mut changes = Vec::new();
        for key in dead {
            let id = <[u8; 16]>::try_from(key.as_slice()).map(Id::from_bytes);
            let Ok(id) = id.map(SessionId) else { continue };
            // Once more in the writer's turn: it may have been used meanwhile.
            if let (Some(session), Some(settings)) = (view.session(id)?, &settings)
                && is_over(&session, settings, now)
            {
                changes.push(Change::DeleteSession(id));
            }
        }
        let reply: Result<(), Infallible> = Ok(());
        Ok(Decision {
            changes,
            events: Vec::new(),
            reply,
        })
    })?;
    let Ok(()) = submitted;
    Ok(())
}

/// An application that registered itself and is not used any more. The administrator sees that it went.
fn forget_clients(store: &Store, dead: Vec<Vec<u8>>, now: Timestamp) -> Result<(), StoreError> {
    let submitted = store.submit(move |view| {
        let (mut changes, mut events) = (Vec::new(), Vec::new());
        for key in dead {
            let id = <[u8; 16]>::try_from(key.as_slice()).map(Id::from_bytes);
            let Ok(id) = id.map(ClientId) else { continue };
            // Once more in the writer's turn: it may have been used meanwhile.
            if let Some(client) = view.client(id)?.filter(|client| is_forgotten(client, now)) {
                let event = Event::success(EventKind::RegistrationDeleted, now).actor("schedule");
                events.push(event.client(&client).detail("it was not used"));
                changes.push(Change::DeleteClient(id));
            }
        }
        let reply: Result<(), Infallible> = Ok(());
        Ok(Decision {
            changes,
            events,
            reply,
        })
    })?;
    let Ok(()) = submitted;
    Ok(())
}

fn is_forgotten(client: &Client, now: Timestamp) -> bool {
    client.forgotten_at().is_some_and(|at| now >= at)
}

fn forget_one(
    tables: &Tables<'_>,
    view: &View<'_>,
    table: Table,
    key: &[u8],
) -> Result<(), StoreError> {
    let id = <[u8; 16]>::try_from(key).ok().map(Id::from_bytes);
    match (table, id) {
        (Table::DeviceAuthorizations, Some(id)) => delete_device_authorization(tables, id),
        (Table::Grants, Some(id)) => {
            if let Some(grant) = view.grant(GrantId(id))? {
                let row = pair(grant.user.as_bytes(), id.as_bytes());
                remove(tables, Table::UserGrants, &row)?;
            }
            remove(tables, table, key)
        }
        _ => remove(tables, table, key),
    }
}

#[cfg(test)]
#[path = "sweep_tests.rs"]
mod tests;
