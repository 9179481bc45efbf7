//! Forgetting what has expired, in small batches. A sweep reads a snapshot; it writes only when it found something, so
//! an idle server writes nothing.

use super::apply::{delete_session, remove};
use super::codec::decode;
use super::schema::{Table, pair};
use super::{Store, StoreError, View};
use crate::model::{
    AuthorizationCode, Consent, Event, Grant, Link, RefreshToken, Revocation, Session, Settings,
};
use crate::types::{ClientId, Timestamp};
use std::time::Duration;

/// Rows that one step looks at, and rows that it forgets, at most.
const LOOK: usize = 4_000;
const FORGET: usize = 200;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Tables with records that expire.
const SWEPT: [Table; 8] = [
    Table::Sessions,
    Table::Codes,
    Table::Grants,
    Table::RefreshTokens,
    Table::Revocations,
    Table::Links,
    Table::Events,
    Table::Consents,
];

/// Where the sweep stands: it goes through each table and begins again.
#[derive(Default)]
pub struct Sweeper {
    table: usize,
    past: Vec<u8>,
}

impl Sweeper {
    /// One step. Returns how many records it forgot.
    pub fn step(&mut self, store: &Store, now: Timestamp) -> Result<usize, StoreError> {
        let Some(table) = SWEPT.get(self.table).copied() else {
            *self = Self::default();
            return Ok(0);
        };
        let (mut looked, mut dead, mut last) = (0, Vec::new(), Vec::new());
        {
            let snapshot = store.snapshot()?;
            let view = snapshot.view();
            let Some(settings) = view.settings()? else {
                return Ok(0);
            };
            view.rows_after(table, &self.past, |key, value| {
                looked += 1;
                last = key.to_vec();
                if is_dead(table, key, value, &settings, &view, now) {
                    dead.push(key.to_vec());
                }
                // Events are in order of time: the first that lives ends the walk.
                let done = table == Table::Events && dead.last().is_none_or(|d| *d != last);
                looked < LOOK && dead.len() < FORGET && !done
            })?;
        }
        if table == Table::Events || (looked < LOOK && dead.len() < FORGET) {
            self.table += 1;
            self.past.clear();
        } else {
            self.past = last;
        }
        let count = dead.len();
        if count > 0 {
            store.submit_rows(move |tables| {
                let view = View::of_writer(tables);
                for key in &dead {
                    forget(tables, &view, table, key)?;
                }
                Ok(())
            })?;
        }
        Ok(count)
    }
}

/// Whether nobody can need the record any more. A record that does not read is kept, for `verify` to find.
fn is_dead(
    table: Table,
    key: &[u8],
    value: &[u8],
    settings: &Settings,
    view: &View<'_>,
    now: Timestamp,
) -> bool {
    let days = |n: u32| DAY * n;
    match table {
        Table::Sessions => decode::<Session>(value).is_ok_and(|s| {
            now >= s.expires || now >= s.last_seen.plus(days(settings.session_idle_days))
        }),
        Table::Codes => {
            decode::<AuthorizationCode>(value).is_ok_and(|c| now >= c.expires.plus(DAY))
        }
        // Its last access token lives at most 60 minutes longer.
        Table::Grants => decode::<Grant>(value).is_ok_and(|g| {
            now >= g
                .ended
                .map_or(g.expires, |(at, _)| at.min(g.expires))
                .plus(HOUR + HOUR)
        }),
        Table::RefreshTokens => decode::<RefreshToken>(value).is_ok_and(|t| now >= t.expires),
        Table::Revocations => {
            decode::<Revocation>(value).is_ok_and(|r| now >= r.expires.plus(HOUR))
        }
        Table::Links => decode::<Link>(value).is_ok_and(|l| now >= l.expires),
        Table::Events => {
            decode::<Event>(value).is_ok_and(|e| now >= e.time.plus(days(settings.audit_days)))
        }
        Table::Consents => {
            decode::<Consent>(value)
                .is_ok_and(|c| matches!(view.client(ClientId(c.client.0)), Ok(None)))
                && key.len() == 32
        }
        _ => false,
    }
}

fn forget(
    tables: &super::tables::Tables<'_>,
    view: &View<'_>,
    table: Table,
    key: &[u8],
) -> Result<(), StoreError> {
    let id = <[u8; 16]>::try_from(key)
        .ok()
        .map(crate::types::Id::from_bytes);
    match (table, id) {
        (Table::Sessions, Some(id)) => delete_session(tables, crate::types::SessionId(id)),
        (Table::Grants, Some(id)) => {
            if let Some(grant) = view.grant(crate::types::GrantId(id))? {
                remove(
                    tables,
                    Table::UserGrants,
                    &pair(grant.user.as_bytes(), id.as_bytes()),
                )?;
            }
            remove(tables, table, key)
        }
        _ => remove(tables, table, key),
    }
}
