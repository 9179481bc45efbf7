//! How a server ends.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use doorlight::server::listener::Limits;

use super::world::{Client, NEVER, SOON, Server, get, until};

#[test]
fn a_shutdown_without_requests_is_immediate() {
    let server = Server::start();
    let mut idle = greeted(&server);
    let mut half = greeted(&server);
    half.send("GET / HT");
    let started = Instant::now();
    server.shutdown.trigger();
    idle.expect_end();
    assert!(half.is_cut());
    server.join();
    assert!(started.elapsed() < SOON);
}

/// A client that was answered and has not gone.
fn greeted(server: &Server) -> Client<TcpStream> {
    let mut client = server.connect();
    client.send(get("/"));
    assert_eq!(client.answer().text(), "hello");
    client
}

#[test]
fn running_requests_finish_and_their_connections_end() {
    let server = Server::with_limits(Limits {
        drain_timeout: NEVER,
        ..Limits::default()
    });
    let mut idle = greeted(&server);
    let mut client = server.connect();
    client.send(get("/held"));
    server.was_asked(2);
    server.shutdown.trigger();
    // It is under way once nobody is idle any more.
    idle.expect_end();
    server.held.let_all_go();
    let answer = client.answer();
    assert_eq!(
        (answer.text(), answer.header("connection")),
        ("held", Some("close"))
    );
    client.expect_end();
    server.join();
}

#[test]
fn nobody_new_is_served_while_requests_finish() {
    let server = Server::with_limits(Limits {
        drain_timeout: NEVER,
        ..Limits::default()
    });
    let mut client = server.connect();
    client.send(get("/held"));
    server.was_asked(1);
    server.shutdown.trigger();
    until("closed", || TcpStream::connect(server.address).is_err());
    server.held.let_all_go();
    assert_eq!(client.answer().text(), "held");
}

#[test]
fn requests_that_do_not_finish_are_cut_off() {
    let server = Server::with_limits(Limits {
        drain_timeout: Duration::from_millis(300),
        ..Limits::default()
    });
    let mut client = server.connect();
    client.send(get("/held"));
    server.was_asked(1);
    let started = Instant::now();
    server.shutdown.trigger();
    server.join();
    assert!(started.elapsed() < SOON);
    assert!(client.is_cut());
}
