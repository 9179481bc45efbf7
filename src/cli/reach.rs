//! Reaching the data: through a running server, or the file itself.

use super::socket::Socket;
use super::{Failure, Shared};
use crate::server::api::control::{self, Command};
use crate::server::context::{Context, StartError};
use crate::store::{OpenError, ReadOnly, View};
use serde_json::Value;

/// Runs a verb that writes: by the running server, else on the file.
pub(super) fn write(shared: &Shared, command: Command) -> Result<Value, Failure> {
    if let Some(socket) = Socket::connect(&shared.config.socket()) {
        let body = serde_json::to_vec(&command)?;
        let (_, answer) = socket.ask("POST", "/control", &body)?;
        if let Some(done) = answer.get("ok") {
            return Ok(done.clone());
        }
        let why = answer
            .get("error")
            .and_then(Value::as_str)
            .unwrap_or("the running server refused");
        return Err(Failure(why.to_owned()));
    }
    // Only verbs that may come first make a file: a mistyped `--data` must not.
    let may_come_first = matches!(
        command,
        Command::UserAdd { .. } | Command::ClientAdd { .. } | Command::SetupLink
    );
    if !may_come_first && !shared.config.data.exists() {
        return Err(OpenError::Missing(shared.config.data.clone()).into());
    }
    let ctx = open(shared)?;
    let done = control::execute(&ctx, command, &control::command_line());
    ctx.store.close();
    Ok(done?)
}

/// Reads a snapshot: of the file while a server writes it, or of the file at rest. Never makes a file.
pub(super) fn read<T>(
    shared: &Shared,
    act: impl FnOnce(&View<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    match ReadOnly::open(&shared.config.data) {
        Ok(file) => act(&file.snapshot()?.view()),
        // It was not closed and needs the repair that only a writer may do.
        Err(OpenError::Corrupt(..)) if Socket::connect(&shared.config.socket()).is_none() => {
            let ctx = open(shared)?;
            let done = ctx
                .store
                .snapshot()
                .map_err(Failure::from)
                .and_then(|snapshot| act(&snapshot.view()));
            ctx.store.close();
            done
        }
        Err(error) => Err(error.into()),
    }
}

/// Opens the file for writing; says who has it where somebody does.
pub(super) fn open(shared: &Shared) -> Result<Context, Failure> {
    Context::open(shared.config.clone()).map_err(|error| match error {
        StartError::Open(error @ OpenError::InUse(_)) => match holder(shared) {
            Some(who) => Failure(format!("{error}: {who}")),
            None => Failure(error.to_string()),
        },
        other => Failure(other.to_string()),
    })
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
