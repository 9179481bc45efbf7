//! A connection of the load generator: its socket and what is under way on it.
//! Not here: when it sends and how an answer is judged (`load`).

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType};

/// Where the server listens, and from how many loopback addresses the connections come: a server
/// may bound the connections of one address.
pub struct Target {
    pub address: SocketAddrV4,
    pub sources: u8,
}

/// One connection and the answer it waits for.
pub struct Connection<'c, C> {
    pub number: usize,
    pub caller: &'c mut C,
    pub stream: TcpStream,
    /// The request being sent and how much of it has been.
    pub out: Vec<u8>,
    pub sent: usize,
    /// An answer that came in several reads.
    pub partial: Vec<u8>,
    pub operation_started: Instant,
    /// It waits for an answer.
    pub busy: bool,
    pub waits_for_room: bool,
}

impl<'c, C> Connection<'c, C> {
    pub fn open(
        epoll: &OwnedFd,
        target: &Target,
        number: usize,
        caller: &'c mut C,
    ) -> io::Result<Self> {
        let connection = Self {
            number,
            caller,
            stream: connect(target, number)?,
            out: Vec::with_capacity(2048),
            sent: 0,
            partial: Vec::new(),
            operation_started: Instant::now(),
            busy: false,
            waits_for_room: false,
        };
        epoll::add(epoll, &connection.stream, connection.mark(), EventFlags::IN)?;
        Ok(connection)
    }

    pub fn reopen(&mut self, epoll: &OwnedFd, target: &Target) -> io::Result<()> {
        self.stream = connect(target, self.number)?;
        self.waits_for_room = false;
        Ok(epoll::add(
            epoll,
            &self.stream,
            self.mark(),
            EventFlags::IN,
        )?)
    }

    pub fn mark(&self) -> EventData {
        EventData::new_u64(self.number as u64)
    }
}

/// A connection of that number, from its source.
pub fn connect(target: &Target, number: usize) -> io::Result<TcpStream> {
    let socket = rustix::net::socket_with(
        AddressFamily::INET,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    if target.sources > 1 {
        let last = u8::try_from(number % usize::from(target.sources)).unwrap_or(0);
        let source = SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, last.saturating_add(1)), 0);
        rustix::net::bind(&socket, &source)?;
    }
    rustix::net::connect(&socket, &target.address)?;
    let stream = TcpStream::from(socket);
    stream.set_nonblocking(true)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
