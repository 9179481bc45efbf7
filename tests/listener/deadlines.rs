//! Clients that take their time. The limits are shortened, the proportions kept.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::thread;
use std::time::{Duration, Instant};

use doorlight::server::listener::Limits;

use super::world::{NEVER, SOON, Server, get, keeps_pace};

const SHORT: Duration = Duration::from_millis(400);
/// Where a client has to do something before it is over.
const LONGER: Duration = Duration::from_secs(3);

#[test]
fn a_head_that_stalls_is_answered_408() {
    let server = Server::with_limits(Limits {
        head_timeout: SHORT,
        ..Limits::default()
    });
    let started = Instant::now();
    assert_eq!(server.refusal("GET / HTTP/1.1\r\nHost:"), 408);
    assert!(started.elapsed() >= SHORT && started.elapsed() < SOON);
}

#[test]
fn a_head_that_trickles_in_has_one_deadline_from_its_first_byte() {
    let server = Server::with_limits(Limits {
        head_timeout: SHORT,
        ..Limits::default()
    });
    let mut client = server.connect();
    let mut sender = client.stream.try_clone().unwrap();
    let trickle = thread::spawn(move || {
        let endless = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "a".repeat(2_000));
        for byte in endless.bytes() {
            if sender.write_all(&[byte]).is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
    });
    let started = Instant::now();
    assert_eq!(client.answer().status, 408);
    assert!(started.elapsed() < SOON);
    client.stream.shutdown(Shutdown::Both).unwrap();
    trickle.join().unwrap();
}

#[test]
fn the_second_head_of_a_connection_has_the_same_deadline() {
    let server = Server::with_limits(Limits {
        head_timeout: SHORT,
        ..Limits::default()
    });
    let mut client = server.connect();
    client.send(get("/") + "GET / HT");
    assert_eq!(client.answer().status, 200);
    assert_eq!(client.answer().status, 408);
    client.expect_end();
}

#[test]
fn a_body_that_stalls_is_answered_408() {
    let server = Server::with_limits(Limits {
        body_timeout: SHORT,
        ..Limits::default()
    });
    assert_eq!(
        server.refusal("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell"),
        408
    );
    assert_eq!(
        server.refusal("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhell"),
        408
    );
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let server = Server::with_limits(Limits {
        idle_timeout: LONGER,
        ..Limits::default()
    });
    let mut silent = server.connect();
    let started = Instant::now();
    let mut client = server.connect();
    client.send(get("/"));
    assert_eq!(client.answer().status, 200);
    client.expect_end();
    silent.expect_end();
    assert!(started.elapsed() >= LONGER && started.elapsed() < LONGER + SOON);
}

#[test]
fn idle_connections_are_closed_sooner_under_pressure() {
    let limits = Limits {
        connections: 4,
        idle_timeout_under_pressure: SHORT,
        ..Limits::default()
    };
    let server = Server::with_limits(limits);
    let mut client = server.connect();
    client.send(get("/held?1"));
    server.was_asked(1);
    let mut others = [server.connect(), server.connect()];
    for other in &mut others {
        other.send(get("/held?2"));
    }
    server.was_asked(3);
    let started = Instant::now();
    server.held.let_go(1);
    assert_eq!(client.answer().status, 200);
    client.expect_end();
    assert!(started.elapsed() >= SHORT && started.elapsed() < SOON);
}

#[test]
fn a_client_that_never_reads_its_answer_is_dropped() {
    let server = Server::with_limits(Limits {
        write_timeout: SHORT,
        drain_timeout: NEVER,
        ..Limits::default()
    });
    let mut client = server.connect();
    client.send(get("/large?50000000"));
    server.was_asked(1);
    // The shutdown waits for this answer alone.
    let started = Instant::now();
    server.shutdown.trigger();
    server.join();
    assert!(started.elapsed() < SOON);
    drop(client);
}

#[test]
fn a_client_that_reads_slowly_but_steadily_gets_its_answer() {
    keeps_pace("all of the answer arrives", |limit| {
        let server = Server::with_limits(Limits {
            write_timeout: limit,
            ..Limits::default()
        });
        let mut client = server.connect();
        client.send(get("/large?8000000"));
        assert_eq!(client.answer_to_head().status, 200);
        let mut received = 0;
        while received < 7_000_000 {
            let mut piece = vec![0; 400_000];
            match client.stream.read(&mut piece) {
                Ok(0) | Err(_) => return false,
                Ok(count) => received += count,
            }
            thread::sleep(limit / 8);
        }
        true
    });
}
