//! Connections over TLS 1.3 that a server with a certificate takes: each shakes hands, asks one thing and is closed.
//! Not with the load generator, whose connections are plain: each of these has a thread of its own.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};
use rustls::client::Resumption;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned};

use crate::Attempt;
use crate::args::Plan;
use crate::measure::{Figure, Histogram};
use crate::world::World;

const NAME: &str = "localhost";
/// As in `load`.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn full(world: &World, plan: &Plan, connections: usize) -> Attempt<Figure> {
    handshakes(world, plan, connections, HandshakeKind::Full)
}

pub fn resumed(world: &World, plan: &Plan, connections: usize) -> Attempt<Figure> {
    handshakes(world, plan, connections, HandshakeKind::Resumed)
}

fn handshakes(
    world: &World,
    plan: &Plan,
    connections: usize,
    kind: HandshakeKind,
) -> Attempt<Figure> {
    let folder = world.directory().join("https");
    fs::create_dir_all(&folder)?;
    let (files, certificate) = certificate(&folder)?;
    let program = world
        .program
        .with_data(folder.join("doorlight.redb"))
        .with_https(files)?;
    let (server, _) = program.start()?;
    let begin = Instant::now() + plan.warm_up;
    let end = begin + plan.measured;
    let workers: Vec<_> = (0..connections)
        .map(|_| {
            let config = Arc::new(config(&certificate, kind)?);
            let address = program.address;
            Ok(thread::spawn(move || {
                worker(address, &config, kind, begin, end)
            }))
        })
        .collect::<Attempt<_>>()?;
    let mut latency = Histogram::new();
    let mut figure = Figure::default();
    for worker in workers {
        let (times, wrong) = worker.join().map_err(|_| "a client ended unexpectedly")?;
        for time in times {
            latency.record(time);
        }
        if let Some(wrong) = wrong {
            figure.wrong += 1;
            figure.first_wrong.get_or_insert(wrong);
        }
    }
    server.stop()?;
    fs::remove_dir_all(&folder)?;
    figure.value = latency.total() as f64 / plan.measured.as_secs_f64();
    figure.p50 = latency.percentile(0.50);
    figure.p99 = latency.percentile(0.99);
    Ok(figure)
}

/// The two files, with a P-256 key, and what a client trusts.
fn certificate(folder: &std::path::Path) -> Attempt<((PathBuf, PathBuf), CertificateDer<'static>)> {
    let key = KeyPair::generate()?;
    let made = CertificateParams::new(vec![NAME.to_owned()])?.self_signed(&key)?;
    let files = (folder.join("cert.pem"), folder.join("key.pem"));
    fs::write(&files.0, made.pem())?;
    fs::write(&files.1, key.serialize_pem())?;
    Ok((files, made.der().clone()))
}

fn config(certificate: &CertificateDer<'static>, kind: HandshakeKind) -> Attempt<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    if kind == HandshakeKind::Full {
        config.resumption = Resumption::disabled();
    }
    Ok(config)
}

/// Times of the right ones, and the first that was wrong.
fn worker(
    address: SocketAddrV4,
    config: &Arc<ClientConfig>,
    kind: HandshakeKind,
    begin: Instant,
    end: Instant,
) -> (Vec<Duration>, Option<String>) {
    let mut times = Vec::new();
    for number in 0_u64.. {
        let began = Instant::now();
        // Two at least, however slow: the first of all has nothing to resume.
        if began >= end && number >= 2 {
            break;
        }
        match once(address, config) {
            Ok(made) if made == kind || number == 0 => {
                if began >= begin && Instant::now() < end {
                    times.push(began.elapsed());
                }
            }
            Ok(made) => return (times, Some(format!("a handshake was {made:?}"))),
            Err(error) => return (times, Some(error.to_string())),
        }
    }
    (times, None)
}

fn once(address: SocketAddrV4, config: &Arc<ClientConfig>) -> io::Result<HandshakeKind> {
    let wrong = |why: &str| io::Error::other(why.to_owned());
    let name = ServerName::try_from(NAME).map_err(io::Error::other)?;
    let session = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let mut stream = StreamOwned::new(session, stream);
    let request = format!(
        "GET /healthz HTTP/1.1\r\nHost: {NAME}:{}\r\nConnection: close\r\n\r\n",
        address.port()
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    if !answer.starts_with(b"HTTP/1.1 200") {
        return Err(wrong("no 200 over TLS"));
    }
    stream
        .conn
        .handshake_kind()
        .ok_or_else(|| wrong("no handshake"))
}
