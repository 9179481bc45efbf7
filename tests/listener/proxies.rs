//! Who the handler believes its client to be.

use doorlight::server::listener::Limits;

use super::world::Server;

const FORWARDED: &str = "GET /echo HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.66, 192.0.2.7\r\n\
    X-Forwarded-Proto: https\r\nX-Forwarded-Host: door.example\r\nForwarded: for=192.0.2.8\r\n\r\n";

#[test]
fn forwarded_fields_of_a_trusted_proxy_name_the_client_and_the_scheme() {
    let server = Server::with(Limits::default(), &["127.0.0.0/8"]);
    let answer = server.ask(FORWARDED);
    assert!(
        answer.text().contains("from 192.0.2.7:0 https\n"),
        "{}",
        answer.text()
    );
    assert!(answer.text().contains("X-Forwarded-Host: door.example\n"));
}

#[test]
fn forwarded_fields_of_anyone_else_are_neither_believed_nor_shown() {
    let server = Server::with(Limits::default(), &["192.0.2.0/24"]);
    let answer = server.ask(FORWARDED);
    assert!(
        answer.text().contains("from 127.0.0.1:") && answer.text().contains(" http\n"),
        "{}",
        answer.text()
    );
    assert!(
        !answer.text().to_ascii_lowercase().contains("forwarded"),
        "{}",
        answer.text()
    );
}

#[test]
fn a_malformed_forwarded_for_names_the_proxy() {
    let server = Server::with(Limits::default(), &["127.0.0.1/32"]);
    let answer =
        server.ask("GET /echo HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7, who\r\n\r\n");
    assert!(
        answer.text().contains("from 127.0.0.1:"),
        "{}",
        answer.text()
    );
}
