//! `doorlight health`: whether the server can write. Asks the control socket; where that does not answer, the address
//! that the server listens on: a container's check may run as another user, or not know the data file.

use super::socket::exchange;
use super::{Failure, Shared, output};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use serde_json::json;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

/// For each of the two.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) fn run(shared: &Shared) -> Result<(), Failure> {
    let path = shared.config.socket();
    let address = reachable(shared.config.listen);
    let socket = path.clone();
    let encrypted = shared.https.files.is_some();
    let (status, body) =
        within(move || exchange(UnixStream::connect(socket)?, "GET", "/readyz", b""))
            .or_else(|_| within(move || ask(address, encrypted)))
            .map_err(|Failure(why)| {
                let path = path.display();
                Failure(format!("no server answers on {path} or {address} ({why})"))
            })?;
    match (status, body.trim_end()) {
        (200, "ready") => {
            output::one(shared, &json!({ "ready": true }));
            Ok(())
        }
        (503, _) => Err(Failure("the server cannot write its data file".to_owned())),
        _ => Err(Failure(format!(
            "what listens on {address} is no Doorlight"
        ))),
    }
}

fn ask(address: SocketAddr, encrypted: bool) -> Result<(u16, String), Failure> {
    let stream = TcpStream::connect(address)?;
    if encrypted {
        exchange(encrypt(stream)?, "GET", "/readyz", b"")
    } else {
        exchange(stream, "GET", "/readyz", b"")
    }
}

/// The certificate is not looked at: nothing secret is asked or told, and the name in it is not this address.
fn encrypt(stream: TcpStream) -> Result<impl Read + Write, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Whoever(provider)))
        .with_no_client_auth();
    let name = ServerName::try_from("localhost")?;
    let session = ClientConnection::new(Arc::new(config), name)?;
    Ok(StreamOwned::new(session, stream))
}

/// Takes every certificate.
#[derive(Debug)]
struct Whoever(Arc<CryptoProvider>);

impl ServerCertVerifier for Whoever {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Where to connect for an address to listen on: `0.0.0.0` and `[::]` mean this machine too.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// However slowly the other side dribbles; a thread that still waits ends with the process.
fn within<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let (done, wait) = mpsc::sync_channel(1);
    thread::Builder::new().spawn(move || {
        // Nobody waits any more: too late.
        let _ = done.send(act());
    })?;
    wait.recv_timeout(PATIENCE)
        .map_err(|_| Failure(format!("nothing came within {} s", PATIENCE.as_secs())))?
}
