//! More clients than there is room for.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use doorlight::server::listener::{Limits, Listener, Service, Shutdown, raise_nofile_limit, serve};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::world::{Client, NEVER, SOON, Server, get, post, toy, until};

#[test]
fn past_the_limit_the_longest_idle_connection_makes_room() {
    let server = Server::with_limits(Limits {
        connections: 3,
        ..Limits::default()
    });
    let mut clients: Vec<_> = (0..3).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send(get("/"));
        assert_eq!(client.answer().status, 200);
        server.rests();
        thread::sleep(Duration::from_millis(20));
    }
    // The first is now the one that was served last.
    clients[0].send(get("/"));
    assert_eq!(clients[0].answer().status, 200);
    server.rests();
    is_served(&server);
    clients[1].expect_end();
    clients[0].send(get("/"));
    assert_eq!(clients[0].answer().text(), "hello");
}

#[test]
fn a_request_in_progress_is_never_shed() {
    let server = Server::with_limits(Limits {
        connections: 2,
        ..Limits::default()
    });
    let mut busy = server.connect();
    busy.send(get("/held"));
    server.was_asked(1);
    for _ in 0..20 {
        // 200 or, while the one before has not quite left, 503.
        server.ask(get("/"));
    }
    server.held.let_all_go();
    assert_eq!(busy.answer().text(), "held");
}

#[test]
fn when_nobody_is_idle_the_newcomer_is_told_to_come_back() {
    let server = Server::with_limits(Limits {
        connections: 2,
        ..Limits::default()
    });
    let mut busy = [server.connect(), server.connect()];
    for client in &mut busy {
        client.send(get("/held"));
    }
    server.was_asked(2);
    for _ in 0..20 {
        let mut client = server.connect();
        client.send(get("/"));
        let answer = client.answer();
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (503, Some("1"))
        );
    }
    server.held.let_all_go();
    for client in &mut busy {
        assert_eq!(client.answer().text(), "held");
    }
    is_served(&server);
}

/// Whoever comes is served before long: a connection that was told to go may take a moment.
fn is_served(server: &Server) {
    until("served", || server.ask(get("/")).status == 200);
}

#[test]
fn a_body_that_does_not_come_makes_room_if_nobody_is_idle() {
    let server = Server::with_limits(Limits {
        connections: 2,
        body_timeout: NEVER,
        ..Limits::default()
    });
    let mut stalled = [server.connect(), server.connect()];
    for client in &mut stalled {
        client.send(
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
        );
        assert_eq!(client.answer().status, 100);
    }
    is_served(&server);
}

/// Once, eight addresses that read nothing held every connection for half a minute.
#[test]
fn an_answer_that_is_not_taken_makes_room_if_nobody_is_idle() {
    let server = Server::with_limits(Limits {
        connections: 2,
        write_timeout: NEVER,
        ..Limits::default()
    });
    let mut stalled = [server.connect(), server.connect()];
    for client in &mut stalled {
        client.send(get("/large?8000000"));
    }
    server.was_asked(2);
    is_served(&server);
}

#[test]
fn past_its_own_limit_an_address_loses_its_own_longest_idle_connection() {
    let server = Server::with_limits(Limits {
        connections_per_address: 4,
        ..Limits::default()
    });
    let mut clients: Vec<_> = (0..4)
        .map(|_| {
            let mut client = server.connect();
            client.send(get("/"));
            assert_eq!(client.answer().status, 200);
            server.rests();
            thread::sleep(Duration::from_millis(20));
            client
        })
        .collect();
    assert_eq!(server.ask(get("/")).text(), "hello");
    clients[0].expect_end();
    clients[3].send(get("/"));
    assert_eq!(clients[3].answer().text(), "hello");
}

#[test]
fn past_its_own_limit_with_requests_in_progress_an_address_is_refused() {
    let server = Server::with_limits(Limits {
        connections_per_address: 2,
        ..Limits::default()
    });
    let mut busy = [server.connect(), server.connect()];
    for client in &mut busy {
        client.send(get("/held"));
    }
    server.was_asked(2);
    assert_eq!(server.refusal(get("/")), 503);
    server.held.let_all_go();
    assert_eq!(busy.map(|mut client| client.answer().status), [200, 200]);
}

#[test]
fn a_trusted_proxy_has_no_limit_of_its_own() {
    let limits = Limits {
        connections_per_address: 2,
        ..Limits::default()
    };
    let server = Server::with(limits, &["127.0.0.1/32"]);
    let mut clients: Vec<_> = (0..10).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send(get("/"));
        assert_eq!(client.answer().text(), "hello");
    }
}

/// The story: a server whose accept loop ended at the first failed `accept` died quietly with 600 half-open
/// connections, and one that merely survived answered nobody new until they went away.
#[test]
fn with_1024_descriptors_and_1200_half_open_connections_a_fresh_request_is_answered_within_a_second()
 {
    half_open_connections_do_not_keep_others_out(&ChildServer::start("limited"));
}

#[test]
fn the_same_holds_when_all_of_them_come_through_a_trusted_proxy() {
    half_open_connections_do_not_keep_others_out(&ChildServer::start("trusted"));
}

#[test]
fn the_same_holds_when_descriptors_run_out_below_every_limit() {
    half_open_connections_do_not_keep_others_out(&ChildServer::start("exhausted"));
}

fn half_open_connections_do_not_keep_others_out(server: &ChildServer) {
    raise_nofile_limit().unwrap();
    let (mut half_open, mut took) = (Vec::new(), Vec::new());
    for number in 0..1200 {
        let mut client = Client::new(TcpStream::connect(server.address).unwrap());
        if number % 2 == 0 {
            // It may have been shed already.
            let _ = std::io::Write::write(&mut client.stream, b"GET / HTTP/1.1\r\nHos");
        }
        half_open.push(client);
        if number % 50 == 0 {
            took.push(ask(server.address));
        }
    }
    for _ in 0..20 {
        took.push(ask(server.address));
        thread::sleep(Duration::from_millis(20));
    }
    // All were answered, and all but those that met a machine which stood still within a second.
    assert_eq!(took.len(), 44);
    let late = took.iter().filter(|took| **took >= Duration::from_secs(1));
    assert!(late.count() <= 2, "{took:?}");
    assert!(took.iter().all(|took| *took < SOON), "{took:?}");
}

/// A request on a connection of its own, and how long its answer took.
fn ask(address: SocketAddr) -> Duration {
    let started = Instant::now();
    let mut client = Client::new(TcpStream::connect(address).unwrap());
    client.send(get("/"));
    assert_eq!(client.answer().text(), "hello");
    started.elapsed()
}

struct ChildServer {
    address: SocketAddr,
    process: Child,
}

impl ChildServer {
    fn start(mode: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crowding::child_server", "--nocapture"])
            .env("LISTENER_TEST_CHILD", mode)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            line.unwrap()
                .strip_prefix("listening on ")
                .map(|at| at.parse().unwrap())
        });
        // Keeps the pipe open: the child must not fail to write its last lines.
        thread::spawn(move || lines.for_each(drop));
        Self {
            address: address.unwrap(),
            process,
        }
    }
}

impl Drop for ChildServer {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// Not a promise but the process that the tests above start: the descriptor limit holds for a whole process.
#[test]
fn child_server() {
    let Ok(mode) = std::env::var("LISTENER_TEST_CHILD") else {
        return;
    };
    let set_limit = |descriptors| {
        let maximum = getrlimit(Resource::Nofile).maximum;
        setrlimit(
            Resource::Nofile,
            Rlimit {
                current: Some(descriptors),
                maximum,
            },
        )
        .unwrap();
    };
    if mode != "bench" {
        set_limit(1024);
    }
    let listener = Listener::bind_tcp("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.tcp_address().unwrap();
    let trusted = if mode == "limited" {
        vec![]
    } else {
        vec!["127.0.0.1/32".parse().unwrap()]
    };
    let shutdown = Shutdown::new().unwrap();
    // However long it takes, room is made by those who come, and by nothing else.
    let limits = Limits {
        head_timeout: NEVER,
        idle_timeout: NEVER,
        idle_timeout_under_pressure: NEVER,
        ..Limits::default()
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            let service = Service::new(listener, toy(Arc::default()));
            serve(vec![service], trusted, limits, &shutdown).unwrap();
        });
        // From here on, less than what the listener counted on when it started.
        ask(address);
        if mode == "exhausted" {
            set_limit(100);
        }
        println!("\nlistening on {address}");
        let _ = std::io::stdin().read(&mut [0]);
        shutdown.trigger();
    });
}

/// Long heads share what there is with large bodies: past it they are refused, and small requests are answered as ever.
#[test]
fn heads_beyond_what_large_requests_may_take_are_refused_until_one_is_over() {
    let server = Server::with_limits(Limits {
        large_requests: 6 * 1024,
        ..Limits::default()
    });
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "a".repeat(8_000));
    let whole = format!("{long}\r\n\r\n");
    assert_eq!(server.ask(&whole).status, 200);
    holds_what_others_need(&server, &long, "\r\n\r\n", &whole);
    assert_eq!(server.ask(&whole).status, 200);
}

/// Once a client has sent `begun`, others are refused `whole` until it has its answer to `begun` and `rest`. Whoever
/// comes first has the memory: where that was `whole`, another client sends `begun`.
fn holds_what_others_need(server: &Server, begun: &str, rest: &str, whole: &str) {
    until("held", || {
        let mut holder = server.connect();
        holder.send(begun);
        until("refused", || {
            holder.has_answer() || server.ask(whole).status == 503
        });
        assert_eq!(server.ask(get("/")).text(), "hello");
        holder.try_send(rest);
        holder.answer().status == 200
    });
}

/// Once, whoever announced the largest body had its part of the memory before they sent a byte of it.
#[test]
fn bodies_that_were_announced_and_do_not_come_take_nothing_from_those_that_do() {
    let server = Server::with_limits(Limits {
        large_requests: 64 * 1024,
        ..Limits::default()
    });
    let announced = |more: &str| {
        format!("POST /echo HTTP/1.1\r\nHost: a\r\n{more}Content-Length: 60000\r\n\r\n")
    };
    let _silent: Vec<_> = (0..8)
        .map(|_| {
            let mut client = server.connect();
            client.send(announced("Expect: 100-continue\r\n"));
            assert_eq!(client.answer().status, 100);
            client
        })
        .collect();
    let whole = post("/echo", &"a".repeat(30_000));
    assert_eq!(server.ask(&whole).status, 200);
    // And whoever has sent most of one has most of it.
    let most = announced("") + &"a".repeat(59_000);
    holds_what_others_need(&server, &most, &"a".repeat(1_000), &whole);
    assert_eq!(server.ask(&whole).status, 200);
}

/// However little is left for the pieces of large answers, all of each arrives.
#[test]
fn large_answers_leave_in_small_pieces_where_memory_is_short() {
    let server = Server::with_limits(Limits {
        large_answers: 0,
        ..Limits::default()
    });
    let mut client = server.connect();
    for target in ["/large?100000", "/stream?100000"] {
        client.send(get(target));
        assert_eq!(client.answer().body.len(), 100_000);
    }
}
