//! Clients that take their time. The limits are shortened, the proportions kept.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use doorlight::server::listener::Limits;

use super::world::{Server, get};

const SHORT: Duration = Duration::from_millis(400);

#[test]
fn a_head_that_stalls_is_answered_408() {
    let server = Server::with_limits(Limits {
        head_timeout: SHORT,
        ..Limits::default()
    });
    let started = Instant::now();
    assert_eq!(server.refusal("GET / HTTP/1.1\r\nHost:"), 408);
    assert!(started.elapsed() >= SHORT && started.elapsed() < SHORT * 3);
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
        let endless = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "a".repeat(200));
        for byte in endless.bytes() {
            if sender.write_all(&[byte]).is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
    });
    let started = Instant::now();
    assert_eq!(client.answer().status, 408);
    assert!(started.elapsed() < SHORT * 3);
    drop(client);
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
        idle_timeout: SHORT,
        ..Limits::default()
    });
    server.connect().expect_end();
    let mut client = server.connect();
    client.send(get("/"));
    assert_eq!(client.answer().status, 200);
    let started = Instant::now();
    client.expect_end();
    assert!(started.elapsed() >= SHORT / 2 && started.elapsed() < SHORT * 3);
}

#[test]
fn idle_connections_are_closed_sooner_under_pressure() {
    let limits = Limits {
        connections: 4,
        idle_timeout_under_pressure: SHORT,
        ..Limits::default()
    };
    let server = Server::with_limits(limits);
    let _others = [server.connect(), server.connect()];
    let mut client = server.connect();
    client.send(get("/slow?100"));
    assert_eq!(client.answer().status, 200);
    let started = Instant::now();
    client.expect_end();
    assert!(started.elapsed() < SHORT * 3);
}

#[test]
fn a_client_that_never_reads_its_answer_is_dropped() {
    let server = Server::with_limits(Limits {
        write_timeout: SHORT,
        drain_timeout: SHORT * 10,
        ..Limits::default()
    });
    let mut client = server.connect();
    client.send(get("/large?50000000"));
    thread::sleep(SHORT * 5);
    // Nothing is left for the shutdown to wait for.
    let started = Instant::now();
    server.shutdown.trigger();
    server.join();
    assert!(started.elapsed() < SHORT * 2);
    drop(client);
}

#[test]
fn a_client_that_reads_slowly_but_steadily_gets_its_answer() {
    let server = Server::with_limits(Limits {
        write_timeout: SHORT,
        ..Limits::default()
    });
    let mut client = server.connect();
    client.send(get("/large?8000000"));
    let head = client.answer_to_head();
    assert_eq!(head.status, 200);
    let mut received = 0;
    while received < 7_000_000 {
        let mut piece = vec![0; 400_000];
        received += std::io::Read::read(&mut client.stream, &mut piece).unwrap();
        thread::sleep(Duration::from_millis(50));
    }
}
