//! Whom a backup is encrypted to, and what opens one: from arguments, files or a terminal.
//! Owns: where keys and passphrases come from. Not here: the age format (`crypto::age`), reading and writing backups
//! (`store::encrypted`).

use super::{Failure, password};
use crate::crypto::age::{self, Identity, Key, Lock, Recipient};
use crate::crypto::strength;
use crate::store::OpenError;
use crate::store::encrypted::{Needs, Source};
use crate::types::Secret;
use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, IsTerminal, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What makes an encrypted backup of one.
#[derive(clap::Args)]
pub(super) struct LockArguments {
    /// Encrypt the backup to this public key of the age format; may be given more than once.
    #[arg(long, value_name = "AGE1...", conflicts_with_all = ["passphrase", "passphrase_file"])]
    recipient: Vec<String>,
    /// Encrypt it to the public keys in this file, one a line.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["passphrase", "passphrase_file"])]
    recipients_file: Option<PathBuf>,
    /// Encrypt it with a passphrase, which is asked for.
    #[arg(long, conflicts_with = "passphrase_file")]
    passphrase: bool,
    /// Encrypt it with the passphrase in the first line of this file; - for standard input.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl LockArguments {
    /// Nothing, where the backup stays in the clear.
    pub(super) fn lock(&self) -> Result<Option<Lock>, Failure> {
        if let Some(file) = &self.passphrase_file {
            return with_passphrase(password::passphrase_in(file)?).map(Some);
        }
        if self.passphrase {
            return with_passphrase(password::new_passphrase()?).map(Some);
        }
        let mut recipients = Vec::new();
        for text in &self.recipient {
            // It is not repeated: it may be a private key.
            let recipient: Recipient = text
                .parse()
                .map_err(|why| Failure(format!("--recipient: {why}")))?;
            recipients.push(recipient);
        }
        if let Some(file) = &self.recipients_file {
            let text = text_of(file)?;
            let more = Recipient::read_file(&text)
                .map_err(|why| Failure(format!("{}: {why}", file.display())))?;
            recipients.extend(more);
        }
        match recipients.len() {
            0 => Ok(None),
            1..=age::MOST_KEYS => Ok(Some(Lock::Recipients(recipients))),
            _ => Err(age::AgeError::Recipients.into()),
        }
    }
}

fn with_passphrase(passphrase: Secret) -> Result<Lock, Failure> {
    strength::acceptable_for_backup(&passphrase)
        .map_err(|advice| Failure(format!("this passphrase is too easy to guess. {advice}")))?;
    Ok(Lock::Passphrase(passphrase))
}

/// What opens an encrypted backup.
#[derive(clap::Args)]
pub(super) struct KeyArguments {
    /// The file with the private key of an encrypted backup, as age-keygen makes it; - for standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_file")]
    identity: Option<PathBuf>,
    /// The file whose first line is the passphrase of an encrypted backup; - for standard input. At a terminal it is asked
    /// for.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl KeyArguments {
    /// A backup, and the key for it; none, for one that needs none.
    pub(super) fn opened(&self, file: &Path) -> Result<(Source, Option<Key>), Failure> {
        let failed = |why: &dyn fmt::Display| Failure(format!("{}: {why}", file.display()));
        let opened = File::open(file).map_err(|error| match error.kind() {
            ErrorKind::NotFound => OpenError::Missing(file.to_owned()).into(),
            _ => failed(&error),
        })?;
        let source = Source::new(opened).map_err(|error| failed(&error))?;
        let key = self.key(source.needs(), file)?;
        Ok((source, key))
    }

    fn key(&self, needs: Needs, file: &Path) -> Result<Option<Key>, Failure> {
        if let Some(identity) = &self.identity {
            return identities(identity).map(Some);
        }
        if let Some(passphrase) = &self.passphrase_file {
            let passphrase = password::passphrase_in(passphrase)?;
            return Ok(Some(Key::Passphrase(passphrase)));
        }
        let name = file.display();
        match needs {
            Needs::Nothing => Ok(None),
            Needs::Passphrase if std::io::stdin().is_terminal() => {
                Ok(Some(Key::Passphrase(password::passphrase(file)?)))
            }
            Needs::Passphrase => Err(Failure(format!(
                "{name} is encrypted with a passphrase: --passphrase-file names the file that has it"
            ))),
            Needs::Identity => Err(Failure(format!(
                "{name} is encrypted to a key: --identity names the file with the private key"
            ))),
        }
    }
}

fn identities(file: &Path) -> Result<Key, Failure> {
    let text = text_of(file)?;
    let name = file.display();
    if age::looks_encrypted(text.as_bytes()) {
        return Err(Failure(format!(
            "{name} is encrypted itself; open it first, with age --decrypt"
        )));
    }
    Identity::read_file(&text)
        .map(Key::Identities)
        .map_err(|why| Failure(format!("{name}: {why}")))
}

/// A file of keys; - is standard input.
fn text_of(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let name = file.display();
    let input = if file == Path::new("-") {
        password::stdin()?
    } else {
        File::open(file).map_err(|error| Failure(format!("{name}: {error}")))?
    };
    // Room for all of it from the start: what grows leaves copies behind. Past the bound the parser refuses it.
    let most = age::LONGEST_KEY_FILE + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(most));
    input
        .take(u64::try_from(most).unwrap_or(u64::MAX))
        .read_to_end(&mut bytes)
        .map_err(|error| Failure(format!("{name}: {error}")))?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        // The keys of an encrypted file.
        Err(_) if age::looks_encrypted(&bytes) => {
            Ok(Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()))
        }
        Err(_) => Err(Failure(format!("{name}: this is no file of keys"))),
    }
}
