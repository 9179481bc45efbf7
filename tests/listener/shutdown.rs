//! How a server ends.

use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use doorlight::server::listener::Limits;

use super::world::{Server, get};

#[test]
fn a_shutdown_without_requests_is_immediate() {
    let server = Server::start();
    let mut idle = server.connect();
    let mut half = server.connect();
    half.send("GET / HT");
    thread::sleep(Duration::from_millis(50));
    let started = Instant::now();
    server.shutdown.trigger();
    idle.expect_end();
    assert!(half.is_cut());
    server.join();
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[test]
fn running_requests_finish_and_their_connections_end() {
    let server = Server::start();
    let mut client = server.connect();
    client.send(get("/slow?500"));
    thread::sleep(Duration::from_millis(100));
    server.shutdown.trigger();
    let answer = client.answer();
    assert_eq!(
        (answer.text(), answer.header("connection")),
        ("slow", Some("close"))
    );
    client.expect_end();
    server.join();
}

#[test]
fn nobody_new_is_served_while_requests_finish() {
    let server = Server::start();
    let mut client = server.connect();
    client.send(get("/slow?500"));
    thread::sleep(Duration::from_millis(100));
    server.shutdown.trigger();
    thread::sleep(Duration::from_millis(100));
    assert!(TcpStream::connect(server.address).is_err());
    assert_eq!(client.answer().text(), "slow");
}

#[test]
fn requests_that_do_not_finish_are_cut_off() {
    let server = Server::with_limits(Limits {
        drain_timeout: Duration::from_millis(300),
        ..Limits::default()
    });
    let mut client = server.connect();
    client.send(get("/slow?3000"));
    thread::sleep(Duration::from_millis(100));
    let started = Instant::now();
    server.shutdown.trigger();
    server.join();
    assert!(started.elapsed() < Duration::from_secs(1));
    assert!(client.is_cut());
}
