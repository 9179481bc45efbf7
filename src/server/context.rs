//! What every handler shares: the file, the keys, the settings, the gate before Argon2.

use super::called_back;
use super::certificate::Keeper;
use super::client_documents::ClientDocuments;
use super::clients::Clients;
use super::cors::Origins;
use super::device_limits::DeviceLimits;
use super::doctor::Rounds;
use super::fetched::Fetched;
use super::guesses::Guesses;
use super::hashing::Hashing;
use super::metrics::Requests;
use super::oauth::documents::Documents;
use super::refusals::Refusals;
use super::registrations::Registrations;
use super::slow_secrets::SlowSecrets;
use super::tokens::TokenCache;
use crate::config::Config;
use crate::crypto::keyring::{self, KeyRing};
use crate::crypto::random;
use crate::crypto::rotation;
use crate::crypto::seal::SealKey;
use crate::model::{Change, Client, Decision, Event, EventKind, Settings, SigningKey};
use crate::ops::backup::schedule::Backups;
use crate::ops::clock;
use crate::store::{OpenError, Store, StoreError, View};
use crate::types::{ClientId, Issuer, Timestamp, WireClientId};
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

/// Shared by every handler, and by verbs that run without a server.
pub struct Context {
    /// The file.
    pub store: Store,
    /// Process settings.
    pub config: Config,
    /// The gate before Argon2.
    pub hashing: Hashing,
    /// Seals what leaves in forms.
    pub seal: SealKey,
    /// Guesses of passwords, counted.
    pub guesses: Guesses,
    /// Whose turn it is to have an application's secret checked that another server hashed.
    pub slow_secrets: SlowSecrets,
    /// Devices that want to be signed in, counted.
    pub devices: DeviceLimits,
    /// Access tokens seen lately.
    pub tokens: TokenCache,
    /// Origins that may read answers.
    pub origins: Origins,
    /// The discovery document.
    pub discovery: Documents,
    /// The JWKS document.
    pub jwks: Documents,
    /// Keys and requests that applications have at addresses of their own.
    pub fetched: Fetched,
    /// Documents that describe clients.
    pub client_documents: ClientDocuments,
    /// Registrations of strangers, counted.
    pub registrations: Registrations,
    /// Requests, counted.
    pub requests: Requests,
    /// Backups that are made or taken away.
    pub backups: Arc<Backups>,
    /// What the doctor found.
    pub rounds: Rounds,
    /// The certificate, where https ends here; a server sets it before it serves.
    pub certificate: OnceLock<Arc<Keeper>>,
    /// Held by the one registration that waits for a document of its sector.
    pub sector_call: Mutex<()>,
    clients: Clients,
    refusals: Refusals,
    keys: RwLock<(u64, Arc<KeyRing>)>,
    settings: RwLock<(u64, Arc<Settings>)>,
}

/// The file cannot be served.
#[derive(Debug)]
pub enum StartError {
    /// It did not open.
    Open(OpenError),
    /// It opened, and failed.
    Store(StoreError),
    /// A signing key is damaged, or none could be made.
    Keys(keyring::KeyError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(e) => e.fmt(f),
            Self::Store(e) => e.fmt(f),
            Self::Keys(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Context {
    /// Opens the file, and makes settings and keys where there are none.
    pub fn open(config: Config) -> Result<Self, StartError> {
        let store =
            Store::open_with(&config.data, called_back::with_notices).map_err(StartError::Open)?;
        // What cannot be served is still closed, so that nothing is left to repair.
        let (settings, keys) = furnish(&store).inspect_err(|_| store.close())?;
        let seal = SealKey::new(settings.seal_key.bytes());
        let keys = RwLock::new((store.key_changes(), Arc::new(keys)));
        let settings = RwLock::new((store.settings_changes(), Arc::new(settings)));
        Ok(Self {
            store,
            hashing: Hashing::default(),
            seal,
            guesses: Guesses::default(),
            slow_secrets: SlowSecrets::default(),
            devices: DeviceLimits::default(),
            tokens: TokenCache::default(),
            origins: Origins::default(),
            discovery: Documents::default(),
            jwks: Documents::default(),
            fetched: Fetched::default(),
            clients: Clients::default(),
            refusals: Refusals::default(),
            keys,
            settings,
            registrations: Registrations::default(),
            client_documents: ClientDocuments::default(),
            requests: Requests::default(),
            backups: Arc::default(),
            rounds: Rounds::default(),
            certificate: OnceLock::new(),
            sector_call: Mutex::default(),
            config,
        })
    }

    /// Takes another issuer, before anything is served under it.
    pub fn be_known_as(&mut self, issuer: Issuer) {
        self.discovery = Documents::default();
        self.config.issuer = issuer;
    }

    /// Records a refusal that no decision records, within bounds (`refusals`). Nobody waits for it.
    pub fn record_refusal(&self, event: Event) {
        let events = self.refusals.admit(event);
        if !events.is_empty() {
            self.store.record(events);
        }
    }

    /// A client, as of the latest commit.
    pub fn client(&self, id: ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        self.clients.get(&self.store, id)
    }

    /// The client of a `client_id` as it travels, as of the latest commit.
    pub fn client_on_wire(&self, id: &WireClientId) -> Result<Option<Arc<Client>>, StoreError> {
        let found = self.client(id.key())?;
        Ok(found.filter(|client| client.wire_id() == *id))
    }

    /// The settings, as of the latest commit.
    pub fn settings(&self) -> Result<Arc<Settings>, StoreError> {
        // Read before the snapshot: a change in between makes what is kept older than it is, never newer.
        let current = self.store.settings_changes();
        {
            let held = self.settings.read().unwrap_or_else(PoisonError::into_inner);
            if held.0 == current {
                return Ok(held.1.clone());
            }
        }
        let settings = self.store.snapshot()?.view().settings_made()?;
        let settings = Arc::new(settings);
        let mut held = self
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if held.0 < current {
            *held = (current, settings.clone());
        }
        Ok(settings)
    }

    /// The published keys, loaded again when one came or went.
    pub fn keys(&self) -> Result<Arc<KeyRing>, StoreError> {
        let current = self.store.key_changes();
        {
            let held = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            if held.0 == current {
                return Ok(held.1.clone());
            }
        }
        let records = self.store.snapshot()?.view().signing_keys()?;
        let ring =
            Arc::new(KeyRing::load(&records).map_err(|e| StoreError::BadRecord(e.to_string()))?);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = (current, ring.clone());
        Ok(ring)
    }
}

/// The settings and the keys, made where there are none. The clock is watched from here on.
fn furnish(store: &Store) -> Result<(Settings, KeyRing), StartError> {
    clock::begin(store.snapshot()?.view().sure()?);
    let settings = settings(store)?;
    rotate(store)?;
    let records = store.snapshot()?.view().signing_keys()?;
    let keys = KeyRing::load(&records).map_err(StartError::Keys)?;
    Ok((settings, keys))
}

/// The settings record, made at first start; what a file of an earlier release has not is added.
fn settings(store: &Store) -> Result<Settings, StoreError> {
    if let Some(settings) = store.snapshot()?.view().settings()?
        && settings.subject_key.is_some()
    {
        return Ok(settings);
    }
    let fresh = Settings {
        subject_key: Some(random::bytes::<32>().to_vec().into()),
        ..Settings::new(random::bytes::<32>().to_vec().into())
    };
    let submitted = store.submit(move |view| {
        let settings = match view.settings()? {
            Some(old) => Settings {
                subject_key: old.subject_key.or(fresh.subject_key),
                ..old
            },
            None => fresh,
        };
        let reply: Result<_, Infallible> = Ok(settings.clone());
        Ok(Decision {
            changes: vec![Change::PutSettings(Box::new(settings))],
            events: Vec::new(),
            reply,
        })
    })?;
    let Ok(settings) = submitted;
    Ok(settings)
}

/// Makes and forgets the keys that are due (`crypto::rotation`). Returns whether any was.
pub fn rotate(store: &Store) -> Result<bool, StartError> {
    let (plan, now) = due(&store.snapshot()?.view())?;
    if plan == rotation::Plan::default() {
        return Ok(false);
    }
    let made: Vec<SigningKey> = plan
        .create
        .iter()
        .map(|(algorithm, from)| keyring::generate(*algorithm, now, *from))
        .collect::<Result<_, _>>()
        .map_err(StartError::Keys)?;
    let submitted = store.submit(move |view| {
        // Asked again inside the job: another rotation may have come first.
        let (due, now) = due(view)?;
        let made: Vec<_> = made
            .into_iter()
            .filter(|key| {
                due.create
                    .iter()
                    .any(|(algorithm, _)| *algorithm == key.algorithm)
            })
            .collect();
        let added = made
            .iter()
            .map(|key| key_event(EventKind::KeyAdded, &key.kid, now));
        let gone = due
            .delete
            .iter()
            .map(|kid| key_event(EventKind::KeyDeleted, kid, now));
        let events = added.chain(gone).collect();
        let changes = made
            .into_iter()
            .map(|key| Change::PutSigningKey(Box::new(key)));
        let changes = changes
            .chain(due.delete.iter().cloned().map(Change::DeleteSigningKey))
            .collect();
        let reply: Result<(), Infallible> = Ok(());
        Ok(Decision {
            changes,
            events,
            reply,
        })
    })?;
    let Ok(()) = submitted;
    Ok(true)
}

/// What is due, and as of when.
fn due(view: &View<'_>) -> Result<(rotation::Plan, Timestamp), StoreError> {
    let clients = view.clients(None, usize::MAX)?;
    let used = clients.iter().flat_map(Client::algorithms).collect();
    let keys = view.signing_keys()?;
    let (now, doubt) = clock::look();
    let plan = match doubt {
        None => rotation::plan(&keys, &used, now),
        Some(_) => rotation::missing(&keys, &used, now),
    };
    Ok((plan, now))
}

fn key_event(kind: EventKind, kid: &str, now: Timestamp) -> Event {
    Event::success(kind, now).actor("schedule").detail(kid)
}
