//! Documents that describe clients, fetched when one is named at the authorization endpoint or pushes a request, and
//! kept for a while. draft-ietf-oauth-client-id-metadata-document-02 §5.
//! Owns: that strangers, who choose the addresses, can neither hammer another server through Doorlight nor hold its
//! threads. In memory: a restart forgets it. A call holds no snapshot, and the writer waits for none.
//! Not here: what a document must say (`oauth::registration::document`), which addresses may be called
//! (`ops::outbound`).

use super::context::Context;
use super::guesses::household;
use super::incoming::Incoming;
use super::sector_documents;
use crate::identity::throttle::{Policy, Throttle};
use crate::model::Client;
use crate::oauth::authorize::request;
use crate::oauth::registration::document::{self, DocumentError};
use crate::oauth::registration::{Around, Metadata};
use crate::ops::outbound;
use crate::store::{StoreError, View};
use crate::types::{DocumentUrl, Form, Timestamp, WireClientId};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a document counts whatever its server says of it (§5.2), and how long where it says nothing.
const LEAST: Duration = Duration::from_secs(60);
const USUAL: Duration = Duration::from_secs(3_600);
const MOST: Duration = Duration::from_secs(24 * 3_600);
/// Documents that are kept.
const KEPT: usize = 100;
/// Calls at once, and requests that wait for one that is under way: all others are told to come again.
const CALLS: usize = 4;
const WAITERS: usize = 8;
/// A call has ended by then (`ops::outbound`).
const WAIT: Duration = Duration::from_secs(7);

/// Calls for one address: ten, then after 2, 4, 8, … seconds, in the end one in ten minutes
/// (packaging/manual/applications.md).
const ADDRESS: Policy = Policy {
    free: 10,
    longest: Duration::from_secs(600),
    forget: Duration::from_secs(2 * 3_600),
};
/// Calls to one host, whoever asks: errors are not kept (§5.2), so this is what keeps a host that fails in peace.
const HOST: Policy = Policy {
    free: 5,
    longest: Duration::from_secs(60),
    forget: Duration::from_secs(600),
};
/// All calls: sixty, and then one in ten seconds.
const ALL: Policy = Policy {
    free: 60,
    longest: Duration::from_secs(10),
    forget: Duration::from_secs(600),
};
/// Addresses and hosts that are counted.
const COUNTERS: usize = 10_000;

/// What is kept, what is under way, what is counted.
pub struct ClientDocuments {
    state: Mutex<State>,
    ended: Condvar,
}

struct State {
    kept: HashMap<DocumentUrl, Kept>,
    calls: HashSet<DocumentUrl>,
    waiters: usize,
    addresses: Throttle<IpAddr>,
    hosts: Throttle<String>,
    all: Throttle<()>,
}

#[derive(Clone)]
struct Kept {
    wanted: Arc<Metadata>,
    fetched: Timestamp,
    until: Timestamp,
}

type Answer = Result<(Map<String, Value>, Option<Duration>), String>;

impl Default for ClientDocuments {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                kept: HashMap::new(),
                calls: HashSet::new(),
                waiters: 0,
                addresses: Throttle::new(ADDRESS, COUNTERS),
                hosts: Throttle::new(HOST, COUNTERS),
                all: Throttle::new(ALL, 1),
            }),
            ended: Condvar::new(),
        }
    }
}

impl ClientDocuments {
    /// The document, as kept or fetched with `call`. One call for all who want the same.
    fn get(
        &self,
        url: &DocumentUrl,
        address: IpAddr,
        now: Timestamp,
        call: impl FnOnce() -> Answer,
    ) -> Result<Arc<Metadata>, DocumentError> {
        let mut state = self.lock();
        if let Some(kept) = state.fresh(url, now) {
            return Ok(kept);
        }
        if state.calls.contains(url) {
            return self.wait(state, url, now);
        }
        if let Err(error) = state.admit(url, address, now) {
            // Rather one of today than none, while it is our own limit that stands in the way.
            return state.of_today(url, now).ok_or(error);
        }
        state.calls.insert(url.clone());
        drop(state);
        let under_way = UnderWay(self, url);
        let read = call()
            .map_err(DocumentError::NotFetched)
            .and_then(|(members, lasts)| Ok((document::read(url, members)?, lasts)));
        let mut state = self.lock();
        let outcome = match read {
            Ok((wanted, lasts)) => Ok(state.keep(url, wanted, lasts, now)),
            Err(error) => {
                state.kept.remove(url);
                Err(error)
            }
        };
        drop(state);
        drop(under_way);
        outcome
    }

    fn wait(
        &self,
        mut state: MutexGuard<'_, State>,
        url: &DocumentUrl,
        now: Timestamp,
    ) -> Result<Arc<Metadata>, DocumentError> {
        if state.waiters >= WAITERS {
            return Err(DocumentError::Busy);
        }
        state.waiters += 1;
        let (mut state, _) = self
            .ended
            .wait_timeout_while(state, WAIT, |state| state.calls.contains(url))
            .unwrap_or_else(PoisonError::into_inner);
        state.waiters = state.waiters.saturating_sub(1);
        state.fresh(url, now).ok_or_else(|| {
            DocumentError::NotFetched("the call that was under way brought none".to_owned())
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends with the call, however that ends.
struct UnderWay<'a>(&'a ClientDocuments, &'a DocumentUrl);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.lock().calls.remove(self.1);
        self.0.ended.notify_all();
    }
}

impl State {
    fn fresh(&self, url: &DocumentUrl, now: Timestamp) -> Option<Arc<Metadata>> {
        let kept = self.kept.get(url).filter(|kept| now < kept.until);
        kept.map(|kept| kept.wanted.clone())
    }

    fn of_today(&self, url: &DocumentUrl, now: Timestamp) -> Option<Arc<Metadata>> {
        let kept = self.kept.get(url);
        kept.filter(|kept| now < kept.fetched.plus(MOST))
            .map(|kept| kept.wanted.clone())
    }

    /// Whether there may be a call. What is slowed down must not slow the others down: it is counted last.
    fn admit(
        &mut self,
        url: &DocumentUrl,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<(), DocumentError> {
        if self.calls.len() >= CALLS {
            return Err(DocumentError::Busy);
        }
        let (address, host) = (household(address), url.place());
        self.addresses
            .ready(&address, now)
            .and_then(|()| self.hosts.ready(&host, now))
            .and_then(|()| self.all.attempt(&(), now))
            .and_then(|()| self.hosts.attempt(&host, now))
            .and_then(|()| self.addresses.attempt(&address, now))
            .map_err(DocumentError::TooOften)
    }

    fn keep(
        &mut self,
        url: &DocumentUrl,
        wanted: Metadata,
        lasts: Option<Duration>,
        now: Timestamp,
    ) -> Arc<Metadata> {
        let wanted = Arc::new(wanted);
        if self.kept.len() >= KEPT && !self.kept.contains_key(url) {
            let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.fetched);
            if let Some(oldest) = oldest.map(|(url, _)| url.clone()) {
                self.kept.remove(&oldest);
            }
        }
        let until = now.plus(lasts.unwrap_or(USUAL).clamp(LEAST, MOST));
        let kept = Kept {
            wanted: wanted.clone(),
            fetched: now,
            until,
        };
        self.kept.insert(url.clone(), kept);
        wanted
    }
}

/// The client that a request names, before anything is looked up.
pub enum Named {
    /// No client id.
    Nobody,
    /// One that is looked up in the file.
    Given(WireClientId),
    /// One that a document describes.
    Described(Description),
    /// One that its document does not describe.
    Undescribed(DocumentError),
}

/// A document that was read.
#[derive(Clone)]
pub struct Description {
    url: DocumentUrl,
    wanted: Arc<Metadata>,
}

/// Whom the request names. Calls another server, so it comes before any snapshot.
pub fn named(incoming: &Incoming<'_>, form: &Form) -> Result<Named, StoreError> {
    match request::client_id(form) {
        Ok(id) => of(incoming, id),
        Err(_) => Ok(Named::Nobody),
    }
}

/// The same, of an id that was read already.
pub fn of(incoming: &Incoming<'_>, id: WireClientId) -> Result<Named, StoreError> {
    let url = match id {
        WireClientId::Ours(_) | WireClientId::Given(_) => return Ok(Named::Given(id)),
        WireClientId::Document(url) => url,
    };
    let ctx = incoming.ctx;
    let settings = ctx.settings()?;
    // Off: nobody new signs in to those that were known before, and no address is called.
    if !settings.client_documents {
        return Ok(Named::Nobody);
    }
    let found = ctx
        .client_documents
        .get(&url, incoming.address(), incoming.now, || {
            outbound::get_json(url.as_str(), &settings.outbound_hosts)
                .map_err(|error| error.to_string())
        });
    Ok(match found {
        Ok(wanted) => Named::Described(Description { url, wanted }),
        Err(error) => Named::Undescribed(error),
    })
}

impl Description {
    /// The client, as it is described today. Nothing is written.
    pub fn client(
        &self,
        view: &View<'_>,
        now: Timestamp,
    ) -> Result<Result<Client, DocumentError>, StoreError> {
        Ok(self.taken_over(view, now)?.map(|(client, _)| client))
    }

    /// The same, with whether that differs from what is kept.
    pub fn taken_over(
        &self,
        view: &View<'_>,
        now: Timestamp,
    ) -> Result<Result<(Client, bool), DocumentError>, StoreError> {
        let id = WireClientId::Document(self.url.clone()).key();
        let stored = view.client(id)?;
        // Whoever describes itself names no address of a sector: that would be one more for Doorlight to call.
        let sectors = sector_documents::sectors(view, None)?;
        let around = Around::of(&view.clients(None, usize::MAX)?, Some(id), sectors)
            .offering(&view.resources()?);
        let client = document::client(&self.url, &self.wanted, stored.clone(), &around, now);
        let client = match client {
            // It may be the first that is heard of it: nothing was read with it.
            Ok(client) => view.with_resources(client)?,
            Err(error) => return Ok(Err(error)),
        };
        let differs = stored.as_ref() != Some(&client);
        Ok(Ok((client, differs)))
    }
}

/// The client of a push, which may be the first that is heard of it.
pub fn pushing(
    incoming: &Incoming<'_>,
    id: &WireClientId,
) -> Result<Result<Option<Arc<Client>>, DocumentError>, StoreError> {
    let described = match of(incoming, id.clone())? {
        Named::Nobody => return Ok(Ok(None)),
        Named::Given(id) => return Ok(Ok(incoming.ctx.client_on_wire(&id)?)),
        Named::Undescribed(error) => return Ok(Err(error)),
        Named::Described(described) => described,
    };
    let ctx: &Context = incoming.ctx;
    let snapshot = ctx.store.snapshot()?;
    let client = described.client(&snapshot.view(), incoming.now)?;
    Ok(client.map(|client| Some(Arc::new(client))))
}

#[cfg(test)]
#[path = "client_documents_tests.rs"]
mod tests;
