//! Bodies that are taken piece by piece: admitted on the head, at a pace, and nothing of them held.

use std::io::Write;
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use doorlight::server::listener::{Limits, Upload, Uploads};
use rouille::{Request, Response};

use super::world::{NEVER, SOON, Server, keeps_pace, post, until};

const LIMIT: u64 = 1024 * 1024;
const SHORT: Duration = Duration::from_millis(400);

/// Takes what is sent to `/take?secret`, and says how much that was and what its bytes add up to.
#[derive(Clone, Default)]
struct Toy {
    /// Bodies that are on their way.
    open: Arc<AtomicUsize>,
}

struct Taking {
    open: Arc<AtomicUsize>,
    length: usize,
    sum: usize,
    pieces: usize,
}

impl Uploads for Toy {
    fn concern(&self, method: &str, target: &str, fields: &[(String, String)]) -> bool {
        method == "POST"
            && target.split('?').next() == Some("/take")
            && !fields.iter().any(|(name, _)| name == "X-Small")
    }

    fn admit(&self, request: &Request) -> Result<Box<dyn Upload>, Response> {
        match request.raw_query_string() {
            "secret" => {}
            "panic" => panic!("admitting"),
            _ => return Err(Response::text("not you").with_status_code(410)),
        }
        self.open.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Taking {
            open: self.open.clone(),
            length: 0,
            sum: 0,
            pieces: 0,
        }))
    }
}

impl Upload for Taking {
    fn limit(&self) -> u64 {
        LIMIT
    }

    fn take(&mut self, piece: &[u8]) {
        self.length += piece.len();
        self.sum += piece.iter().map(|byte| usize::from(*byte)).sum::<usize>();
        self.pieces += 1;
    }

    fn answer(self: Box<Self>, request: &Request) -> Response {
        assert!(request.header("X-Panic").is_none(), "answering");
        Response::text(format!("{} {} {}", self.length, self.sum, self.pieces > 1))
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

fn start(limits: Limits) -> (Server, Toy) {
    let toy = Toy::default();
    (Server::taking(limits, Arc::new(toy.clone())), toy)
}

fn head(query: &str, more: &str) -> String {
    format!("POST /take?{query} HTTP/1.1\r\nHost: a\r\n{more}\r\n")
}

fn length(bytes: u64) -> String {
    format!("Content-Length: {bytes}\r\n")
}

/// Waits for the bodies on their way to be dropped.
fn settled(toy: &Toy) {
    until("dropped", || toy.open.load(Ordering::SeqCst) == 0);
}

#[test]
fn a_large_body_arrives_whole_in_pieces_and_the_connection_goes_on() {
    let (server, toy) = start(Limits::default());
    let body: Vec<u8> = (0..1_000_000u32)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect();
    let sum: usize = body.iter().map(|byte| usize::from(*byte)).sum();
    let told = format!("1000000 {sum} true");
    let mut client = server.connect();
    client.send(head("secret", &length(1_000_000)));
    client.send(&body);
    assert_eq!(client.answer().text(), told);
    client.send(head("secret", "Transfer-Encoding: chunked\r\n"));
    for piece in body.chunks(40_000) {
        client.send(format!("{:x}\r\n", piece.len()));
        client.send(piece);
        client.send("\r\n");
    }
    client.send("0\r\n\r\n");
    assert_eq!(client.answer().text(), told);
    // What follows is a request of its own.
    client.send(head("secret", &length(3)) + "abc" + &post("/", "x"));
    assert_eq!(client.answer().text(), "3 294 false");
    assert_eq!(client.answer().status, 200);
    client.send(head("secret", ""));
    assert_eq!(client.answer().text(), "0 0 false");
    settled(&toy);
}

#[test]
fn who_is_not_admitted_is_answered_before_the_body() {
    let (server, toy) = start(Limits::default());
    for more in [
        length(1 << 40),
        length(5),
        "Transfer-Encoding: chunked\r\n".to_owned(),
        length(1 << 40) + "Expect: 100-continue\r\n",
    ] {
        let started = Instant::now();
        assert_eq!(server.refusal(head("stranger", &more)), 410, "{more}");
        assert!(started.elapsed() < SOON);
    }
    // One that sends all the same has its answer, too.
    let mut client = server.connect();
    client.send(head("stranger", &length(300_000)));
    let mut sender = client.stream.try_clone().unwrap();
    let sending = thread::spawn(move || {
        let _ = sender.write_all(&[b'x'; 300_000]);
    });
    assert_eq!(client.answer().status, 410);
    sending.join().unwrap();
    settled(&toy);
}

#[test]
fn a_body_past_its_own_bound_or_the_common_one_is_refused() {
    let (server, toy) = start(Limits::default());
    assert_eq!(server.refusal(head("secret", &length(LIMIT + 1))), 413);
    let asked = length(LIMIT + 1) + "Expect: 100-continue\r\n";
    assert_eq!(server.refusal(head("secret", &asked)), 413);
    let chunk = format!("{:x}\r\n", LIMIT + 1);
    let chunked = head("secret", "Transfer-Encoding: chunked\r\n") + &chunk;
    assert_eq!(server.refusal(chunked), 413);
    // Another address, and another method, have the bound that they had.
    for first in [
        "POST /other?secret",
        "PUT /take?secret",
        "POST /taken?secret",
    ] {
        let head = format!("{first} HTTP/1.1\r\nHost: a\r\n{}\r\n", length(65 * 1024));
        assert_eq!(server.refusal(head), 413, "{first}");
    }
    let small = length(65 * 1024) + "X-Small: 1\r\n";
    assert_eq!(server.refusal(head("secret", &small)), 413);
    settled(&toy);
}

#[test]
fn who_asks_first_is_told_to_go_on() {
    let (server, _) = start(Limits::default());
    let mut client = server.connect();
    client.send(head("secret", &(length(3) + "Expect: 100-continue\r\n")));
    assert_eq!(client.answer().status, 100);
    client.send("abc");
    assert_eq!(client.answer().text(), "3 294 false");
}

/// A connection that sent a megabyte at once could keep its place for minutes by that.
#[test]
fn a_body_that_stalls_is_given_up_however_fast_it_began() {
    let (server, toy) = start(Limits {
        body_timeout: SHORT,
        ..Limits::default()
    });
    for begun in [0, 1, 900_000] {
        let started = Instant::now();
        let mut client = server.connect();
        client.send(head("secret", &length(1_000_000)));
        // It may be too late already.
        client.try_send(vec![b'x'; begun]);
        assert_eq!(client.answer().status, 408, "{begun}");
        assert!(started.elapsed() >= SHORT && started.elapsed() < SOON);
        assert!(client.is_cut());
        settled(&toy);
    }
}

#[test]
fn a_body_that_trickles_is_given_up() {
    let (server, toy) = start(Limits {
        body_timeout: SHORT,
        ..Limits::default()
    });
    let mut client = server.connect();
    client.send(head("secret", &length(1_000_000)));
    let mut sender = client.stream.try_clone().unwrap();
    let trickle = thread::spawn(move || {
        for _ in 0..2_000 {
            if sender.write_all(b"x").is_err() {
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
    settled(&toy);
}

#[test]
fn one_that_keeps_the_pace_is_taken_however_long_it_is() {
    keeps_pace("all of the body is taken", |limit| {
        let (server, _) = start(Limits {
            body_timeout: limit,
            ..Limits::default()
        });
        // Four times the least pace, for three times the time of a small body.
        let piece = 1_000 * usize::try_from(limit.as_millis() / SHORT.as_millis()).unwrap();
        let mut client = server.connect();
        client.send(head(
            "secret",
            &format!("Content-Length: {}\r\n", 20 * piece),
        ));
        for _ in 0..20 {
            client.try_send(b"x".repeat(piece));
            thread::sleep(limit * 3 / 20);
        }
        client
            .answer()
            .text()
            .starts_with(&format!("{} ", 20 * piece))
    });
}

#[test]
fn a_body_that_ends_early_is_dropped_without_an_answer() {
    let (server, toy) = start(Limits::default());
    let mut client = server.connect();
    client.send(head("secret", &length(1_000)) + "half");
    client.end_sending();
    client.expect_end();
    let mut client = server.connect();
    client.send(head("secret", "Transfer-Encoding: chunked\r\n") + "5\r\nhell");
    client.end_sending();
    client.expect_end();
    settled(&toy);
}

#[test]
fn a_panic_is_an_answer_too_and_the_server_goes_on() {
    let (server, toy) = start(Limits::default());
    assert_eq!(server.refusal(head("panic", &length(3)) + "abc"), 500);
    let answering = head("secret", &(length(3) + "X-Panic: 1\r\n")) + "abc";
    assert_eq!(server.refusal(answering), 500);
    assert_eq!(
        server.ask(head("secret", &length(3)) + "abc").text(),
        "3 294 false"
    );
    settled(&toy);
}

#[test]
fn a_shutdown_waits_for_no_body() {
    let (server, toy) = start(Limits {
        drain_timeout: NEVER,
        ..Limits::default()
    });
    let mut client = server.connect();
    client.send(head("secret", &length(1_000_000)) + "begun");
    until("begun", || toy.open.load(Ordering::SeqCst) > 0);
    server.shutdown.trigger();
    let started = Instant::now();
    server.join();
    assert!(started.elapsed() < SOON);
    assert!(client.is_cut());
    settled(&toy);
}
