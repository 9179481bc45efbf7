//! Access tokens that come back to us: signature, kind, issuer, expiry, revocation, and whether what they hang on
//! still stands. Verified once, then remembered in a bounded table until something is committed (DESIGN §8).

use super::context::Context;
use super::standing::Records;
use crate::crypto::digest::sha256;
use crate::crypto::jws;
use crate::model::{Algorithm, ClaimRequest, User};
use crate::oauth::introspect::AccessToken;
use crate::oauth::standing as rules;
use crate::oauth::{claim_mapping, claims};
use crate::store::{StoreError, View};
use crate::types::{GrantId, Timestamp, TokenId, WireClientId};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// A token that holds, with its person.
#[derive(Debug)]
pub struct Checked {
    /// The token.
    pub token: AccessToken,
    /// Whose it is; `None` for a service's own.
    pub person: Option<Box<Person>>,
}

/// The person of a token.
#[derive(Debug)]
pub struct Person {
    /// As of the check.
    pub user: Arc<User>,
    /// Whether an application of the token, or of one that it came from, knows them under a name of its own.
    pub pairwise: bool,
    /// What the sign-in asked of userinfo by name, as far as the client may see it today.
    pub claims: BTreeMap<String, ClaimRequest>,
    /// What the client is told under names of its own.
    pub mapped: Map<String, Value>,
    /// What userinfo is signed with for the client.
    pub signed: Option<Algorithm>,
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

/// About 2 KB each, and at most 12 (`oauth::claims` bounds a grant's, `oauth::claim_mapping` a client's): 4 MB in both
/// generations.
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
        None => match signed(ctx, text)? {
            Some(token) => token,
            None => return Ok(None),
        },
    };
    let snapshot = ctx.store.snapshot()?;
    let Some(person) = standing(&snapshot.view(), &token, now)? else {
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

/// The access token of ours that a text is, by signature, kind and issuer alone.
pub(super) fn signed(ctx: &Context, text: &str) -> Result<Option<AccessToken>, StoreError> {
    let verified = jws::verify(&*ctx.keys()?, text).ok();
    Ok(verified.and_then(|verified| {
        AccessToken::from_claims(&verified.typ, verified.claims, &ctx.config.issuer)
    }))
}

/// Whether the token was not revoked and everything it hangs on stands. The outer `None` says no.
pub type Standing = Option<Option<Box<Person>>>;

/// As of that view; that it is not expired either. Its signature was checked before.
pub fn standing(
    view: &View<'_>,
    token: &AccessToken,
    now: Timestamp,
) -> Result<Standing, StoreError> {
    if now >= token.expires {
        return Ok(None);
    }
    let Some(client) = token.client() else {
        return Ok(None);
    };
    // RFC 8693: an exchanged token falls with each token that it came from.
    let mut pairwise = false;
    for origin in &token.origins {
        let issued = origin.token.0.time();
        let stands = one_stands(
            view,
            origin.token,
            origin.grant,
            &origin.client,
            issued,
            now,
        )?;
        let Some(person) = stands else {
            return Ok(None);
        };
        pairwise |= person.is_some_and(|person| person.pairwise);
    }
    let mut stands = one_stands(view, token.token, token.grant, &client, token.issued, now)?;
    if let Some(Some(person)) = &mut stands {
        person.pairwise |= pairwise;
    }
    Ok(stands)
}

fn one_stands(
    view: &View<'_>,
    token: TokenId,
    grant: Option<GrantId>,
    client: &WireClientId,
    issued: Timestamp,
    now: Timestamp,
) -> Result<Standing, StoreError> {
    if view.is_revoked(token)? {
        return Ok(None);
    }
    let Some(client) = view.client_on_wire(client)? else {
        return Ok(None);
    };
    if rules::of_client(&client, issued).is_err() {
        return Ok(None);
    }
    let Some(grant_id) = grant else {
        return Ok(Some(None));
    };
    let Some(grant) = view.grant(grant_id)? else {
        return Ok(None);
    };
    let records = Records::of_grant(view, &grant, now)?;
    // Whoever exchanged a token has one under the grant of another application: both count.
    let holder = if grant.client == client.id {
        None
    } else {
        view.client_in_box(grant.client)?
    };
    let ground = records.ground(Some(holder.as_deref().unwrap_or(&client)));
    if rules::of_grant(&grant, ground, now).is_err() {
        return Ok(None);
    }
    let claims = claims::within(grant.claims, &client.scope).0.userinfo;
    let user = records.user.filter(|user| rules::may_use(user, &client));
    let person = user.map(|user| {
        Box::new(Person {
            mapped: claim_mapping::of_user(&client.claim_mappings, &user),
            pairwise: client.sector.is_some()
                || holder
                    .as_ref()
                    .is_some_and(|holder| holder.sector.is_some()),
            user,
            claims,
            signed: client.userinfo_signed_response_alg,
        })
    });
    Ok(person.map(Some))
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
