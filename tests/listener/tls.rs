//! TLS as its clients see it: what is spoken, what is refused, and that nothing of HTTP differs inside.
//! RFC 8446, RFC 5246, RFC 7301, RFC 9325. The certificate files are the binary's (`tests/tls`).

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use doorlight::server::listener::{Limits, Pair, Tls};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, ProtocolVersion, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
};

use super::world::{Client, NEVER, SOON, Server, get, post, until};

const SHORT: Duration = Duration::from_millis(400);
/// Where a client has to shake hands before it is over.
const LONGER: Duration = Duration::from_secs(3);

/// A certificate for `localhost` that vouches for itself.
struct Certified {
    der: CertificateDer<'static>,
    key: KeyPair,
}

impl Certified {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let der = params.self_signed(&key).unwrap().der().clone();
        Self { der, key }
    }

    fn pair(&self) -> Pair {
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der());
        Pair::new(vec![self.der.clone()], PrivateKeyDer::Pkcs8(key)).unwrap()
    }

    /// A client that trusts this certificate.
    fn client(&self) -> ClientConfig {
        self.client_of(rustls::ALL_VERSIONS)
    }

    fn client_of(&self, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth()
    }
}

type Encrypted = Client<StreamOwned<ClientConnection, TcpStream>>;

fn start(certified: &Certified, limits: Limits) -> (Server, Tls) {
    let tls = Tls::new(certified.pair()).unwrap();
    (Server::encrypted(limits, tls.clone()), tls)
}

fn connect(server: &Server, config: &Arc<ClientConfig>) -> Encrypted {
    let name = ServerName::try_from("localhost").unwrap();
    let session = ClientConnection::new(Arc::clone(config), name).unwrap();
    Client::new(StreamOwned::new(session, server.connect().stream))
}

/// What a handshake with this configuration comes to.
fn refused(server: &Server, config: ClientConfig) -> String {
    let mut client = connect(server, &Arc::new(config));
    let error = client
        .stream
        .write_all(b"GET")
        .and_then(|()| client.stream.read(&mut [0]).map(drop));
    error.unwrap_err().to_string()
}

#[test]
fn both_versions_carry_http_and_the_handler_sees_https() {
    let certified = Certified::new();
    let (server, _) = start(&certified, Limits::default());
    for (version, spoken) in [
        (&rustls::version::TLS13, ProtocolVersion::TLSv1_3),
        (&rustls::version::TLS12, ProtocolVersion::TLSv1_2),
    ] {
        let mut config = certified.client_of(&[version]);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut client = connect(&server, &Arc::new(config));
        for round in 0..3 {
            client.send(post("/echo?x", "hello"));
            let text = client.answer();
            assert!(
                text.text().contains(" https\n"),
                "{version:?} {round}: {}",
                text.text()
            );
            assert!(text.text().contains("body \"hello\""), "{}", text.text());
        }
        assert_eq!(client.stream.conn.protocol_version(), Some(spoken));
        assert_eq!(client.stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    }
}

#[test]
fn a_client_without_alpn_is_served_and_one_that_wants_another_protocol_is_not() {
    let certified = Certified::new();
    let (server, _) = start(&certified, Limits::default());
    let mut client = connect(&server, &Arc::new(certified.client()));
    client.send(get("/"));
    assert_eq!(client.answer().text(), "hello");
    let mut config = certified.client();
    config.alpn_protocols = vec![b"h2".to_vec()];
    // RFC 7301 §3.2
    let error = refused(&server, config);
    assert!(error.contains("NoApplicationProtocol"), "{error}");
}

/// A ClientHello with a version and suites, RFC 5246 §7.4.1.2, with the curve and the signature that any client has.
fn client_hello(version: [u8; 2], suites: &[u16]) -> Vec<u8> {
    let mut body = version.to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend(u16::try_from(suites.len() * 2).unwrap().to_be_bytes());
    body.extend(suites.iter().flat_map(|suite| suite.to_be_bytes()));
    body.extend([1, 0]);
    let extensions: [u8; 26] = [
        0, 10, 0, 4, 0, 2, 0, 29, // supported_groups: x25519
        0, 11, 0, 2, 1, 0, // ec_point_formats: uncompressed
        0, 13, 0, 4, 0, 2, 4, 3, // signature_algorithms: ecdsa_secp256r1_sha256
        0, 23, 0, 0, // extended_master_secret
    ];
    body.extend([0, 26]);
    body.extend(extensions);
    let length = u8::try_from(body.len()).unwrap();
    let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(body);
    record
}

/// The first five bytes of the answer to a ClientHello, and the two behind them.
fn first_record(server: &Server, hello: &[u8]) -> [u8; 7] {
    let mut client = server.connect();
    client.send(hello);
    let mut record = [0; 7];
    client.stream.read_exact(&mut record).unwrap();
    record
}

const ECDHE_ECDSA_AES128_GCM: u16 = 0xc02b;

#[test]
fn rfc9325_versions_before_tls_1_2_are_refused() {
    let certified = Certified::new();
    let (server, _) = start(&certified, Limits::default());
    // The hello is a good one: with the right version, a ServerHello answers.
    let [kind, _, _, _, _, message, _] =
        first_record(&server, &client_hello([3, 3], &[ECDHE_ECDSA_AES128_GCM]));
    assert_eq!((kind, message), (22, 2));
    for version in [[3, 2], [3, 1], [3, 0]] {
        let [kind, .., level, alert] =
            first_record(&server, &client_hello(version, &[ECDHE_ECDSA_AES128_GCM]));
        // protocol_version, fatal.
        assert_eq!((kind, level, alert), (21, 2, 70), "{version:?}");
    }
}

#[test]
fn rfc9325_section_4_2_suites_without_aead_or_forward_secrecy_are_refused() {
    let certified = Certified::new();
    let (server, _) = start(&certified, Limits::default());
    for (suite, name) in [
        (0xc009, "ECDHE_ECDSA_WITH_AES_128_CBC_SHA"),
        (0xc023, "ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"),
        (0xc00a, "ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
        (0x009c, "RSA_WITH_AES_128_GCM_SHA256"),
        (0x002f, "RSA_WITH_AES_128_CBC_SHA"),
        (0xc007, "ECDHE_ECDSA_WITH_RC4_128_SHA"),
        (0x000a, "RSA_WITH_3DES_EDE_CBC_SHA"),
        (0xc006, "ECDHE_ECDSA_WITH_NULL_SHA"),
    ] {
        let [kind, .., level, alert] = first_record(&server, &client_hello([3, 3], &[suite]));
        // handshake_failure, fatal.
        assert_eq!((kind, level, alert), (21, 2, 40), "{name}");
    }
}

#[test]
fn plain_http_is_told_that_this_is_https() {
    let certified = Certified::new();
    let (server, _) = start(&certified, Limits::default());
    let answer = server.ask(get("/"));
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("https://"), "{}", answer.text());
    assert_eq!(server.refusal(get("/large?100")), 400);
}

#[test]
fn answers_of_every_framing_arrive_whole_and_end_with_close_notify() {
    let certified = Certified::new();
    let (server, _) = start(&certified, Limits::default());
    let config = Arc::new(certified.client());
    for (target, size) in [("/large?3000000", 3_000_000), ("/stream?200000", 200_000)] {
        let mut client = connect(&server, &config);
        client.send(get(target));
        assert_eq!(client.answer().body.len(), size, "{target}");
    }
    // HTTP/1.0 ends its answer with the connection: without close_notify, rustls reports a truncation.
    let mut client = connect(&server, &config);
    client.send("GET /stream?200000 HTTP/1.0\r\n\r\n");
    assert_eq!(client.answer().body.len(), 200_000);
    let mut client = connect(&server, &config);
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(client.answer().text(), "hello");
    client.expect_end();
}

/// RFC 8446 §6.1: else whoever cuts the connection could make half an answer look whole.
#[test]
fn half_an_answer_does_not_end_with_close_notify() {
    let certified = Certified::new();
    let (server, _) = start(&certified, Limits::default());
    let mut client = connect(&server, &Arc::new(certified.client()));
    client.send("GET /broken-stream HTTP/1.0\r\n\r\n");
    let mut all = Vec::new();
    let error = client.stream.read_to_end(&mut all).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
}

#[test]
fn requests_in_one_record_and_a_request_in_many_records_are_the_same() {
    let certified = Certified::new();
    let (server, _) = start(&certified, Limits::default());
    let mut client = connect(&server, &Arc::new(certified.client()));
    client.send(get("/") + &get("/echo?2") + &post("/restore", "abc"));
    assert_eq!(client.answer().text(), "hello");
    assert!(client.answer().text().starts_with("GET /echo?2"));
    assert_eq!(client.answer().text(), "3");
    for byte in get("/echo?3").bytes() {
        client.send([byte]);
    }
    assert!(client.answer().text().starts_with("GET /echo?3"));
}

#[test]
fn http_is_as_strict_inside() {
    let certified = Certified::new();
    let limits = Limits {
        head_timeout: LONGER,
        ..Limits::default()
    };
    let (server, _) = start(&certified, limits);
    let config = Arc::new(certified.client());
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nHost:".to_owned(), 408),
        (
            format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "a".repeat(20_000)),
            431,
        ),
    ] {
        let mut client = connect(&server, &config);
        client.send(&request);
        assert_eq!(client.answer().status, status);
        client.expect_end();
    }
}

#[test]
fn a_handshake_has_the_time_of_a_head_however_its_bytes_trickle_in() {
    let certified = Certified::new();
    let limits = Limits {
        head_timeout: SHORT,
        ..Limits::default()
    };
    let (server, _) = start(&certified, limits);
    let hello = client_hello([3, 3], &[ECDHE_ECDSA_AES128_GCM]);
    for stall in ["nothing", "a part", "a trickle", "all but the end"] {
        let started = Instant::now();
        let mut client = server.connect();
        match stall {
            "nothing" => {}
            "a part" => client.send(&hello[..20]),
            "all but the end" => client.send(&hello),
            _ => {
                let mut sender = client.stream.try_clone().unwrap();
                let hello = hello.clone();
                thread::spawn(move || {
                    for byte in hello {
                        if sender.write_all(&[byte]).is_err() {
                            return;
                        }
                        // All of it would take longer than any limit.
                        thread::sleep(Duration::from_millis(200));
                    }
                });
            }
        }
        let mut sink = Vec::new();
        // The end, or a reset, after whatever the server had to say.
        let _ = client.stream.read_to_end(&mut sink);
        let took = started.elapsed();
        assert!(took >= SHORT / 2 && took < SOON, "{stall}: {took:?}");
    }
}

/// Records arrive, and never a byte of a request: that is no request either.
#[test]
fn records_without_content_do_not_keep_an_idle_connection() {
    let certified = Certified::new();
    let limits = Limits {
        idle_timeout: LONGER,
        ..Limits::default()
    };
    let (server, _) = start(&certified, limits);
    let mut client = connect(&server, &Arc::new(certified.client()));
    client.send(get("/"));
    assert_eq!(client.answer().status, 200);
    let started = Instant::now();
    // A record that never becomes whole, a byte at a time.
    let mut raw = client.stream.sock.try_clone().unwrap();
    thread::spawn(move || {
        for byte in [23, 3, 3, 1, 0].into_iter().chain([0; 100]) {
            if raw.write_all(&[byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(200));
        }
    });
    client.rest();
    let took = started.elapsed();
    assert!(took < LONGER + SOON, "{took:?}");
}

#[test]
fn stalled_handshakes_are_shed_like_idle_connections() {
    let certified = Certified::new();
    let limits = Limits {
        connections: 4,
        head_timeout: NEVER,
        idle_timeout: NEVER,
        idle_timeout_under_pressure: NEVER,
        ..Limits::default()
    };
    let (server, _) = start(&certified, limits);
    let hello = client_hello([3, 3], &[ECDHE_ECDSA_AES128_GCM]);
    let mut stalled: Vec<_> = (0..12).map(|_| server.connect()).collect();
    for (number, client) in stalled.iter_mut().enumerate() {
        // It may have been shed already.
        let _ = client.stream.write_all(&hello[..number * 5]);
    }
    let config = Arc::new(certified.client());
    let started = Instant::now();
    // One that was told to go may take a moment, and there are no words yet to say so in.
    until("served", || {
        let mut client = connect(&server, &config);
        let asked = client.stream.write_all(get("/").as_bytes());
        let mut answer = [0; 12];
        asked.is_ok() && client.stream.read_exact(&mut answer).is_ok() && answer == *b"HTTP/1.1 200"
    });
    assert!(started.elapsed() < SOON);
}

/// What was encrypted takes of the memory like what was not: past its part of it a long record is refused, in words.
#[test]
fn long_records_share_what_there_is_for_large_requests() {
    let certified = Certified::new();
    let limits = Limits {
        large_requests: 16 * 1024,
        ..Limits::default()
    };
    let (server, _) = start(&certified, limits);
    let config = Arc::new(certified.client());
    let long = post("/restore", &"a".repeat(12_000));
    let ask = |request: &str| {
        let mut client = connect(&server, &config);
        client.send(request);
        client.answer().status
    };
    assert_eq!(ask(&long), 200);
    let record = [&[23, 3, 3, 64, 0][..], &[1; 16_000]].concat();
    let mut holding = None;
    // Whoever comes first has the memory: where that was not the record, another one is sent.
    until("held", || {
        let mut endless = connect(&server, &config);
        endless.send(get("/"));
        assert_eq!(endless.answer().status, 200);
        endless.stream.sock.write_all(&record).unwrap();
        let socket = Client::new(endless.stream.sock.try_clone().unwrap());
        until("refused", || socket.has_answer() || ask(&long) == 503);
        let is_held = !socket.has_answer();
        holding = Some(endless);
        is_held
    });
    assert_eq!(ask(&get("/")), 200);
    drop(holding);
    until("given back", || ask(&long) == 200);
}

/// A session joins a message of a handshake of up to 64 KiB: a thousand strangers would fill the memory before they have
/// said anything.
#[test]
fn a_handshake_as_long_as_no_client_needs_is_cut_off() {
    let certified = Certified::new();
    let limits = Limits {
        head_timeout: NEVER,
        idle_timeout: NEVER,
        ..Limits::default()
    };
    let (server, _) = start(&certified, limits);
    let mut hello = vec![1, 0, 234, 96, 3, 3];
    hello.resize(60_000, 0);
    let mut client = server.connect();
    for piece in hello.chunks(10_000) {
        let [high, low] = u16::try_from(piece.len()).unwrap().to_be_bytes();
        client.try_send([&[22, 3, 1, high, low][..], piece].concat());
    }
    // Its end is still to come, and would be waited for.
    let end = client.stream.read_to_end(&mut Vec::new());
    let is_over = |kind| matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe);
    assert!(end.map_or_else(|error| is_over(error.kind()), |_| true));
}

/// Whether the requests came in one record or in many, and however long they are.
#[test]
fn a_client_that_asks_ahead_does_so_inside_as_well() {
    let certified = Certified::new();
    let limits = Limits {
        connections: 16,
        idle_timeout: NEVER,
        ..Limits::default()
    };
    let (server, _) = start(&certified, limits);
    let config = Arc::new(certified.client());
    let _others = [server.connect(), server.connect()];
    for length in [50, 128, 1_024] {
        let request = get("/");
        let padding = "a".repeat(length - request.len() - "X: \r\n".len());
        let request = request.replacen("\r\n\r\n", &format!("\r\nX: {padding}\r\n\r\n"), 1);
        assert_eq!(request.len(), length);
        for in_a_record in [1, 2, 16] {
            let mut ahead = connect(&server, &config);
            ahead.stream.flush().unwrap();
            for _ in 0..32 / in_a_record {
                let mut writer = ahead.stream.conn.writer();
                writer
                    .write_all(request.repeat(in_a_record).as_bytes())
                    .unwrap();
            }
            ahead.stream.flush().unwrap();
            for number in 1..=4 {
                let closes = (number == 4).then_some("close");
                let answer = ahead.answer();
                let of = format!("{number} of {length}, {in_a_record} in a record");
                assert_eq!(answer.header("connection"), closes, "{of}");
            }
            ahead.expect_end();
        }
        let mut patient = connect(&server, &config);
        for _ in 0..30 {
            patient.send(&request);
            assert_eq!(patient.answer().header("connection"), None);
        }
    }
}

#[test]
fn another_certificate_is_shown_from_the_next_handshake_on_and_no_connection_ends() {
    let (old, new) = (Certified::new(), Certified::new());
    let (server, tls) = start(&old, Limits::default());
    let mut stays = connect(&server, &Arc::new(old.client()));
    stays.send(get("/"));
    assert_eq!(stays.answer().status, 200);
    tls.show(new.pair());
    let mut fresh = connect(&server, &Arc::new(new.client()));
    fresh.send(get("/"));
    assert_eq!(fresh.answer().status, 200);
    let error = refused(&server, old.client());
    assert!(
        error.contains("UnknownIssuer") || error.contains("BadSignature"),
        "{error}"
    );
    stays.send(get("/echo?still"));
    assert!(stays.answer().text().starts_with("GET /echo?still"));
}

#[test]
fn a_client_that_comes_back_is_known() {
    let certified = Certified::new();
    let (server, _) = start(&certified, Limits::default());
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let config = Arc::new(certified.client_of(&[version]));
        for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let mut client = connect(&server, &config);
            client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            assert_eq!(client.answer().text(), "hello");
            client.expect_end();
            let kind = client.stream.conn.handshake_kind();
            assert_eq!(kind, Some(expected), "{version:?}");
        }
    }
}

#[test]
fn a_key_of_another_certificate_is_no_pair() {
    let (one, other) = (Certified::new(), Certified::new());
    let key = PrivatePkcs8KeyDer::from(other.key.serialize_der());
    let error = Pair::new(vec![one.der], PrivateKeyDer::Pkcs8(key)).unwrap_err();
    assert!(
        matches!(error, rustls::Error::InconsistentKeys(_)),
        "{error:?}"
    );
    let key = PrivatePkcs8KeyDer::from(other.key.serialize_der());
    assert!(Pair::new(Vec::new(), PrivateKeyDer::Pkcs8(key)).is_err());
}
