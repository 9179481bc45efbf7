//! Reaching the data: through a running server, or the file itself.

use super::socket::Socket;
use super::{Failure, Shared, complain};
use crate::crypto::random;
use crate::server::api::control::{self, Command, LONGEST_COMMAND};
use crate::server::context::{Context, StartError};
use crate::store::{OpenError, ReadOnly, Snapshot, View};
use serde_json::Value;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use zeroize::Zeroizing;

/// How long a verb waits while another one holds the file. Each holds it for a moment, or for as long as its RSA keys take.
const PATIENCE: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_millis(20);

/// Whoever repairs the file or writes to it has written again by then.
const SETTLED: Duration = Duration::from_millis(200);

/// Runs a verb that writes: by the running server, else on the file.
pub(super) fn write(shared: &Shared, command: Command) -> Result<Value, Failure> {
    match reach(shared, without_a_file(&command))? {
        Reached::Server(socket) => ask(socket, &command),
        Reached::File(ctx) => execute(&ctx, command),
        Reached::Nothing => {
            let scratch = Scratch::new()?;
            let mut config = shared.config.clone();
            config.data = scratch.0.join("doorlight.redb");
            execute(&Context::open(config)?, command)
        }
    }
}

fn execute(ctx: &Context, command: Command) -> Result<Value, Failure> {
    let done = control::execute(ctx, command, &control::command_line());
    ctx.store.close();
    Ok(done?)
}

/// A folder for an empty house, which is thrown away with what was tried in it.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, Failure> {
        let mark = u64::from_le_bytes(random::bytes());
        let folder = std::env::temp_dir().join(format!("doorlight-dry-run-{mark:016x}"));
        DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .map_err(|why| Failure(format!("{}: {why}", folder.display())))?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(why) = std::fs::remove_dir_all(&self.0) {
            complain(&format!("{}: {why}", self.0.display()));
        }
    }
}

/// A mistyped `--data`, or another folder than the server's, makes a second Doorlight: that is said aloud.
fn say_made(data: &Path) -> Result<(), Failure> {
    let path = std::path::absolute(data)?;
    let path = path.display();
    complain(&format!("created {path} (no server had made it yet)"));
    Ok(())
}

fn say_tried(data: &Path) -> Result<(), Failure> {
    let path = std::path::absolute(data)?;
    let path = path.display();
    complain(&format!(
        "{path} does not exist yet: this is tried in an empty house"
    ));
    Ok(())
}

/// What becomes of a verb where there is no file.
#[derive(Clone, Copy)]
enum Missing {
    /// It is refused: a mistyped `--data` must not make a file.
    Refuse,
    /// The file is made.
    Make,
    /// It is tried in an empty house, and no file is made.
    Try,
}

/// Only verbs that may come first make a file.
fn without_a_file(command: &Command) -> Missing {
    match command {
        Command::UserAdd { .. } | Command::ClientAdd { .. } | Command::SetupLink {} => {
            Missing::Make
        }
        Command::Import { wish, .. } if wish.dry_run => Missing::Try,
        Command::Import { .. } => Missing::Make,
        _ => Missing::Refuse,
    }
}

/// What a verb that writes goes through.
enum Reached {
    Server(Socket),
    File(Box<Context>),
    /// There is no file.
    Nothing,
}

/// Waits for a file that another verb holds. Looks for the socket each time: the holder may be a server that is starting.
fn reach(shared: &Shared, missing: Missing) -> Result<Reached, Failure> {
    let config = &shared.config;
    let mut patience = Patience::with(&config.data);
    loop {
        if let Some(socket) = Socket::connect(&config.socket()) {
            return Ok(Reached::Server(socket));
        }
        let made = !config.data.exists();
        match missing {
            Missing::Refuse if made => return Err(no_file(&config.data)),
            Missing::Try if made => {
                say_tried(&config.data)?;
                return Ok(Reached::Nothing);
            }
            _ => {}
        }
        match house(shared) {
            Ok(ctx) => {
                if made {
                    say_made(&config.data)?;
                }
                return Ok(Reached::File(Box::new(ctx)));
            }
            Err(error) if !patience.again(&error) => return Err(error.into()),
            Err(_) => {}
        }
    }
}

/// Opens the file. Links and settings that a verb hands out lead to where the last server was, unless it is told another
/// address: whoever runs a verb beside a stopped server seldom has its settings at hand.
fn house(shared: &Shared) -> Result<Context, StartError> {
    let mut ctx = Context::open(shared.config.clone())?;
    if !shared.issuer_is_set {
        let snapshot = ctx.store.snapshot().map_err(StartError::Store)?;
        let last = snapshot.view().issuer_record().map_err(StartError::Store)?;
        let issuer = last.and_then(|last| last.issuer.parse().ok());
        if let Some(issuer) = issuer {
            ctx.be_known_as(issuer);
        }
    }
    Ok(ctx)
}

/// Waits for what stands in the way for a moment only.
struct Patience<'a> {
    data: &'a Path,
    begun: Instant,
    seen: Option<(SystemTime, u64)>,
}

impl<'a> Patience<'a> {
    fn with(data: &'a Path) -> Self {
        Self {
            data,
            begun: Instant::now(),
            seen: seen(data),
        }
    }

    /// Whether to try again, after a while. A file that seems damaged and changes meanwhile is being repaired by another
    /// verb: it was read half before and half after.
    fn again(&mut self, error: &StartError) -> bool {
        let StartError::Open(error @ (OpenError::InUse(_) | OpenError::Corrupt(..))) = error else {
            return false;
        };
        if self.begun.elapsed() >= PATIENCE {
            return false;
        }
        let in_use = matches!(error, OpenError::InUse(_));
        std::thread::sleep(if in_use { AGAIN } else { SETTLED });
        let before = std::mem::replace(&mut self.seen, seen(self.data));
        in_use || self.seen != before
    }
}

/// What changes when somebody writes to the file.
fn seen(data: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(data).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn ask(socket: Socket, command: &Command) -> Result<Value, Failure> {
    let longest = control::body_limit("POST", command.path()).unwrap_or(LONGEST_COMMAND);
    // A buffer of that size never moves, and so leaves no copy of a password behind when it is wiped.
    let mut body = Zeroizing::new(Vec::with_capacity(longest));
    serde_json::to_writer(&mut *body, command)?;
    let (_, answer) = socket.ask("POST", command.path(), &body)?;
    if let Some(done) = answer.get("ok") {
        return Ok(done.clone());
    }
    let why = answer
        .get("error")
        .and_then(Value::as_str)
        .unwrap_or("the running server refused");
    Err(Failure(why.to_owned()))
}

/// Reads a snapshot: of the file while a server writes it, or of the file at rest. Never makes a file.
pub(super) fn read<T>(
    shared: &Shared,
    act: impl FnOnce(&View<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    read_whole(shared, |snapshot| act(&snapshot.view()))
}

/// The same, for a verb that takes all of it.
pub(super) fn read_whole<T>(
    shared: &Shared,
    act: impl FnOnce(&Snapshot) -> Result<T, Failure>,
) -> Result<T, Failure> {
    match ReadOnly::open(&shared.config.data) {
        Ok(file) => act(&file.snapshot()?),
        // It was not closed and needs the repair that only a writer may do.
        Err(OpenError::Corrupt(..)) if Socket::connect(&shared.config.socket()).is_none() => {
            let ctx = open(shared)?;
            let done = ctx
                .store
                .snapshot()
                .map_err(Failure::from)
                .and_then(|snapshot| act(&snapshot));
            ctx.store.close();
            done
        }
        Err(OpenError::Missing(path)) => Err(no_file(&path)),
        Err(error) => Err(error.into()),
    }
}

/// The commonest slip beside a service: another folder than its own.
fn no_file(data: &Path) -> Failure {
    let path = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    Failure(format!(
        "{} does not exist: run this in the folder of the data file, or name that file with --data",
        path.display()
    ))
}

/// Opens the file for writing; waits for a verb that holds it, and says which server does.
pub(super) fn open(shared: &Shared) -> Result<Context, Failure> {
    let mut patience = Patience::with(&shared.config.data);
    loop {
        let error = match house(shared) {
            Ok(ctx) => return Ok(ctx),
            Err(error) => error,
        };
        if let StartError::Open(OpenError::InUse(_)) = error
            && let Some(who) = holder(shared)
        {
            return Err(Failure(format!("{error}: {who}")));
        }
        if !patience.again(&error) {
            return Err(error.into());
        }
    }
}

/// The server that holds the file, as it names itself.
fn holder(shared: &Shared) -> Option<String> {
    let (_, ping) = Socket::connect(&shared.config.socket())?
        .ask("GET", "/control/ping", b"")
        .ok()?;
    let text = |name: &str| {
        ping.get(name)
            .and_then(Value::as_str)
            .unwrap_or("?")
            .to_owned()
    };
    Some(format!(
        "process {}, which listens on {} as {}",
        ping.get("pid")?,
        text("listen"),
        text("issuer")
    ))
}
