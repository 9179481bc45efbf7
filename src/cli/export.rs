//! `doorlight export`: the house as a document that one can read, compare and take elsewhere.

use super::{Failure, Shared, output, reach};
use crate::server::administration::transfer::export::{self, Secrets};
use crate::store::placed::{self, Placing};
use clap::Args;
use serde_json::json;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

#[derive(Args)]
pub(super) struct Arguments {
    /// Where to write it, with mode 0600, in place of the file that has that name once the new one is whole; without it,
    /// or for “-”: to standard output.
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
    let is_there = may_be_replaced(to, &shared.config.data)?;
    write(to, text.as_bytes())
        .map_err(|why| Failure(format!("{}: {}", to.display(), placed::unwritten(&why))))?;
    output::one(
        shared,
        &json!({
            "file": to,
            "replaced": is_there,
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

/// Whether there is a file, which then is replaced. Never the data file, and nothing that is no file.
fn may_be_replaced(to: &Path, data: &Path) -> Result<bool, Failure> {
    let Ok(found) = std::fs::metadata(to) else {
        return Ok(false);
    };
    let refused = |why: &str| Err(Failure(format!("{}: {why}", to.display())));
    let live = std::fs::metadata(data);
    if live.is_ok_and(|live| (live.dev(), live.ino()) == (found.dev(), found.ino())) {
        return refused("this is the data file; choose another name for the export");
    }
    if !found.is_file() {
        return refused("this is no file; name one in which the export is to stand");
    }
    Ok(true)
}

/// The file is whole or what it was before, and nobody else may read it: also not where it was open to others.
fn write(to: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let placing = Placing::beside(to)?;
    placing.file().write_all(bytes)?;
    placing.put()?;
    Ok(())
}
