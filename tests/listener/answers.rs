//! How a handler's answer is written.

use super::world::{Server, get};

#[test]
fn an_answer_has_a_date() {
    let answer = Server::start().ask(get("/"));
    let date = answer.header("date").unwrap();
    assert!(date.len() == 29 && date.ends_with(" GMT"), "{date}");
}

#[test]
fn large_answers_arrive_whole() {
    let server = Server::start();
    for size in [0, 1, 16_383, 16_384, 16_385, 5_000_000] {
        let mut client = server.connect();
        client.send(get(&format!("/large?{size}")));
        assert_eq!(client.answer().body.len(), size);
        client.send(get("/"));
        assert_eq!(client.answer().text(), "hello");
    }
}

#[test]
fn an_answer_of_unknown_size_is_chunked() {
    let server = Server::start();
    let mut client = server.connect();
    for size in [0, 1, 16_384, 100_000] {
        client.send(get(&format!("/stream?{size}")));
        let answer = client.answer();
        assert_eq!(answer.header("transfer-encoding"), Some("chunked"));
        assert_eq!(
            (answer.header("content-length"), answer.body.len()),
            (None, size)
        );
    }
}

#[test]
fn an_answer_of_unknown_size_ends_with_the_connection_in_http_10() {
    let answer =
        Server::start().ask("GET /stream?100000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!(
        (
            answer.header("connection"),
            answer.header("transfer-encoding")
        ),
        (Some("close"), None)
    );
    assert_eq!(answer.body.len(), 100_000);
}

#[test]
fn a_handler_does_not_decide_how_its_answer_is_framed() {
    let answer = Server::start().ask(get("/hop"));
    assert_eq!(
        (answer.text(), answer.header("content-length")),
        ("hop", Some("3"))
    );
    assert_eq!(answer.header("x-kept"), Some("yes"));
    for name in ["connection", "transfer-encoding", "trailer"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
}

#[test]
fn a_header_that_breaks_out_of_its_line_is_never_written() {
    let server = Server::start();
    for what in ["cr", "lf", "nul", "name"] {
        let answer = server.ask(get(&format!("/header?{what}")));
        assert_eq!(answer.status, 500, "{what}");
        assert!(!answer.head.contains("Set-Cookie") && !answer.head.contains("X-Worse"));
    }
}

#[test]
fn no_content_and_not_modified_have_no_body() {
    let server = Server::start();
    let mut client = server.connect();
    for status in [204, 304] {
        client.send(get(&format!("/status?{status}")));
        let answer = client.answer();
        assert_eq!(
            (answer.status, answer.header("content-length")),
            (status, None)
        );
    }
}

#[test]
fn a_status_that_is_none_becomes_an_internal_error() {
    let server = Server::start();
    for status in [0, 99, 101, 1000] {
        assert_eq!(
            server.refusal(get(&format!("/status?{status}"))),
            500,
            "{status}"
        );
    }
}

#[test]
fn a_body_shorter_than_it_says_is_never_taken_for_whole() {
    let server = Server::start();
    assert_eq!(server.refusal(get("/short")), 500);
    for target in ["/short-and-large", "/broken-stream"] {
        let mut client = server.connect();
        client.send(get(target));
        let answer = client.answer_to_head();
        assert_eq!(answer.status, 200);
        let rest = client.rest();
        assert!(
            rest.len() < 100_001 && !rest.ends_with(b"0\r\n\r\n"),
            "{target}"
        );
    }
}

#[test]
fn a_body_longer_than_it_says_is_cut() {
    let server = Server::start();
    let mut client = server.connect();
    client.send(get("/long") + &get("/"));
    assert_eq!(client.answer().body.len(), 10);
    assert_eq!(client.answer().text(), "hello");
}

#[test]
fn a_panicking_handler_harms_nobody_else() {
    let server = Server::start();
    let mut bystander = server.connect();
    bystander.send(get("/"));
    assert_eq!(bystander.answer().text(), "hello");
    for _ in 0..10 {
        assert_eq!(server.refusal(get("/panic")), 500);
    }
    bystander.send(get("/"));
    assert_eq!(bystander.answer().text(), "hello");
    assert_eq!(server.ask(get("/")).text(), "hello");
}
