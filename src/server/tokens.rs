//! Access tokens that come back to us: signature, kind, issuer, expiry, revocation, and whether what they hang on
//! still stands. Verified once, then remembered in a bounded table until something is committed (DESIGN §8).

use super::context::Context;
use super::standing::Records;
use crate::crypto::digest::sha256;
use crate::crypto::jws;
use crate::model::{ClaimRequest, User};
use crate::oauth::claims;
use crate::oauth::introspect::{self, AccessToken};
use crate::oauth::standing;
use crate::store::{StoreError, View};
use crate::types::{ClientId, Timestamp};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// A token that holds, with its person.
#[derive(Debug)]
pub struct Checked {
    /// The token.
    pub token: AccessToken,
    /// Whose it is; `None` for a service's own.
    pub person: Option<Person>,
}

/// The person of a token.
#[derive(Debug)]
pub struct Person {
    /// As of the check.
    pub user: User,
    /// The name that may be told beside the `sub`.
    pub username: Option<String>,
    /// What the sign-in asked of userinfo by name, as far as the client may see it today.
    pub claims: BTreeMap<String, ClaimRequest>,
}

/// Tokens seen lately. Two generations: when the young one is full it becomes the old one.
#[derive(Default)]
pub struct TokenCache {
    generations: Mutex<(Generation, Generation)>,
}

type Generation = HashMap<[u8; 32], Entry>;

#[derive(Clone)]
struct Entry {
    checked: Arc<Checked>,
    commits: u64,
    key_changes: u64,
}

/// About 2 KB each, and at most 8 (`oauth::claims` bounds a grant's): 4 MB in both generations.
const GENERATION: usize = 1_000;

/// The token if it holds now; `None` if it does not, for whatever reason.
pub fn check(
    ctx: &Context,
    text: &str,
    now: Timestamp,
) -> Result<Option<Arc<Checked>>, StoreError> {
    let key = sha256(text.as_bytes());
    // Read before the snapshot: a commit in between makes the entry older than it is, never newer.
    let (commits, key_changes) = (ctx.store.commits(), ctx.store.key_changes());
    let known = ctx
        .tokens
        .get(&key)
        .filter(|entry| entry.key_changes == key_changes);
    if let Some(entry) = &known
        && entry.commits == commits
    {
        return Ok(Some(entry.checked.clone()).filter(|checked| now < checked.token.expires));
    }
    let token = match known {
        Some(entry) => entry.checked.token.clone(),
        None => match jws::verify(&*ctx.keys()?, text).ok().and_then(|verified| {
            AccessToken::from_claims(&verified.typ, verified.claims, &ctx.config.issuer)
        }) {
            Some(token) => token,
            None => return Ok(None),
        },
    };
    if now >= token.expires {
        return Ok(None);
    }
    let snapshot = ctx.store.snapshot()?;
    let Some(person) = stands(&snapshot.view(), &token, now)? else {
        return Ok(None);
    };
    let checked = Arc::new(Checked { token, person });
    ctx.tokens.put(
        key,
        Entry {
            checked: checked.clone(),
            commits,
            key_changes,
        },
    );
    Ok(Some(checked))
}

/// Whether the token was not revoked and everything it hangs on stands. The outer `None` says no.
type Standing = Option<Option<Person>>;

fn stands(view: &View<'_>, token: &AccessToken, now: Timestamp) -> Result<Standing, StoreError> {
    if view.is_revoked(token.token)? {
        return Ok(None);
    }
    let Some(client_id) = token
        .text("client_id")
        .and_then(|id| id.parse::<ClientId>().ok())
    else {
        return Ok(None);
    };
    let Some(client) = view.client(client_id)? else {
        return Ok(None);
    };
    if standing::of_client(&client, token.issued).is_err() {
        return Ok(None);
    }
    let Some(grant_id) = token.grant else {
        return Ok(Some(None));
    };
    let Some(grant) = view.grant(grant_id)? else {
        return Ok(None);
    };
    let records = Records::of_grant(view, &grant, now)?;
    if standing::of_grant(&grant, records.ground(Some(&client)), now).is_err() {
        return Ok(None);
    }
    let claims = claims::within(grant.claims, &client.scope).0.userinfo;
    Ok(records.user.map(|user| {
        let username = introspect::username(&user, token, &client);
        Some(Person {
            user,
            username,
            claims,
        })
    }))
}

impl TokenCache {
    fn get(&self, key: &[u8; 32]) -> Option<Entry> {
        let generations = self
            .generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        generations
            .0
            .get(key)
            .or_else(|| generations.1.get(key))
            .cloned()
    }

    fn put(&self, key: [u8; 32], entry: Entry) {
        let mut generations = self
            .generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if generations.0.len() >= GENERATION {
            generations.1 = std::mem::take(&mut generations.0);
        }
        generations.0.insert(key, entry);
    }
}
