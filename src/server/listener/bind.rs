//! The sockets that listen.
//! Owns: who may connect to the Unix socket, and when a socket file left behind by a crash is replaced.

use std::fs::{self, Permissions};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, sockopt};

use super::registry::Peer;
use super::socket::Socket;

/// Connections that the kernel holds for us before `accept`: a burst of four times the connection limit loses nobody. It
/// may hold fewer (`net.core.somaxconn`).
const BACKLOG: i32 = 4096;

/// What the kernel holds of an answer that its client does not take; it counts twice as much, for its own needs. Left
/// to itself it grows to megabytes for each client that reads nothing. A download over 100 ms of distance still has
/// some hundred KB a second.
const SEND_BUFFER: usize = 64 * 1024;

/// A socket that listens, TCP or Unix.
#[derive(Debug)]
pub struct Listener {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener),
    Unix {
        listener: UnixListener,
        _file: SocketFile,
    },
}

impl Listener {
    /// Listens on a TCP address; port 0 chooses a free one.
    pub fn bind_tcp(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        // Listening again only changes the length of the queue, which the standard library sets to 128.
        rustix::net::listen(&listener, BACKLOG)?;
        // What is accepted inherits it.
        sockopt::set_socket_send_buffer_size(&listener, SEND_BUFFER)?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            kind: Kind::Tcp(listener),
        })
    }

    /// Listens on a Unix socket that only the owner of the process may connect to (mode 0600). A socket file on which
    /// nobody listens any more is replaced; anything else at `path` is an error. The file goes when the server ends.
    pub fn bind_unix(path: &Path) -> io::Result<Self> {
        remove_stale(path)?;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket =
            rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
        // Until it listens, nobody can connect: there is no moment in which others could.
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        let file = SocketFile::at(path)?;
        rustix::net::listen(&socket, BACKLOG)?;
        Ok(Self {
            kind: Kind::Unix {
                listener: UnixListener::from(socket),
                _file: file,
            },
        })
    }

    /// The address that a TCP socket listens on; `None` for a Unix socket.
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        match &self.kind {
            Kind::Tcp(listener) => listener.local_addr().ok(),
            Kind::Unix { .. } => None,
        }
    }

    /// Accepts without waiting. Gives the socket, whom it counts for, and the client's address where it has one.
    pub(super) fn accept(&self) -> io::Result<(Socket, Peer, Option<SocketAddr>)> {
        match &self.kind {
            Kind::Tcp(listener) => {
                let (stream, address) = listener.accept()?;
                Ok((Socket::Tcp(stream), Peer::of(address.ip()), Some(address)))
            }
            Kind::Unix { listener, .. } => {
                Ok((Socket::Unix(listener.accept()?.0), Peer::Local, None))
            }
        }
    }

    /// Becomes readable when there is a connection to accept.
    pub(super) fn waiter(&self) -> BorrowedFd<'_> {
        match &self.kind {
            Kind::Tcp(listener) => listener.as_fd(),
            Kind::Unix { listener, .. } => listener.as_fd(),
        }
    }
}

/// The file of a Unix socket, removed with it unless another process has replaced it.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl SocketFile {
    fn at(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            identity: identity(path)?,
        })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|found| found == self.identity) {
            // A file that stays is replaced by the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Removes a socket file on which nobody listens: the one case in which connecting to it is refused.
fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(metadata) if !metadata.file_type().is_socket() => Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            format!("{} is not a socket", path.display()),
        )),
        Ok(_) => match UnixStream::connect(path) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
            Err(error) => Err(error),
            Ok(_) => Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                format!("another process listens on {}", path.display()),
            )),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn the_kernel_holds_little_of_an_answer_that_nobody_takes() {
        let listener = Listener::bind_tcp(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let _client = TcpStream::connect(listener.tcp_address().unwrap()).unwrap();
        rustix::event::poll(
            &mut [rustix::event::PollFd::from_borrowed_fd(
                listener.waiter(),
                rustix::event::PollFlags::IN,
            )],
            None,
        )
        .unwrap();
        let (socket, ..) = listener.accept().unwrap();
        let size = sockopt::socket_send_buffer_size(socket.as_fd()).unwrap();
        assert!(size <= 2 * SEND_BUFFER, "{size}");
    }
}
