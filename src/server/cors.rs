//! Cross-origin requests. Public documents for anyone; the token, userinfo and revocation endpoints for the origins of
//! the clients' redirect URIs (PROTOCOL, UserInfo, discovery). Answered from a table in memory.

use super::incoming::Incoming;
use super::respond::set;
use crate::store::{Store, StoreError};
use rouille::Response;
use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

/// The origins of all redirect URIs, and `Store::client_changes` when they were read.
#[derive(Default)]
pub struct Origins(RwLock<(u64, Arc<HashSet<String>>)>);

/// Lets any page read the answer.
pub fn open(response: &mut Response) {
    set(response, "Access-Control-Allow-Origin", "*");
}

/// Lets the page read the answer if it is one of a client's.
pub fn for_clients(incoming: &Incoming<'_>, mut response: Response) -> Response {
    if let Some(origin) = allowed(incoming) {
        set(&mut response, "Access-Control-Allow-Origin", origin);
        set(
            &mut response,
            "Access-Control-Expose-Headers",
            "WWW-Authenticate, DPoP-Nonce",
        );
    }
    set(&mut response, "Vary", "Origin");
    response
}

/// Answers a preflight (Fetch §3.2.2).
pub fn preflight(incoming: &Incoming<'_>) -> Response {
    granted(for_clients(incoming, Response::empty_204()), "GET, POST")
}

/// The same for public documents.
pub fn open_preflight() -> Response {
    let mut response = Response::empty_204();
    open(&mut response);
    granted(response, "GET")
}

fn granted(mut response: Response, methods: &'static str) -> Response {
    set(&mut response, "Access-Control-Allow-Methods", methods);
    set(
        &mut response,
        "Access-Control-Allow-Headers",
        "Authorization, Content-Type, DPoP",
    );
    set(&mut response, "Access-Control-Max-Age", "600");
    response
}

fn allowed(incoming: &Incoming<'_>) -> Option<String> {
    let origin = incoming.request.header("Origin")?;
    match incoming.ctx.origins.get(&incoming.ctx.store) {
        Ok(origins) => origins.contains(origin).then(|| origin.to_owned()),
        Err(e) => {
            log::warn!("origins of clients: {e}");
            None
        }
    }
}

impl Origins {
    /// As of the latest commit; made again only when a client changed, for it decodes them all.
    fn get(&self, store: &Store) -> Result<Arc<HashSet<String>>, StoreError> {
        // Read before the snapshot: a change in between makes what is kept older than it is, never newer.
        let changes = store.client_changes();
        {
            let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if held.0 == changes {
                return Ok(held.1.clone());
            }
        }
        let clients = store.snapshot()?.view().clients(None, usize::MAX)?;
        let found: HashSet<String> = clients
            .iter()
            .filter(|client| !client.disabled)
            .flat_map(|client| &client.redirect_uris)
            .filter_map(|uri| uri.origin())
            .collect();
        let found = Arc::new(found);
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if held.0 < changes {
            *held = (changes, found.clone());
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Change, Client, Decision, Event, EventKind};
    use crate::oauth::testing::{NOW, client};
    use crate::store::testing::Folder;

    fn commit(store: &Store, changes: Vec<Change>) {
        store
            .submit(move |_| {
                Ok(Decision {
                    changes,
                    events: vec![Event::success(EventKind::ClientChanged, NOW)],
                    reply: Ok::<(), ()>(()),
                })
            })
            .unwrap()
            .unwrap();
    }

    /// Every token that was issued once made the next cross-origin answer decode all clients.
    #[test]
    fn the_origins_are_read_again_when_a_client_changes_and_not_after_other_commits() {
        let dir = Folder::new("cors");
        let store = Store::open(&dir.join("doorlight.redb")).unwrap();
        let origins = Origins::default();
        assert!(origins.get(&store).unwrap().is_empty());
        commit(&store, vec![Change::PutClient(Box::new(client()))]);
        let known = origins.get(&store).unwrap();
        assert!(known.contains("https://notes.example"));
        commit(&store, Vec::new());
        let again = origins.get(&store).unwrap();
        assert!(Arc::ptr_eq(&known, &again), "it was made again");

        let disabled = Client {
            disabled: true,
            ..client()
        };
        commit(&store, vec![Change::PutClient(Box::new(disabled))]);
        assert!(origins.get(&store).unwrap().is_empty());
        commit(&store, vec![Change::PutClient(Box::new(client()))]);
        assert!(!origins.get(&store).unwrap().is_empty());
        commit(&store, vec![Change::DeleteClient(client().id)]);
        assert!(origins.get(&store).unwrap().is_empty());
        store.close();
    }
}
