//! Passwords and passphrases: by prompt, from standard input or a file, never as an argument, where other users could read
//! it.

use super::Failure;
use crate::types::Secret;
use std::fs::File;
use std::io::{ErrorKind, IsTerminal, Read};
use std::os::fd::AsFd;
use std::path::Path;
use zeroize::Zeroizing;

/// Longer than any password may be. Past it, something else was sent by mistake.
const LONGEST_LINE: usize = 4 * 1024;

/// Asks twice, or reads one line.
pub(super) fn read(from_stdin: bool) -> Result<Secret, Failure> {
    if from_stdin {
        return line(stdin()?, "password", "on standard input");
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure(
            "no terminal to ask for a password; use --password-stdin".to_owned(),
        ));
    }
    twice("Password: ", "passwords")
}

/// Asks twice for a passphrase to be.
pub(super) fn new_passphrase() -> Result<Secret, Failure> {
    passphrase_terminal()?;
    twice("Passphrase of the backup: ", "passphrases")
}

/// Asks for the passphrase of a file.
pub(super) fn passphrase(file: &Path) -> Result<Secret, Failure> {
    passphrase_terminal()?;
    let question = format!("Passphrase of {}: ", file.display());
    Ok(Secret::new(rpassword::prompt_password(question)?))
}

/// The first line of a file; - is standard input.
pub(super) fn passphrase_in(file: &Path) -> Result<Secret, Failure> {
    if file == Path::new("-") {
        return line(stdin()?, "passphrase", "on standard input");
    }
    let name = file.display();
    let input = File::open(file).map_err(|error| Failure(format!("{name}: {error}")))?;
    line(input, "passphrase", &format!("in {name}"))
}

/// Without the buffer of standard input, which nobody would wipe.
pub(super) fn stdin() -> Result<File, Failure> {
    Ok(File::from(std::io::stdin().as_fd().try_clone_to_owned()?))
}

fn passphrase_terminal() -> Result<(), Failure> {
    if std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Failure(
        "no terminal to ask for the passphrase; use --passphrase-file".to_owned(),
    ))
}

fn twice(question: &str, both: &str) -> Result<Secret, Failure> {
    let first = Secret::new(rpassword::prompt_password(question)?);
    let again = Secret::new(rpassword::prompt_password("Again: ")?);
    if first == again {
        Ok(first)
    } else {
        Err(Failure(format!("the two {both} differ")))
    }
}

/// Nothing else is read after this.
fn line(mut input: impl Read, what: &str, place: &str) -> Result<Secret, Failure> {
    let mut buffer = Zeroizing::new([0; LONGEST_LINE + 1]);
    let mut held = 0;
    loop {
        let (before, free) = buffer.split_at_mut(held);
        if before.contains(&b'\n') {
            break;
        }
        if free.is_empty() {
            return Err(Failure(format!(
                "the line {place} is longer than {LONGEST_LINE} bytes"
            )));
        }
        match input.read(free) {
            Ok(0) => break,
            Ok(more) => held += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    let (before, _) = buffer.split_at(held);
    let line = before
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let text = std::str::from_utf8(line)
        .map_err(|_| Failure(format!("the {what} {place} is not UTF-8")))?
        .trim_end_matches('\r');
    if text.is_empty() {
        return Err(Failure(format!("no {what} {place}")));
    }
    Ok(Secret::new(text.to_owned()))
}
