//! Which bytes are a request, and where it ends.

use super::world::{Server, get, post};

fn with_fields(fields: &str) -> String {
    format!("GET /echo HTTP/1.1\r\nHost: door.example\r\n{fields}\r\n")
}

fn chunked(body: &str) -> String {
    format!("POST /echo HTTP/1.1\r\nHost: door.example\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
}

#[test]
fn a_body_of_known_length_reaches_the_handler() {
    let answer = Server::start().ask(post("/echo", "grant_type=x"));
    assert!(
        answer.text().ends_with("body \"grant_type=x\"\n"),
        "{}",
        answer.text()
    );
}

#[test]
fn a_chunked_body_reaches_the_handler_without_its_extensions_and_trailers() {
    let answer = Server::start().ask(chunked(
        "5;name=\"value\"\r\nhello\r\n006\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n",
    ));
    assert!(
        answer.text().ends_with("body \"hello world\"\n"),
        "{}",
        answer.text()
    );
    assert!(!answer.text().contains("X-Sum"));
}

#[test]
fn a_request_in_single_bytes_is_the_same_request() {
    let server = Server::start();
    let mut client = server.connect();
    for byte in chunked("5\r\nhello\r\n0\r\n\r\n").bytes() {
        client.send([byte]);
    }
    assert!(client.answer().text().ends_with("body \"hello\"\n"));
}

#[test]
fn content_length_beside_transfer_encoding_is_refused() {
    let server = Server::start();
    for fields in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
        "Transfer-Encoding: identity\r\nContent-Length: 5\r\n",
    ] {
        assert_eq!(
            server.refusal(with_fields(fields) + "0\r\n\r\n"),
            400,
            "{fields}"
        );
    }
}

#[test]
fn repeated_lengths_are_refused_even_if_equal() {
    let server = Server::start();
    for fields in [
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\ncontent-length: 6\r\n",
    ] {
        assert_eq!(
            server.refusal(with_fields(fields) + "hello"),
            400,
            "{fields}"
        );
    }
}

#[test]
fn malformed_lengths_are_refused() {
    let server = Server::start();
    for length in [
        "",
        "+5",
        "-1",
        "5, 5",
        "5 5",
        "0x5",
        "5.0",
        "18446744073709551616",
        "٥",
    ] {
        assert_eq!(
            server.refusal(with_fields(&format!("Content-Length: {length}\r\n"))),
            400,
            "{length}"
        );
    }
}

#[test]
fn transfer_codings_other_than_exactly_chunked_are_refused() {
    let server = Server::start();
    for coding in [
        "gzip",
        "gzip, chunked",
        "chunked, chunked",
        "identity",
        "chunked;q=1",
        "xchunked",
        "",
        "\"chunked\"",
    ] {
        assert_eq!(
            server.refusal(with_fields(&format!("Transfer-Encoding: {coding}\r\n"))),
            501,
            "{coding}"
        );
    }
    assert_eq!(
        server.refusal(with_fields(
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"
        )),
        501
    );
    assert_eq!(
        server.refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        400
    );
}

#[test]
fn obsolete_line_folding_is_refused() {
    let server = Server::start();
    assert_eq!(server.refusal(with_fields("X-A: b\r\n c\r\n")), 400);
    assert_eq!(server.refusal(with_fields("X-A: b\r\n\tc\r\n")), 400);
    assert_eq!(server.refusal("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), 400);
}

#[test]
fn bare_carriage_returns_line_feeds_and_nul_in_the_head_are_refused() {
    let server = Server::start();
    for request in [
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: b\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n",
        "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: b\x7fc\r\n\r\n",
    ] {
        assert_eq!(server.refusal(request), 400, "{request:?}");
    }
}

#[test]
fn white_space_before_the_colon_is_refused() {
    let server = Server::start();
    assert_eq!(server.refusal("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), 400);
    assert_eq!(server.refusal(with_fields("Content-Length\t: 5\r\n")), 400);
}

#[test]
fn malformed_request_lines_and_fields_are_refused() {
    let server = Server::start();
    for request in [
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /\r\nHost: a\r\n\r\n",
        "GE T / HTTP/1.1\r\nHost: a\r\n\r\n",
        "G\"T / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nNo colon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n: empty\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX(Y): z\r\n\r\n",
        "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        let status = server.refusal(request);
        assert!(status == 400 || status == 505, "{request:?}: {status}");
    }
    assert_eq!(
        server.ask("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").status,
        200
    );
}

#[test]
fn http_11_has_exactly_one_host() {
    let server = Server::start();
    assert_eq!(server.refusal("GET / HTTP/1.1\r\n\r\n"), 400);
    assert_eq!(
        server.refusal("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        400
    );
    for host in [
        "",
        "a/b",
        "a b",
        "user@a",
        "a:b",
        "a:123456",
        "[::1",
        "[nonsense]",
        "a,b@c",
    ] {
        assert_eq!(
            server.refusal(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")),
            400,
            "{host}"
        );
    }
    for host in ["a", "a.example:8443", "127.0.0.1", "[::1]", "[::1]:80"] {
        assert_eq!(
            server
                .ask(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"))
                .status,
            200,
            "{host}"
        );
    }
}

#[test]
fn an_absolute_target_becomes_origin_form_and_names_the_host() {
    let answer =
        Server::start().ask("GET HTTP://door.example:81/echo?a=b HTTP/1.1\r\nHost: other\r\n\r\n");
    assert!(
        answer.text().starts_with("GET /echo?a=b\n"),
        "{}",
        answer.text()
    );
    assert!(answer.text().contains("Host: door.example:81\n") && !answer.text().contains("other"));
}

#[test]
fn other_targets_are_refused() {
    let server = Server::start();
    for target in [
        "*",
        "door.example:443",
        "echo",
        "/a#b",
        "/é",
        "http://",
        "http://u@a/",
        "ftp://a/",
        "http:///a",
    ] {
        assert_eq!(
            server.refusal(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")),
            400,
            "{target}"
        );
    }
}

#[test]
fn other_versions_are_refused() {
    let server = Server::start();
    assert_eq!(server.refusal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
    assert_eq!(server.refusal("GET / HTTP/3.0\r\nHost: a\r\n\r\n"), 505);
    assert_eq!(server.refusal("GET / HTTP/1.2\r\nHost: a\r\n\r\n"), 505);
}

#[test]
fn a_client_that_speaks_tls_is_told_at_once() {
    assert_eq!(
        Server::start().refusal(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
        400
    );
}

#[test]
fn a_head_beyond_its_limit_is_refused() {
    let server = Server::start();
    let head_of = |size: usize| {
        let empty = with_fields("X: \r\n").len();
        with_fields(&format!("X: {}\r\n", "a".repeat(size - empty)))
    };
    assert_eq!(server.ask(head_of(16 * 1024)).status, 200);
    assert_eq!(server.refusal(head_of(16 * 1024 + 1)), 431);
    assert_eq!(
        server.refusal("GET /".to_owned() + &"a".repeat(100_000)),
        431
    );
    assert_eq!(server.refusal(with_fields(&"X: y\r\n".repeat(100))), 431);
}

#[test]
fn a_body_beyond_its_limit_is_refused_before_it_is_read() {
    let server = Server::start();
    assert_eq!(
        server.ask(post("/restore", &"x".repeat(65_536))).text(),
        "65536"
    );
    assert_eq!(
        server.refusal("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n"),
        413
    );
    assert_eq!(
        server
            .refusal("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n"),
        413
    );
}

#[test]
fn a_client_that_sends_a_large_body_all_the_same_sees_the_refusal() {
    let server = Server::start();
    for _ in 0..20 {
        assert_eq!(server.refusal(post("/", &"x".repeat(1_000_000))), 413);
    }
}

#[test]
fn a_chunked_body_beyond_its_limit_is_refused_by_the_chunk_that_announces_it() {
    let server = Server::start();
    assert_eq!(server.refusal(chunked("10001\r\n")), 413);
    assert_eq!(server.refusal(chunked("ffffffffffffffff\r\n")), 413);
    assert_eq!(
        server.refusal(chunked(
            &("8000\r\n".to_owned() + &"x".repeat(0x8000) + "\r\n8001\r\n")
        )),
        413
    );
}

#[test]
fn a_service_may_allow_some_requests_a_larger_body() {
    let server = Server::start();
    let request = post("/restore", &"x".repeat(1024 * 1024)).replacen("POST", "PUT", 1);
    assert_eq!(server.ask(request).text(), "1048576");
    let request = post("/restore", &"x".repeat(1024 * 1024 + 1)).replacen("POST", "PUT", 1);
    assert_eq!(server.refusal(request), 413);
}

#[test]
fn malformed_chunks_are_refused() {
    let server = Server::start();
    for body in [
        "\r\n",
        "x\r\n",
        "-1\r\n",
        "0x5\r\nhello\r\n",
        "5 \r\nhello\r\n",
        " 5\r\nhello\r\n",
        "5\nhello\r\n",
        "5\rhello",
        "5\r\nhelloo",
        "5\r\nhello\n",
        "00000000000000005\r\n",
        "5;a\nb\r\n",
        "5;a\0\r\n",
        "0\r\n folded\r\n",
        "0\r\nX: y\n",
    ] {
        assert_eq!(server.refusal(chunked(body)), 400, "{body:?}");
    }
}

#[test]
fn chunk_extensions_and_trailers_are_bounded() {
    let server = Server::start();
    assert_eq!(
        server.refusal(chunked(&format!("1;{}\r\n", "a".repeat(5000)))),
        400
    );
    assert_eq!(
        server.refusal(chunked(&"1;aaaaaaaaa\r\nx\r\n".repeat(1000))),
        400
    );
    assert_eq!(
        server.refusal(chunked(&format!("0\r\n{}\r\n", "X: y\r\n".repeat(2000)))),
        400
    );
}

#[test]
fn a_get_with_a_body_does_not_smuggle_a_request() {
    let server = Server::start();
    let mut client = server.connect();
    let inner = get("/panic");
    client.send(format!(
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{inner}{}",
        inner.len(),
        get("/echo")
    ));
    assert_eq!(client.answer().text(), "hello");
    assert!(client.answer().text().starts_with("GET /echo\n"));
}
