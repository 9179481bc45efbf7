//! An application as another data file, or another server, has it: taken in under the rules for every application here.
//! Owns: what of a record is kept, and which tokens end by it. Not here: the document that it comes in
//! (`server::administration::transfer`), which settings go together (`rules`).

use super::{Around, ClientEdit, has_secret, sector, settings};
use crate::crypto::password;
use crate::model::{
    AdminError, Author, Change, Client, ClientSecret, Event, EventKind, PrivateKey, Sector,
    SelfRegistered,
};
use crate::oauth::claim_mapping;
use crate::types::{ClientId, GivenClientId, GroupName, Host, Timestamp};
use std::collections::BTreeSet;

/// What comes with an application beside its settings. What is `None` or empty stays as it is, or begins now.
#[derive(Clone, Debug)]
pub struct Given {
    /// Under which it is kept.
    pub id: ClientId,
    /// The `client_id` that it brings along, where that is a name; the key is made of it.
    pub named: Option<GivenClientId>,
    /// When it was added.
    pub created: Option<Timestamp>,
    /// Tokens from before are dead.
    pub tokens_not_before: Option<Timestamp>,
    /// At most two, oldest first.
    pub secrets: Vec<ClientSecret>,
    /// Set where it registered itself.
    pub registered: Option<Box<SelfRegistered>>,
    /// What its names for people are made with, and whose they are.
    pub sector: Option<(Host, PrivateKey)>,
}

/// What is to be written, and what it is recorded as.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The application afterwards.
    pub client: Client,
    /// What happened.
    pub events: Vec<Event>,
    /// Groups that it names and that there are not.
    pub missing_groups: BTreeSet<GroupName>,
}

impl Taken {
    /// The write.
    pub fn change(&self) -> Change {
        Change::PutClient(Box::new(self.client.clone()))
    }
}

/// Takes an application in, over the record that there is of it; `None`: it is as it shall be.
///
/// # Errors
/// A setting that cannot be stored, settings that do not go together, or secrets that do not go with them.
pub fn take_in(
    old: Option<Client>,
    details: &ClientEdit,
    given: Given,
    mut around: Around,
    by: &Author,
) -> Result<Option<Taken>, AdminError> {
    if around.namesake.is_some_and(|id| id != given.id) {
        return Err(AdminError::NameTaken(details.name.trim().to_owned()));
    }
    // A group that is gone may stay: without it the application would be open to everybody.
    let missing_groups: BTreeSet<GroupName> = named_groups(details)
        .difference(&around.groups)
        .cloned()
        .collect();
    around.groups.extend(missing_groups.iter().cloned());
    // The document of its sector was looked at where it was saved first.
    around.sectors.document = details.sector_identifier_uri.as_ref().map(|uri| {
        let uri = uri.trim().to_owned();
        let lists = details.redirect_uris.iter();
        let lists = lists.map(|uri| uri.trim().to_owned()).collect();
        sector::Document { uri, lists }
    });
    // A name is not a new one: what was issued under it before the application was deleted must stay dead.
    let not_before = match &given.named {
        Some(_) => by.now,
        None => Timestamp::default(),
    };
    let mut before = old.clone().unwrap_or_else(|| Client {
        named: given.named,
        tokens_not_before: not_before,
        ..settings::blank(given.id, by.now)
    });
    if let Some((host, key)) = given.sector {
        let uri = sector::uri_of(&before).map(str::to_owned);
        before.sector = Some(Box::new(Sector { host, uri, key }));
    }
    let mut client = details.on(before, &around)?;
    client.created = given.created.unwrap_or(client.created);
    let ended = given.tokens_not_before.unwrap_or_default();
    client.tokens_not_before = client.tokens_not_before.max(ended);
    if given.registered.is_some() {
        client.registered = given.registered;
    }
    if !given.secrets.is_empty() {
        client.secrets = given.secrets;
        secrets_fit(&client)?;
    } else if !has_secret(&client) {
        client.secrets.clear();
    }
    let Some(old) = old else {
        return Ok(Some(Taken {
            events: vec![
                by.did(EventKind::ClientAdded)
                    .client(&client)
                    .detail("import"),
            ],
            client,
            missing_groups,
        }));
    };
    if client == old {
        return Ok(None);
    }
    if (client.disabled && !old.disabled) || sector::renames(&old, &client) {
        client.tokens_not_before = by.now.just_after();
    }
    let changed = ClientEdit::of(&old).differences(&ClientEdit::of(&client));
    let event = by.did(EventKind::ClientChanged).client(&client);
    let mut events = vec![event.detail(format!("import: {}", changed.join(", ")))];
    if client.secrets != old.secrets {
        let event = by.did(EventKind::ClientSecretChanged).client(&client);
        events.push(event.detail("import"));
    }
    Ok(Some(Taken {
        client,
        events,
        missing_groups,
    }))
}

/// At most two, each with a name of its own, and none where nobody would check it.
fn secrets_fit(client: &Client) -> Result<(), AdminError> {
    let refuse = |why: &str| Err(AdminError::invalid("secrets", why));
    let names: BTreeSet<Timestamp> = client.secrets.iter().map(|kept| kept.created).collect();
    if !has_secret(client) {
        return refuse("an application of this kind has no secret");
    }
    let mut slow = client.secrets.iter().filter_map(|kept| kept.hash.slow());
    if !slow.all(password::is_affordable) {
        return refuse("no secret can be checked against one of these hashes here");
    }
    if client.secrets.len() > 2 {
        return refuse("an application has at most two secrets");
    }
    if names.len() < client.secrets.len() {
        return refuse("two secrets were made at one moment, which names them");
    }
    Ok(())
}

/// The groups that its settings name.
fn named_groups(details: &ClientEdit) -> BTreeSet<GroupName> {
    let allowed = details.allowed_groups.iter();
    let allowed = allowed.filter_map(|name| name.trim().parse().ok());
    allowed
        .chain(claim_mapping::groups_named(&details.claim_mappings))
        .collect()
}

#[cfg(test)]
#[path = "arrival_tests.rs"]
mod tests;
