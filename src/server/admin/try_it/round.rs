//! What a client must remember between the question and the answer: `state`, `nonce`, the PKCE verifier. Kept in the
//! browser for ten minutes, tied to the administrator's session.

use crate::crypto::digest::{base64url, s256};
use crate::crypto::random;
use crate::model::Session;
use crate::server::cookies;
use crate::server::incoming::Incoming;
use crate::types::Timestamp;
use std::time::Duration;

const COOKIE: &str = "doorlight-try";
const PURPOSE: &str = "try";
const LIFE: Duration = Duration::from_secs(600);

/// One round trip.
pub(super) struct Round {
    /// Ties the answer to the question (RFC 6749 §10.12).
    pub(super) state: String,
    /// Ties the ID token to the question (OpenID Connect Core §15.5.2).
    pub(super) nonce: String,
    /// Ties the code to the question (RFC 7636 §4.1).
    pub(super) verifier: String,
}

impl Round {
    /// Fresh values.
    pub(super) fn draw() -> Self {
        let fresh = || base64url(&random::bytes::<32>());
        Self {
            state: fresh(),
            nonce: fresh(),
            verifier: fresh(),
        }
    }

    /// The S256 challenge (RFC 7636 §4.2).
    pub(super) fn challenge(&self) -> String {
        s256(&self.verifier)
    }

    /// `Set-Cookie` that keeps it.
    pub(super) fn cookie(&self, incoming: &Incoming<'_>, session: &Session) -> String {
        let at = incoming.now.millis().to_string();
        let session = session.id.to_string();
        let parts = [&at, &self.state, &self.nonce, &self.verifier, &session].map(String::as_str);
        let tag = incoming.ctx.seal.tag(PURPOSE, &parts);
        let value = [&at, &self.state, &self.nonce, &self.verifier, &tag].map(String::as_str);
        cookies::set_short(
            &incoming.ctx.config.issuer,
            COOKIE,
            &value.join("."),
            LIFE.as_secs(),
        )
    }

    /// `Set-Cookie` that forgets it: a round is good once.
    pub(super) fn forget(incoming: &Incoming<'_>) -> String {
        cookies::set_short(&incoming.ctx.config.issuer, COOKIE, "", 0)
    }

    /// The round that this session began, while it is good.
    pub(super) fn take(incoming: &Incoming<'_>, session: &Session) -> Option<Self> {
        let mut parts = cookies::short(incoming, COOKIE)?.split('.');
        let (at, state, nonce, verifier, tag) = (
            parts.next()?,
            parts.next()?,
            parts.next()?,
            parts.next()?,
            parts.next()?,
        );
        let session = session.id.to_string();
        let sealed = [at, state, nonce, verifier, session.as_str()];
        let began = Timestamp::from_millis(at.parse().ok()?);
        let holds = parts.next().is_none()
            && incoming.ctx.seal.verify(PURPOSE, &sealed, tag)
            && incoming.now.is_within(LIFE, began);
        holds.then(|| Self {
            state: state.to_owned(),
            nonce: nonce.to_owned(),
            verifier: verifier.to_owned(),
        })
    }
}
