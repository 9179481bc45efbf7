//! What the audit log of late says about applications: when they were used, and which addresses were refused.

use crate::model::{Client, EventKind, Outcome};
use crate::server::pages::when::when;
use crate::store::{EventFilter, StoreError, View};
use crate::types::{ClientId, RedirectUri, Timestamp};
use crate::views::admin::RefusedRedirect;
use std::collections::HashMap;

/// Events that a list looks back over.
const EVENTS: usize = 1_000;
/// Refusals that the page of an application looks back over, and addresses that it offers.
const REFUSALS: usize = 50;
const OFFERED: usize = 3;

/// Each application's latest use and latest refusal.
#[derive(Default)]
pub(super) struct Recent(HashMap<ClientId, (Option<Timestamp>, Option<Timestamp>)>);

impl Recent {
    /// From the newest events.
    pub(super) fn read(view: &View<'_>) -> Result<Self, StoreError> {
        let mut recent = Self::default();
        for (_, event) in view.events(&EventFilter::default(), None, EVENTS)?.events {
            let Some(client) = event.client else {
                continue;
            };
            let (used, refused) = recent.0.entry(client).or_default();
            if event.outcome == Outcome::Refused {
                refused.get_or_insert(event.time);
            } else if gives_tokens(event.kind) {
                used.get_or_insert(event.time);
            }
        }
        Ok(recent)
    }

    /// When the application was last given a token.
    pub(super) fn last_use(&self, client: ClientId) -> Option<Timestamp> {
        self.0.get(&client).and_then(|(used, _)| *used)
    }

    /// Whether the last that was heard of it was a refusal.
    pub(super) fn was_refused(&self, client: ClientId) -> bool {
        self.0.get(&client).is_some_and(|(used, refused)| {
            refused.is_some_and(|refused| used.is_none_or(|used| refused > used))
        })
    }
}

fn gives_tokens(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::CodeRedeemed | EventKind::TokenRefreshed | EventKind::ClientCredentials
    )
}

/// Addresses that a sign-in wanted to return to lately and that could be registered; the latest first.
pub(super) fn refused_addresses(
    view: &View<'_>,
    client: &Client,
) -> Result<Vec<RefusedRedirect>, StoreError> {
    let filter = EventFilter {
        client: Some(client.id),
        kind: Some(EventKind::Authorization),
        outcome: Some(Outcome::Refused),
        ..EventFilter::default()
    };
    let mut found: Vec<RefusedRedirect> = Vec::new();
    for (_, event) in view.events(&filter, None, REFUSALS)?.events {
        let Some(received) = received(&event.detail) else {
            continue;
        };
        let known = client.redirect_uris.contains(&received)
            || found
                .iter()
                .any(|other| other.received == received.as_str());
        if !known && found.len() < OFFERED {
            found.push(RefusedRedirect {
                expected: nearest(&client.redirect_uris, received.as_str()),
                received: received.to_string(),
                when: when(event.time),
            });
        }
    }
    Ok(found)
}

/// The address in `redirect_uri expected A B received C`. A registered address has no spaces, so the first ` received `
/// is ours whatever the request held. A detail that was cut ends in `…`, and is not the address that was sent.
fn received(detail: &str) -> Option<RedirectUri> {
    let rest = detail.strip_prefix("redirect_uri expected")?;
    let (_, received) = rest.split_once(" received ")?;
    received.is_ascii().then(|| received.parse().ok()).flatten()
}

/// The registered address that begins most like it.
fn nearest(registered: &[RedirectUri], received: &str) -> Option<String> {
    let common = |uri: &RedirectUri| {
        uri.as_str()
            .bytes()
            .zip(received.bytes())
            .take_while(|(a, b)| a == b)
            .count()
    };
    registered
        .iter()
        .max_by_key(|uri| common(uri))
        .map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_the_event() {
        for (detail, address) in [
            (
                "redirect_uri expected https://a/cb received https://a/cb/",
                Some("https://a/cb/"),
            ),
            (
                "redirect_uri expected https://a/cb https://b/cb received https://c/cb",
                Some("https://c/cb"),
            ),
            (
                "redirect_uri expected  received https://c/cb",
                Some("https://c/cb"),
            ),
            // What a request holds cannot pass for ours, nor be registered when it must not.
            (
                "redirect_uri expected https://a/cb received x received https://evil/cb",
                None,
            ),
            (
                "redirect_uri expected https://a/cb received javascript:alert(1)",
                None,
            ),
            (
                "redirect_uri expected https://a/cb received https://a/cut…",
                None,
            ),
            ("redirect_uri is missing", None),
            ("scope unknown received https://evil/cb", None),
        ] {
            let found = received(detail);
            assert_eq!(found.as_ref().map(RedirectUri::as_str), address, "{detail}");
        }
    }

    #[test]
    fn the_nearest_address_is_shown_beside_it() {
        let uris = [
            "https://a/cb".parse().unwrap(),
            "https://b/x/cb".parse().unwrap(),
        ];
        assert_eq!(
            nearest(&uris, "https://b/x/").as_deref(),
            Some("https://b/x/cb")
        );
        assert_eq!(nearest(&[], "https://b/"), None);
    }
}
