//! Calls to Doorlight's own public address, for whoever wants to know whether it is reached there (`server::doctor`).
//! That address is the administrator's own setting: inner addresses are the normal case, and a certificate that does not
//! verify is looked at all the same, as nothing secret is said. No redirect is followed, and the bounds are those of
//! every call. Not here: what the answers mean.

use super::witness::{Witness, Witnessed};
use super::{DefaultResolver, TIME, bounded, whole};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::{Arc, mpsc};
use std::thread;
use ureq::Agent;
use ureq::unversioned::transport::{Connector, TcpConnector};
use url::Url;

pub use super::witness::Shown;

/// Why nothing answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreached {
    /// This machine does not know the name.
    NoSuchName,
    /// Nobody listens there, or a firewall says no.
    Refused(SocketAddr),
    /// No answer comes from there.
    Silent(SocketAddr),
    /// It listens, and does not speak https; what it did instead.
    NoTls(String),
    /// It takes the connection, and gives no answer that can be read; why.
    NoAnswer(String),
}

/// A connection that was made.
#[derive(Debug)]
pub struct Reached {
    /// The address behind the name.
    pub to: SocketAddr,
    /// Our own, on the way there.
    pub from: IpAddr,
}

/// What was answered.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Where it sends the client, if it does.
    pub location: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Connects to the host of an address, and hangs up.
pub fn reach(url: &Url) -> Result<Reached, Unreached> {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = url.port_or_known_default().unwrap_or_default();
    let stream = connect(host, port)?;
    let to = stream.peer_addr().map_err(|_| Unreached::NoSuchName)?;
    let from = stream.local_addr().map_err(|_| Unreached::Silent(to))?.ip();
    Ok(Reached { to, from })
}

/// The first address of the name that takes a connection.
fn connect(host: &str, port: u16) -> Result<TcpStream, Unreached> {
    let mut unreached = Unreached::NoSuchName;
    for address in resolve(host, port) {
        match TcpStream::connect_timeout(&address, TIME) {
            Ok(stream) => return Ok(stream),
            Err(why) if why.kind() == ErrorKind::ConnectionRefused => {
                unreached = Unreached::Refused(address);
            }
            Err(_) => unreached = Unreached::Silent(address),
        }
    }
    Err(unreached)
}

/// A name server that does not answer is given up; the thread that waits for it ends by itself.
fn resolve(host: &str, port: u16) -> Vec<SocketAddr> {
    const MOST: usize = 4;
    let (found, wait) = mpsc::sync_channel(1);
    let name = host.to_owned();
    thread::spawn(move || {
        let addresses = (name.as_str(), port).to_socket_addrs();
        let addresses = addresses.map(|all| all.take(MOST).collect::<Vec<_>>());
        // Whoever asked may have gone.
        let _ = found.send(addresses.unwrap_or_default());
    });
    wait.recv_timeout(TIME).unwrap_or_default()
}

/// Gets a public document, on one connection: the certificate that comes with the answer is the one that its sender
/// showed and has the key of. `None`: none was shown.
pub fn get(url: &Url, headers: &[(&str, &str)]) -> (Option<Shown>, Result<Answer, Unreached>) {
    let witness = Arc::new(Witness::new());
    let answer = ask(url, headers, witness.clone());
    let handshake = witness.handshake().clone();
    let answer = answer.map_err(|why| match handshake.failure {
        Some(failure) => Unreached::NoTls(failure),
        None => Unreached::NoAnswer(why.to_string()),
    });
    (handshake.shown, answer)
}

fn ask(url: &Url, headers: &[(&str, &str)], witness: Arc<Witness>) -> Result<Answer, ureq::Error> {
    let config = bounded()
        .user_agent(concat!("Doorlight/", env!("CARGO_PKG_VERSION"), " doctor"))
        .accept("application/json")
        .build();
    let connector = ().chain(TcpConnector::default()).chain(Witnessed(witness));
    let agent = Agent::with_parts(config, connector, DefaultResolver::default());
    let call = headers
        .iter()
        .fold(agent.get(url.as_str()), |call, (name, value)| {
            call.header(*name, *value)
        });
    let answer = call.call()?;
    let location = answer.headers().get("location");
    let location = location.and_then(|value| value.to_str().ok().map(str::to_owned));
    let status = answer.status().as_u16();
    let body = whole(answer.into_body())?;
    Ok(Answer {
        status,
        location,
        body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::TcpListener;
    use std::time::{Duration, Instant};

    /// A peer that sends a byte now and then holds nobody for longer than one that sends none.
    #[test]
    fn a_handshake_in_small_pieces_has_the_same_end() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        let slow = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // A handshake record of 16,383 bytes that never gets whole.
            stream.write_all(&[22, 3, 3, 0x3f, 0xff]).unwrap();
            let begun = Instant::now();
            while begun.elapsed() < 8 * TIME && stream.write_all(&[2]).is_ok() {
                thread::sleep(Duration::from_millis(100));
            }
        });
        let begun = Instant::now();
        let (shown, answer) = get(&Url::parse(&url).unwrap(), &[]);
        assert!(begun.elapsed() < 3 * TIME, "{:?}", begun.elapsed());
        assert!(shown.is_none());
        assert!(matches!(answer, Err(Unreached::NoTls(_))), "{answer:?}");
        slow.join().unwrap();
    }
}
