//! Cross-origin requests. Public documents for anyone; the token, userinfo and revocation endpoints for the origins of
//! the clients' redirect URIs (PROTOCOL, UserInfo, discovery). Answered from a table in memory.

use super::incoming::Incoming;
use super::respond::set;
use crate::store::StoreError;
use rouille::Response;
use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

/// The origins of all redirect URIs as of some commit.
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
            "WWW-Authenticate",
        );
    }
    set(&mut response, "Vary", "Origin");
    response
}

/// Answers a preflight (Fetch §3.2.2).
pub fn preflight(incoming: &Incoming<'_>) -> Response {
    let mut response = for_clients(incoming, Response::empty_204());
    set(&mut response, "Access-Control-Allow-Methods", "GET, POST");
    set(
        &mut response,
        "Access-Control-Allow-Headers",
        "Authorization, Content-Type",
    );
    set(&mut response, "Access-Control-Max-Age", "600");
    response
}

fn allowed(incoming: &Incoming<'_>) -> Option<String> {
    let origin = incoming.request.header("Origin")?;
    match origins(incoming) {
        Ok(origins) => origins.contains(origin).then(|| origin.to_owned()),
        Err(e) => {
            log::warn!("origins of clients: {e}");
            None
        }
    }
}

fn origins(incoming: &Incoming<'_>) -> Result<Arc<HashSet<String>>, StoreError> {
    let commits = incoming.ctx.store.commits();
    {
        let held = incoming
            .ctx
            .origins
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        if held.0 == commits {
            return Ok(held.1.clone());
        }
    }
    let clients = incoming
        .ctx
        .store
        .snapshot()?
        .view()
        .clients(None, usize::MAX)?;
    let found: HashSet<String> = clients
        .iter()
        .filter(|client| !client.disabled)
        .flat_map(|client| &client.redirect_uris)
        .filter_map(|uri| uri.origin())
        .collect();
    let found = Arc::new(found);
    *incoming
        .ctx
        .origins
        .0
        .write()
        .unwrap_or_else(PoisonError::into_inner) = (commits, found.clone());
    Ok(found)
}
