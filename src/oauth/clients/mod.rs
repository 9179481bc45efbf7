//! What an administrator may change about an application. RFC 6749 §2, RFC 7591 §2, RFC 8252 §8.4.
//! Owns: which settings go together (`rules`), at most two live secrets, what ends with a switched-off application.
//! Not here: how a request is held against the settings (`authorize`, `token`, `client_auth`).

pub mod arrival;
mod rules;
pub mod sector;
mod settings;

pub(super) use settings::blank;
pub use settings::{ClientEdit, NewClient};

use crate::crypto::random::Fresh;
use crate::model::{
    AdminError, Author, Change, Client, ClientAuthMethod, ClientSecret, Decision, Event, EventKind,
    GrantType,
};
use crate::types::{ClientId, GroupName, Id, Secret, SecretHash, Timestamp};
use std::collections::BTreeSet;
use std::time::Duration;

/// What a decision about an application looks at beside it.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// Who has the wanted name, in any case.
    pub namesake: Option<ClientId>,
    /// The groups that there are.
    pub groups: BTreeSet<GroupName>,
    /// What a sector is made with.
    pub sectors: sector::Sectors,
}

/// An application, and the secret that is shown once.
pub type Made = (Client, Option<Secret>);

/// Adds an application. A confidential one gets its first secret.
pub fn add(
    details: &ClientEdit,
    around: &Around,
    fresh: Fresh,
    by: &Author,
) -> Decision<Made, AdminError> {
    if around.namesake.is_some() {
        return Decision::reply(Err(AdminError::NameTaken(details.name.trim().to_owned())));
    }
    let id = ClientId(Id::new(by.now, fresh.id));
    let mut client = match details.on(settings::blank(id, by.now), around) {
        Ok(client) => client,
        Err(error) => return Decision::reply(Err(error)),
    };
    let secret = has_secret(&client).then(|| Secret::from_random(fresh.secret));
    client.secrets = secret
        .iter()
        .map(|secret| kept(&client, secret, by.now))
        .collect();
    Decision {
        events: vec![by.did(EventKind::ClientAdded).client(&client)],
        changes: vec![Change::PutClient(Box::new(client.clone()))],
        reply: Ok((client, secret)),
    }
}

/// Edits an application as it was seen: where somebody changed it since, the form would undo that unseen, and open again
/// what was closed.
pub fn edit_as_seen(
    old: Client,
    seen: &str,
    details: &ClientEdit,
    around: &Around,
    by: &Author,
) -> Decision<Client, AdminError> {
    if ClientEdit::of(&old).version() != seen {
        return Decision::reply(Err(AdminError::ChangedMeanwhile));
    }
    edit(old, details, around, by)
}

/// Edits an application: all settings at once. One that becomes public loses its secrets; one that is switched off, or
/// gets other names for people, loses its tokens.
pub fn edit(
    old: Client,
    details: &ClientEdit,
    around: &Around,
    by: &Author,
) -> Decision<Client, AdminError> {
    if around.namesake.is_some_and(|id| id != old.id) {
        return Decision::reply(Err(AdminError::NameTaken(details.name.trim().to_owned())));
    }
    let mut client = match details.on(old.clone(), around) {
        Ok(client) if client == old => return Decision::reply(Ok(old)),
        Ok(client) => client,
        Err(error) => return Decision::reply(Err(error)),
    };
    if !has_secret(&client) {
        client.secrets.clear();
    }
    if (client.disabled && !old.disabled) || sector::renames(&old, &client) {
        // The writer's turn: what was committed before is no younger, and what is just as old ends too.
        client.tokens_not_before = by.now.just_after();
    }
    let changed = ClientEdit::of(&old).differences(&ClientEdit::of(&client));
    let event = by.did(EventKind::ClientChanged).client(&client);
    Decision {
        events: vec![event.detail(changed.join(", "))],
        changes: vec![Change::PutClient(Box::new(client.clone()))],
        reply: Ok(client),
    }
}

/// Adds one address that a sign-in may return to: the button beside a refused one.
pub fn add_redirect_uri(
    old: Client,
    redirect_uri: String,
    around: &Around,
    by: &Author,
) -> Decision<Client, AdminError> {
    let details = with_redirect_uri(&old, redirect_uri);
    if !details.grants.contains(&GrantType::AuthorizationCode) {
        return Decision::reply(Err(AdminError::invalid(
            "redirect_uri",
            "nobody signs in to this application, so it needs no address to return to",
        )));
    }
    edit(old, &details, around, by)
}

/// The settings with that address more.
pub fn with_redirect_uri(client: &Client, redirect_uri: String) -> ClientEdit {
    let mut details = ClientEdit::of(client);
    details.redirect_uris.push(redirect_uri);
    details
}

/// Makes a second secret, so that the first can be replaced without a break.
pub fn rotate_secret(
    mut client: Client,
    fresh: Fresh,
    by: &Author,
) -> Decision<(Client, Secret), AdminError> {
    if !has_secret(&client) {
        return Decision::reply(Err(AdminError::invalid(
            "secret",
            "an application of this kind has no secret",
        )));
    }
    if client.secrets.len() >= 2 {
        return Decision::reply(Err(AdminError::TwoSecrets));
    }
    let secret = Secret::from_random(fresh.secret);
    // The moment also names the secret, so no two may share it.
    let last = client.secrets.iter().map(|kept| kept.created).max();
    let made = last.map_or(by.now, |last| {
        by.now.max(last.plus(Duration::from_millis(1)))
    });
    let kept = kept(&client, &secret, made);
    client.secrets.push(kept);
    let event = by.did(EventKind::ClientSecretChanged).client(&client);
    Decision {
        events: vec![event.detail("a secret was added")],
        changes: vec![Change::PutClient(Box::new(client.clone()))],
        reply: Ok((client, secret)),
    }
}

/// Keeps a secret that was shown, and found right against the hash as it was `seen`, under a hash of ours.
pub fn keep_as_ours(
    client: Option<Client>,
    seen: &ClientSecret,
    hash: SecretHash,
    now: Timestamp,
) -> Decision<(), AdminError> {
    let Some(mut client) = client else {
        return Decision::reply(Ok(()));
    };
    // It may have been removed or replaced meanwhile.
    let Some(kept) = client.secrets.iter_mut().find(|kept| *kept == seen) else {
        return Decision::reply(Ok(()));
    };
    kept.hash = hash;
    let event = Event::success(EventKind::ClientSecretChanged, now).client(&client);
    Decision {
        events: vec![event.detail("a secret of another server was shown, and is kept as ours are")],
        changes: vec![Change::PutClient(Box::new(client))],
        reply: Ok(()),
    }
}

/// Removes the secret that was made at `created`; never the last one.
pub fn remove_secret(
    mut client: Client,
    created: Timestamp,
    by: &Author,
) -> Decision<Client, AdminError> {
    let before = client.secrets.len();
    client.secrets.retain(|kept| kept.created != created);
    if client.secrets.len() == before {
        return Decision::reply(Err(AdminError::NotFound {
            what: "secret made at",
            name: created.millis().to_string(),
        }));
    }
    if client.secrets.is_empty() {
        return Decision::reply(Err(AdminError::invalid(
            "secret",
            "this is the only secret; make a new one first",
        )));
    }
    let event = by.did(EventKind::ClientSecretChanged).client(&client);
    Decision {
        events: vec![event.detail("a secret was removed")],
        changes: vec![Change::PutClient(Box::new(client.clone()))],
        reply: Ok(client),
    }
}

/// Deletes an application. Its tokens and grants stand on it and fall with it (`standing`).
pub fn delete(client: &Client, by: &Author) -> Decision<(), AdminError> {
    Decision {
        changes: vec![Change::DeleteClient(client.id)],
        events: vec![by.did(EventKind::ClientDeleted).client(client)],
        reply: Ok(()),
    }
}

/// Whether it proves who it is with a secret that both sides know.
pub fn has_secret(client: &Client) -> bool {
    !matches!(
        client.auth_method,
        ClientAuthMethod::None | ClientAuthMethod::PrivateKeyJwt
    )
}

/// What is stored of a secret: its hash, and itself only where the client signs with it.
pub(super) fn kept(client: &Client, secret: &Secret, created: Timestamp) -> ClientSecret {
    let signs = client.auth_method == ClientAuthMethod::ClientSecretJwt;
    ClientSecret {
        hash: SecretHash::of(secret),
        created,
        key: signs.then(|| secret.expose().as_bytes().to_vec().into()),
    }
}

#[cfg(test)]
#[path = "clients_tests.rs"]
mod tests;
