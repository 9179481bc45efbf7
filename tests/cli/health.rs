//! `doorlight health`: the socket, and the address where the socket does not answer.

use super::refused;
use crate::world::World;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::process::Output;
use std::thread;
use std::time::{Duration, Instant};

/// As a check that knows the address and not the data file, or may not open its socket.
fn from_elsewhere(elsewhere: &World, listen: &str) -> Output {
    elsewhere.run(&["health", "--listen", listen], "")
}

#[test]
fn health_needs_the_address_alone() {
    let (world, elsewhere) = (World::started(), World::empty());
    for listen in ["127.0.0.1", "0.0.0.0"] {
        let output = from_elsewhere(&elsewhere, &format!("{listen}:{}", world.port));
        assert!(output.status.success(), "{output:?}");
        assert_eq!(output.stdout, b"{\"ready\":true}\n");
    }
    assert!(!elsewhere.data().exists());
}

#[test]
fn a_socket_that_does_not_answer_is_given_up() {
    let (world, elsewhere) = (World::started(), World::empty());
    let _silent = UnixListener::bind(elsewhere.dir.join("doorlight.sock")).unwrap();
    let output = from_elsewhere(&elsewhere, &format!("127.0.0.1:{}", world.port));
    assert!(output.status.success(), "{output:?}");
}

/// Whoever answers there, and says so: one line, exit code 1, in good time.
fn refused_by(answer: &'static [u8], pause: Duration) -> String {
    let world = World::empty();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 1024];
        assert!(stream.read(&mut head).unwrap() > 0);
        for byte in answer {
            // The verb may have gone.
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
            thread::sleep(pause);
        }
    });
    let begun = Instant::now();
    let line = refused(&from_elsewhere(&world, &listen), 1);
    assert!(begun.elapsed() < Duration::from_secs(20), "{line}");
    line
}

#[test]
fn health_says_why_not() {
    let unable = refused_by(
        b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\nthe data file cannot be written\n",
        Duration::ZERO,
    );
    assert!(unable.contains("cannot write"), "{unable}");
    let other = refused_by(
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello",
        Duration::ZERO,
    );
    assert!(other.contains("is no Doorlight"), "{other}");
    let slow = refused_by(
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nready\n",
        Duration::from_secs(1),
    );
    assert!(slow.contains("within 3 s"), "{slow}");
}
