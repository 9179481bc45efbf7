//! A backup in the age format: written to whom it is for, and opened into a file that is as safe as the data file.
//! Owns: whether a backup is encrypted, and that one that is cut short, or changed, or somebody else's is no backup.
//! Not here: the format (`crypto::age`), where keys come from (`cli::lock`), what is in a backup (`verify`).

use super::backup::{BackupError, GoOn};
use super::placed;
use crate::crypto::age::{self, AgeError, Encrypting, Header, Key, Lock};
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Chain, Cursor, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What is read, encrypted or copied at once, in bytes.
const PIECE: usize = 64 * 1024;

/// Writes all of `copy` to `out`, which stands or will stand at `target`, encrypted where there is a lock. Asks between
/// pieces whether to go on. Returns the size of the copy in bytes.
pub fn write(
    copy: &File,
    lock: Option<&Lock>,
    mut out: impl Write,
    target: &Path,
    go_on: GoOn<'_>,
) -> Result<u64, BackupError> {
    match lock {
        Some(lock) => fill(begin(lock, out, target)?, copy, target, go_on),
        None => {
            let size = pour(copy, &mut out, target, go_on)?;
            ended(out, target)?;
            Ok(size)
        }
    }
}

/// The first half of [`write`] for whoever has to count what a passphrase costs, 128 MiB for a moment: no more than that.
pub fn begin<W: Write>(lock: &Lock, out: W, target: &Path) -> Result<Encrypting<W>, BackupError> {
    age::encrypt(lock, out).map_err(|error| match error {
        AgeError::Io(error) => BackupError::Target(target.to_owned(), error),
        other => BackupError::Encryption(other),
    })
}

/// The second half.
pub fn fill<W: Write>(
    mut begun: Encrypting<W>,
    copy: &File,
    target: &Path,
    go_on: GoOn<'_>,
) -> Result<u64, BackupError> {
    let size = pour(copy, &mut begun, target, go_on)?;
    let out = begun
        .finish()
        .map_err(|error| BackupError::Target(target.to_owned(), error))?;
    ended(out, target)?;
    Ok(size)
}

fn pour(
    mut copy: &File,
    out: &mut impl Write,
    target: &Path,
    go_on: GoOn<'_>,
) -> Result<u64, BackupError> {
    let failed = |error| BackupError::Target(target.to_owned(), error);
    let mut piece = Zeroizing::new(vec![0; PIECE]);
    let mut size = 0;
    loop {
        if !go_on() {
            return Err(BackupError::Stopped);
        }
        let read = match copy.read(&mut piece) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read.map_err(failed)?,
        };
        let Some(read) = piece.get(..read).filter(|read| !read.is_empty()) else {
            return Ok(size);
        };
        out.write_all(read).map_err(failed)?;
        size += u64::try_from(read.len()).unwrap_or(0);
    }
}

fn ended(mut out: impl Write, target: &Path) -> Result<(), BackupError> {
    out.flush()
        .map_err(|error| BackupError::Target(target.to_owned(), error))
}

/// A backup that is to be read, once and from its beginning: also out of a pipe.
pub struct Source {
    file: BufReader<Chain<Cursor<Vec<u8>>, File>>,
    /// Of one that is encrypted.
    header: Option<Header>,
}

/// What opens a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// It is not encrypted.
    Nothing,
    /// The private key of one that it is encrypted to.
    Identity,
    /// Its passphrase.
    Passphrase,
}

impl Source {
    /// Reads as much of the file as tells what it needs.
    pub fn new(file: File) -> Result<Self, SourceError> {
        let mut first = Vec::new();
        (&file)
            .take(age::TELLING)
            .read_to_end(&mut first)
            .map_err(SourceError::Read)?;
        let is_encrypted = age::looks_encrypted(&first);
        let mut file = BufReader::with_capacity(PIECE, Cursor::new(first).chain(file));
        let header = match is_encrypted {
            true => Some(Header::read(&mut file)?),
            false => None,
        };
        Ok(Self { file, header })
    }

    /// What opens it.
    pub fn needs(&self) -> Needs {
        match &self.header {
            None => Needs::Nothing,
            Some(header) if header.needs_passphrase() => Needs::Passphrase,
            Some(_) => Needs::Identity,
        }
    }

    /// Writes all of it to `to`, in the clear. Whatever was written is of no use unless this returns its size in bytes. A
    /// key for a backup that is not encrypted is refused: somebody may have put that one in its place.
    pub fn open_into(mut self, key: Option<&Key>, to: &File) -> Result<u64, SourceError> {
        match (self.header, key) {
            (None, None) => copy(&mut self.file, to),
            (None, Some(_)) => Err(SourceError::NotEncrypted),
            (Some(_), None) => Err(SourceError::NoKey),
            (Some(header), Some(key)) => copy(&mut header.open(self.file, key)?, to),
        }
    }

    /// The same into a file without a name, in that folder, wound back to its beginning.
    pub fn open_nameless(self, key: Option<&Key>, folder: &Path) -> Result<File, SourceError> {
        let failed = |error| SourceError::Scratch(folder.to_owned(), error);
        let mut file = placed::nameless(folder).map_err(failed)?;
        self.open_into(key, &file).map_err(|error| match error {
            SourceError::Write(error) => failed(error),
            other => other,
        })?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        Ok(file)
    }
}

/// Copies, and knows on which side it failed.
fn copy(from: &mut impl Read, mut to: &File) -> Result<u64, SourceError> {
    let mut from = BufReader::with_capacity(PIECE, from);
    let mut size = 0;
    loop {
        let piece = match from.fill_buf() {
            Ok([]) => return Ok(size),
            Ok(piece) => piece,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(unread(error)),
        };
        to.write_all(piece).map_err(SourceError::Write)?;
        let length = piece.len();
        size += u64::try_from(length).unwrap_or(0);
        from.consume(length);
    }
}

/// A content that was changed is an error of reading with the cause in it.
fn unread(error: io::Error) -> SourceError {
    match error.downcast::<AgeError>() {
        Ok(cause) => SourceError::Age(cause),
        Err(error) => SourceError::Read(error),
    }
}

/// Why a backup was not opened.
#[derive(Debug)]
pub enum SourceError {
    /// It cannot be read.
    Read(io::Error),
    /// It cannot be decrypted.
    Age(AgeError),
    /// It is encrypted, and there is no key.
    NoKey,
    /// It is not encrypted, and there is a key.
    NotEncrypted,
    /// Its content cannot be written where it was to go.
    Write(io::Error),
    /// The same, and where that is.
    Scratch(PathBuf, io::Error),
}

impl From<AgeError> for SourceError {
    fn from(error: AgeError) -> Self {
        match error {
            AgeError::Io(error) => unread(error),
            other => Self::Age(other),
        }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => error.fmt(f),
            Self::Age(error) => error.fmt(f),
            Self::NoKey => f.write_str("this file is encrypted, and there is no key for it"),
            Self::NotEncrypted => f.write_str(
                "this file is not encrypted, although there is a key for it; is it the right one?",
            ),
            Self::Write(error) => f.write_str(&placed::unwritten(error)),
            Self::Scratch(folder, error) => {
                write!(f, "{}: {}", folder.display(), placed::unwritten(error))
            }
        }
    }
}

impl std::error::Error for SourceError {}

#[cfg(test)]
#[path = "encrypted_tests.rs"]
mod tests;
