//! The thread that tells applications of sign-outs (OpenID Connect Back-Channel Logout 1.0 §2.5).
//! Owns: when it wakes, and that a slow or dead application holds up nobody but itself. Not here: what is owed, said and
//! made of the answer (`oauth::backchannel_logout`), how a call is bounded (`outbound`).
//!
//! While nothing waits it sleeps until a commit puts a delivery, and writes nothing.

use super::clock;
use super::outbound::{self, OutboundError};
use crate::crypto::jws::{self, LOGOUT_TOKEN_TYPE};
use crate::crypto::keyring::KeyRing;
use crate::crypto::random;
use crate::model::{Client, Decision, Delivery, Event, EventKind};
use crate::oauth::backchannel_logout::{self as protocol, Heard, LONGEST_GAP};
use crate::store::{Store, StoreError};
use crate::types::{ClientId, Host, Issuer, Timestamp};
use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// How long a stopping server waits for the call that is under way: it is made again at the next start.
const FAREWELL: Duration = Duration::from_secs(1);
/// After a fault of the file, or of ours.
const AFTER_FAULT: Duration = Duration::from_secs(60);

/// What the thread works with.
pub struct Parts {
    /// Where the deliveries stand.
    pub store: Store,
    /// The `iss`.
    pub issuer: Issuer,
    /// The published keys.
    pub keys: Box<dyn Fn() -> Result<Arc<KeyRing>, StoreError> + Send>,
    /// Takes refusals of our own rules, within bounds.
    pub record: Box<dyn Fn(Event) + Send>,
}

/// The running thread.
pub struct LogoutDelivery {
    store: Store,
    stop: Arc<AtomicBool>,
    ended: Receiver<()>,
}

impl LogoutDelivery {
    /// Starts with whatever an earlier run left.
    pub fn start(parts: Parts) -> std::io::Result<Self> {
        let (store, stop) = (parts.store.clone(), Arc::new(AtomicBool::new(false)));
        let seen = stop.clone();
        let (alive, ended) = channel::<()>();
        std::thread::Builder::new()
            .name("logout".to_owned())
            .spawn(move || {
                let mut courier = Courier {
                    parts,
                    stop: seen,
                    held: HashMap::new(),
                };
                courier.run();
                drop(alive);
            })?;
        Ok(Self { store, stop, ended })
    }

    /// Ends it, and waits a moment for the call that is under way.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Release);
        self.store.ring_deliveries();
        if self.ended.recv_timeout(FAREWELL) == Err(RecvTimeoutError::Timeout) {
            log::info!(
                "an application is slow to be told of a sign-out; it is told after the next start"
            );
        }
    }
}

struct Courier {
    parts: Parts,
    stop: Arc<AtomicBool>,
    /// Applications that did not answer, each left alone until then: what else they are to be told waits with it.
    held: HashMap<ClientId, Timestamp>,
}

impl Courier {
    fn run(&mut self) {
        loop {
            // Counted first: what is put while a round goes on begins the next.
            let counted = self.parts.store.delivery_changes();
            let wait = match catch_unwind(AssertUnwindSafe(|| self.round())) {
                Ok(Ok(next)) => next.map(|at| at.since(clock::now()).min(LONGEST_GAP)),
                Ok(Err(error)) => {
                    log::warn!("applications are not told of sign-outs: {error}");
                    Some(AFTER_FAULT)
                }
                Err(_) => {
                    log::error!(
                        "the delivery of logout tokens ended unexpectedly; it begins again"
                    );
                    Some(AFTER_FAULT)
                }
            };
            if self.stopped() {
                return;
            }
            self.parts.store.await_delivery(counted, wait);
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Tries what is due, once for each application that fails. When to look again; `None`: nothing waits.
    fn round(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let mut waiting = self.parts.store.snapshot()?.view().deliveries()?;
        waiting.retain(|delivery| delivery.given_up.is_none());
        waiting.sort_by_key(|delivery| delivery.due);
        let mut next: Option<Timestamp> = None;
        for delivery in waiting {
            if self.stopped() {
                return Ok(None);
            }
            let now = clock::now();
            let held = self.held.get(&delivery.client).copied();
            let held = held.filter(|until| *until > now && *until <= now.plus(LONGEST_GAP));
            let again = match held {
                Some(until) => Some(until),
                None if protocol::is_due(&delivery, now) => self.attempt(delivery)?,
                None => Some(delivery.due),
            };
            next = match (next, again) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        Ok(next)
    }

    /// Tries one, and writes what came of it. When to try again.
    fn attempt(&mut self, delivery: Delivery) -> Result<Option<Timestamp>, StoreError> {
        let (id, told) = (delivery.id, delivery.client);
        let (heard, uri) = match self.errand(told)? {
            Some((client, uri, allowed)) => {
                (self.post(&delivery, &client, &uri, &allowed)?, Some(uri))
            }
            None => (Heard::Unwanted, None),
        };
        let submitted = self.parts.store.submit(move |view| {
            // Somebody may have taken it away meanwhile.
            let Some(delivery) = view.delivery(id)? else {
                return Ok(Decision::reply(Ok(None)));
            };
            let (client, user) = (view.client(delivery.client)?, view.user(delivery.user)?);
            let delivery = Delivery {
                uri: uri.unwrap_or(delivery.uri),
                ..delivery
            };
            let (client, user, now) = (client.as_ref(), user.as_ref(), clock::now());
            Ok(protocol::after_attempt(delivery, heard, client, user, now))
        })?;
        let Ok(again) = submitted;
        match again {
            Some(until) => self.held.insert(told, until),
            None => self.held.remove(&told),
        };
        Ok(again)
    }

    /// The application, where it wants to be told by now, and the hosts that are allowed by now.
    fn errand(&self, id: ClientId) -> Result<Option<(Client, String, BTreeSet<Host>)>, StoreError> {
        let snapshot = self.parts.store.snapshot()?;
        let view = snapshot.view();
        let allowed = view.settings()?.map(|settings| settings.outbound_hosts);
        Ok(view.client(id)?.and_then(|client| {
            let uri = client.backchannel_logout_uri.clone()?;
            Some((client, uri, allowed.unwrap_or_default()))
        }))
    }

    /// Signs the token with what the application's ID tokens are signed with (§2.6), and posts it.
    fn post(
        &self,
        delivery: &Delivery,
        client: &Client,
        uri: &str,
        allowed: &BTreeSet<Host>,
    ) -> Result<Heard, StoreError> {
        let now = clock::now();
        let claims = protocol::claims(&self.parts.issuer, delivery, client, random::id(now), now);
        let keys = (self.parts.keys)()?;
        let Some(key) = keys.signer(client.id_token_alg, now) else {
            return Ok(Heard::Nothing("there is no key to sign with".to_owned()));
        };
        let token = jws::sign(key, LOGOUT_TOKEN_TYPE, claims.to_string().as_bytes());
        let answer = outbound::post_form(uri, &[("logout_token", &token)], allowed);
        Ok(match answer {
            Ok(status) => Heard::Status(status),
            Err(error) => {
                if let OutboundError::Refused(why) = &error {
                    let event =
                        Event::refused(EventKind::OutboundCall, now, format!("{uri}: {why}"));
                    (self.parts.record)(event.client(client).user_id(delivery.user));
                }
                Heard::Nothing(error.to_string())
            }
        })
    }
}
