//! Calls to Doorlight's own public address, for whoever wants to know whether it is reached there (`server::doctor`).
//! That address is the administrator's own setting: inner addresses are the normal case, and a certificate that does not
//! verify is looked at all the same, as nothing secret is said. No redirect is followed, and the bounds are those of
//! every call. Not here: what the answers mean.

use super::{ANSWER_MAX, DefaultConnector, DefaultResolver, HEAD_MAX, TIME};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore};
use rustls::{Error as TlsError, SignatureScheme};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use ureq::Agent;
use ureq::config::Config;
use ureq::tls::{RootCerts, TlsConfig};
use url::Url;

/// Why nothing answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreached {
    /// This machine does not know the name.
    NoSuchName,
    /// Nobody listens there, or a firewall says no.
    Refused(SocketAddr),
    /// No answer comes from there.
    Silent(SocketAddr),
    /// It listens, and does not speak https; what it did instead.
    NoTls(String),
}

/// A connection that was made.
#[derive(Debug)]
pub struct Reached {
    /// The address behind the name.
    pub to: SocketAddr,
    /// Our own, on the way there.
    pub from: IpAddr,
    /// What was shown on it, where it is https.
    pub shown: Option<Shown>,
}

/// A certificate that was shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// In DER.
    pub certificate: Vec<u8>,
    /// Whether a client that trusts what this machine trusts takes it.
    pub verdict: Result<(), TlsError>,
}

/// What was answered.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Where it sends the client, if it does.
    pub location: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Connects to the host of an address, and looks at its certificate.
pub fn reach(url: &Url) -> Result<Reached, Unreached> {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = url.port_or_known_default().unwrap_or_default();
    let stream = connect(host, port)?;
    let to = stream.peer_addr().map_err(|_| Unreached::NoSuchName)?;
    let from = stream.local_addr().map_err(|_| Unreached::Silent(to))?.ip();
    let shown = match url.scheme() {
        "https" => Some(look(stream, host).map_err(Unreached::NoTls)?),
        _ => None,
    };
    Ok(Reached { to, from, shown })
}

/// The first address of the name that takes a connection.
fn connect(host: &str, port: u16) -> Result<TcpStream, Unreached> {
    let mut unreached = Unreached::NoSuchName;
    for address in resolve(host, port) {
        match TcpStream::connect_timeout(&address, TIME) {
            Ok(stream) => return Ok(stream),
            Err(why) if why.kind() == ErrorKind::ConnectionRefused => {
                unreached = Unreached::Refused(address);
            }
            Err(_) => unreached = Unreached::Silent(address),
        }
    }
    Err(unreached)
}

/// A name server that does not answer is given up; the thread that waits for it ends by itself.
fn resolve(host: &str, port: u16) -> Vec<SocketAddr> {
    const MOST: usize = 4;
    let (found, wait) = mpsc::sync_channel(1);
    let name = host.to_owned();
    thread::spawn(move || {
        let addresses = (name.as_str(), port).to_socket_addrs();
        let addresses = addresses.map(|all| all.take(MOST).collect::<Vec<_>>());
        // Whoever asked may have gone.
        let _ = found.send(addresses.unwrap_or_default());
    });
    wait.recv_timeout(TIME).unwrap_or_default()
}

/// Shakes hands, and keeps what was shown.
fn look(mut stream: TcpStream, host: &str) -> Result<Shown, String> {
    let wrong = |why: &dyn std::fmt::Display| why.to_string();
    stream.set_read_timeout(Some(TIME)).map_err(|e| wrong(&e))?;
    stream
        .set_write_timeout(Some(TIME))
        .map_err(|e| wrong(&e))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let witness = Arc::new(Witness::new(provider.clone()));
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| wrong(&e))?
        .dangerous()
        .with_custom_certificate_verifier(witness.clone())
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|e| wrong(&e))?;
    let mut session = ClientConnection::new(Arc::new(config), name).map_err(|e| wrong(&e))?;
    while session.is_handshaking() {
        session.complete_io(&mut stream).map_err(|e| wrong(&e))?;
    }
    let seen = witness.seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.clone()
        .ok_or_else(|| "it showed no certificate".to_owned())
}

/// Takes every certificate, and notes what would be said against it.
#[derive(Debug)]
struct Witness {
    provider: Arc<CryptoProvider>,
    judge: Result<Arc<WebPkiServerVerifier>, TlsError>,
    seen: Mutex<Option<Shown>>,
}

impl Witness {
    fn new(provider: Arc<CryptoProvider>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let judge = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        Self {
            provider,
            judge: judge.build().map_err(|why| {
                TlsError::General(format!("this machine trusts no authority: {why}"))
            }),
            seen: Mutex::default(),
        }
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
        let shown = Shown {
            certificate: certificate.to_vec(),
            verdict,
        };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
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

/// Gets a public document. The certificate was looked at by [`reach`].
pub fn get(url: &Url, headers: &[(&str, &str)]) -> Result<Answer, String> {
    let tls = TlsConfig::builder()
        .disable_verification(true)
        .root_certs(RootCerts::new_with_certs(&[]))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let config = Config::builder()
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .timeout_global(Some(TIME))
        .max_response_header_size(HEAD_MAX)
        .max_idle_connections(0)
        .user_agent(concat!("Doorlight/", env!("CARGO_PKG_VERSION"), " doctor"))
        .accept("application/json")
        .tls_config(tls)
        .build();
    let agent = Agent::with_parts(
        config,
        DefaultConnector::default(),
        DefaultResolver::default(),
    );
    let call = headers
        .iter()
        .fold(agent.get(url.as_str()), |call, (name, value)| {
            call.header(*name, *value)
        });
    let answer = call.call().map_err(|why| why.to_string())?;
    let location = answer.headers().get("location");
    let location = location.and_then(|value| value.to_str().ok().map(str::to_owned));
    let status = answer.status().as_u16();
    let limit = u64::try_from(ANSWER_MAX).unwrap_or(u64::MAX);
    let body = answer.into_body().with_config().limit(limit).read_to_vec();
    Ok(Answer {
        status,
        location,
        body: body.map_err(|why| why.to_string())?,
    })
}
