//! Applications of a document: by their client id, or where they have none, by their name.

use super::super::document::{Application, ApplicationRecord, RegisteredEntry, SecretEntry};
use super::{Before, Planner, called};
use crate::crypto::random;
use crate::model::{Client, ClientSecret, SelfRegistered, Settings};
use crate::oauth::clients::arrival::{self, Given};
use crate::oauth::clients::sector::Sectors;
use crate::oauth::clients::{Around, has_secret};
use crate::store::StoreError;
use crate::types::{ClientId, Secret, Timestamp, TokenHash, WireClientId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Who has which name, in lower case.
type Names = BTreeMap<String, ClientId>;

impl Planner<'_> {
    /// The ids of all applications afterwards.
    pub(super) fn applications(
        &mut self,
        applications: Vec<Application>,
        settings: &Settings,
    ) -> Result<BTreeSet<ClientId>, StoreError> {
        let there = self.view.clients(None, usize::MAX)?;
        let mut names: Names = there
            .iter()
            .map(|client| (client.name.to_lowercase(), client.id))
            .collect();
        let mut known: BTreeSet<ClientId> = there.iter().map(|client| client.id).collect();
        let mut seen = BTreeSet::new();
        for (n, mut application) in applications.into_iter().enumerate() {
            let called = called("the application", &application.settings.name, "clients", n);
            if self.foreign {
                self.take_authority(&called, &mut application.settings);
            }
            let name = application.settings.name.trim().to_lowercase();
            let wire = application.record.client_id.clone();
            let id = match &wire {
                Some(wire) => wire.key(),
                None => match names.get(&name) {
                    Some(id) => *id,
                    None => ClientId(random::id(self.by.now)),
                },
            };
            if !seen.insert(id) {
                self.problem(format!("{called} is in the document twice"));
                continue;
            }
            let named = wire.as_ref().and_then(WireClientId::given);
            if let Some(subject) = named.and_then(|name| name.as_str().parse().ok())
                && self.subjects()?.contains(&subject)
            {
                self.problem(format!(
                    "{called}: its client id is the subject of a person"
                ));
                continue;
            }
            let old = self.view.client(id)?;
            if let (Some(old), Some(wire)) = (&old, &wire)
                && old.wire_id() != *wire
            {
                self.problem(format!("{called}: another application has its key"));
                continue;
            }
            let around = Around {
                namesake: names.get(&name).copied(),
                groups: self.groups.clone(),
                sectors: Sectors {
                    key: settings.subject_key.clone(),
                    document: None,
                    allowed: settings.outbound_hosts.clone(),
                },
            };
            if self.application(&called, id, application, old, around) {
                names.insert(name, id);
                known.insert(id);
            }
        }
        Ok(known)
    }

    /// Whether it can be had.
    fn application(
        &mut self,
        called: &str,
        id: ClientId,
        application: Application,
        old: Option<Client>,
        around: Around,
    ) -> bool {
        let given = match given(id, &application.record, old.as_ref(), self.by.now) {
            Ok(given) => given,
            Err(why) => {
                self.problem(format!("{called}: {why}"));
                return false;
            }
        };
        let new_names = application.record.sector.is_none();
        let before = old.as_ref().map_or(Before::Missing, |_| Before::There);
        let taken = arrival::take_in(old, &application.settings, given, around, self.by);
        let after = taken.as_ref().ok().and_then(Option::as_ref).cloned();
        let decided =
            taken.map(|taken| taken.map(|taken| (vec![taken.change()], taken.events.clone())));
        if !self.take(called, before, decided, |counts| &mut counts.clients) {
            return false;
        }
        let Some(after) = after else { return true };
        for group in &after.missing_groups {
            self.note(format!(
                "{called} names the group “{group}”, which there is not"
            ));
        }
        if before == Before::There {
            return true;
        }
        let client = &after.client;
        if has_secret(client) && client.secrets.is_empty() {
            self.note(format!(
                "{called} has no secret; make one and give it to the application: doorlight client rotate-secret {}",
                client.wire_id()
            ));
        }
        if client.registered.is_some() && application.record.registered_token().is_none() {
            self.note(format!(
                "{called} registered itself, and cannot change that any more: its token is not in the document"
            ));
        }
        if client.sector.is_some() && new_names {
            self.note(format!(
                "{called} knows people by other names than before: what those are made with is not in the document"
            ));
        }
        true
    }
}

impl ApplicationRecord {
    fn registered_token(&self) -> Option<TokenHash> {
        // Whom a document describes has none to lose.
        match self.client_id {
            Some(WireClientId::Document(_)) => Some(nobodys()),
            _ => self.registered.as_ref()?.token_hash,
        }
    }
}

fn given(
    id: ClientId,
    record: &ApplicationRecord,
    old: Option<&Client>,
    now: Timestamp,
) -> Result<Given, &'static str> {
    let document = record.client_id.as_ref().and_then(WireClientId::document);
    if document.is_some() && record.registered.is_none() {
        return Err("its client id is an address, so it needs the member \"registered\"");
    }
    let registered = record.registered.as_ref().map(|entry| {
        let own = old.and_then(|old| old.registered.as_deref());
        Box::new(SelfRegistered {
            document: document.cloned(),
            ..registered(entry, own)
        })
    });
    let named = record.client_id.as_ref().and_then(WireClientId::given);
    Ok(Given {
        id,
        named: named.cloned(),
        created: record.created.map(|moment| moment.0),
        tokens_not_before: record.tokens_not_before.map(|moment| moment.0),
        secrets: secrets(record, old, now),
        registered,
        sector: record
            .sector
            .as_ref()
            .map(|sector| (sector.host.clone(), sector.key.clone())),
    })
}

/// Those that do not say when they were made are as old as the same ones here, or were made now, one after the other.
fn secrets(record: &ApplicationRecord, old: Option<&Client>, now: Timestamp) -> Vec<ClientSecret> {
    let mut next = now;
    let made = |entry: &SecretEntry| {
        let known = old?.secrets.iter().find(|kept| kept.hash == entry.hash)?;
        Some(known.created)
    };
    let secret = |entry: &SecretEntry| {
        let created = entry.created.map(|moment| moment.0).or_else(|| made(entry));
        let created = created.unwrap_or_else(|| {
            next = next.plus(Duration::from_millis(1));
            next
        });
        ClientSecret {
            hash: entry.hash.clone(),
            created,
            key: entry.key.clone(),
        }
    };
    record.secrets.iter().map(secret).collect()
}

fn registered(entry: &RegisteredEntry, old: Option<&SelfRegistered>) -> SelfRegistered {
    let hash = entry.token_hash.or(old.map(|old| old.hash));
    SelfRegistered {
        hash: hash.unwrap_or_else(nobodys),
        token: entry.token,
        native: entry.native,
        contacts: entry.contacts.clone(),
        default_max_age: entry.default_max_age,
        require_auth_time: entry.require_auth_time,
        last_used: entry.last_used.map(|moment| moment.0),
        consents_not_before: entry
            .consents_not_before
            .map_or_else(Default::default, |m| m.0),
        resource_scope: entry.resource_scope.clone(),
        document: None,
    }
}

/// Of a secret that nobody has.
fn nobodys() -> TokenHash {
    TokenHash::of(&Secret::from_random(random::bytes()))
}
