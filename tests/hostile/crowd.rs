//! A crowd: connections from many loopback addresses, looked after by a few threads. One that was closed is opened again
//! at its next turn, as whoever means harm does.

use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const THREADS: usize = 4;

/// How long a handshake may take whoever is a part of the crowd.
const HANDSHAKE: Duration = Duration::from_millis(500);

/// What a member's bytes are.
#[derive(Clone)]
pub enum Speech {
    /// Sent as they are.
    Plain,
    /// Encrypted.
    Encrypted(Arc<ClientConfig>),
    /// Sent as they are, after a handshake.
    AfterHandshake(Arc<ClientConfig>),
}

/// How one connection behaves.
#[derive(Clone)]
pub struct Manner {
    pub speech: Speech,
    /// Sent at once.
    pub first: Vec<u8>,
    /// Sent at each turn, for ever.
    pub then: Vec<u8>,
    /// Whether answers are taken from the socket.
    pub reads: bool,
    /// From one turn to the next.
    pub turn: Duration,
}

/// Who comes, from where.
#[derive(Clone)]
pub struct Size {
    pub connections: usize,
    pub addresses: usize,
}

/// A crowd at work; it ends with the value.
pub struct Crowd {
    over: Arc<AtomicBool>,
    opened: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Crowd {
    pub fn gather(port: u16, size: &Size, manner: &Manner) -> Self {
        let (over, opened) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let threads = (0..THREADS).map(|first| {
            let (over, opened) = (over.clone(), opened.clone());
            let (size, manner) = (size.clone(), manner.clone());
            thread::spawn(move || {
                let mut members: Vec<Member> = (first..size.connections)
                    .step_by(THREADS)
                    .map(|number| Member::new(number % size.addresses))
                    .collect();
                while !over.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    for member in &mut members {
                        if over.load(Ordering::Relaxed) {
                            return;
                        }
                        if member.take_turn(port, &manner) {
                            opened.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    thread::sleep(manner.turn.saturating_sub(begun.elapsed()));
                }
            })
        });
        Self {
            threads: threads.collect(),
            over,
            opened,
        }
    }

    /// Connections that were opened so far.
    pub fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

struct Member {
    source: Ipv4Addr,
    line: Option<Line>,
    /// Of what is sent at once, what is still to be sent.
    left: usize,
}

impl Member {
    /// From 127.1.0.1 on: never the address of a visitor.
    fn new(address: usize) -> Self {
        let [high, low] = u16::try_from(address + 1).unwrap().to_be_bytes();
        Self {
            source: Ipv4Addr::new(127, 1, high, low),
            line: None,
            left: 0,
        }
    }

    /// True when it opened a connection.
    fn take_turn(&mut self, port: u16, manner: &Manner) -> bool {
        let Some(line) = &mut self.line else {
            // Without a source port left, or a descriptor, the next turn tries again.
            self.line = Line::open(self.source, port, &manner.speech).ok();
            self.left = manner.first.len();
            return self.line.is_some() && self.goes_on(manner);
        };
        let is_there = !manner.reads || line.takes_all();
        if !is_there || !self.goes_on(manner) {
            self.line = None;
        }
        false
    }

    /// Sends what fits into the socket. False when the connection is gone.
    fn goes_on(&mut self, manner: &Manner) -> bool {
        let Some(line) = &mut self.line else {
            return false;
        };
        let first = &manner.first[manner.first.len() - self.left..];
        let bytes = if first.is_empty() {
            &manner.then
        } else {
            first
        };
        if bytes.is_empty() {
            return line.is_open();
        }
        match line.send(bytes) {
            Ok(sent) => {
                self.left -= sent.min(self.left);
                true
            }
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        }
    }
}

/// A connection that nothing waits for once it stands.
struct Line {
    stream: TcpStream,
    session: Option<Box<ClientConnection>>,
}

impl Line {
    fn open(source: Ipv4Addr, port: u16, speech: &Speech) -> io::Result<Self> {
        let mut stream = connect(source, port)?;
        let session = match speech {
            Speech::Plain => None,
            Speech::Encrypted(config) | Speech::AfterHandshake(config) => {
                let name = ServerName::try_from("127.0.0.1").unwrap();
                let session = ClientConnection::new(config.clone(), name);
                let mut session = Box::new(session.map_err(io::Error::other)?);
                stream.set_nonblocking(false)?;
                stream.set_read_timeout(Some(HANDSHAKE))?;
                while session.is_handshaking() || session.wants_write() {
                    session.complete_io(&mut stream)?;
                }
                stream.set_nonblocking(true)?;
                matches!(speech, Speech::Encrypted(_)).then_some(session)
            }
        };
        Ok(Self { stream, session })
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(session) = &mut self.session else {
            return self.stream.write(bytes);
        };
        // What was encrypted before goes first.
        while session.wants_write() {
            session.write_tls(&mut self.stream)?;
        }
        let accepted = session.writer().write(bytes)?;
        while session.wants_write() {
            match session.write_tls(&mut self.stream) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(accepted)
    }

    /// Takes what there is; nobody looks at it. False at the end.
    fn takes_all(&mut self) -> bool {
        let mut buffer = [0; 4096];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            }
        }
    }

    /// Looks without taking anything.
    fn is_open(&self) -> bool {
        match self.stream.peek(&mut [0]) {
            Ok(count) => count > 0,
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        }
    }
}

fn connect(source: Ipv4Addr, port: u16) -> io::Result<TcpStream> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    rustix::net::bind(&socket, &SocketAddrV4::new(source, 0))?;
    let server = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
    match rustix::net::connect(&socket, &server) {
        Ok(()) | Err(rustix::io::Errno::INPROGRESS) => Ok(TcpStream::from(socket)),
        Err(error) => Err(error.into()),
    }
}
