//! Telling the service manager how it goes: ready, stopping, and alive (`sd_notify(3)`, `sd_watchdog_enabled(3)`). A few
//! datagrams to a socket that `NOTIFY_SOCKET` names; where it names none, nothing is sent.
//! A ping says that the writer answers, not only that a thread of ours goes round: a server whose writer is stuck serves
//! pages and signs nobody in, and must be started anew.

use std::ffi::OsString;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// The socket of the service manager, and how often it wants to hear of us.
#[derive(Debug)]
struct ServiceManager {
    socket: UnixDatagram,
    address: SocketAddr,
    /// The service is ended when nothing came for so long.
    patience: Option<Duration>,
}

impl ServiceManager {
    /// As the environment names it; `None`: nobody wants to know.
    fn from_environment() -> io::Result<Option<Self>> {
        let Some(name) = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        let number = |name: &str| {
            std::env::var(name)
                .ok()
                .and_then(|text| text.trim().parse::<u64>().ok())
        };
        // What is meant for another process, such as the shell that started us, is not for us.
        let ours = std::env::var_os("WATCHDOG_PID").is_none()
            || number("WATCHDOG_PID") == Some(u64::from(std::process::id()));
        let patience = number("WATCHDOG_USEC").filter(|micros| ours && *micros > 0);
        Self::at(&name, patience.map(Duration::from_micros)).map(Some)
    }

    /// At that address: a path, or after `@` a name in the abstract namespace.
    fn at(name: &OsString, patience: Option<Duration>) -> io::Result<Self> {
        let address = match name.as_bytes().split_first() {
            Some((b'@', name)) => SocketAddr::from_abstract_name(name)?,
            Some((b'/', _)) => SocketAddr::from_pathname(name)?,
            _ => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "NOTIFY_SOCKET is no socket of this machine",
                ));
            }
        };
        let socket = UnixDatagram::unbound()?;
        // A service manager that does not read must not hold us up.
        socket.set_write_timeout(Some(Duration::from_secs(1)))?;
        Ok(Self {
            socket,
            address,
            patience,
        })
    }

    /// The server answers.
    fn ready(&self) {
        self.say("READY=1");
    }

    /// The server ends.
    fn stopping(&self) {
        self.say("STOPPING=1");
    }

    fn say(&self, what: &str) {
        if let Err(error) = self.socket.send_to_addr(what.as_bytes(), &self.address) {
            log::warn!("the service manager cannot be told {what}: {error}");
        }
    }
}

/// A server that the service manager was told of. Dropping it says that the server stops.
pub struct Managed {
    manager: ServiceManager,
    /// Whether another one follows in this process.
    goes_on: bool,
    /// Ends the watchdog when it goes.
    _watched: Option<Sender<()>>,
}

impl Managed {
    /// Ends it without a word: another one follows in this process at once.
    pub fn goes_on(mut self) {
        self.goes_on = true;
    }
}

impl Drop for Managed {
    fn drop(&mut self) {
        if !self.goes_on {
            self.manager.stopping();
        }
    }
}

/// Says that the server is ready, and from then on that it is well, as long as `is_well` says so within the time that it
/// is given. `None`: nobody wants to know, or cannot be told, which is no reason not to serve.
pub fn begin(is_well: impl Fn(Duration) -> bool + Send + 'static) -> Option<Managed> {
    let begun = ServiceManager::from_environment().and_then(|manager| {
        let Some(manager) = manager else {
            return Ok(None);
        };
        let watched = watch(&manager, is_well)?;
        manager.ready();
        Ok(Some(Managed {
            manager,
            goes_on: false,
            _watched: watched,
        }))
    });
    begun.unwrap_or_else(|error| {
        log::warn!("the service manager cannot be told anything: {error}");
        None
    })
}

/// A thread that pings while the server is well, until the sender is dropped; `None`: no pings are wanted.
fn watch(
    manager: &ServiceManager,
    is_well: impl Fn(Duration) -> bool + Send + 'static,
) -> io::Result<Option<Sender<()>>> {
    let Some(patience) = manager.patience else {
        return Ok(None);
    };
    let manager = ServiceManager {
        socket: manager.socket.try_clone()?,
        address: manager.address.clone(),
        patience: None,
    };
    let (stop, stopped) = channel();
    let ping = move || {
        // A wait and a late answer together are shorter than the patience.
        while stopped.recv_timeout(patience / 3) == Err(RecvTimeoutError::Timeout) {
            if is_well(patience / 2) {
                manager.say("WATCHDOG=1");
            } else {
                log::error!(
                    "the writer does not answer; the service manager is not told that all is well"
                );
            }
        }
    };
    std::thread::Builder::new()
        .name("watchdog".to_owned())
        .spawn(ping)?;
    Ok(Some(stop))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use crate::store::testing::Folder;
    use std::sync::mpsc::sync_channel;

    fn said(socket: &UnixDatagram) -> Option<String> {
        let mut buffer = [0; 64];
        let length = socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    /// A folder and a fake service manager in it.
    fn manager(name: &str, patience: Duration) -> (Folder, UnixDatagram, ServiceManager) {
        let dir = Folder::new(name);
        let path = dir.join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        let manager = ServiceManager::at(&path.into_os_string(), Some(patience)).unwrap();
        (dir, socket, manager)
    }

    #[test]
    fn a_stuck_writer_gets_no_ping() {
        let patience = Duration::from_millis(90);
        let (dir, socket, manager) = manager("watchdog", patience);
        let store = Store::open(&dir.join("doorlight.redb")).unwrap();
        let asked = store.clone();
        let (tell, verdicts) = channel();
        let is_well = move |within| {
            let answers = asked.answers(within);
            let _ = tell.send(answers);
            answers
        };
        let watched = watch(&manager, is_well).unwrap();
        assert!(watched.is_some());
        assert_eq!(said(&socket).as_deref(), Some("WATCHDOG=1"));
        // A job that does not end.
        let (release, released) = sync_channel::<()>(0);
        let (begin, begun) = sync_channel::<()>(0);
        let stuck = store.clone();
        let job = std::thread::spawn(move || {
            stuck.submit(move |_| {
                begin.send(()).unwrap();
                let _ = released.recv();
                Ok(crate::model::Decision::<(), ()>::reply(Ok(())))
            })
        });
        begun.recv().unwrap();
        // What was found before the job began is told before the next look.
        while verdicts.try_recv().is_ok() {}
        let unwell = || !verdicts.recv_timeout(Duration::from_secs(60)).unwrap();
        while !unwell() {}
        socket.set_nonblocking(true).unwrap();
        while said(&socket).is_some() {}
        assert!((0..3).all(|_| unwell()));
        assert_eq!(said(&socket), None, "a ping while the writer is stuck");
        socket.set_nonblocking(false).unwrap();
        release.send(()).unwrap();
        assert_eq!(job.join().unwrap(), Ok(Ok(())));
        assert_eq!(said(&socket).as_deref(), Some("WATCHDOG=1"));
        drop(watched);
        store.close();
        assert!(!store.answers(patience), "a closed writer");
    }

    /// A backup that was taken in: the server starts anew in the same process, and systemd would end one that stops.
    #[test]
    fn a_server_that_goes_on_does_not_say_that_it_stops() {
        let (dir, socket, _) = manager("goes-on", Duration::ZERO);
        let managed = || Managed {
            manager: ServiceManager::at(&dir.join("notify").into_os_string(), None).unwrap(),
            goes_on: false,
            _watched: None,
        };
        managed().goes_on();
        managed().manager.ready();
        assert_eq!(said(&socket).as_deref(), Some("READY=1"));
        assert_eq!(said(&socket).as_deref(), Some("STOPPING=1"));
    }

    #[test]
    fn both_kinds_of_address_are_understood_and_others_refused() {
        let (_dir, socket, manager) = manager("notify", Duration::ZERO);
        manager.ready();
        manager.stopping();
        assert_eq!(said(&socket).as_deref(), Some("READY=1"));
        assert_eq!(said(&socket).as_deref(), Some("STOPPING=1"));
        let name = format!("doorlight-notify-{}", std::process::id());
        let socket =
            UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        ServiceManager::at(&format!("@{name}").into(), None)
            .unwrap()
            .ready();
        assert_eq!(said(&socket).as_deref(), Some("READY=1"));
        for wrong in ["", "relative", "vsock:2:1234"] {
            assert!(ServiceManager::at(&wrong.into(), None).is_err(), "{wrong}");
        }
    }
}
