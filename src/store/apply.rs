//! Applies changes, and keeps the index rows that belong to them. The one place that writes a row of either.

use super::schema::{BACKUPS_KEY, ISSUER_KEY, SETTINGS_KEY, Table, member, pair};
use super::tables::{Tables, put};
use super::{StoreError, View, replays, resources};
use crate::model::{Change, DeviceAuthorization, Grant, Session, User};
use crate::types::{GroupName, Id, SessionId, UserId};

/// Writes one change.
pub(super) fn apply(tables: &Tables<'_>, change: Change) -> Result<(), StoreError> {
    match change {
        Change::PutClient(client) => put(tables, Table::Clients, client.id.as_bytes(), &client),
        Change::DeleteClient(id) => {
            resources::forget_client(tables, id)?;
            remove(tables, Table::Clients, id.as_bytes())
        }
        Change::PutUser(user) => put_user(tables, &user),
        Change::DeleteUser(id) => delete_user(tables, id),
        Change::PutGroup(group) => put(
            tables,
            Table::Groups,
            group.name.as_str().as_bytes(),
            &group,
        ),
        Change::DeleteGroup(name) => delete_group(tables, &name),
        Change::PutSession(session) => put_session(tables, &session),
        Change::DeleteSession(id) => delete_session(tables, id),
        Change::PutCode(code) => put(tables, Table::Codes, code.id.as_bytes(), &code),
        Change::PutGrant(grant) => put_grant(tables, &grant),
        Change::PutRefreshToken(token) => {
            put(tables, Table::RefreshTokens, token.id.as_bytes(), &token)
        }
        Change::PutRevocation(entry) => {
            put(tables, Table::Revocations, entry.token.as_bytes(), &entry)
        }
        Change::PutConsent(consent) => put(
            tables,
            Table::Consents,
            &pair(consent.user.as_bytes(), consent.client.as_bytes()),
            &consent,
        ),
        Change::DeleteConsent(user, client) => remove(
            tables,
            Table::Consents,
            &pair(user.as_bytes(), client.as_bytes()),
        ),
        Change::PutLink(link) => put(tables, Table::Links, link.id.as_bytes(), &link),
        Change::DeleteLink(id) => remove(tables, Table::Links, id.as_bytes()),
        Change::PutSigningKey(key) => put(tables, Table::SigningKeys, key.kid.as_bytes(), &key),
        Change::DeleteSigningKey(kid) => remove(tables, Table::SigningKeys, kid.as_bytes()),
        Change::PutSettings(settings) => put(tables, Table::Settings, SETTINGS_KEY, &settings),
        Change::PutBackupRecord(record) => put(tables, Table::Settings, BACKUPS_KEY, &record),
        Change::PutIssuerRecord(record) => put(tables, Table::Settings, ISSUER_KEY, &record),
        Change::PutReplay(replay) => put(tables, Table::Replays, &replays::key(&replay), &replay),
        Change::PutPushedRequest(request) => put(
            tables,
            Table::PushedRequests,
            request.id.as_bytes(),
            &request,
        ),
        Change::DeletePushedRequest(id) => remove(tables, Table::PushedRequests, id.as_bytes()),
        Change::PutDeviceAuthorization(device) => put_device_authorization(tables, &device),
        Change::PutInitialToken(token) => {
            put(tables, Table::InitialTokens, token.id.as_bytes(), &token)
        }
        Change::DeleteInitialToken(id) => remove(tables, Table::InitialTokens, id.as_bytes()),
        Change::PutDelivery(delivery) => {
            put(tables, Table::Deliveries, delivery.id.as_bytes(), &delivery)
        }
        Change::DeleteDelivery(id) => remove(tables, Table::Deliveries, id.as_bytes()),
        Change::PutResource(resource) => resources::put_resource(tables, &resource),
        Change::DeleteResource(identifier) => resources::delete_resource(tables, &identifier),
    }
}

fn put_user(tables: &Tables<'_>, user: &User) -> Result<(), StoreError> {
    if let Some(old) = View::of_writer(tables).user(user.id)? {
        remove_user_rows(tables, &old)?;
    }
    let id = user.id.as_bytes();
    put(tables, Table::Users, id, user)?;
    mark(
        tables,
        Table::Usernames,
        user.username.folded().as_bytes(),
        id,
    )?;
    if user.admin && !user.disabled {
        mark(tables, Table::Admins, id, &[])?;
    }
    for group in &user.groups {
        mark(tables, Table::Members, &member(group.as_str(), id), &[])?;
    }
    Ok(())
}

fn remove_user_rows(tables: &Tables<'_>, old: &User) -> Result<(), StoreError> {
    let id = old.id.as_bytes();
    remove(tables, Table::Usernames, old.username.folded().as_bytes())?;
    remove(tables, Table::Admins, id)?;
    for group in &old.groups {
        remove(tables, Table::Members, &member(group.as_str(), id))?;
    }
    Ok(())
}

fn delete_user(tables: &Tables<'_>, id: UserId) -> Result<(), StoreError> {
    let view = View::of_writer(tables);
    if let Some(old) = view.user(id)? {
        remove_user_rows(tables, &old)?;
        remove(tables, Table::Users, id.as_bytes())?;
    }
    for session in view.second_ids(Table::UserSessions, id, usize::MAX)? {
        delete_session(tables, SessionId(session))?;
    }
    for grant in view.second_ids(Table::UserGrants, id, usize::MAX)? {
        remove(tables, Table::Grants, grant.as_bytes())?;
        remove(
            tables,
            Table::UserGrants,
            &pair(id.as_bytes(), grant.as_bytes()),
        )?;
    }
    for consent in view.consents_of(id, usize::MAX)? {
        remove(
            tables,
            Table::Consents,
            &pair(id.as_bytes(), consent.client.as_bytes()),
        )?;
    }
    Ok(())
}

fn delete_group(tables: &Tables<'_>, name: &GroupName) -> Result<(), StoreError> {
    let view = View::of_writer(tables);
    for id in view.members(name, usize::MAX)? {
        if let Some(mut user) = view.user(id)? {
            let mut kept = user.clone();
            kept.groups.remove(name);
            user.groups = kept.groups;
            remove(
                tables,
                Table::Members,
                &member(name.as_str(), id.as_bytes()),
            )?;
            put_user(tables, &user)?;
        }
    }
    remove(tables, Table::Groups, name.as_str().as_bytes())
}

fn put_session(tables: &Tables<'_>, session: &Session) -> Result<(), StoreError> {
    put(tables, Table::Sessions, session.id.as_bytes(), session)?;
    mark(
        tables,
        Table::UserSessions,
        &pair(session.user.as_bytes(), session.id.as_bytes()),
        &[],
    )
}

fn delete_session(tables: &Tables<'_>, id: SessionId) -> Result<(), StoreError> {
    if let Some(session) = View::of_writer(tables).session(id)? {
        remove(tables, Table::Sessions, id.as_bytes())?;
        remove(
            tables,
            Table::UserSessions,
            &pair(session.user.as_bytes(), id.as_bytes()),
        )?;
    }
    Ok(())
}

fn put_grant(tables: &Tables<'_>, grant: &Grant) -> Result<(), StoreError> {
    put(tables, Table::Grants, grant.id.as_bytes(), grant)?;
    mark(
        tables,
        Table::UserGrants,
        &pair(grant.user.as_bytes(), grant.id.as_bytes()),
        &[],
    )
}

fn put_device_authorization(
    tables: &Tables<'_>,
    device: &DeviceAuthorization,
) -> Result<(), StoreError> {
    let id = device.id.as_bytes();
    put(tables, Table::DeviceAuthorizations, id, device)?;
    mark(tables, Table::UserCodes, device.user_code.as_bytes(), id)
}

pub(super) fn delete_device_authorization(tables: &Tables<'_>, id: Id) -> Result<(), StoreError> {
    if let Some(device) = View::of_writer(tables).device_authorization(id)? {
        remove(tables, Table::DeviceAuthorizations, id.as_bytes())?;
        remove(tables, Table::UserCodes, device.user_code.as_bytes())?;
    }
    Ok(())
}

/// An index row.
pub(super) fn mark(
    tables: &Tables<'_>,
    table: Table,
    key: &[u8],
    value: &[u8],
) -> Result<(), StoreError> {
    tables.with(table, |t| {
        t.insert(key, value)?;
        Ok(())
    })
}

pub(super) fn remove(tables: &Tables<'_>, table: Table, key: &[u8]) -> Result<(), StoreError> {
    tables.with(table, |t| {
        t.remove(key)?;
        Ok(())
    })
}
