//! A handshake that takes every certificate and notes what was shown: for calls to Doorlight's own address (`own`), where
//! one that does not verify is something to tell, and no reason to look away. The key of the certificate is proved all
//! the same. Not here: what is asked on the connection (`own`).

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore};
use rustls::{Error as TlsError, SignatureScheme, StreamOwned};
use std::fmt;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
    TransportAdapter,
};

/// A certificate that was shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// In DER.
    pub certificate: Vec<u8>,
    /// Whether a client that trusts what this machine trusts takes it.
    pub verdict: Result<(), TlsError>,
}

/// What became of a handshake.
#[derive(Clone, Debug, Default)]
pub(super) struct Handshake {
    pub(super) shown: Option<Shown>,
    /// Why it came to no end.
    pub(super) failure: Option<String>,
}

/// Takes every certificate, and notes what would be said against it.
#[derive(Debug)]
pub(super) struct Witness {
    provider: Arc<CryptoProvider>,
    judge: Result<Arc<WebPkiServerVerifier>, TlsError>,
    handshake: Mutex<Handshake>,
}

impl Witness {
    pub(super) fn new() -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let judge = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        Self {
            provider,
            judge: judge.build().map_err(|why| {
                TlsError::General(format!("this machine trusts no authority: {why}"))
            }),
            handshake: Mutex::default(),
        }
    }

    /// What was noted.
    pub(super) fn handshake(&self) -> MutexGuard<'_, Handshake> {
        self.handshake
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let verdict = match &self.judge {
            Ok(judge) => judge
                .verify_server_cert(certificate, between, name, ocsp, now)
                .map(|_| ()),
            Err(why) => Err(why.clone()),
        };
        self.handshake().shown = Some(Shown {
            certificate: certificate.to_vec(),
            verdict,
        });
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// Shakes hands before a witness, where the address is one of https. The time of the call is the time of the handshake:
/// one deadline for all of it, however its bytes are spread.
#[derive(Debug)]
pub(super) struct Witnessed(pub(super) Arc<Witness>);

impl<In: Transport> Connector<In> for Witnessed {
    type Out = Either<In, Session<In>>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(transport) = chained else {
            return Ok(None);
        };
        if !details.needs_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let config = ClientConfig::builder_with_provider(self.0.provider.clone())
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(self.0.clone())
            .with_no_client_auth();
        let host = details.uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Error::Tls("that host has no name for a certificate"))?;
        let mut conn = ClientConnection::new(Arc::new(config), name)?;
        let mut sock = TransportAdapter::new(transport, details.current_time.clone());
        sock.set_timeout(details.timeout);
        if let Err(why) = conn.complete_io(&mut sock) {
            self.0.handshake().failure = Some(why.to_string());
            return Err(why.into());
        }
        let config = details.config;
        Ok(Some(Either::B(Session {
            buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
            stream: StreamOwned::new(conn, sock),
        })))
    }
}

/// A connection after its handshake.
pub(super) struct Session<In: Transport> {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter<In>>,
}

impl<In: Transport> fmt::Debug for Session<In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl<In: Transport> Transport for Session<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.sock.set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.stream.write_all(output)?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.sock.set_timeout(timeout);
        let input = self.buffers.input_append_buf();
        let amount = self.stream.read(input)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}
