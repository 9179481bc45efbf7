//! Attacks where https is spoken: on the handshake, which costs the server most, on records, and those of plain http
//! inside.

use crate::certified::{Authority, started};
use crate::crowd::{Manner, Size, Speech};
use crate::siege::{BUDGET, ENCRYPTED, alone, hold};
use rustls::ClientConfig;
use std::sync::Arc;
use std::time::Duration;

/// The first bytes of a ClientHello that says it has 512 (RFC 8446 §4, §5.1).
const BEGUN: [u8; 11] = [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3];
/// Of a record of a handshake, and of one of data, each with 16 KiB.
const HANDSHAKE: [u8; 5] = [22, 3, 1, 64, 0];
const DATA: [u8; 5] = [23, 3, 3, 64, 0];

/// Lays siege with what each sends at once, and then at each turn.
fn besiege(
    speech: impl FnOnce(Arc<ClientConfig>) -> Speech,
    connections: usize,
    first: &[u8],
    then: &[u8],
    reads: bool,
    budget: u64,
) {
    let _turn = alone();
    let authority = Authority::new();
    let size = Size {
        connections,
        addresses: 100,
    };
    let manner = Manner {
        speech: speech(authority.client()),
        first: first.to_vec(),
        then: then.to_vec(),
        reads,
        turn: Duration::from_secs(1),
    };
    let least = u64::try_from(connections).unwrap();
    hold(&started(&authority, &[]), &size, &manner, least, budget);
}

#[test]
fn handshakes_that_stall_keep_nobody_out() {
    besiege(|_| Speech::Plain, 3_000, &BEGUN, &[0], true, BUDGET);
}

#[test]
fn sessions_that_ask_for_nothing_do_not_fill_the_memory() {
    besiege(Speech::AfterHandshake, 2_000, b"", b"", true, ENCRYPTED);
}

/// A ClientHello of 60,000 bytes in as many records as it needs, whose end never comes.
#[test]
fn handshakes_without_end_do_not_fill_the_memory() {
    let mut hello = vec![1, 0, 234, 96, 3, 3];
    hello.resize(59_000, 0);
    let mut records = Vec::new();
    for piece in hello.chunks(16 * 1024) {
        let [high, low] = u16::try_from(piece.len()).unwrap().to_be_bytes();
        records.extend([HANDSHAKE[0], HANDSHAKE[1], HANDSHAKE[2], high, low]);
        records.extend(piece);
    }
    besiege(|_| Speech::Plain, 2_000, &records, &[], true, BUDGET);
}

/// The first record alone, and after a handshake the first with data: both as long as one may be, but for its end.
#[test]
fn records_without_end_do_not_fill_the_memory() {
    let long = |begun: [u8; 5]| [&begun[..], &[1; 16_000]].concat();
    besiege(
        |_| Speech::Plain,
        2_000,
        &long(HANDSHAKE),
        &[],
        true,
        BUDGET,
    );
    besiege(
        Speech::AfterHandshake,
        2_000,
        &long(DATA),
        &[],
        true,
        ENCRYPTED,
    );
}

#[test]
fn large_bodies_that_stall_do_not_fill_the_memory() {
    let mut request =
        b"POST /token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                        Content-Length: 65000\r\n\r\ngrant_type="
            .to_vec();
    request.resize(60_000, b'a');
    besiege(Speech::Encrypted, 2_000, &request, b"a", true, ENCRYPTED);
}

#[test]
fn heads_without_end_do_not_fill_the_memory() {
    let mut head = b"GET /login HTTP/1.1\r\nHost: a\r\nX-Long: ".to_vec();
    head.resize(15_000, b'a');
    besiege(Speech::Encrypted, 2_000, &head, b"a", true, ENCRYPTED);
}

/// In records so short that each is no more than most clients send.
fn in_short_records(config: Arc<ClientConfig>) -> Speech {
    let mut config = ClientConfig::clone(&config);
    config.max_fragment_size = Some(2_000);
    Speech::Encrypted(Arc::new(config))
}

/// They ask for more and more, and read nothing.
#[test]
fn answers_that_nobody_takes_do_not_fill_the_memory() {
    for target in ["/assets/css/doorlight.css", "/jwks.json", "/login"] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        for speech in [Speech::Encrypted, in_short_records] {
            let (first, then) = (request.repeat(1_000), request.as_bytes());
            besiege(speech, 2_000, first.as_bytes(), then, false, ENCRYPTED);
        }
    }
}
