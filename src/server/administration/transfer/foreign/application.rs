//! An application on its way in from another server: what all of them have in common.
//! Owns: which client ids are kept, which redirect URIs, which secrets, that no two have one name, and that nobody is
//! signed in unasked to a program that may be any.

use super::{Known, Left};
use crate::crypto::{password, random, strength};
use crate::model::{Algorithm, ClientAuthMethod, ClientKind, ConsentPolicy, GrantType, PrivateKey};
use crate::oauth::clients::{ClientEdit, NewClient};
use crate::server::administration::transfer::document::{
    Application, ApplicationRecord, SecretEntry,
};
use crate::types::{RedirectUri, Secret, SecretHash, WireClientId};
use std::collections::BTreeSet;

/// Of a name (`oauth::clients::rules`).
const NAME_MAX: usize = 100;

/// It has no counterpart here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotKept;

/// An application as far as it was read.
pub struct Draft {
    /// Its client id at the other server.
    pub id: String,
    /// As it shall be here.
    pub settings: ClientEdit,
    secrets: Vec<SecretEntry>,
    /// One that somebody thought up. It is hashed when it is known whose it is.
    thought_up: Option<Secret>,
}

/// The names that are taken, in lower case.
#[derive(Default)]
pub struct Names(BTreeSet<String>);

impl Draft {
    /// One that may do nothing yet.
    pub fn new(id: &str, name: Option<String>) -> Self {
        let mut settings = ClientEdit::from(NewClient {
            name: name.unwrap_or_else(|| id.to_owned()),
            ..NewClient::default()
        });
        settings.grants.clear();
        Self {
            id: id.to_owned(),
            settings,
            secrets: Vec::new(),
            thought_up: None,
        }
    }

    /// Keeps a secret; its key, where it signs with it.
    pub fn secret(&mut self, hash: SecretHash, key: Option<PrivateKey>) {
        self.secrets.push(SecretEntry {
            created: None,
            hash,
            key,
        });
    }

    /// Keeps a secret that stood in the file as it is, unless it is short: whoever read the file or guesses has it.
    pub fn plain_secret(&mut self, secret: &Secret, left: &mut Left) {
        if secret.expose().chars().count() < strength::RANDOM_LENGTH {
            let least = strength::RANDOM_LENGTH;
            left.behind(
                format!("secrets of fewer than {least} characters do not come along"),
                &self.id,
            );
            return;
        }
        let signs = self.settings.auth_method == ClientAuthMethod::ClientSecretJwt;
        if strength::looks_random(secret) || signs {
            let key = signs.then(|| secret.expose().as_bytes().to_vec().into());
            return self.secret(SecretHash::of(secret), key);
        }
        self.thought_up = Some(secret.clone());
    }

    /// Keeps it by the hash that is here already, or by one of today.
    fn keep_thought_up(
        &mut self,
        client_id: Option<&WireClientId>,
        known: &Known,
        left: &mut Left,
    ) {
        let Some(secret) = self.thought_up.take() else {
            return;
        };
        let name = &self.settings.name;
        let hash = known.hash_of(client_id, name, &secret).or_else(|| {
            let phc = password::hash(&secret, random::bytes()).ok()?;
            Some(SecretHash::Slow(phc))
        });
        match hash {
            Some(hash) => self.secret(hash, None),
            None => left.behind(
                "secrets that could not be hashed do not come along",
                &self.id,
            ),
        }
    }

    /// What comes in; `None` where nothing can, and why is told.
    pub fn finish(
        mut self,
        names: &mut Names,
        known: &Known,
        left: &mut Left,
    ) -> Option<Application> {
        self.settings.redirect_uris = self.addresses(
            &self.settings.redirect_uris,
            "redirect URIs that cannot be kept",
            left,
        );
        self.settings.post_logout_redirect_uris = self.addresses(
            &self.settings.post_logout_redirect_uris,
            "sign-out addresses that cannot be kept",
            left,
        );
        let settings = &mut self.settings;
        if settings.public && settings.grants.remove(&GrantType::ClientCredentials) {
            left.behind(
                "without a secret they get no tokens under their own name",
                &self.id,
            );
        }
        if settings.redirect_uris.is_empty()
            && settings.grants.remove(&GrantType::AuthorizationCode)
        {
            left.behind(
                "nobody can sign in to them without an address to return to",
                &self.id,
            );
        }
        let people = settings.grants.contains(&GrantType::AuthorizationCode)
            || settings.grants.contains(&GrantType::DeviceCode);
        if !people {
            settings.grants.remove(&GrantType::RefreshToken);
        }
        if settings.grants.is_empty() {
            left.behind(
                "left out, for there is no way in which they could get tokens here",
                &self.id,
            );
            return None;
        }
        let parsed: Vec<RedirectUri> = uris(&settings.redirect_uris);
        settings.allow_http = parsed.iter().any(RedirectUri::is_remote_http);
        if settings.allow_http {
            left.behind(
                "people return to these by http, where others on the way can read along; better give them https",
                &self.id,
            );
        }
        settings.kind = kind(settings.public, people, &parsed);
        if people && settings.consent == ConsentPolicy::Trusted {
            let what = match is_anybodys(settings.public, &parsed) {
                true => {
                    settings.consent = ConsentPolicy::Once;
                    "people are asked once before they sign in to these, for they keep no secret and every program on a \
                     device can pretend to be them"
                }
                false => "trusted as before: people are never asked before they sign in to these",
            };
            left.behind(what, &self.id);
        }
        settings.name = names.own(&settings.name, &self.id);
        let client_id = self.id.parse().ok();
        let client_id = client_id.filter(|id: &WireClientId| id.document().is_none());
        if client_id.is_none() {
            left.behind(
                "client ids with other characters than letters, digits and - . _ ~ are not kept; these get new ones",
                &self.id,
            );
        }
        match self.settings.public {
            true => self.secrets.clear(),
            false => self.keep_thought_up(client_id.as_ref(), known, left),
        }
        Some(Application {
            record: ApplicationRecord {
                client_id,
                secrets: self.secrets,
                ..ApplicationRecord::default()
            },
            settings: self.settings,
        })
    }

    /// Those that are exact and safe.
    fn addresses(&self, texts: &[String], what: &str, left: &mut Left) -> Vec<String> {
        let (kept, not): (Vec<String>, Vec<String>) = texts
            .iter()
            .cloned()
            .partition(|text| !text.contains('*') && text.parse::<RedirectUri>().is_ok());
        for text in not {
            let why = if text.contains('*') {
                " (here they are exact, and have no *)"
            } else {
                ""
            };
            left.behind(format!("{what}{why}"), &format!("{} {text}", self.id));
        }
        kept
    }
}

fn uris(texts: &[String]) -> Vec<RedirectUri> {
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

/// What sort it is, which no other server says.
fn kind(public: bool, people: bool, redirects: &[RedirectUri]) -> ClientKind {
    let web = |uri: &RedirectUri| {
        let text = uri.as_str();
        (text.starts_with("https://") || text.starts_with("http://")) && !is_loopback(text)
    };
    match (public, people) {
        (false, false) => ClientKind::Service,
        (false, true) => ClientKind::Web,
        (true, _) if redirects.iter().all(web) && !redirects.is_empty() => ClientKind::SinglePage,
        (true, _) => ClientKind::Native,
    }
}

/// Whether any program on a person's device can take the application's place: it keeps no secret, and an answer need not
/// arrive at a site that only its owner has (RFC 8252 §8.6).
fn is_anybodys(public: bool, redirects: &[RedirectUri]) -> bool {
    public && !redirects.iter().all(RedirectUri::is_https)
}

/// RFC 8252 §7.3.
fn is_loopback(uri: &str) -> bool {
    ["http://127.0.0.1", "http://[::1]", "http://localhost"]
        .iter()
        .any(|start| uri.starts_with(start))
}

impl Names {
    /// The name, with the client id behind it where another one has it.
    fn own(&mut self, name: &str, id: &str) -> String {
        let mut name: String = name.trim().chars().take(NAME_MAX).collect();
        if self.0.contains(&name.to_lowercase()) {
            name = format!("{name} ({id})").chars().take(NAME_MAX).collect();
        }
        self.0.insert(name.to_lowercase());
        name
    }
}

/// What is signed with; `none` is none.
pub fn algorithm(named: Option<&str>) -> Result<Option<Algorithm>, NotKept> {
    match named {
        None | Some("none" | "any") => Ok(None),
        Some("RS256") => Ok(Some(Algorithm::Rs256)),
        Some("ES256") => Ok(Some(Algorithm::Es256)),
        Some("EdDSA" | "Ed25519") => Ok(Some(Algorithm::EdDsa)),
        Some(_) => Err(NotKept),
    }
}
