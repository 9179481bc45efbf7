//! `POST /admin/backups/download`: a backup as of now, taken away in the browser.
//! It is copied to a file without a name first, checked, encrypted where that is wished, and only then sent: a browser that
//! stalls holds neither the file's old pages nor the writer, and what it was told of the size is true. One at a time, for
//! each takes room on the disk while it lasts; a browser that takes nothing for half a minute is hung up on
//! (`server::listener`).

use super::backups::{self as page, refused};
use super::desk::{self, Answer, Desk};
use crate::crypto::age::Lock;
use crate::crypto::strength;
use crate::model::AdminError;
use crate::ops::backup::file_name::{self as names, Form};
use crate::ops::backup::making::{self, MakeError};
use crate::ops::backup::schedule::Turn;
use crate::server::administration::{OperationError, backups as operations};
use crate::server::context::Context;
use crate::server::respond::set;
use crate::store::backup::BackupError;
use crate::store::{encrypted, placed};
use crate::types::Secret;
use rouille::{Response, ResponseBody};
use std::fs::File;
use std::io::{self, Read, Seek};

/// `POST /admin/backups/download`.
pub fn download(desk: &Desk<'_>) -> Answer {
    match made(desk) {
        Ok((file, form, turn)) => sent(desk, file, form, turn),
        Err(error) => {
            let settings = desk.ctx().settings()?;
            let lock = desk.form.text("lock").to_owned();
            let form = page::stored(&settings.backups).with("lock", lock);
            refused(desk, form, &desk::refusal(error)?)
        }
    }
}

fn made(desk: &Desk<'_>) -> Result<(File, Form, Turn), OperationError> {
    let ctx = desk.ctx();
    let lock = lock(desk)?;
    let turn = ctx.backups.downloads.take().ok_or_else(|| {
        AdminError::NoBackup("another download is going on; try again when it has ended".to_owned())
    })?;
    let go_on = || ctx.backups.goes_on();
    making::leave_room(&ctx.store, 1 + u64::from(lock.is_some())).map_err(told)?;
    let copy = making::checked_copy(&ctx.store, &go_on).map_err(told)?;
    Ok(match lock {
        None => (copy, Form::Plain, turn),
        Some(lock) => (locked(ctx, &copy, &lock)?, Form::Encrypted, turn),
    })
}

/// To whom it is encrypted. What is typed twice is not mistyped.
fn lock(desk: &Desk<'_>) -> Result<Option<Lock>, OperationError> {
    let form = desk.form;
    match form.text("lock") {
        "none" => Ok(None),
        "recipients" => {
            let settings = desk.ctx().settings()?;
            let recipients = making::recipients(&settings.backups).map_err(told)?;
            if recipients.is_empty() {
                let why = "no public keys are set for the daily backups";
                return Err(AdminError::invalid("lock", why).into());
            }
            Ok(Some(Lock::Recipients(recipients)))
        }
        "passphrase" => {
            let passphrase = Secret::new(form.text("passphrase").to_owned());
            strength::acceptable_for_backup(&passphrase).map_err(|advice| {
                let why = format!("too easy to guess. {advice}");
                AdminError::invalid("passphrase", why.trim_end_matches(['.', ' ']))
            })?;
            if form.text("passphrase_again") != passphrase.expose() {
                let why = "this is not the same passphrase";
                return Err(AdminError::invalid("passphrase_again", why).into());
            }
            Ok(Some(Lock::Passphrase(passphrase)))
        }
        _ => Err(AdminError::invalid("lock", "choose from the list").into()),
    }
}

/// A passphrase costs 128 MiB for a moment, and so passes the gate before Argon2.
fn locked(ctx: &Context, copy: &File, lock: &Lock) -> Result<File, OperationError> {
    let folder = placed::folder(ctx.store.path());
    let told = |error: BackupError| told(error.into());
    let failed = |error| told(BackupError::Target(folder.to_owned(), error));
    let mut out = placed::nameless(folder).map_err(failed)?;
    let begun = ctx.hashing.other(|| encrypted::begin(lock, &out, folder))?;
    let begun = begun.map_err(told)?;
    encrypted::fill(begun, copy, folder, &|| ctx.backups.goes_on()).map_err(told)?;
    out.rewind().map_err(failed)?;
    Ok(out)
}

fn told(error: MakeError) -> OperationError {
    AdminError::NoBackup(error.to_string()).into()
}

fn sent(desk: &Desk<'_>, file: File, form: Form, turn: Turn) -> Answer {
    let size = file
        .metadata()
        .ok()
        .and_then(|m| usize::try_from(m.len()).ok());
    let Some(size) = size else {
        let error = AdminError::NoBackup("its size cannot be told".to_owned());
        return Err(error.into());
    };
    // Nothing leaves before its record is durable, and whoever is an administrator no longer gets nothing.
    operations::note_download(desk.ctx(), form, &desk.actor())?;
    let mut response = Response::from_data("application/octet-stream", Vec::new());
    response.data = ResponseBody::from_reader_and_size(Sending { file, _turn: turn }, size);
    let name = names::by_hand(desk.incoming.now, form);
    let disposition = format!("attachment; filename=\"{name}\"");
    set(&mut response, "Content-Disposition", disposition);
    set(&mut response, "Cache-Control", "no-store");
    Ok(response)
}

/// The file, and the turn until it is sent.
struct Sending {
    file: File,
    _turn: Turn,
}

impl Read for Sending {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.file.read(into)
    }
}
