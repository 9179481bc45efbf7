//! `doorlight export`: the house as a document that one can read, compare and take elsewhere.

use super::{Failure, Shared, output, reach};
use crate::ops::clock;
use crate::server::administration::transfer::export::{self, Secrets};
use clap::Args;
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

#[derive(Args)]
pub(super) struct Arguments {
    /// Where to write it, with mode 0600; without it, or for “-”: to standard output.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// With the hashes of passwords and secrets, and the signing keys. Whoever reads it can act as Doorlight, so it needs
    /// --to.
    #[arg(long, requires = "to")]
    with_secrets: bool,
}

pub(super) fn run(shared: &Shared, arguments: &Arguments) -> Result<(), Failure> {
    let secrets = if arguments.with_secrets {
        Secrets::Included
    } else {
        Secrets::LeftOut
    };
    let document = reach::read(shared, |view| Ok(export::export(view, secrets)?))?;
    let text = Zeroizing::new(document.text()?);
    let to = arguments.to.as_deref().filter(|to| *to != Path::new("-"));
    let Some(to) = to else {
        output::whole(&text).map_err(|why| Failure(format!("standard output: {why}")))?;
        return Ok(());
    };
    write(to, text.as_bytes()).map_err(|why| Failure(format!("{}: {why}", to.display())))?;
    output::one(
        shared,
        &json!({
            "file": to,
            "secrets": arguments.with_secrets,
            "users": document.users.len(),
            "groups": document.groups.len(),
            "clients": document.clients.len(),
            "resources": document.resources.len(),
            "signing_keys": document.signing_keys.len(),
        }),
    );
    Ok(())
}

/// The file is whole or what it was before, and nobody else may read it: also not where it was open to others.
fn write(to: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = to.as_os_str().to_owned();
    name.push(format!(".{}.part", clock::now().millis()));
    let part = PathBuf::from(name);
    let options = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .clone();
    let file = options.open(&part)?;
    let written = fill(file, bytes).and_then(|()| std::fs::rename(&part, to));
    if written.is_err() {
        // What is left of it is of no use.
        let _ = std::fs::remove_file(&part);
    }
    written
}

fn fill(mut file: File, bytes: &[u8]) -> std::io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}
