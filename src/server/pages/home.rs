//! The start page: who you are, what you let in, where you are signed in.

use super::when::when;
use super::{failure, frame, sign_in};
use crate::server::incoming::{Incoming, Visitor};
use crate::server::respond::{self, Leads};
use crate::store::StoreError;
use crate::views::{Home, HomeApplication, HomeSession, Page, scope_words};
use rouille::Response;

/// Rows that the page shows of each kind.
const SHOWN: usize = 100;

/// `GET /`.
pub fn handle(incoming: &Incoming<'_>) -> Response {
    match sign_in::visitor(incoming).and_then(|visitor| draw(incoming, visitor.as_ref())) {
        Ok(response) => response,
        Err(error) => {
            log::warn!("{error}");
            failure::busy(incoming)
        }
    }
}

fn draw(incoming: &Incoming<'_>, visitor: Option<&Visitor>) -> Result<Response, StoreError> {
    let mut view = Home {
        page: Page::default(),
        username: String::new(),
        email: None,
        groups: Vec::new(),
        applications: Vec::new(),
        sessions: Vec::new(),
    };
    if let Some(visitor) = visitor {
        let user = &visitor.user;
        view.username = user.username.to_string();
        view.email = user.email.clone();
        view.groups = user.groups.iter().map(ToString::to_string).collect();
        let snapshot = incoming.ctx.store.snapshot()?;
        let store = snapshot.view();
        for consent in store.consents_of(user.id, SHOWN)? {
            if let Some(client) = store.client(consent.client)? {
                view.applications.push(HomeApplication {
                    id: client.id.to_string(),
                    name: client.name,
                    home_url: client.home_uri,
                    words: consent
                        .scope
                        .tokens()
                        .filter_map(scope_words)
                        .map(str::to_owned)
                        .collect(),
                    since: when(consent.given),
                });
            }
        }
        for session in store.sessions_of(user.id, SHOWN)? {
            view.sessions.push(HomeSession {
                id: session.id.to_string(),
                browser: browser_name(&session.user_agent),
                address: session.address.map(|a| a.to_string()).unwrap_or_default(),
                seen: when(session.last_seen),
                current: session.id == visitor.session.id,
            });
        }
    }
    Ok(frame::with(incoming, visitor, "Doorlight", |page| {
        respond::page(200, Leads::Here, &Home { page, ..view })
    }))
}

/// `Firefox on Linux`: enough to recognise one's own browsers by.
pub fn browser_name(user_agent: &str) -> String {
    let find = |names: &[(&str, &'static str)]| {
        names
            .iter()
            .find(|(mark, _)| user_agent.contains(mark))
            .map(|(_, name)| *name)
    };
    // Order matters: Edge and Opera say Chrome too, and everyone says Safari.
    let browser = find(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = find(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => "Unknown browser".to_owned(),
    }
}
