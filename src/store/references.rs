//! Rows that belong together (`schema`, "Invariants"): every index row has its record, every record its rows, and no
//! record is of somebody who is gone where `apply` takes it away with them.
//! Not here: references that outlive what they name until the sweep comes (a token of a deleted application).

use super::StoreError;
use super::resources;
use super::schema::{Table, member, pair};
use super::verify::{Contents, each, named};
use super::view::View;
use crate::model::{
    AuthorizationCode, Client, Consent, Delivery, DeviceAuthorization, Event, Grant, Group,
    InitialAccessToken, Link, PushedRequest, RefreshToken, Replay, Resource, Revocation, Session,
    User,
};
use crate::types::{GrantId, GroupName, Id, SessionId, UserId};
use serde::de::DeserializeOwned;

/// Adds what contradicts itself to the faults.
pub(super) fn check(view: &View<'_>, contents: &mut Contents) -> Result<(), StoreError> {
    people(view, contents)?;
    sessions_and_grants(view, contents)?;
    resources_and_devices(view, contents)?;
    alone(view, contents)
}

fn people(view: &View<'_>, contents: &mut Contents) -> Result<(), StoreError> {
    let table = Table::Users;
    each(view, table, contents, |key, user: User, contents| {
        let name = user.username.folded();
        same(key, user.id.as_bytes(), table, contents);
        let listed = view.with(Table::Usernames, name.as_bytes(), |id| id == key)?;
        let marked = has(view, Table::Admins, key)?;
        demand(listed == Some(true), contents, || {
            format!("users: {name} is not found by name")
        });
        demand(marked == (user.admin && !user.disabled), contents, || {
            format!("users: {name} is listed wrongly among the administrators")
        });
        for group in &user.groups {
            let there = has(view, Table::Groups, group.as_str().as_bytes())?
                && has(view, Table::Members, &member(group.as_str(), key))?;
            demand(there, contents, || {
                format!("users: {name} is in the group {group}, which does not know it")
            });
        }
        Ok(())
    })?;
    let table = Table::Groups;
    each(view, table, contents, |key, group: Group, contents| {
        same(key, group.name.as_str().as_bytes(), table, contents);
        Ok(())
    })?;
    rows(view, Table::Usernames, contents, |key, value| {
        let user = user(view, value)?;
        Ok(user.is_some_and(|user| user.username.folded().as_bytes() == key))
    })?;
    rows(view, Table::Admins, contents, |key, _| {
        Ok(user(view, key)?.is_some_and(|user| user.admin && !user.disabled))
    })?;
    rows(view, Table::Members, contents, |key, _| {
        let Some((group, id)) = key.split_last_chunk::<16>() else {
            return Ok(false);
        };
        let group = group
            .strip_suffix(&[0])
            .and_then(|name| std::str::from_utf8(name).ok())
            .and_then(|name| name.parse::<GroupName>().ok());
        let user = user(view, id)?;
        Ok(group.is_some_and(|group| user.is_some_and(|user| user.groups.contains(&group))))
    })
}

fn sessions_and_grants(view: &View<'_>, contents: &mut Contents) -> Result<(), StoreError> {
    let table = Table::Sessions;
    each(view, table, contents, |key, session: Session, contents| {
        same(key, session.id.as_bytes(), table, contents);
        let row = pair(session.user.as_bytes(), session.id.as_bytes());
        let whole = has(view, Table::UserSessions, &row)?
            && has(view, Table::Users, session.user.as_bytes())?;
        demand(whole, contents, || {
            format!("sessions: {} has no person", named(key))
        });
        Ok(())
    })?;
    let table = Table::Grants;
    each(view, table, contents, |key, grant: Grant, contents| {
        same(key, grant.id.as_bytes(), table, contents);
        let row = pair(grant.user.as_bytes(), grant.id.as_bytes());
        let whole =
            has(view, Table::UserGrants, &row)? && has(view, Table::Users, grant.user.as_bytes())?;
        demand(whole, contents, || {
            format!("grants: {} has no person", named(key))
        });
        Ok(())
    })?;
    let table = Table::Consents;
    each(view, table, contents, |key, consent: Consent, contents| {
        let (user, client) = (consent.user.as_bytes(), consent.client.as_bytes());
        same(key, &pair(user, client), table, contents);
        let whole = has(view, Table::Users, user)?;
        demand(whole, contents, || {
            format!("consents: {} has no person", named(key))
        });
        Ok(())
    })?;
    rows(view, Table::UserSessions, contents, |key, _| {
        let Some((user, session)) = two_ids(key) else {
            return Ok(false);
        };
        let session = readable(view.session(SessionId(session)))?;
        Ok(session.is_some_and(|session| session.user == UserId(user)))
    })?;
    rows(view, Table::UserGrants, contents, |key, _| {
        let Some((user, grant)) = two_ids(key) else {
            return Ok(false);
        };
        let grant = readable(view.grant(GrantId(grant)))?;
        Ok(grant.is_some_and(|grant| grant.user == UserId(user)))
    })
}

fn resources_and_devices(view: &View<'_>, contents: &mut Contents) -> Result<(), StoreError> {
    let table = Table::Resources;
    each(
        view,
        table,
        contents,
        |key, resource: Resource, contents| {
            same(key, resource.identifier.as_bytes(), table, contents);
            for row in resources::index_rows(&resource) {
                let listed = has(view, Table::ClientResources, &row)?;
                demand(listed, contents, || {
                    format!("resources: {} is not found by its applications", named(key))
                });
            }
            for client in resource.named_clients() {
                let there = has(view, Table::Clients, client.as_bytes())?;
                demand(there, contents, || {
                    format!(
                        "resources: {} names an application that is gone",
                        named(key)
                    )
                });
            }
            Ok(())
        },
    )?;
    rows(view, Table::ClientResources, contents, |key, _| {
        let Some(identifier) = key
            .get(16..)
            .and_then(|text| std::str::from_utf8(text).ok())
        else {
            return Ok(false);
        };
        let resource = readable(view.resource(identifier))?;
        Ok(resource.is_some_and(|found| resources::index_rows(&found).any(|row| row == key)))
    })?;
    let table = Table::DeviceAuthorizations;
    each(
        view,
        table,
        contents,
        |key, device: DeviceAuthorization, contents| {
            same(key, device.id.as_bytes(), table, contents);
            let code = device.user_code.as_bytes();
            let listed = view.with(Table::UserCodes, code, |id| id == key)?;
            demand(listed == Some(true), contents, || {
                format!("device_authorizations: {} has no code", named(key))
            });
            Ok(())
        },
    )?;
    rows(view, Table::UserCodes, contents, |key, value| {
        let Ok(id) = <[u8; 16]>::try_from(value) else {
            return Ok(false);
        };
        let device = readable(view.device_authorization(Id::from_bytes(id)))?;
        Ok(device.is_some_and(|device| device.user_code.as_bytes().as_slice() == key))
    })
}

/// Records that no other row belongs to: they must read, and stand under their own name.
fn alone(view: &View<'_>, contents: &mut Contents) -> Result<(), StoreError> {
    by_key(view, Table::Clients, contents, |c: &Client| c.id.0)?;
    by_key(view, Table::Codes, contents, |c: &AuthorizationCode| c.id)?;
    by_key(view, Table::Links, contents, |l: &Link| l.id.0)?;
    by_key(view, Table::Deliveries, contents, |d: &Delivery| d.id.0)?;
    by_key(
        view,
        Table::PushedRequests,
        contents,
        |p: &PushedRequest| p.id,
    )?;
    by_key(view, Table::RefreshTokens, contents, |t: &RefreshToken| {
        t.id.0
    })?;
    by_key(view, Table::Revocations, contents, |r: &Revocation| {
        r.token.0
    })?;
    by_key(
        view,
        Table::InitialTokens,
        contents,
        |t: &InitialAccessToken| t.id.0,
    )?;
    each(view, Table::Replays, contents, |_, _: Replay, _| Ok(()))?;
    each(view, Table::Events, contents, |_, _: Event, _| Ok(()))
}

fn by_key<T: DeserializeOwned>(
    view: &View<'_>,
    table: Table,
    contents: &mut Contents,
    id: impl Fn(&T) -> Id,
) -> Result<(), StoreError> {
    each(view, table, contents, |key, record: T, contents| {
        same(key, id(&record).as_bytes(), table, contents);
        Ok(())
    })
}

/// Visits index rows; one whose record does not say the same is a fault.
fn rows(
    view: &View<'_>,
    table: Table,
    contents: &mut Contents,
    holds: impl Fn(&[u8], &[u8]) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let mut failed = None;
    view.rows_after(table, &[], |key, value| {
        match holds(key, value) {
            Ok(whole) => demand(whole, contents, || {
                format!("{}: {} belongs to no record", table.name(), named(key))
            }),
            Err(error) => failed = Some(error),
        }
        failed.is_none()
    })?;
    failed.map_or(Ok(()), Err)
}

fn same(key: &[u8], own: &[u8], table: Table, contents: &mut Contents) {
    demand(key == own, contents, || {
        format!("{}: {} stands under another name", table.name(), named(key))
    });
}

fn demand(holds: bool, contents: &mut Contents, fault: impl FnOnce() -> String) {
    if !holds {
        contents.fault(fault());
    }
}

fn has(view: &View<'_>, table: Table, key: &[u8]) -> Result<bool, StoreError> {
    Ok(view.with(table, key, |_| ())?.is_some())
}

fn user(view: &View<'_>, id: &[u8]) -> Result<Option<User>, StoreError> {
    match <[u8; 16]>::try_from(id) {
        Ok(id) => readable(view.user(UserId(Id::from_bytes(id)))),
        Err(_) => Ok(None),
    }
}

/// A record that does not read has its fault already.
fn readable<T>(found: Result<Option<T>, StoreError>) -> Result<Option<T>, StoreError> {
    match found {
        Err(StoreError::BadRecord(_)) => Ok(None),
        found => found,
    }
}

fn two_ids(key: &[u8]) -> Option<(Id, Id)> {
    let (first, second) = key.split_first_chunk::<16>()?;
    let second = <[u8; 16]>::try_from(second).ok()?;
    Some((Id::from_bytes(*first), Id::from_bytes(second)))
}
