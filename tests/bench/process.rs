//! The server under test as a process: starting, stopping, its memory, its writes, its verbs.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Attempt;
use crate::machine::Cores;

/// As long as a slow machine that does something else too may take; the figures say how long it took.
const READY_WITHIN: Duration = Duration::from_secs(120);
const STOPPED_WITHIN: Duration = Duration::from_secs(120);

/// How a server is started, again and again with the same data.
#[derive(Clone)]
pub struct Program {
    pub binary: PathBuf,
    pub data: PathBuf,
    pub address: SocketAddrV4,
    pub cores: Cores,
    /// Where its log goes; nowhere by default, as disk writes of the log are not the server's.
    pub log: Option<PathBuf>,
    /// Certificate and key, where it speaks https.
    pub https: Option<(PathBuf, PathBuf)>,
}

/// A running server; it ends with this value.
pub struct Server {
    child: Child,
}

impl Program {
    /// Starts the server and waits until it is ready; the time is from before the spawn to the
    /// 200 of `/readyz`.
    pub fn start(&self) -> Attempt<(Server, Duration)> {
        let mut command = self.command();
        command.args(["serve", "--data"]).arg(&self.data);
        command.args(["--listen", &self.address.to_string()]);
        match &self.https {
            None => command.args(["--issuer", &format!("http://{}", self.address)]),
            Some((certificate, key)) => command
                .args([
                    "--issuer",
                    &format!("https://localhost:{}", self.address.port()),
                ])
                .arg("--tls-cert")
                .arg(certificate)
                .arg("--tls-key")
                .arg(key),
        };
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(match &self.log {
                Some(path) => Stdio::from(File::options().create(true).append(true).open(path)?),
                None => Stdio::null(),
            });
        let start = Instant::now();
        let mut server = Server {
            child: self.cores.on_server_core(|| command.spawn())?,
        };
        while !self.is_ready() {
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("the server ended with {status}: {command:?}").into());
            }
            if start.elapsed() > READY_WITHIN {
                return Err(format!("not ready within {READY_WITHIN:?}: {command:?}").into());
            }
            std::thread::sleep(Duration::from_micros(100));
        }
        Ok((server, start.elapsed()))
    }

    fn is_ready(&self) -> bool {
        if self.https.is_some() {
            return self.verb(&["health"], "").is_ok();
        }
        let ask = || -> io::Result<Vec<u8>> {
            let mut stream = TcpStream::connect(self.address)?;
            stream.set_read_timeout(Some(Duration::from_secs(1)))?;
            let host = self.address;
            write!(
                stream,
                "GET /readyz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
            )?;
            let mut status = vec![0; "HTTP/1.1 200".len()];
            stream.read_exact(&mut status)?;
            // To the end, so that the server sees an orderly close and not a reset.
            io::copy(&mut stream, &mut io::sink())?;
            Ok(status)
        };
        ask().is_ok_and(|status| status == b"HTTP/1.1 200")
    }

    /// Runs a verb beside the running server and gives what it printed.
    pub fn verb(&self, arguments: &[&str], input: &str) -> Attempt<String> {
        let mut command = self.command();
        command.args(arguments).arg("--data").arg(&self.data);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A verb that reads nothing may already have closed its end.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output()?;
        if !output.status.success() {
            let reason = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{} from {command:?}: {reason}", output.status).into());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Begins a verb beside the running server, on its core: as on a machine that has but one.
    pub fn spawn_verb(&self, arguments: &[&str]) -> Attempt<Child> {
        let mut command = self.command();
        command.args(arguments).arg("--data").arg(&self.data);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(self.cores.on_server_core(|| command.spawn())?)
    }

    /// The same on another file.
    pub fn with_data(&self, data: PathBuf) -> Self {
        Self {
            data,
            ..self.clone()
        }
    }

    /// The same with a certificate, on an address of its own.
    pub fn with_https(self, files: (PathBuf, PathBuf)) -> Attempt<Self> {
        Ok(Self {
            address: free_address()?,
            https: Some(files),
            ..self
        })
    }

    /// The binary with nothing of our own settings.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            if name_text.starts_with("DOORLIGHT_") || name_text == "RUST_LOG" {
                command.env_remove(&name);
            }
        }
        command.current_dir(self.data.parent().unwrap_or(Path::new(".")));
        command
    }
}

/// A port of the loopback that nobody has, nor gets by chance: the kernel gives those from 32768 on to whoever connects, and
/// a server here starts on its own again and again.
pub fn free_address() -> io::Result<SocketAddrV4> {
    let mut ports = 10_000..32_768;
    // Not the same first ones for several at once.
    ports.nth(usize::try_from(std::process::id() % 20_000).unwrap_or(0));
    let address = |port| SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
    ports
        .map(address)
        .find(|address| TcpListener::bind(address).is_ok())
        .ok_or_else(|| io::Error::other("no port is free"))
}

impl Server {
    /// Resident memory in bytes.
    pub fn resident(&self) -> Attempt<f64> {
        let status = fs::read_to_string(self.proc("status"))?;
        let kibibytes = field(&status, "VmRSS:").ok_or("no VmRSS in /proc/PID/status")?;
        Ok(kibibytes * 1024.0)
    }

    /// Bytes that this process caused to be written to a disk since it started; none where the
    /// kernel does not say.
    pub fn written(&self) -> Option<f64> {
        field(&fs::read_to_string(self.proc("io")).ok()?, "write_bytes:")
    }

    fn proc(&self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{file}", self.child.id()))
    }

    /// SIGTERM, and an error where the server does not end by itself with 0.
    pub fn stop(mut self) -> Attempt<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.ok_or("no process id")?, Signal::TERM)?;
        let start = Instant::now();
        while start.elapsed() < STOPPED_WITHIN {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("the server ended with {status}").into()),
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        }
        Err(format!("the server did not stop within {STOPPED_WITHIN:?}").into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn field(text: &str, name: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}
