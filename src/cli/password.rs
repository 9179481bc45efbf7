//! Passwords: by prompt or from standard input, never as an argument, where other users could read it.

use super::Failure;
use crate::types::Secret;
use std::fs::File;
use std::io::{ErrorKind, IsTerminal, Read};
use std::os::fd::AsFd;
use zeroize::Zeroizing;

/// Longer than any password may be. Past it, something else was sent by mistake.
const LONGEST_LINE: usize = 4 * 1024;

/// Asks twice, or reads one line.
pub(super) fn read(from_stdin: bool) -> Result<Secret, Failure> {
    if from_stdin {
        return line(File::from(std::io::stdin().as_fd().try_clone_to_owned()?));
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure(
            "no terminal to ask for a password; use --password-stdin".to_owned(),
        ));
    }
    let password = Secret::new(rpassword::prompt_password("Password: ")?);
    let again = Secret::new(rpassword::prompt_password("Again: ")?);
    if password == again {
        Ok(password)
    } else {
        Err(Failure("the two passwords differ".to_owned()))
    }
}

/// Reads without the buffer of standard input, which nobody would wipe. Nothing else is read after this.
fn line(mut input: impl Read) -> Result<Secret, Failure> {
    let mut buffer = Zeroizing::new([0; LONGEST_LINE + 1]);
    let mut held = 0;
    loop {
        let (before, free) = buffer.split_at_mut(held);
        if before.contains(&b'\n') {
            break;
        }
        if free.is_empty() {
            return Err(Failure(format!(
                "the line on standard input is longer than {LONGEST_LINE} bytes"
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
    let password = std::str::from_utf8(line)
        .map_err(|_| Failure("the password on standard input is not UTF-8".to_owned()))?
        .trim_end_matches('\r');
    if password.is_empty() {
        return Err(Failure("no password on standard input".to_owned()));
    }
    Ok(Secret::new(password.to_owned()))
}
