//! What happens when the system has no more threads, which a test cannot ask of the system itself.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};

use rouille::Response;

use super::super::Limits;
use super::super::memory::Memory;
use super::super::registry::Registry;
use super::*;

fn acceptor(spawn: fn(Task) -> io::Result<()>) -> Acceptor {
    let limits = Limits::default();
    let registry = Arc::new(Registry::new(&limits));
    let handler: super::super::Handler = Arc::new(|_, _| Response::text("hello"));
    Acceptor {
        listener: Listener::bind_tcp(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap(),
        site: Arc::new(Site {
            handler,
            body_limit: None,
            uploads: None,
            tls: None,
        }),
        context: Arc::new(Context {
            registry,
            large_requests: Memory::of(limits.large_requests),
            large_answers: Memory::of(limits.large_answers),
            limits,
            trusted_proxies: Vec::new(),
        }),
        spawn,
        refused: VecDeque::new(),
        complaints: Complaints::default(),
    }
}

fn connect(acceptor: &mut Acceptor) -> UnixStream {
    let (ours, theirs) = UnixStream::pair().unwrap();
    acceptor.welcome(Socket::Unix(theirs), Peer::Local, None);
    ours
}

/// A system with three threads to give.
fn three_threads(task: Task) -> io::Result<()> {
    static RUNNING: AtomicUsize = AtomicUsize::new(0);
    if RUNNING.fetch_add(1, Ordering::SeqCst) >= 3 {
        RUNNING.fetch_sub(1, Ordering::SeqCst);
        return Err(io::ErrorKind::WouldBlock.into());
    }
    spawn_thread(Box::new(|| {
        task();
        RUNNING.fetch_sub(1, Ordering::SeqCst);
    }))
}

#[test]
fn where_threads_run_out_the_longest_idle_connection_gives_up_its_own() {
    let mut acceptor = acceptor(three_threads);
    let mut clients: Vec<_> = (0..19).map(|_| connect(&mut acceptor)).collect();
    // Soon at the latest: threads that were told to go may all stand still on their way out.
    let is_answered = |_| {
        let mut newest = connect(&mut acceptor);
        let _ = newest.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let mut answer = String::new();
        let _ = newest.read_to_string(&mut answer);
        answer.ends_with("hello")
    };
    assert!((0..20).any(is_answered));
    assert_eq!(
        clients[0].read(&mut [0]).unwrap(),
        0,
        "the first one was closed"
    );
}

#[test]
fn without_any_thread_the_newcomer_is_told_to_come_back() {
    let mut acceptor = acceptor(|_| Err(io::ErrorKind::WouldBlock.into()));
    let mut answer = String::new();
    connect(&mut acceptor).read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
}
