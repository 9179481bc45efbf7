//! The way from http to https, and that nothing else is to be had there.

use crate::certified::{Authority, started};
use crate::world::{Reserved, World};
use std::io::{Read, Write};
use std::net::TcpStream;

fn started_with_redirect() -> (World, Reserved) {
    let reserved = Reserved::new();
    let address = format!("127.0.0.1:{}", reserved.port);
    let world = started(&Authority::new(), &["--http-redirect", &address]);
    (world, reserved)
}

/// The whole answer to a request in the clear.
fn plain(Reserved { port, .. }: &Reserved, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", *port)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_browser_is_sent_to_the_issuer_whatever_host_it_names() {
    let (world, port) = started_with_redirect();
    for (method, target, host) in [
        ("GET", "/login?a=b", "evil.example"),
        ("HEAD", "/login?a=b", "127.0.0.1"),
        ("GET", "http://evil.example/login?a=b", "evil.example"),
        ("GET", "/login?a=b", "evil.example:443"),
    ] {
        let extra = "X-Forwarded-Host: evil.example\r\nForwarded: host=evil.example\r\n";
        let answer = plain(
            &port,
            &format!(
                "{method} {target} HTTP/1.1\r\nHost: {host}\r\n{extra}Connection: close\r\n\r\n"
            ),
        );
        assert!(answer.starts_with("HTTP/1.1 308 "), "{answer}");
        let location = format!("\r\nLocation: {}/login?a=b\r\n", world.issuer());
        assert!(answer.contains(&location), "{answer}");
        assert!(!answer.contains("evil"), "{answer}");
    }
}

#[test]
fn no_page_cookie_or_token_is_to_be_had_in_the_clear() {
    let (world, port) = started_with_redirect();
    let client = world.trusted();
    let form = "grant_type=client_credentials";
    let token = plain(
        &port,
        &format!(
            "POST /token HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}Content-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{form}",
            client.basic(),
            form.len()
        ),
    );
    assert!(token.starts_with("HTTP/1.1 405 "), "{token}");
    for path in [
        "/",
        "/admin",
        "/jwks.json",
        "/readyz",
        "/.well-known/openid-configuration",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = plain(&port, &request);
        assert!(answer.starts_with("HTTP/1.1 308 "), "{answer}");
        assert!(
            !answer.to_ascii_lowercase().contains("set-cookie"),
            "{answer}"
        );
    }
}
