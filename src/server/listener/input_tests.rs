use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use super::super::limits::Limits;
use super::super::registry::{Peer, Registry};
use super::super::socket::Socket;
use super::*;

/// A client, and the server's end of its connection.
fn connected() -> (TcpStream, Wire) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (stream, address) = listener.accept().unwrap();
    let registry = Arc::new(Registry::new(&Limits::default()));
    let ticket = registry
        .admit(Socket::Tcp(stream), Peer::of(address.ip()), false)
        .unwrap();
    (
        client,
        Wire::new(ticket, Duration::from_secs(5), None).unwrap(),
    )
}

/// Until so many bytes are unread.
fn read(input: &mut Input<'_>, wire: &mut Wire, count: usize) {
    while input.unread().len() < count {
        let arrived = input.fill(wire, Duration::from_secs(5));
        assert!(matches!(arrived, Arrived::Bytes(_)), "{arrived:?}");
    }
}

#[test]
fn a_head_that_is_not_small_takes_its_share_and_gives_it_back() {
    let (mut client, mut wire) = connected();
    client.write_all(&[b'a'; 6_000]).unwrap();
    let memory = Memory::of(20_000);
    let mut input = Input::default();
    read(&mut input, &mut wire, SMALL_HEAD - 1);
    input.allow_head(&memory, None, 16_000).unwrap();
    read(&mut input, &mut wire, SMALL_HEAD);
    input.allow_head(&memory, None, 16_000).unwrap();
    assert!(memory.take(20_000, None).is_none(), "nothing was taken");
    read(&mut input, &mut wire, 6_000);

    let mut other = Input::default();
    client.write_all(&[b'b'; SMALL_HEAD]).unwrap();
    read(&mut other, &mut wire, SMALL_HEAD);
    let refused = other.allow_head(&memory, None, 16_000);
    assert!(matches!(refused, Err(Refusal::Overloaded)), "{refused:?}");

    input.consume(100);
    input.shrink_to(0);
    assert!(
        other.allow_head(&memory, None, 16_000).is_err(),
        "5,900 bytes are unread"
    );
    input.consume(3_000);
    input.shrink_to(0);
    assert_eq!(input.unread(), [b'a'; 2_900], "what was sent ahead is gone");
    other.allow_head(&memory, None, 16_000).unwrap();
}

/// The second request is shorter than the first, whose end would stay.
#[test]
fn nothing_that_was_read_stands_in_a_buffer_that_is_wiped() {
    let (mut client, mut wire) = connected();
    let mut input = Input::default();
    for request in [&b"password=correct-horse-battery-staple"[..], b"short"] {
        client.write_all(request).unwrap();
        read(&mut input, &mut wire, request.len());
        input.consume(request.len());
    }
    assert!(input.storage.iter().any(|byte| *byte != 0));
    input.wipe();
    assert!(input.storage.iter().all(|byte| *byte == 0));
}
