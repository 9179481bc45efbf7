//! The certificate of https: read from its two files, and read again when they change. RFC 7468 (PEM), RFC 5280.
//! Owns: which pair is shown, what is wrong with another, when it ends. Not here: what is spoken with it
//! (`listener::tls`), who asks whether it changed (`cli::serve`).

use super::listener::{Pair, Tls};
use crate::config::CertificateFiles;
use crate::crypto::x509::{self, Validity};
use crate::types::{Issuer, Timestamp};
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::{Error as TlsError, InconsistentKeys};
use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

/// More than any chain has, in bytes.
const LARGEST_FILE: u64 = 1024 * 1024;
/// Who renews by themselves have renewed by then.
const SOON: Duration = Duration::from_secs(7 * 24 * 3600);
/// Between two lines that say the same.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A pair that was read, and what is to be known of it.
#[derive(Debug)]
pub struct Loaded {
    /// To show to clients.
    pub pair: Pair,
    /// From when until when clients take it.
    pub validity: Validity,
    /// Whether users of the machine other than the owner and the group may read the key.
    pub key_is_open: bool,
    own: CertificateDer<'static>,
}

impl Loaded {
    /// Whether this is the one, in DER.
    pub fn is(&self, certificate: &[u8]) -> bool {
        self.own.as_ref() == certificate
    }

    /// Whether it is a certificate of the issuer's host.
    pub fn names(&self, issuer: &Issuer) -> bool {
        names(&self.own, issuer)
    }
}

/// Whether a certificate is one of the issuer's host (RFC 9525 §6).
pub fn names(certificate: &CertificateDer<'_>, issuer: &Issuer) -> bool {
    let host = host(issuer);
    match (
        ParsedCertificate::try_from(certificate),
        ServerName::try_from(host),
    ) {
        (Ok(parsed), Ok(name)) => verify_server_name(&parsed, &name).is_ok(),
        _ => false,
    }
}

/// Why two files are no certificate and its key.
#[derive(Debug)]
pub enum CertificateError {
    /// A file cannot be read.
    Unreadable(PathBuf, io::Error),
    /// A file is larger than any certificate.
    TooLarge(PathBuf),
    /// No certificate in PEM is in the file.
    NoCertificate(PathBuf),
    /// No private key in PEM is in the file; an encrypted one counts as none.
    NoKey(PathBuf),
    /// The certificate does not parse.
    Unparsed(PathBuf),
    /// The key is another certificate's.
    AnothersKey,
    /// What rustls has against the pair.
    Refused(TlsError),
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(path, error) => write!(f, "{}: {error}", path.display()),
            Self::TooLarge(path) => write!(
                f,
                "{} is too large for a certificate or a key",
                path.display()
            ),
            Self::NoCertificate(path) => write!(
                f,
                "{} holds no certificate (PEM, BEGIN CERTIFICATE)",
                path.display()
            ),
            Self::NoKey(path) => write!(
                f,
                "{} holds no private key that can be read (PEM, BEGIN PRIVATE KEY, without a password)",
                path.display()
            ),
            Self::Unparsed(path) => {
                write!(f, "the certificate in {} cannot be read", path.display())
            }
            Self::AnothersKey => f.write_str("the key belongs to another certificate"),
            Self::Refused(error) => {
                write!(f, "the certificate and the key cannot be used: {error}")
            }
        }
    }
}

impl std::error::Error for CertificateError {}

/// Reads a pair. Nothing is said in the log, and nothing is shown to anyone.
pub fn read(files: &CertificateFiles) -> Result<Loaded, CertificateError> {
    let (text, _) = contents(&files.certificate)?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|_| CertificateError::NoCertificate(files.certificate.clone()))?;
    let own = chain
        .first()
        .cloned()
        .ok_or_else(|| CertificateError::NoCertificate(files.certificate.clone()))?;
    let validity = x509::validity(&own)
        .ok_or_else(|| CertificateError::Unparsed(files.certificate.clone()))?;
    let (text, metadata) = contents(&files.key)?;
    let key = PrivateKeyDer::from_pem_slice(&text)
        .map_err(|_| CertificateError::NoKey(files.key.clone()))?;
    let pair = Pair::new(chain, key).map_err(|error| match error {
        TlsError::InconsistentKeys(InconsistentKeys::KeyMismatch) => CertificateError::AnothersKey,
        error => CertificateError::Refused(error),
    })?;
    Ok(Loaded {
        pair,
        validity,
        key_is_open: metadata.mode() & 0o007 != 0,
        own,
    })
}

fn contents(path: &Path) -> Result<(Zeroizing<Vec<u8>>, Metadata), CertificateError> {
    let unreadable = |error| CertificateError::Unreadable(path.to_owned(), error);
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.len() > LARGEST_FILE {
        return Err(CertificateError::TooLarge(path.to_owned()));
    }
    // Room for all of it: a text that grows leaves copies of a key behind.
    let room = usize::try_from(metadata.len()).unwrap_or_default() + 1;
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    file.take(LARGEST_FILE)
        .read_to_end(&mut text)
        .map_err(unreadable)?;
    Ok((text, metadata))
}

/// The certificate that is shown, and the files that it is renewed from.
#[derive(Debug)]
pub struct Keeper {
    files: CertificateFiles,
    issuer: Issuer,
    tls: Tls,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The files as they were when they were last read.
    seen: Seen,
    /// Of the pair that is shown.
    validity: Validity,
    /// When the end of the validity was last spoken of.
    spoken: Option<Timestamp>,
}

impl Keeper {
    /// Reads the pair that is shown first. `issuer` is the address that it should be a certificate for.
    pub fn open(files: CertificateFiles, issuer: Issuer) -> Result<Self, CertificateError> {
        let seen = Seen::of(&files);
        let loaded = read(&files)?;
        complain(&loaded, &files, &issuer);
        let state = State {
            seen,
            validity: loaded.validity,
            spoken: None,
        };
        let tls = Tls::new(loaded.pair).map_err(CertificateError::Refused)?;
        Ok(Self {
            files,
            issuer,
            tls,
            state: Mutex::new(state),
        })
    }

    /// For the socket that shows it.
    pub fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// Reads the files if they changed, and says in the log when the validity ends soon, once a day.
    pub fn look(&self, now: Timestamp) {
        if self.lock().seen != Seen::of(&self.files) {
            self.reload();
        }
        let mut state = self.lock();
        if state.spoken.is_some_and(|at| now.is_within(DAY, at)) {
            return;
        }
        let Validity {
            not_before,
            not_after,
        } = state.validity;
        if now > not_after {
            log::warn!("the certificate of https has expired: browsers refuse it; renew it");
        } else if now.plus(SOON) > not_after {
            let days = not_after.since(now).as_secs() / DAY.as_secs();
            log::warn!("the certificate of https expires in {days} days and was not renewed yet");
        } else if now < not_before {
            log::warn!("the certificate of https does not count yet; is the clock right?");
        } else {
            return;
        }
        state.spoken = Some(now);
    }

    /// Reads the files, and shows what they hold from the next handshake on. A pair that is none leaves the one before
    /// it in place. Returns whether there is a new one.
    pub fn reload(&self) -> bool {
        let mut state = self.lock();
        // Before they are read: what changes meanwhile is noticed the next time.
        state.seen = Seen::of(&self.files);
        match read(&self.files) {
            Ok(loaded) => {
                complain(&loaded, &self.files, &self.issuer);
                state.validity = loaded.validity;
                state.spoken = None;
                self.tls.show(loaded.pair);
                log::info!("the certificate of https was read again");
                true
            }
            Err(error) => {
                log::error!("the certificate of https stays the old one: {error}");
                false
            }
        }
    }

    /// Where it is read from.
    pub fn files(&self) -> &CertificateFiles {
        &self.files
    }

    /// From when until when clients take the pair that is shown.
    pub fn validity(&self) -> Validity {
        self.lock().validity
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What can be used, and is not as it should be.
fn complain(loaded: &Loaded, files: &CertificateFiles, issuer: &Issuer) {
    if loaded.key_is_open {
        log::warn!(
            "other users of this machine may read the key of https: chmod o= {}",
            files.key.display()
        );
    }
    if !loaded.names(issuer) {
        log::warn!(
            "the certificate in {} is not one for {}: browsers will refuse it",
            files.certificate.display(),
            host(issuer)
        );
    }
}

/// The host of the issuer, without a port; an IPv6 address without its brackets.
fn host(issuer: &Issuer) -> String {
    let url = url::Url::parse(issuer.as_str());
    let host = url.ok().and_then(|url| url.host_str().map(str::to_owned));
    let host = host.unwrap_or_default();
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned()
}

/// What of two files changes when they do, links followed; `None` for one that cannot be looked at.
#[derive(Debug, PartialEq, Eq)]
struct Seen([Option<[i64; 7]>; 2]);

impl Seen {
    fn of(files: &CertificateFiles) -> Self {
        Self(
            [&files.certificate, &files.key]
                .map(|path| fs::metadata(path).ok().map(|file| traits_of(&file))),
        )
    }
}

fn traits_of(file: &Metadata) -> [i64; 7] {
    [
        file.dev().cast_signed(),
        file.ino().cast_signed(),
        file.size().cast_signed(),
        file.mtime(),
        file.mtime_nsec(),
        file.ctime(),
        file.ctime_nsec(),
    ]
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
