//! Passwords: by prompt or from standard input, never as an argument, where other users could read it.

use super::Failure;
use crate::types::Secret;
use std::io::{BufRead, IsTerminal};

/// Asks twice, or reads one line.
pub(super) fn read(from_stdin: bool) -> Result<Secret, Failure> {
    if from_stdin {
        let mut line = zeroize::Zeroizing::new(String::new());
        std::io::stdin().lock().read_line(&mut line)?;
        let password = line.trim_end_matches(['\r', '\n']);
        if password.is_empty() {
            return Err(Failure("no password on standard input".to_owned()));
        }
        return Ok(Secret::new(password.to_owned()));
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
