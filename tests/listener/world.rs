//! A running listener, and a client that speaks raw bytes.

use std::io::{self, Cursor, Read, Write};
use std::net::{Shutdown as How, SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use doorlight::server::listener::{
    Handler, Limits, Listener, Service, Shutdown, Tls, Uploads, serve,
};
use rouille::{Request, Response, ResponseBody};
use rustix::thread::{Pid, gettid};

/// Sooner than any limit that a test leaves as it is, and later than a machine that stands still for a while is.
pub const SOON: Duration = Duration::from_secs(8);
/// A limit that no test waits for.
pub const NEVER: Duration = Duration::from_secs(3_600);

/// Shortened limits, the shortest first.
const SHORTENED: [Duration; 3] = [
    Duration::from_millis(400),
    Duration::from_millis(1_600),
    Duration::from_millis(6_400),
];

/// Whatever keeps a pace does so under one of the shortened limits: a machine that stands still for a while may break it
/// under the others.
pub fn keeps_pace(what: &str, attempt: impl FnMut(Duration) -> bool) {
    assert!(SHORTENED.into_iter().any(attempt), "{what}");
}

/// Waits until it is so.
pub fn until(what: &str, so: impl FnMut() -> bool) {
    let begun = Instant::now();
    let mut so = so;
    while !so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A listener on a free port of 127.0.0.1, which ends with the value.
pub struct Server {
    pub address: SocketAddr,
    pub shutdown: Shutdown,
    pub held: Arc<Held>,
    /// Of the connections that asked for something, the threads, once for each request.
    asked: Arc<Mutex<Vec<Pid>>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Server {
    /// With the default limits and no trusted proxy.
    pub fn start() -> Self {
        Self::with(Limits::default(), &[])
    }

    pub fn with_limits(limits: Limits) -> Self {
        Self::with(limits, &[])
    }

    pub fn with(limits: Limits, trusted: &[&str]) -> Self {
        Self::serving(limits, trusted, |service| service)
    }

    /// Speaking TLS.
    pub fn encrypted(limits: Limits, tls: Tls) -> Self {
        Self::serving(limits, &[], |service| service.with_tls(tls))
    }

    /// Taking large bodies.
    pub fn taking(limits: Limits, uploads: Arc<dyn Uploads>) -> Self {
        Self::serving(limits, &[], |service| service.with_uploads(uploads))
    }

    fn serving(limits: Limits, trusted: &[&str], prepare: impl FnOnce(Service) -> Service) -> Self {
        let listener = Listener::bind_tcp("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.tcp_address().unwrap();
        let trusted = trusted.iter().map(|net| net.parse().unwrap()).collect();
        let (held, asked) = (Arc::<Held>::default(), Arc::<Mutex<Vec<Pid>>>::default());
        let (toy, noted) = (toy(held.clone()), asked.clone());
        let handler: Handler = Arc::new(move |request, body| {
            noted.lock().unwrap().push(gettid());
            toy(request, body)
        });
        let service = Service::new(listener, handler).with_body_limit(|method, target| {
            (method == "PUT" && target.starts_with("/restore")).then_some(1024 * 1024)
        });
        let service = prepare(service);
        let shutdown = Shutdown::new().unwrap();
        let handle = shutdown.clone();
        let thread = thread::spawn(move || serve(vec![service], trusted, limits, &handle));
        Self {
            address,
            shutdown,
            held,
            asked,
            thread: Some(thread),
        }
    }

    pub fn connect(&self) -> Client<TcpStream> {
        let stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        stream.set_nodelay(true).unwrap();
        Client {
            stream,
            unread: Vec::new(),
        }
    }

    /// Sends `request` on a connection of its own and returns the answer and whether the connection then closed.
    pub fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut client = self.connect();
        client.send(request);
        client.answer()
    }

    /// What `request` is refused with; the connection must close after it, in an orderly way.
    pub fn refusal(&self, request: impl AsRef<[u8]>) -> u16 {
        let mut client = self.connect();
        client.send(request);
        let answer = client.answer();
        assert_eq!(
            answer.header("connection"),
            Some("close"),
            "{}",
            answer.status
        );
        client.expect_end();
        answer.status
    }

    /// Waits until so many requests have come to the handler.
    pub fn was_asked(&self, times: usize) {
        until("asked", || self.asked.lock().unwrap().len() >= times);
    }

    /// Waits until each connection that asked for something has nothing to do any more: its thread sleeps.
    pub fn rests(&self) {
        let asked = self.asked.lock().unwrap().clone();
        until("at rest", || {
            asked.iter().all(|thread| {
                let path = format!("/proc/self/task/{}/stat", thread.as_raw_nonzero());
                // One that has ended is at rest, too.
                std::fs::read_to_string(path).map_or(true, |stat| stat.contains(") S "))
            })
        });
    }

    /// Waits for `serve` to return.
    pub fn join(mut self) {
        self.thread.take().unwrap().join().unwrap().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.held.let_all_go();
        self.shutdown.trigger();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap().unwrap();
        }
    }
}

/// One end of a connection.
pub struct Client<S> {
    pub stream: S,
    unread: Vec<u8>,
}

/// An answer, taken apart.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self
            .head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "));
        found
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl<S: Read + Write> Client<S> {
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// The next answer to a request other than HEAD.
    pub fn answer(&mut self) -> Answer {
        let mut answer = self.answer_to_head();
        answer.body = if let Some(length) = answer.header("content-length") {
            self.take(length.parse().unwrap())
        } else if answer.header("transfer-encoding").is_some() {
            self.chunks()
        } else if matches!(answer.status, 100 | 204 | 304) {
            Vec::new()
        } else {
            self.rest()
        };
        answer
    }

    /// The next answer, without a body.
    pub fn answer_to_head(&mut self) -> Answer {
        let end = loop {
            if let Some(at) = self
                .unread
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
            {
                break at + 4;
            }
            assert!(
                self.more() > 0,
                "the connection ended before an answer: {:?}",
                String::from_utf8_lossy(&self.unread)
            );
        };
        let head = String::from_utf8(self.unread.drain(..end).collect()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer {
            status,
            head,
            body: Vec::new(),
        }
    }

    /// Everything until the connection ends.
    pub fn rest(&mut self) -> Vec<u8> {
        while self.more() > 0 {}
        std::mem::take(&mut self.unread)
    }

    /// The connection ends in an orderly way, and nothing more arrives.
    pub fn expect_end(&mut self) {
        assert_eq!(String::from_utf8_lossy(&self.rest()), "");
    }

    /// Sends as much as the other side takes.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
    }

    /// The connection ends, be it with a reset.
    pub fn is_cut(&mut self) -> bool {
        matches!(
            self.stream.read(&mut [0; 1]).map_err(|error| error.kind()),
            Ok(0) | Err(io::ErrorKind::ConnectionReset)
        )
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                if let Some(at) = self.unread.windows(2).position(|window| window == b"\r\n") {
                    break at;
                }
                assert!(
                    self.more() > 0,
                    "the connection ended within a chunked body"
                );
            };
            let line = String::from_utf8(self.take(end + 2)).unwrap();
            let size = usize::from_str_radix(line.trim(), 16).unwrap();
            body.extend(self.take(size));
            assert_eq!(self.take(2), b"\r\n");
            if size == 0 {
                return body;
            }
        }
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        while self.unread.len() < count {
            assert!(self.more() > 0, "the connection ended within a body");
        }
        self.unread.drain(..count).collect()
    }

    fn more(&mut self) -> usize {
        let mut piece = [0; 16 * 1024];
        let count = loop {
            match self.stream.read(&mut piece) {
                // The process was stopped for a while, and goes on.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read.unwrap(),
            }
        };
        self.unread.extend_from_slice(&piece[..count]);
        count
    }
}

impl Client<TcpStream> {
    /// Whether there is something to read, be it the end.
    pub fn has_answer(&self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let seen = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).unwrap();
        !matches!(seen, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    pub fn end_sending(&self) {
        self.stream.shutdown(How::Write).unwrap();
    }
}

/// The bytes of a GET that keeps the connection.
pub fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: door.example\r\n\r\n")
}

/// The bytes of a POST with a body of known length.
pub fn post(target: &str, body: &str) -> String {
    format!(
        "POST {target} HTTP/1.1\r\nHost: door.example\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Requests that stay with the handler until they are let go: `/held?1` and the like.
#[derive(Default)]
pub struct Held {
    gone: Mutex<Vec<usize>>,
    more: Condvar,
}

const ALL: usize = usize::MAX;

impl Held {
    pub fn let_go(&self, number: usize) {
        self.gone.lock().unwrap().push(number);
        self.more.notify_all();
    }

    pub fn let_all_go(&self) {
        self.let_go(ALL);
    }

    fn hold(&self, number: usize) {
        let gone = self.gone.lock().unwrap();
        let stays = |gone: &mut Vec<usize>| !gone.contains(&number) && !gone.contains(&ALL);
        drop(self.more.wait_while(gone, stays).unwrap());
    }
}

/// A handler with one target for each thing that a handler may do.
pub fn toy(held: Arc<Held>) -> Handler {
    Arc::new(move |request, body| {
        let (path, argument) = request
            .raw_url()
            .split_once('?')
            .unwrap_or((request.raw_url(), ""));
        let number = argument.parse::<usize>().unwrap_or(0);
        match path {
            "/echo" => echo(request, body),
            "/restore" => Response::text(body.len().to_string()),
            "/panic" => panic!("as asked"),
            "/slow" => {
                thread::sleep(Duration::from_millis(number as u64));
                Response::text("slow")
            }
            "/held" => {
                held.hold(number);
                Response::text("held")
            }
            "/large" => Response::from_data("application/octet-stream", vec![b'x'; number]),
            "/stream" => of_unknown_size(Cursor::new(vec![b'x'; number])),
            "/broken-stream" => of_unknown_size(Cursor::new(vec![b'x'; 100]).chain(Failing)),
            "/short" => of_size(Cursor::new(vec![b'x'; 10]), 20),
            "/short-and-large" => of_size(Cursor::new(vec![b'x'; 100_000]), 100_001),
            "/long" => of_size(Cursor::new(vec![b'x'; 20]), 10),
            "/status" => Response::text("").with_status_code(argument.parse().unwrap()),
            "/header" => match argument {
                "cr" => Response::text("").with_additional_header("X-Bad", "a\rSet-Cookie: b"),
                "lf" => Response::text("").with_additional_header("X-Bad", "a\nSet-Cookie: b"),
                "nul" => Response::text("").with_additional_header("X-Bad", "a\0b"),
                _ => Response::text("").with_additional_header("X-Bad: y\r\nX-Worse", "a"),
            },
            "/hop" => Response::text("hop")
                .with_additional_header("Connection", "upgrade")
                .with_additional_header("content-length", "99")
                .with_additional_header("Transfer-Encoding", "gzip")
                .with_additional_header("Trailer", "X-Sum")
                .with_additional_header("X-Kept", "yes"),
            _ => Response::text("hello"),
        }
    })
}

fn of_unknown_size(data: impl Read + Send + 'static) -> Response {
    let mut response = Response::text("");
    response.data = ResponseBody::from_reader(data);
    response
}

fn of_size(data: impl Read + Send + 'static, size: usize) -> Response {
    let mut response = Response::text("");
    response.data = ResponseBody::from_reader_and_size(data, size);
    response
}

fn echo(request: &Request, body: &[u8]) -> Response {
    let mut text = format!(
        "{} {}\nfrom {} {}\n",
        request.method(),
        request.raw_url(),
        request.remote_addr(),
        if request.is_secure() { "https" } else { "http" }
    );
    for (name, value) in request.headers() {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push_str(&format!("body {:?}\n", String::from_utf8_lossy(body)));
    Response::text(text)
}

struct Failing;

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("as asked"))
    }
}
