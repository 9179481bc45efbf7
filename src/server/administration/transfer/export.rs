//! What the data file holds, as a document. Sorted by what never changes, so that two exports differ where the house does.
//! Not in it: sessions, tokens, consents, one-time links, registration tokens and the audit log, which are this file's
//! own: a copy of the file has those.

use super::document::{
    Application, ApplicationRecord, Document, GroupEntry, House, KeyEntry, Moment, Person,
    PersonRecord, RegisteredEntry, ResourceEntry, SecretEntry, SectorEntry,
};
use super::flat::Flat;
use crate::identity::people::PersonEdit;
use crate::model::{Client, Group, Resource, SelfRegistered, Settings, SigningKey, User};
use crate::oauth::clients::ClientEdit;
use crate::store::{StoreError, View};
use crate::types::ClientId;
use std::collections::{BTreeMap, BTreeSet};

/// Whether the document holds what opens doors: hashes of passwords and of secrets, and keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// With them: for another Doorlight.
    Included,
    /// Without: for reading, comparing and keeping.
    LeftOut,
}

/// The whole house.
pub fn export(view: &View<'_>, secrets: Secrets) -> Result<Document, StoreError> {
    let clients = view.clients(None, usize::MAX)?;
    let names: BTreeMap<ClientId, String> = clients
        .iter()
        .map(|client| (client.id, client.wire_id().to_string()))
        .collect();
    let mut document = Document {
        settings: view.settings()?.map(|settings| house(settings, secrets)),
        groups: view.groups()?.into_iter().map(group).collect(),
        users: view
            .users_by_name("", usize::MAX)?
            .into_iter()
            .map(|user| person(user, secrets))
            .collect(),
        clients: clients
            .into_iter()
            .map(|client| application(client, secrets))
            .collect(),
        resources: view
            .resources()?
            .into_iter()
            .map(|found| resource(found, &names))
            .collect(),
        signing_keys: match secrets {
            Secrets::Included => view.signing_keys()?.into_iter().map(key).collect(),
            Secrets::LeftOut => Vec::new(),
        },
        ..Document::empty()
    };
    document.groups.sort_by(|a, b| a.name.cmp(&b.name));
    document.users.sort_by_key(|person| person.record.id);
    document
        .clients
        .sort_by_cached_key(|client| client.record.client_id.as_ref().map(ToString::to_string));
    document
        .resources
        .sort_by(|a, b| a.identifier.cmp(&b.identifier));
    document.signing_keys.sort_by(|a, b| a.kid.cmp(&b.kid));
    Ok(document)
}

/// Whoever adds a field to the record decides here whether it leaves the house.
fn house(settings: Settings, secrets: Secrets) -> House {
    let Settings {
        seal_key: _,
        subject_key,
        audit_days,
        session_idle_days,
        session_absolute_days,
        registration,
        client_documents,
        outbound_hosts,
        metrics_token,
        // Folders and disks are the machine's, and another house has other keys.
        backups: _,
    } = settings;
    let included = secrets == Secrets::Included;
    House {
        audit_days,
        session_idle_days,
        session_absolute_days,
        registration,
        client_documents,
        outbound_hosts,
        subject_key: subject_key.filter(|_| included),
        metrics_token_hash: metrics_token.filter(|_| included),
    }
}

fn group(group: Group) -> GroupEntry {
    let Group {
        name,
        description,
        created,
    } = group;
    GroupEntry {
        name,
        description,
        created: Some(Moment(created)),
    }
}

fn person(user: User, secrets: Secrets) -> Person {
    Flat {
        settings: PersonEdit::of(&user),
        record: PersonRecord {
            id: Some(user.id),
            subject: user.subject,
            created: Some(Moment(user.created)),
            updated: Some(Moment(user.updated)),
            tokens_not_before: Moment::unless_never(user.tokens_not_before),
            password_hash: user.password.filter(|_| secrets == Secrets::Included),
        },
    }
}

fn application(client: Client, secrets: Secrets) -> Application {
    let included = secrets == Secrets::Included;
    let settings = ClientEdit::of(&client);
    let client_id = Some(client.wire_id());
    let kept = client.secrets.into_iter().filter(|_| included);
    let record = ApplicationRecord {
        client_id,
        created: Some(Moment(client.created)),
        tokens_not_before: Moment::unless_never(client.tokens_not_before),
        secrets: kept
            .map(|secret| SecretEntry {
                created: Some(Moment(secret.created)),
                hash: secret.hash,
                key: secret.key,
            })
            .collect(),
        registered: client.registered.map(|own| registered(*own, secrets)),
        sector: client.sector.filter(|_| included).map(|own| SectorEntry {
            host: own.host,
            key: own.key,
        }),
    };
    Flat { record, settings }
}

fn registered(own: SelfRegistered, secrets: Secrets) -> RegisteredEntry {
    let SelfRegistered {
        hash,
        token,
        native,
        contacts,
        default_max_age,
        require_auth_time,
        last_used,
        consents_not_before,
        resource_scope,
        // It is the client id.
        document: _,
    } = own;
    RegisteredEntry {
        token_hash: (secrets == Secrets::Included).then_some(hash),
        token,
        native,
        contacts,
        default_max_age,
        require_auth_time,
        last_used: last_used.map(Moment),
        consents_not_before: Moment::unless_never(consents_not_before),
        resource_scope,
    }
}

fn resource(resource: Resource, names: &BTreeMap<ClientId, String>) -> ResourceEntry {
    let named = |ids: &BTreeSet<ClientId>| {
        let names = ids.iter().filter_map(|id| names.get(id).cloned());
        names.collect()
    };
    ResourceEntry {
        clients: named(&resource.clients),
        servers: named(&resource.servers),
        identifier: resource.identifier,
        name: resource.name,
        created: Some(Moment(resource.created)),
        scope: resource.scope.to_string(),
        token_seconds: resource.token_seconds,
        alg: resource.alg,
        registered_clients: resource.registered_clients,
    }
}

fn key(key: SigningKey) -> KeyEntry {
    KeyEntry {
        kid: key.kid,
        algorithm: key.algorithm,
        private: key.private,
        created: Moment(key.created),
        active_from: Moment(key.active_from),
    }
}
