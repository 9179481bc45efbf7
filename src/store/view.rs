//! Reading: one set of lookups for a snapshot and for the writer's own view of its open transaction.

use super::StoreError;
use super::alarm::{Alarm, Watched};
use super::codec::decode;
use super::remembered::{Kept, Remembered};
use super::rows::{Order, Rows};
use super::schema::{BACKUPS_KEY, ISSUER_KEY, SETTINGS_KEY, Table};
use super::tables::Tables;
use crate::model::{
    AuthorizationCode, BackupRecord, Client, Consent, Delivery, DeviceAuthorization, Grant, Group,
    InitialAccessToken, IssuerRecord, Link, PushedRequest, RefreshToken, Revocation, Session,
    Settings, SigningKey, User,
};
use crate::types::{
    ClientId, DeliveryId, GrantId, GroupName, Id, InitialTokenId, LinkId, RefreshTokenId,
    SessionId, Timestamp, TokenId, UserCode, UserId, Username, WireClientId,
};
use redb::ReadTransaction;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::hash::Hash;
use std::ops::Bound;
use std::sync::Arc;

/// The file as of one commit. Cheap; drop it soon.
pub struct Snapshot {
    rows: Watched,
}

impl Snapshot {
    pub(super) fn new(txn: ReadTransaction) -> Self {
        Self {
            rows: Watched { txn, alarm: None },
        }
    }

    /// Rings where a row cannot be read.
    pub(super) fn watched(txn: ReadTransaction, alarm: Alarm) -> Self {
        let alarm = Some(alarm);
        Self {
            rows: Watched { txn, alarm },
        }
    }

    pub(super) fn transaction(&self) -> &ReadTransaction {
        &self.rows.txn
    }

    /// Its lookups.
    pub fn view(&self) -> View<'_> {
        View(&self.rows)
    }
}

/// Lookups.
pub struct View<'a>(&'a dyn Rows);

impl<'a> View<'a> {
    pub(super) fn of_writer(tables: &'a Tables<'_>) -> Self {
        Self(tables)
    }

    /// The settings; every file has them once a server has started.
    pub fn settings(&self) -> Result<Option<Settings>, StoreError> {
        self.get(Table::Settings, SETTINGS_KEY)
    }

    /// The same, which the writer decodes once for many jobs.
    pub fn shared_settings(&self) -> Result<Option<Arc<Settings>>, StoreError> {
        self.shared(|kept| &mut kept.settings, (), || self.settings())
    }

    /// The settings, of a file that a server has started with.
    pub fn settings_made(&self) -> Result<Settings, StoreError> {
        self.settings()?
            .ok_or_else(|| StoreError::BadRecord("no settings".to_owned()))
    }

    /// What became of backups; nothing in a file that made none.
    pub fn backup_record(&self) -> Result<BackupRecord, StoreError> {
        Ok(self.get(Table::Settings, BACKUPS_KEY)?.unwrap_or_default())
    }

    /// By which issuer the last start was known; `None` before there was one.
    pub fn issuer_record(&self) -> Result<Option<IssuerRecord>, StoreError> {
        self.get(Table::Settings, ISSUER_KEY)
    }

    /// One client, with the resources that concern it.
    pub fn client(&self, id: ClientId) -> Result<Option<Client>, StoreError> {
        Ok(self.client_in_box(id)?.map(|client| *client))
    }

    /// The same for whoever reads on while they hold it: a client is large, and every connection has a stack.
    pub fn client_in_box(&self, id: ClientId) -> Result<Option<Box<Client>>, StoreError> {
        let mut found = self.get::<Box<Client>>(Table::Clients, id.as_bytes())?;
        if let Some(client) = &mut found {
            self.add_resources(client)?;
        }
        Ok(found)
    }

    /// The same, which the writer decodes once for many jobs.
    pub fn shared_client(&self, id: ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        self.shared(|kept| &mut kept.clients, id, || self.client(id))
    }

    /// The client of a `client_id` as it travels.
    pub fn client_on_wire(&self, id: &WireClientId) -> Result<Option<Box<Client>>, StoreError> {
        let found = self.client_in_box(id.key())?;
        Ok(found.filter(|client| client.wire_id() == *id))
    }

    /// Clients in order of creation, after `after`.
    pub fn clients(
        &self,
        after: Option<ClientId>,
        limit: usize,
    ) -> Result<Vec<Client>, StoreError> {
        let clients = self.records(Table::Clients, after.map(|id| id.0), Order::Up, limit)?;
        clients
            .into_iter()
            .map(|client| self.with_resources(client))
            .collect()
    }

    /// One user.
    pub fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.get(Table::Users, id.as_bytes())
    }

    /// The same, which the writer decodes once for many jobs.
    pub fn shared_user(&self, id: UserId) -> Result<Option<Arc<User>>, StoreError> {
        self.shared(|kept| &mut kept.users, id, || self.user(id))
    }

    /// The user with that name, in any case.
    pub fn user_by_name(&self, name: &Username) -> Result<Option<User>, StoreError> {
        let id = self
            .with(Table::Usernames, name.folded().as_bytes(), id_of)?
            .flatten();
        match id {
            Some(id) => self.user(UserId(id)),
            None => Ok(None),
        }
    }

    /// Users in order of their names, with names at or after `from`.
    pub fn users_by_name(&self, from: &str, limit: usize) -> Result<Vec<User>, StoreError> {
        let mut ids = Vec::new();
        self.scan(
            Table::Usernames,
            Bound::Included(from.as_bytes()),
            Bound::Unbounded,
            Order::Up,
            |_, value| {
                ids.extend(id_of(value));
                ids.len() < limit
            },
        )?;
        let mut users = Vec::with_capacity(ids.len());
        for id in ids {
            users.extend(self.user(UserId(id))?);
        }
        Ok(users)
    }

    /// How many users there are.
    pub fn user_count(&self) -> Result<u64, StoreError> {
        self.count(Table::Users)
    }

    /// How many clients there are.
    pub fn client_count(&self) -> Result<u64, StoreError> {
        self.count(Table::Clients)
    }

    /// How many sessions there are.
    pub fn session_count(&self) -> Result<u64, StoreError> {
        self.count(Table::Sessions)
    }

    /// How many enabled administrators there are.
    pub fn admin_count(&self) -> Result<u64, StoreError> {
        self.count(Table::Admins)
    }

    /// One group.
    pub fn group(&self, name: &GroupName) -> Result<Option<Group>, StoreError> {
        self.get(Table::Groups, name.as_str().as_bytes())
    }

    /// All groups by name.
    pub fn groups(&self) -> Result<Vec<Group>, StoreError> {
        self.all(Table::Groups)
    }

    /// Members of a group.
    pub fn members(&self, group: &GroupName, limit: usize) -> Result<Vec<UserId>, StoreError> {
        let prefix = super::schema::member(group.as_str(), &[]);
        let mut ids = Vec::new();
        self.prefixed(Table::Members, &prefix, Order::Up, |key| {
            ids.extend(key.get(prefix.len()..).and_then(id_of));
            ids.len() < limit
        })?;
        Ok(ids.into_iter().map(UserId).collect())
    }

    /// One session.
    pub fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.get(Table::Sessions, id.as_bytes())
    }

    /// Sessions, newest first, from before `before`.
    pub fn sessions(
        &self,
        before: Option<SessionId>,
        limit: usize,
    ) -> Result<Vec<Session>, StoreError> {
        self.records(Table::Sessions, before.map(|id| id.0), Order::Down, limit)
    }

    /// A person's sessions, newest first.
    pub fn sessions_of(&self, user: UserId, limit: usize) -> Result<Vec<Session>, StoreError> {
        let ids = self.second_ids(Table::UserSessions, user, limit)?;
        let mut sessions = Vec::with_capacity(ids.len());
        for id in ids {
            sessions.extend(self.session(SessionId(id))?);
        }
        Ok(sessions)
    }

    /// One code, used or not.
    pub fn code(&self, id: Id) -> Result<Option<AuthorizationCode>, StoreError> {
        self.get(Table::Codes, id.as_bytes())
    }

    /// One pushed authorization request, expired or not.
    pub fn pushed_request(&self, id: Id) -> Result<Option<PushedRequest>, StoreError> {
        self.get(Table::PushedRequests, id.as_bytes())
    }

    /// How many pushed authorization requests are kept.
    pub fn pushed_request_count(&self) -> Result<u64, StoreError> {
        self.count(Table::PushedRequests)
    }

    /// One grant, ended or not.
    pub fn grant(&self, id: GrantId) -> Result<Option<Grant>, StoreError> {
        self.get(Table::Grants, id.as_bytes())
    }

    /// Grants, newest first, from before `before`.
    pub fn grants(&self, before: Option<GrantId>, limit: usize) -> Result<Vec<Grant>, StoreError> {
        self.records(Table::Grants, before.map(|id| id.0), Order::Down, limit)
    }

    /// A person's grants, newest first.
    pub fn grants_of(&self, user: UserId, limit: usize) -> Result<Vec<Grant>, StoreError> {
        let ids = self.second_ids(Table::UserGrants, user, limit)?;
        let mut grants = Vec::with_capacity(ids.len());
        for id in ids {
            grants.extend(self.grant(GrantId(id))?);
        }
        Ok(grants)
    }

    /// A person's grants made at or after a moment, newest first.
    pub fn grants_since(&self, user: UserId, since: Timestamp) -> Result<Vec<Grant>, StoreError> {
        let first = Id::first_of(since);
        let mut ids = Vec::new();
        self.prefixed(Table::UserGrants, user.as_bytes(), Order::Down, |key| {
            let id = key.get(16..).and_then(id_of).filter(|id| *id >= first);
            ids.extend(id);
            id.is_some()
        })?;
        let mut grants = Vec::with_capacity(ids.len());
        for id in ids {
            grants.extend(self.grant(GrantId(id))?);
        }
        Ok(grants)
    }

    /// All grants of a client, by person. There is no index for it: it reads every grant in the file.
    pub fn grants_of_client(
        &self,
        client: ClientId,
    ) -> Result<BTreeMap<UserId, Vec<Grant>>, StoreError> {
        let mut held: BTreeMap<UserId, Vec<Grant>> = BTreeMap::new();
        let mut failed = None;
        self.rows_after(Table::Grants, &[], |_, value| {
            match decode::<Grant>(value) {
                Ok(grant) if grant.client == client => {
                    held.entry(grant.user).or_default().push(grant);
                }
                Ok(_) => {}
                Err(error) => failed = Some(error),
            }
            failed.is_none()
        })?;
        failed.map_or(Ok(held), Err)
    }

    /// One sign-out that an application is yet to be told of.
    pub fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        self.get(Table::Deliveries, id.as_bytes())
    }

    /// All of them, those that were given up too, oldest first.
    pub fn deliveries(&self) -> Result<Vec<Delivery>, StoreError> {
        self.all(Table::Deliveries)
    }

    /// One refresh token, rotated or not.
    pub fn refresh_token(&self, id: RefreshTokenId) -> Result<Option<RefreshToken>, StoreError> {
        self.get(Table::RefreshTokens, id.as_bytes())
    }

    /// Whether an access token was revoked alone.
    pub fn is_revoked(&self, token: TokenId) -> Result<bool, StoreError> {
        Ok(self
            .get::<Revocation>(Table::Revocations, token.as_bytes())?
            .is_some())
    }

    /// What a person agreed to for an application.
    pub fn consent(&self, user: UserId, client: ClientId) -> Result<Option<Consent>, StoreError> {
        self.get(
            Table::Consents,
            &super::schema::pair(user.as_bytes(), client.as_bytes()),
        )
    }

    /// All that a person agreed to.
    pub fn consents_of(&self, user: UserId, limit: usize) -> Result<Vec<Consent>, StoreError> {
        let mut clients = Vec::new();
        self.prefixed(Table::Consents, user.as_bytes(), Order::Up, |key| {
            clients.extend(key.get(16..).and_then(id_of));
            clients.len() < limit
        })?;
        let mut consents = Vec::with_capacity(clients.len());
        for client in clients {
            consents.extend(self.consent(user, ClientId(client))?);
        }
        Ok(consents)
    }

    /// One link.
    pub fn link(&self, id: LinkId) -> Result<Option<Link>, StoreError> {
        self.get(Table::Links, id.as_bytes())
    }

    /// All links, newest first.
    pub fn links(&self, limit: usize) -> Result<Vec<Link>, StoreError> {
        self.records(Table::Links, None, Order::Down, limit)
    }

    /// One device authorization, ended or not.
    pub fn device_authorization(&self, id: Id) -> Result<Option<DeviceAuthorization>, StoreError> {
        self.get(Table::DeviceAuthorizations, id.as_bytes())
    }

    /// The device authorization with that user code, ended or not.
    pub fn device_authorization_of(
        &self,
        code: UserCode,
    ) -> Result<Option<DeviceAuthorization>, StoreError> {
        match self
            .with(Table::UserCodes, code.as_bytes(), id_of)?
            .flatten()
        {
            Some(id) => self.device_authorization(id),
            None => Ok(None),
        }
    }

    /// How many device authorizations there are, ended ones too.
    pub fn device_authorization_count(&self) -> Result<u64, StoreError> {
        self.count(Table::DeviceAuthorizations)
    }

    /// All signing keys.
    pub fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        self.all(Table::SigningKeys)
    }

    /// One initial access token.
    pub fn initial_token(
        &self,
        id: InitialTokenId,
    ) -> Result<Option<InitialAccessToken>, StoreError> {
        self.get(Table::InitialTokens, id.as_bytes())
    }

    /// All initial access tokens, oldest first.
    pub fn initial_tokens(&self) -> Result<Vec<InitialAccessToken>, StoreError> {
        self.all(Table::InitialTokens)
    }

    fn shared<K: Hash + Eq, T>(
        &self,
        kind: fn(&mut Remembered) -> &mut Kept<K, T>,
        key: K,
        read: impl FnOnce() -> Result<Option<T>, StoreError>,
    ) -> Result<Option<Arc<T>>, StoreError> {
        let Some(remembered) = self.0.remembered() else {
            return Ok(read()?.map(Arc::new));
        };
        if let Some(known) = kind(&mut remembered.borrow_mut()).get(&key) {
            return Ok(Some(known));
        }
        let found = read()?.map(Arc::new);
        if let Some(found) = &found {
            kind(&mut remembered.borrow_mut()).put(key, found.clone());
        }
        Ok(found)
    }

    pub(super) fn get<T: DeserializeOwned>(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<T>, StoreError> {
        self.with(table, key, decode)?.transpose()
    }

    pub(super) fn with<T>(
        &self,
        table: Table,
        key: &[u8],
        read: impl Fn(&[u8]) -> T,
    ) -> Result<Option<T>, StoreError> {
        let mut found = None;
        self.0
            .row(table, key, &mut |value| found = Some(read(value)))?;
        Ok(found)
    }

    pub(super) fn count(&self, table: Table) -> Result<u64, StoreError> {
        self.0.count(table)
    }

    pub(super) fn all<T: DeserializeOwned>(&self, table: Table) -> Result<Vec<T>, StoreError> {
        self.records(table, None, Order::Up, usize::MAX)
    }

    /// Records of a table keyed by id, on from `past` (not included).
    fn records<T: DeserializeOwned>(
        &self,
        table: Table,
        past: Option<Id>,
        order: Order,
        limit: usize,
    ) -> Result<Vec<T>, StoreError> {
        let (mut records, mut failed) = (Vec::new(), None);
        let past = past.as_ref().map(Id::as_bytes);
        let bound = past.map_or(Bound::Unbounded, |key| Bound::Excluded(key.as_slice()));
        let (from, to) = if order == Order::Up {
            (bound, Bound::Unbounded)
        } else {
            (Bound::Unbounded, bound)
        };
        if limit > 0 {
            self.scan(table, from, to, order, |_, value| {
                match decode(value) {
                    Ok(record) => records.push(record),
                    Err(e) => failed = Some(e),
                }
                failed.is_none() && records.len() < limit
            })?;
        }
        failed.map_or(Ok(records), Err)
    }

    /// The second ids of rows `user id, other id`, newest first.
    pub(super) fn second_ids(
        &self,
        table: Table,
        user: UserId,
        limit: usize,
    ) -> Result<Vec<Id>, StoreError> {
        let mut ids = Vec::new();
        self.prefixed(table, user.as_bytes(), Order::Down, |key| {
            ids.extend(key.get(16..).and_then(id_of));
            ids.len() < limit
        })?;
        Ok(ids)
    }

    /// Keys under a prefix, in order.
    pub(super) fn prefixed_up(
        &self,
        table: Table,
        prefix: &[u8],
        mut visit: impl FnMut(&[u8]),
    ) -> Result<(), StoreError> {
        self.prefixed(table, prefix, Order::Up, |key| {
            visit(key);
            true
        })
    }

    fn prefixed(
        &self,
        table: Table,
        prefix: &[u8],
        order: Order,
        mut visit: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), StoreError> {
        // The longest key under a prefix ends in a 16-byte id.
        let end = [prefix, &[0xFF; 17]].concat();
        self.scan(
            table,
            Bound::Included(prefix),
            Bound::Excluded(&end),
            order,
            |key, _| !key.starts_with(prefix) || visit(key),
        )
    }

    pub(super) fn scan(
        &self,
        table: Table,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        order: Order,
        mut visit: impl FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        self.0.scan(table, (from, to), order, &mut visit)
    }

    /// Rows in order of keys after `past`, for the sweep.
    pub(super) fn rows_after(
        &self,
        table: Table,
        past: &[u8],
        visit: impl FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        self.scan(
            table,
            Bound::Excluded(past),
            Bound::Unbounded,
            Order::Up,
            visit,
        )
    }
}

fn id_of(bytes: &[u8]) -> Option<Id> {
    <[u8; 16]>::try_from(bytes).ok().map(Id::from_bytes)
}
