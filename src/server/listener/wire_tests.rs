//! How long an answer may take; the rest is told on the wire, in `tests/listener`.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;

use rustix::net::sockopt::set_socket_send_buffer_size;

use super::super::limits::Limits;
use super::super::memory::Memory;
use super::super::registry::{Peer, Registry};
use super::*;

/// Whoever made room for each piece just in time once had an answer for as long as they liked.
#[test]
fn an_answer_has_one_deadline_however_its_pieces_fit_into_what_the_client_takes() {
    let (server, mut client) = UnixStream::pair().unwrap();
    set_socket_send_buffer_size(&server, 4_096).unwrap();
    let registry = Arc::new(Registry::new(&Limits::default()));
    let socket = Socket::Unix(server);
    let ticket = registry.admit(socket, Peer::Local, false).unwrap();
    let memory = Memory::of(0);
    let timeout = Duration::from_millis(500);
    let mut wire = Wire::new(ticket, timeout, None, memory.nothing_for(None)).unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            // A quarter of the slowest rate, to the end.
            while client.read_exact(&mut [0; 256]).is_ok() {
                thread::sleep(timeout / 2);
            }
        });
        let mut answer = wire.begin_answer();
        let end = (0..200).find_map(|_| answer.write_all(&[b'a'; 256]).err());
        assert!(end.is_some_and(|error| is_timeout(&error)));
        assert!(answer.sent < 100 * 256, "{}", answer.sent);
        drop(answer);
        drop(wire);
    });
}
