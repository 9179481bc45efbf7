//! What the file should hold, as plain maps: what a change does, what the sweep forgets, and the rows that follow. A
//! second, simple telling of `apply`, `schema` and `sweep`, to compare the file with.

use crate::model::{
    AuthorizationCode, Change, Client, Consent, Delivery, DeviceAuthorization, Event, Grant, Group,
    Link, PushedRequest, RefreshToken, Session, Settings, SigningKey, User,
};
use crate::store::StoreError;
use crate::store::View;
use crate::store::codec::encode;
use crate::store::schema::{SETTINGS_KEY, Table, member, pair};
use crate::types::{
    ClientId, DeliveryId, GrantId, GroupName, Id, LinkId, RefreshTokenId, SessionId, Timestamp,
    TokenId, UserId,
};
use std::collections::BTreeMap;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// A record and the bytes that it is kept as.
#[derive(Clone, Debug)]
pub(super) struct Kept<T> {
    pub(super) record: T,
    bytes: Vec<u8>,
}

impl<T: serde::Serialize> Kept<T> {
    fn new(record: T) -> Self {
        let bytes = encode(&record).unwrap();
        Self { record, bytes }
    }
}

/// Every row but those of the audit log and of the file about itself, and the events in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    rows: BTreeMap<(&'static str, Vec<u8>), Vec<u8>>,
    events: Vec<Vec<u8>>,
}

/// The house.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) users: BTreeMap<UserId, Kept<User>>,
    pub(super) groups: BTreeMap<GroupName, Kept<Group>>,
    pub(super) clients: BTreeMap<ClientId, Kept<Client>>,
    pub(super) sessions: BTreeMap<SessionId, Kept<Session>>,
    pub(super) codes: BTreeMap<Id, Kept<AuthorizationCode>>,
    pub(super) grants: BTreeMap<GrantId, Kept<Grant>>,
    pub(super) tokens: BTreeMap<RefreshTokenId, Kept<RefreshToken>>,
    revocations: BTreeMap<TokenId, (Timestamp, Vec<u8>)>,
    replays: BTreeMap<(u64, [u8; 32]), Vec<u8>>,
    consents: BTreeMap<(UserId, ClientId), Kept<Consent>>,
    pub(super) links: BTreeMap<LinkId, Kept<Link>>,
    pub(super) keys: BTreeMap<String, Kept<SigningKey>>,
    pub(super) devices: BTreeMap<Id, Kept<DeviceAuthorization>>,
    pub(super) pushed: BTreeMap<Id, Kept<PushedRequest>>,
    pub(super) deliveries: BTreeMap<DeliveryId, Kept<Delivery>>,
    pub(super) settings: Option<Kept<Settings>>,
    events: Vec<(Timestamp, Vec<u8>)>,
}

impl Model {
    /// What a decision leaves behind.
    pub(super) fn take(&mut self, changes: &[Change], events: &[Event]) {
        for change in changes {
            self.change(change.clone());
        }
        for event in events {
            self.events.push((event.time, encode(event).unwrap()));
        }
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::PutUser(user) => put(&mut self.users, user.id, *user),
            Change::DeleteUser(id) => {
                self.users.remove(&id);
                self.sessions.retain(|_, session| session.record.user != id);
                self.grants.retain(|_, grant| grant.record.user != id);
                self.consents.retain(|(user, _), _| *user != id);
            }
            Change::PutGroup(group) => put(&mut self.groups, group.name.clone(), group),
            Change::DeleteGroup(name) => {
                self.groups.remove(&name);
                for user in self.users.values_mut() {
                    if user.record.groups.remove(&name) {
                        *user = Kept::new(user.record.clone());
                    }
                }
            }
            Change::PutClient(client) => put(&mut self.clients, client.id, *client),
            Change::DeleteClient(id) => drop(self.clients.remove(&id)),
            Change::PutSession(session) => put(&mut self.sessions, session.id, *session),
            Change::DeleteSession(id) => drop(self.sessions.remove(&id)),
            Change::PutCode(code) => put(&mut self.codes, code.id, *code),
            Change::PutGrant(grant) => put(&mut self.grants, grant.id, *grant),
            Change::PutRefreshToken(token) => put(&mut self.tokens, token.id, *token),
            Change::PutRevocation(entry) => {
                let bytes = encode(&entry).unwrap();
                self.revocations.insert(entry.token, (entry.expires, bytes));
            }
            Change::PutReplay(replay) => {
                let minute = replay.expires.secs() / 60 + 1;
                let bytes = encode(&replay).unwrap();
                self.replays.insert((minute, replay.key), bytes);
            }
            Change::PutConsent(consent) => {
                let key = (consent.user, consent.client);
                put(&mut self.consents, key, consent);
            }
            Change::DeleteConsent(user, client) => drop(self.consents.remove(&(user, client))),
            Change::PutLink(link) => put(&mut self.links, link.id, link),
            Change::DeleteLink(id) => drop(self.links.remove(&id)),
            Change::PutSigningKey(key) => put(&mut self.keys, key.kid.clone(), *key),
            Change::DeleteSigningKey(kid) => drop(self.keys.remove(&kid)),
            Change::PutSettings(settings) => self.settings = Some(Kept::new(*settings)),
            Change::PutDeviceAuthorization(device) => put(&mut self.devices, device.id, *device),
            Change::PutPushedRequest(request) => put(&mut self.pushed, request.id, *request),
            Change::DeletePushedRequest(id) => drop(self.pushed.remove(&id)),
            Change::PutDelivery(delivery) => put(&mut self.deliveries, delivery.id, *delivery),
            Change::DeleteDelivery(id) => drop(self.deliveries.remove(&id)),
            other => panic!("nothing here makes {other:?}"),
        }
    }

    /// Forgets what is over, one table after the other. The model after each commit of the sweep, and how many records
    /// that forgot.
    pub(super) fn swept(&self, now: Timestamp) -> Vec<(Self, usize)> {
        let settings = self.settings.as_ref().map(|kept| kept.record.clone());
        let Some(settings) = settings else {
            return Vec::new();
        };
        let audit = DAY * settings.audit_days;
        let idle = DAY * settings.session_idle_days;
        let mut steps = Vec::new();
        let mut left = self.clone();
        let mut step = |forget: &dyn Fn(&mut Self)| {
            let before = left.count();
            forget(&mut left);
            if left.count() < before {
                steps.push((left.clone(), before - left.count()));
            }
        };
        step(&|m| {
            // In order of time; the first that stays keeps those behind it.
            let over = m.events.iter().take_while(|(at, _)| now >= at.plus(audit));
            let over = over.count();
            m.events.drain(..over);
        });
        step(&|m| m.replays.retain(|(minute, _), _| now.secs() / 60 < *minute));
        step(&|m| m.codes.retain(|_, c| now < c.record.expires.plus(DAY)));
        step(&|m| m.revocations.retain(|_, (at, _)| now < at.plus(7 * DAY)));
        step(&|m| {
            m.devices.retain(|_, d| now < d.record.expires.plus(HOUR));
        });
        step(&|m| {
            m.sessions
                .retain(|_, s| now < s.record.expires && now < s.record.last_seen.plus(idle));
        });
        step(&|m| {
            m.grants.retain(|_, g| {
                let ended = g.record.ended.map_or(g.record.expires, |(at, _)| at);
                now < ended.min(g.record.expires).plus(2 * HOUR)
            });
        });
        step(&|m| m.tokens.retain(|_, t| now < t.record.expires));
        step(&|m| m.links.retain(|_, l| now < l.record.expires));
        step(&|m| {
            let known: Vec<ClientId> = m.clients.keys().copied().collect();
            m.consents.retain(|(_, client), _| known.contains(client));
        });
        step(&|m| m.pushed.retain(|_, p| now < p.record.end()));
        step(&|m| {
            m.deliveries.retain(|_, d| {
                let given_up = d.record.given_up;
                given_up.is_none_or(|at| now < at.plus(7 * DAY))
            });
        });
        steps
    }

    fn count(&self) -> usize {
        self.events.len()
            + self.replays.len()
            + self.codes.len()
            + self.revocations.len()
            + self.devices.len()
            + self.sessions.len()
            + self.grants.len()
            + self.tokens.len()
            + self.links.len()
            + self.consents.len()
            + self.pushed.len()
            + self.deliveries.len()
    }

    /// Its rows, index rows too.
    pub(super) fn rows(&self) -> Rows {
        let mut rows = Rows::default();
        for (id, user) in &self.users {
            let (id, user, bytes) = (id.as_bytes(), &user.record, &user.bytes);
            rows.put(Table::Users, id, bytes);
            rows.put(Table::Usernames, user.username.folded().as_bytes(), id);
            if user.admin && !user.disabled {
                rows.put(Table::Admins, id, &[]);
            }
            for group in &user.groups {
                rows.put(Table::Members, &member(group.as_str(), id), &[]);
            }
        }
        for (name, kept) in &self.groups {
            rows.put(Table::Groups, name.as_str().as_bytes(), &kept.bytes);
        }
        for (id, kept) in &self.clients {
            rows.put(Table::Clients, id.as_bytes(), &kept.bytes);
        }
        for (id, kept) in &self.sessions {
            let index = pair(kept.record.user.as_bytes(), id.as_bytes());
            rows.put(Table::Sessions, id.as_bytes(), &kept.bytes);
            rows.put(Table::UserSessions, &index, &[]);
        }
        for (id, kept) in &self.codes {
            rows.put(Table::Codes, id.as_bytes(), &kept.bytes);
        }
        for (id, kept) in &self.grants {
            let index = pair(kept.record.user.as_bytes(), id.as_bytes());
            rows.put(Table::Grants, id.as_bytes(), &kept.bytes);
            rows.put(Table::UserGrants, &index, &[]);
        }
        for (id, kept) in &self.tokens {
            rows.put(Table::RefreshTokens, id.as_bytes(), &kept.bytes);
        }
        for (id, (_, bytes)) in &self.revocations {
            rows.put(Table::Revocations, id.as_bytes(), bytes);
        }
        for ((minute, what), bytes) in &self.replays {
            let key = [minute.to_be_bytes().as_slice(), what].concat();
            rows.put(Table::Replays, &key, bytes);
        }
        for ((user, client), kept) in &self.consents {
            let key = pair(user.as_bytes(), client.as_bytes());
            rows.put(Table::Consents, &key, &kept.bytes);
        }
        for (id, kept) in &self.links {
            rows.put(Table::Links, id.as_bytes(), &kept.bytes);
        }
        for (kid, kept) in &self.keys {
            rows.put(Table::SigningKeys, kid.as_bytes(), &kept.bytes);
        }
        for (id, kept) in &self.devices {
            let code = kept.record.user_code;
            rows.put(Table::DeviceAuthorizations, id.as_bytes(), &kept.bytes);
            rows.put(Table::UserCodes, code.as_bytes(), id.as_bytes());
        }
        for (id, kept) in &self.pushed {
            rows.put(Table::PushedRequests, id.as_bytes(), &kept.bytes);
        }
        for (id, kept) in &self.deliveries {
            rows.put(Table::Deliveries, id.as_bytes(), &kept.bytes);
        }
        if let Some(kept) = &self.settings {
            rows.put(Table::Settings, SETTINGS_KEY, &kept.bytes);
        }
        rows.events = self.events.iter().map(|(_, bytes)| bytes.clone()).collect();
        rows
    }
}

fn put<K: Ord, T: serde::Serialize>(map: &mut BTreeMap<K, Kept<T>>, key: K, record: T) {
    map.insert(key, Kept::new(record));
}

impl Rows {
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) {
        self.rows
            .insert((table.name(), key.to_vec()), value.to_vec());
    }

    /// Those of a file.
    pub(super) fn of(view: &View<'_>) -> Result<Self, StoreError> {
        let mut rows = Self::default();
        for table in Table::ALL {
            view.rows_after(*table, &[], |key, value| {
                match table {
                    Table::Meta => {}
                    Table::Events => rows.events.push(value.to_vec()),
                    _ => rows.put(*table, key, value),
                }
                true
            })?;
        }
        Ok(rows)
    }

    /// What these have and the others have not, in words.
    pub(super) fn unlike(&self, other: &Self) -> String {
        let mut unlike: Vec<String> = Vec::new();
        for (key, value) in &self.rows {
            if other.rows.get(key) != Some(value) {
                unlike.push(format!("{} {}", key.0, crate::store::verify::named(&key.1)));
            }
        }
        let told: Vec<_> = unlike.iter().take(5).cloned().collect();
        format!(
            "{} rows ({}), {} events of {}",
            unlike.len(),
            told.join(", "),
            self.events.len(),
            other.events.len()
        )
    }
}
