//! What the audit log of late says about applications: when they were used, what was refused, and which addresses.

use super::refusal;
use crate::model::{Client, Event, EventKind, Outcome};
use crate::server::pages::when::when;
use crate::store::{EventFilter, StoreError, View};
use crate::types::{ClientId, RedirectUri, Timestamp};
use crate::views::admin::{RecentRefusal, RefusedRedirect};
use std::collections::{HashMap, HashSet};

/// Events that a list looks back over.
const EVENTS: usize = 1_000;
/// Refusals that the page of an application looks back over for the last, and for addresses; addresses that it offers.
const REFUSALS: usize = 50;
const REFUSED_ADDRESSES: usize = 1_000;
const OFFERED: usize = 3;
/// Of those, addresses that were refused in the browsers of people who were signed in.
const OFFERED_OF_PEOPLE: usize = 2;

/// What was last heard of each application.
#[derive(Default)]
pub(super) struct Recent(HashMap<ClientId, Heard>);

#[derive(Default)]
struct Heard {
    used: Option<Timestamp>,
    /// The latest refusal, unless the application was given tokens since.
    refused: Option<Event>,
}

impl Recent {
    /// From the newest events.
    pub(super) fn read(view: &View<'_>) -> Result<Self, StoreError> {
        Self::filtered(view, &EventFilter::default(), EVENTS)
    }

    /// From the newest events of one application.
    pub(super) fn of(view: &View<'_>, client: ClientId) -> Result<Self, StoreError> {
        let filter = EventFilter {
            client: Some(client),
            ..EventFilter::default()
        };
        Self::filtered(view, &filter, REFUSALS)
    }

    fn filtered(view: &View<'_>, filter: &EventFilter, limit: usize) -> Result<Self, StoreError> {
        let mut recent = Self::default();
        for (_, event) in view.events(filter, None, limit)?.events {
            let Some(client) = event.client else {
                continue;
            };
            let heard = recent.0.entry(client).or_default();
            if event.outcome == Outcome::Success && gives_tokens(event.kind) {
                heard.used.get_or_insert(event.time);
            } else if event.outcome == Outcome::Refused
                && heard.used.is_none()
                && !calls_it(event.kind)
            {
                heard.refused.get_or_insert(event);
            }
        }
        Ok(recent)
    }

    /// When the application was last given a token.
    pub(super) fn last_use(&self, client: ClientId) -> Option<Timestamp> {
        self.0.get(&client).and_then(|heard| heard.used)
    }

    /// The refusal that was the last that was heard of it. One for an address that is on its list by now is settled.
    pub(super) fn refused(&self, client: &Client) -> Option<RecentRefusal> {
        let event = self.0.get(&client.id)?.refused.as_ref()?;
        let settled = refusal::redirect_uri(event)
            .is_some_and(|received| client.redirect_uris.contains(&received));
        Some(RecentRefusal {
            what: event.words().into_owned(),
            refusal: refusal::of(event).filter(|_| !settled)?,
            when: when(event.time),
        })
    }
}

fn gives_tokens(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::CodeRedeemed
            | EventKind::TokenRefreshed
            | EventKind::ClientCredentials
            | EventKind::DeviceCodeRedeemed
    )
}

/// What Doorlight wanted of it, and not the other way round; its page shows these apart (`undelivered`).
fn calls_it(kind: EventKind) -> bool {
    matches!(kind, EventKind::LogoutDelivery | EventKind::OutboundCall)
}

/// Addresses that a sign-in wanted to return to lately and that could be registered. Those come first that were refused in
/// the browser of somebody who was signed in, for strangers can have as many refused as they like. That is no proof that
/// the person meant it: any web page can send their browser here with an address of its own. So each has one such offer,
/// the latest, and all of them leave a place to those who were not signed in.
pub(super) fn refused_addresses(
    view: &View<'_>,
    client: &Client,
) -> Result<Vec<RefusedRedirect>, StoreError> {
    let refused = |is_of_somebody| {
        let filter = EventFilter {
            is_of_somebody: Some(is_of_somebody),
            client: Some(client.id),
            kind: Some(EventKind::Authorization),
            outcome: Some(Outcome::Refused),
            ..EventFilter::default()
        };
        view.events(&filter, None, REFUSED_ADDRESSES)
    };
    let mut found: Vec<RefusedRedirect> = Vec::new();
    let mut people = HashSet::new();
    // Each looks back by itself: a thousand of strangers hide none of somebody's.
    for (_, event) in refused(true)?
        .events
        .into_iter()
        .chain(refused(false)?.events)
    {
        let Some(received) = refusal::redirect_uri(&event) else {
            continue;
        };
        if client.redirect_uris.contains(&received) {
            continue;
        }
        let turn = match event.user {
            Some(person) => people.insert(person) && found.len() < OFFERED_OF_PEOPLE,
            None => found.len() < OFFERED,
        };
        let is_new = found
            .iter()
            .all(|other| other.received != received.as_str());
        if turn && is_new {
            found.push(RefusedRedirect {
                expected: nearest(&client.redirect_uris, received.as_str()),
                received: received.to_string(),
                when: when(event.time),
                browser_of: event.username,
            });
        }
    }
    Ok(found)
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
    use crate::model::Decision;
    use crate::oauth::testing::{client, user};
    use crate::ops::clock;
    use crate::server::testing::house;

    /// They had looked back over the same thousand.
    #[test]
    fn what_strangers_have_refused_hides_nothing_that_somebody_was() {
        let house = house("recent");
        let refused = |path: &str| {
            let detail =
                format!("redirect_uri expected https://a.example/cb received https://{path}");
            Event::refused(EventKind::Authorization, clock::now(), detail).client(&client())
        };
        let mut events = vec![refused("ours.example").user(&user())];
        events.extend((0..REFUSED_ADDRESSES).map(|n| refused(&format!("evil.example/{n}"))));
        let recorded = house.ctx.store.submit(|_| {
            Ok(Decision {
                changes: Vec::new(),
                events,
                reply: Ok::<(), ()>(()),
            })
        });
        recorded.unwrap().unwrap();
        let snapshot = house.ctx.store.snapshot().unwrap();
        let offered = refused_addresses(&snapshot.view(), &client()).unwrap();
        let offered: Vec<_> = offered.iter().map(|it| it.received.as_str()).collect();
        assert_eq!(
            offered,
            [
                "https://ours.example",
                "https://evil.example/999",
                "https://evil.example/998"
            ]
        );
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
