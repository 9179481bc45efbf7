//! A port that a test keeps for a server of its own, while that is down as well.

use std::net::{TcpListener, TcpStream};

/// A port of 127.0.0.1 that is given to nobody else, neither while a server is about to listen on it nor while it is down:
/// a connection of that port stays open, beside which whoever asks for this port may listen.
pub struct Reserved {
    pub port: u16,
    _connection: (TcpStream, TcpStream),
}

impl Reserved {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let there = TcpStream::connect(address).unwrap();
        let (here, _) = listener.accept().unwrap();
        Self {
            port: address.port(),
            _connection: (here, there),
        }
    }
}
