//! `doorlight health`: whether the server can write. Asks the control socket; where that does not answer, the address
//! that the server listens on: a container's check may run as another user, or not know the data file.

use super::socket::exchange;
use super::{Failure, Shared, output};
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// For each of the two.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) fn run(shared: &Shared) -> Result<(), Failure> {
    let path = shared.config.socket();
    let address = reachable(shared.config.listen);
    let socket = path.clone();
    let (status, body) =
        within(move || exchange(UnixStream::connect(socket)?, "GET", "/readyz", b""))
            .or_else(|_| {
                within(move || exchange(TcpStream::connect(address)?, "GET", "/readyz", b""))
            })
            .map_err(|Failure(why)| {
                let path = path.display();
                Failure(format!("no server answers on {path} or {address} ({why})"))
            })?;
    match (status, body.trim_end()) {
        (200, "ready") => {
            output::one(shared, &json!({ "ready": true }));
            Ok(())
        }
        (503, _) => Err(Failure("the server cannot write its data file".to_owned())),
        _ => Err(Failure(format!(
            "what listens on {address} is no Doorlight"
        ))),
    }
}

/// Where to connect for an address to listen on: `0.0.0.0` and `[::]` mean this machine too.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// However slowly the other side dribbles; a thread that still waits ends with the process.
fn within<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let (done, wait) = mpsc::sync_channel(1);
    thread::Builder::new().spawn(move || {
        // Nobody waits any more: too late.
        let _ = done.send(act());
    })?;
    wait.recv_timeout(PATIENCE)
        .map_err(|_| Failure(format!("nothing came within {} s", PATIENCE.as_secs())))?
}
