//! TLS on a socket that listens. RFC 8446 (1.3), RFC 5246 (1.2), RFC 7301 (ALPN), RFC 9325 (what not to speak).
//! Owns: the versions and suites that are spoken, and which certificate is shown. Not here: the bytes of one client and
//! their deadlines (`wire`), where certificates come from (`server::certificate`).

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, ServerConnection};

/// RFC 7301: the one protocol that is spoken inside. A client that offers only others is refused (§3.2).
const HTTP11: &[u8] = b"http/1.1";

/// A certificate with its chain, and the private key that belongs to it.
#[derive(Clone)]
pub struct Pair(Arc<CertifiedKey>);

impl Pair {
    /// `chain` begins with the server's own certificate. Fails where it is empty or does not parse, where the key is of
    /// a kind that ring does not sign with (RSA from 2048 bits, ECDSA P-256 and P-384, Ed25519), and where it is
    /// another certificate's.
    pub fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, rustls::Error> {
        CertifiedKey::from_der(chain, key, &provider()).map(|key| Self(Arc::new(key)))
    }
}

impl fmt::Debug for Pair {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pair").finish_non_exhaustive()
    }
}

/// What a socket with TLS speaks and shows. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Tls {
    config: Arc<ServerConfig>,
    shown: Arc<Shown>,
}

/// The certificate of the next handshake. Connections that stand keep theirs.
#[derive(Debug)]
struct Shown(RwLock<Pair>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // One certificate, whatever name was asked for: a client that wanted another site notices by itself.
        let pair = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&pair.0))
    }
}

impl Tls {
    /// Speaks TLS 1.3, and TLS 1.2 with the suites of ring alone: ephemeral keys and AEAD (RFC 9325 §4.2).
    pub fn new(pair: Pair) -> Result<Self, rustls::Error> {
        let shown = Arc::new(Shown(RwLock::new(pair)));
        let provider = Arc::new(provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(shown.clone());
        config.alpn_protocols = vec![HTTP11.to_vec()];
        // RFC 8446 §4.6.1: what a returning client needs, it brings along, encrypted; nothing is kept for it here.
        config.ticketer = rustls::crypto::ring::Ticketer::new()?;
        Ok(Self {
            config: Arc::new(config),
            shown,
        })
    }

    /// Shows another certificate from the next handshake on. No connection ends for it.
    pub fn show(&self, pair: Pair) {
        *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = pair;
    }

    /// The server's side of one connection.
    pub(super) fn session(&self) -> Result<ServerConnection, rustls::Error> {
        ServerConnection::new(Arc::clone(&self.config))
    }
}

fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}
