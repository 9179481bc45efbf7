//! What an administrator may change about a resource. RFC 8707 §2.
//! Owns: what may be stored of one, and that a deleted one is nobody's any more. Not here: who may ask for one
//! (`target`).

use crate::crypto::digest::s256;
use crate::model::{
    AdminError, Algorithm, Author, Change, Client, Decision, Event, EventKind, Resource,
};
use crate::types::appearance::is_plain_line;
use crate::types::{ClientId, Scope};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use url::Url;

/// Resources that there may be.
const RESOURCES_MAX: usize = 200;
/// Every access token carries it. In bytes.
const IDENTIFIER_MAX: usize = 200;
/// Seconds.
const LIFE: std::ops::RangeInclusive<u32> = 300..=3_600;
/// Applications of one resource.
const CLIENTS_MAX: usize = 200;

/// All that can be edited about a resource, as it shall be afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceEdit {
    /// See [`Resource`], as are the following.
    pub name: String,
    /// Scope tokens with spaces between.
    pub scope: String,
    /// 300 to 3,600.
    pub token_seconds: u32,
    /// See [`Resource`].
    pub alg: Algorithm,
    /// See [`Resource`].
    pub clients: BTreeSet<ClientId>,
    /// See [`Resource`].
    pub servers: BTreeSet<ClientId>,
    /// See [`Resource`].
    pub registered_clients: bool,
}

impl ResourceEdit {
    /// What a new resource has where nothing is said.
    pub fn new(identifier: &str) -> Self {
        Self {
            name: identifier.chars().take(100).collect(),
            scope: String::new(),
            token_seconds: 900,
            alg: Algorithm::Es256,
            clients: BTreeSet::new(),
            servers: BTreeSet::new(),
            registered_clients: false,
        }
    }

    /// The resource as it is.
    pub fn of(resource: &Resource) -> Self {
        Self {
            name: resource.name.clone(),
            scope: resource.scope.to_string(),
            token_seconds: resource.token_seconds,
            alg: resource.alg,
            clients: resource.clients.clone(),
            servers: resource.servers.clone(),
            registered_clients: resource.registered_clients,
        }
    }

    /// Tells these settings from any others: what a form carries, to be held against what is stored when it comes back.
    pub fn version(&self) -> String {
        s256(&format!("{self:?}"))
    }

    fn on(&self, resource: Resource, known: &BTreeSet<ClientId>) -> Result<Resource, AdminError> {
        let name = self.name.trim();
        if !(1..=100).contains(&name.chars().count()) || !is_plain_line(name) {
            return Err(AdminError::invalid(
                "name",
                "give it a name of 1 to 100 characters",
            ));
        }
        let scope = self
            .scope
            .parse::<Scope>()
            .map_err(|why| AdminError::invalid("scope", why))?;
        if !LIFE.contains(&self.token_seconds) {
            return Err(AdminError::invalid(
                "token_seconds",
                "must be 300 to 3,600 seconds",
            ));
        }
        for (field, ids) in [("clients", &self.clients), ("servers", &self.servers)] {
            if ids.len() > CLIENTS_MAX {
                return Err(AdminError::invalid(field, format!("at most {CLIENTS_MAX}")));
            }
            if let Some(id) = ids.difference(known).next() {
                let message = format!("there is no application {id}");
                return Err(AdminError::invalid(field, message));
            }
        }
        Ok(Resource {
            name: name.to_owned(),
            scope,
            token_seconds: self.token_seconds,
            alg: self.alg,
            clients: self.clients.clone(),
            servers: self.servers.clone(),
            registered_clients: self.registered_clients,
            ..resource
        })
    }
}

/// RFC 8707 §2 wants an absolute URI without fragment; a plain word such as `grafana` is common as `aud`, and what
/// applications list may be one.
pub fn identifier(typed: &str) -> Result<String, AdminError> {
    let text = typed.trim();
    let refuse = |why: &str| Err(AdminError::invalid("identifier", why));
    if text.is_empty() || text.len() > IDENTIFIER_MAX {
        return refuse("give it an address or a word of 1 to 200 characters");
    }
    if text.contains('#') {
        return refuse("must not have a # in it");
    }
    if !text.bytes().all(|b| b.is_ascii_graphic()) {
        return refuse("one address or word, without spaces or special letters");
    }
    if text.contains(':') && Url::parse(text).is_err() {
        return refuse("must be a whole address, such as https://api.example.org, or one word");
    }
    Ok(text.to_owned())
}

/// Adds a resource; `namesake` is the one that has the identifier, `there` how many there are.
pub fn add(
    wanted: &str,
    details: &ResourceEdit,
    namesake: Option<&Resource>,
    there: usize,
    known: &BTreeSet<ClientId>,
    by: &Author,
) -> Decision<Resource, AdminError> {
    let refuse = |error| Decision::reply(Err(error));
    let identifier = match identifier(wanted) {
        Ok(identifier) => identifier,
        Err(error) => return refuse(error),
    };
    if namesake.is_some() {
        return refuse(AdminError::NameTaken(identifier));
    }
    if there >= RESOURCES_MAX {
        let message = format!("there are {RESOURCES_MAX} already");
        return refuse(AdminError::invalid("identifier", message));
    }
    let blank = Resource {
        identifier,
        name: String::new(),
        scope: Scope::default(),
        token_seconds: details.token_seconds,
        alg: details.alg,
        clients: BTreeSet::new(),
        servers: BTreeSet::new(),
        registered_clients: false,
        created: by.now,
    };
    match details.on(blank, known) {
        Ok(resource) => put(resource, EventKind::ResourceAdded, by),
        Err(error) => refuse(error),
    }
}

/// Edits a resource: all settings at once. `seen` is the version that a form was filled from: where somebody changed it
/// since, the form would undo that unseen, and let in again who was shut out.
pub fn edit(
    old: Resource,
    seen: Option<&str>,
    details: &ResourceEdit,
    known: &BTreeSet<ClientId>,
    by: &Author,
) -> Decision<Resource, AdminError> {
    if seen.is_some_and(|seen| seen != ResourceEdit::of(&old).version()) {
        return Decision::reply(Err(AdminError::ChangedMeanwhile));
    }
    match details.on(old.clone(), known) {
        Ok(resource) if resource == old => Decision::reply(Ok(old)),
        Ok(resource) => put(resource, EventKind::ResourceChanged, by),
        Err(error) => Decision::reply(Err(error)),
    }
}

fn put(resource: Resource, kind: EventKind, by: &Author) -> Decision<Resource, AdminError> {
    Decision {
        events: vec![told(&resource, kind, by)],
        changes: vec![Change::PutResource(Box::new(resource.clone()))],
        reply: Ok(resource),
    }
}

fn told(resource: &Resource, kind: EventKind, by: &Author) -> Event {
    let registered = if resource.registered_clients {
        ", and those that registered themselves"
    } else {
        ""
    };
    by.did(kind).detail(format!(
        "{} ({}); {} applications may ask for it{registered}",
        resource.identifier,
        resource.name,
        resource.clients.len()
    ))
}

/// Deletes a resource, and takes it from the lists of `listing`, the applications whose own audiences have it: without
/// its record that list alone would let them ask for it again.
pub fn delete(resource: &Resource, listing: Vec<Client>, by: &Author) -> Decision<(), AdminError> {
    let mut changes = vec![Change::DeleteResource(resource.identifier.clone())];
    let mut events = vec![told(resource, EventKind::ResourceDeleted, by)];
    for mut client in listing {
        client
            .audiences
            .retain(|audience| *audience != resource.identifier);
        events.push(
            by.did(EventKind::ClientChanged)
                .client(&client)
                .detail("audiences"),
        );
        changes.push(Change::PutClient(Box::new(client)));
    }
    Decision {
        changes,
        events,
        reply: Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::{NOW, by, client, resource};

    #[test]
    fn rfc8707_section_2_an_identifier_is_an_absolute_uri_or_a_word() {
        for good in ["https://api.example/v1?x=1", "urn:example:api", "grafana"] {
            assert_eq!(identifier(good).as_deref(), Ok(good));
        }
        let long = format!("https://{}.example", "a".repeat(200));
        for bad in [
            "",
            " ",
            "https://api.example#part",
            "a b",
            "https://",
            "ü",
            &long,
        ] {
            assert!(identifier(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn bad_settings_change_nothing() {
        let known = [client().id].into();
        let good = ResourceEdit::of(&resource("api:"));
        let stranger = ClientId(crate::types::Id::new(NOW, [77; 10]));
        for (field, edit) in [
            (
                "name",
                ResourceEdit {
                    name: " ".to_owned(),
                    ..good.clone()
                },
            ),
            (
                "scope",
                ResourceEdit {
                    scope: "\"".to_owned(),
                    ..good.clone()
                },
            ),
            (
                "token_seconds",
                ResourceEdit {
                    token_seconds: 299,
                    ..good.clone()
                },
            ),
            (
                "token_seconds",
                ResourceEdit {
                    token_seconds: 3_601,
                    ..good.clone()
                },
            ),
            (
                "clients",
                ResourceEdit {
                    clients: [stranger].into(),
                    ..good.clone()
                },
            ),
            (
                "servers",
                ResourceEdit {
                    servers: [stranger].into(),
                    ..good.clone()
                },
            ),
        ] {
            let decision = super::edit(resource("api:"), None, &edit, &known, &by());
            assert!(decision.changes.is_empty() && decision.events.is_empty());
            match decision.reply {
                Err(AdminError::Invalid { field: named, .. }) => assert_eq!(named, field),
                other => panic!("{field}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_form_filled_from_older_settings_is_refused() {
        let old = resource("api:");
        let seen = ResourceEdit::of(&old).version();
        let edit = ResourceEdit {
            name: "Other".to_owned(),
            ..ResourceEdit::of(&old)
        };
        let known = BTreeSet::new();
        let changed = super::edit(old, Some(&seen), &edit, &known, &by())
            .reply
            .unwrap();
        let again = super::edit(changed, Some(&seen), &edit, &known, &by());
        assert_eq!(again.reply, Err(AdminError::ChangedMeanwhile));
        assert!(again.changes.is_empty());
    }

    #[test]
    fn a_deleted_resource_is_on_no_list_any_more() {
        let listing = Client {
            audiences: vec!["a:".to_owned(), "api:".to_owned()],
            ..client()
        };
        let decision = delete(&resource("api:"), vec![listing], &by());
        let kept = decision.changes.iter().find_map(|change| match change {
            Change::PutClient(client) => Some(client.audiences.clone()),
            _ => None,
        });
        assert_eq!(kept, Some(vec!["a:".to_owned()]));
    }
}
