use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use super::super::limits::Limits;
use super::super::memory::Memory;
use super::super::registry::{Peer, Registry};
use super::super::socket::Socket;
use super::*;

/// A client, and the server's end of its connection.
fn connected(memory: &Memory) -> (TcpStream, Wire<'_>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (stream, address) = listener.accept().unwrap();
    let registry = Arc::new(Registry::new(&Limits::default()));
    let ticket = registry
        .admit(Socket::Tcp(stream), Peer::of(address.ip()), false)
        .unwrap();
    (
        client,
        Wire::new(
            ticket,
            Duration::from_secs(5),
            None,
            memory.nothing_for(None),
        )
        .unwrap(),
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
fn a_head_that_is_not_small_takes_what_its_bytes_do_and_hands_it_over() {
    const ALL: usize = 16_000;
    let memory = Memory::of(ALL);
    let left = || {
        (0..=ALL)
            .rev()
            .find(|left| memory.take(*left, None).is_some())
    };
    let (mut client, mut wire) = connected(&memory);
    client.write_all(&[b'a'; 6_000]).unwrap();
    let mut input = Input::new(memory.nothing_for(None));
    read(&mut input, &mut wire, SMALL);
    assert_eq!(left(), Some(ALL));
    read(&mut input, &mut wire, 6_000);
    assert_eq!(left(), Some(ALL + SMALL - input.storage.len()));

    let mut other = Input::new(memory.nothing_for(None));
    let most = memory.take(left().unwrap() - 2 * SMALL, None);
    client.write_all(&[b'b'; 10_000]).unwrap();
    read(&mut other, &mut wire, 2 * SMALL);
    let refused = other.fill(&mut wire, Duration::from_secs(5));
    assert_eq!(
        (refused, other.unread().len()),
        (Arrived::TooMuch, 2 * SMALL)
    );
    drop((other, most));

    // 5,000 bytes were the head, 1,000 were sent ahead.
    input.consume(5_000);
    let all = memory.take(left().unwrap(), None);
    let share = input.hand_over(5_000 - SMALL);
    assert_eq!(input.unread(), [b'a'; 1_000], "what was sent ahead is gone");
    drop(all);
    assert_eq!(left(), Some(ALL + SMALL - 5_000));
    drop(share);
    assert_eq!(left(), Some(ALL));
}

/// The second request is shorter than the first, whose end would stay.
#[test]
fn nothing_that_was_read_stands_in_a_buffer_that_is_wiped() {
    let memory = Memory::of(0);
    let (mut client, mut wire) = connected(&memory);
    let mut input = Input::new(memory.nothing_for(None));
    for request in [&b"password=correct-horse-battery-staple"[..], b"short"] {
        client.write_all(request).unwrap();
        read(&mut input, &mut wire, request.len());
        input.consume(request.len());
    }
    assert!(input.storage.iter().any(|byte| *byte != 0));
    input.wipe();
    assert!(input.storage.iter().all(|byte| *byte == 0));
}
