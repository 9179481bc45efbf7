//! Several requests on one connection, and when it ends.

use doorlight::server::listener::Limits;

use super::world::{NEVER, Server, get, post};

#[test]
fn a_connection_serves_many_requests() {
    let server = Server::start();
    let mut client = server.connect();
    for _ in 0..100 {
        client.send(get("/"));
        assert_eq!(client.answer().text(), "hello");
        client.send(post("/echo", "body"));
        assert!(client.answer().text().contains("body \"body\""));
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Server::start();
    let mut client = server.connect();
    let requests: String = (0..50)
        .map(|number| post(&format!("/echo?{number}"), &"b".repeat(number * 10)))
        .collect();
    client.send(requests);
    for number in 0..50 {
        assert!(
            client
                .answer()
                .text()
                .starts_with(&format!("POST /echo?{number}\n"))
        );
    }
}

#[test]
fn connection_close_ends_the_connection_after_the_answer() {
    let server = Server::start();
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: TE, Close\r\n\r\n");
    let answer = client.answer();
    assert_eq!(
        (answer.text(), answer.header("connection")),
        ("hello", Some("close"))
    );
    client.expect_end();
}

#[test]
fn requests_behind_connection_close_are_not_answered_but_the_answer_arrives() {
    let server = Server::start();
    let mut client = server.connect();
    client
        .send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_owned() + &get("/echo"));
    assert_eq!(client.answer().text(), "hello");
    client.expect_end();
}

#[test]
fn http_10_closes_unless_asked_to_keep_alive() {
    let server = Server::start();
    let mut client = server.connect();
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let answer = client.answer();
    assert_eq!(
        (answer.text(), answer.header("connection")),
        ("hello", Some("keep-alive"))
    );
    client.send("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(client.answer().header("connection"), Some("close"));
    client.expect_end();
}

/// However long its requests are; and whoever waits for each answer gets as many as they ask for.
#[test]
fn where_connections_are_many_a_client_that_asks_ahead_is_answered_four_times() {
    let server = Server::with_limits(Limits {
        connections: 8,
        idle_timeout: NEVER,
        ..Limits::default()
    });
    let _others = [server.connect(), server.connect()];
    for length in [50, 128, 2_048] {
        let request = get("/");
        let padding = "a".repeat(length - request.len() - "X: \r\n".len());
        let request = request.replacen("\r\n\r\n", &format!("\r\nX: {padding}\r\n\r\n"), 1);
        assert_eq!(request.len(), length);
        let mut ahead = server.connect();
        ahead.send(request.repeat(30));
        for number in 1..=4 {
            let closes = (number == 4).then_some("close");
            let answer = ahead.answer();
            assert_eq!(answer.header("connection"), closes, "{number} of {length}");
        }
        ahead.expect_end();
        let mut patient = server.connect();
        for _ in 0..30 {
            patient.send(&request);
            assert_eq!(patient.answer().header("connection"), None);
        }
    }
}

#[test]
fn a_client_that_only_stops_sending_gets_its_answer() {
    let server = Server::start();
    let mut client = server.connect();
    client.send(get("/slow?100"));
    client.end_sending();
    assert_eq!(client.answer().text(), "slow");
    client.expect_end();
}

#[test]
fn head_has_the_same_fields_and_no_body() {
    let server = Server::start();
    for target in ["/large?1000", "/stream?1000", "/", "/large?100000"] {
        let mut client = server.connect();
        client.send(get(target));
        let full = client.answer();
        client.send(get(target).replacen("GET", "HEAD", 1));
        let head = client.answer_to_head();
        let fields = |head: &str| {
            head.lines()
                .filter(|line| !line.starts_with("Date"))
                .collect::<Vec<_>>()
                .join("\n")
        };
        assert_eq!(fields(&head.head), fields(&full.head), "{target}");
        client.send(get("/"));
        assert_eq!(client.answer().text(), "hello");
    }
}

#[test]
fn a_client_that_expects_100_continue_is_told_to_go_on() {
    let server = Server::start();
    let mut client = server.connect();
    client.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n",
    );
    assert_eq!(client.answer().status, 100);
    client.send("hello");
    assert!(client.answer().text().ends_with("body \"hello\"\n"));
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.answer().status, 100);
    client.send("2\r\nhi\r\n0\r\n\r\n");
    assert!(client.answer().text().ends_with("body \"hi\"\n"));
}

#[test]
fn a_client_that_expects_100_continue_is_not_told_to_send_what_would_be_refused() {
    let server = Server::start();
    assert_eq!(
        server.refusal(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\nExpect: 100-continue\r\n\r\n"
        ),
        413
    );
}

#[test]
fn a_client_that_does_not_wait_for_100_continue_does_not_get_it() {
    let server = Server::start();
    let mut client = server.connect();
    client.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
    );
    assert_eq!(client.answer().status, 200);
    client.send("POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    client.send("hello");
    assert_eq!(client.answer().status, 200);
}

#[test]
fn other_expectations_are_refused() {
    let server = Server::start();
    assert_eq!(
        server.refusal("GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n"),
        417
    );
    assert_eq!(
        server.refusal("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue, tea\r\n\r\n"),
        417
    );
}
