//! The certificate of https: the one in Doorlight's own files, and the one that people get to see.

use super::finding::Finding;
use crate::config::CertificateFiles;
use crate::crypto::x509::{self, Validity};
use crate::ops::outbound::own::Shown;
use crate::server::certificate::{self, Loaded};
use crate::types::{Issuer, Timestamp};
use rustls::{CertificateError, Error as TlsError};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Whoever renews by themselves has renewed by then.
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);

const FILES: &str = "certificate";
const SHOWN: &str = "shown certificate";

/// The files, as they are now.
pub(super) fn of_files(files: &CertificateFiles, issuer: &Issuer, now: Timestamp) -> Finding {
    let path = files.certificate.display();
    match certificate::read(files) {
        Err(error) => Finding::fault(FILES, error.to_string()),
        Ok(loaded) if !loaded.names(issuer) => Finding::fault(
            FILES,
            format!("the certificate in {path} is not one for the name in {issuer}"),
        ),
        Ok(Loaded {
            key_is_open: true, ..
        }) => Finding::fault(FILES, "other users of this machine may read its key")
            .change(format!("chmod o= {}", files.key.display())),
        Ok(loaded) => of_validity(FILES, loaded.validity, now),
    }
}

/// What the public address shows.
pub(super) fn of_shown(
    shown: &Shown,
    files: Option<&CertificateFiles>,
    issuer: &Issuer,
    now: Timestamp,
) -> Finding {
    // First: an authority that is not trusted would hide it.
    if !certificate::names(&shown.certificate.as_slice().into(), issuer) {
        return Finding::fault(
            SHOWN,
            format!("{issuer} shows a certificate for another name: every browser refuses it"),
        );
    }
    if let Err(error) = &shown.verdict
        && let Some(finding) = refused(error)
    {
        return finding;
    }
    let Some(validity) = x509::validity(&shown.certificate) else {
        return Finding::fault(
            SHOWN,
            "the certificate that the public address shows does not read",
        );
    };
    let own = files.and_then(|files| certificate::read(files).ok());
    if own.is_some_and(|own| !own.is(&shown.certificate)) {
        return Finding::warning(
            SHOWN,
            "the public address shows another certificate than the one in Doorlight's files: something in front ends \
             https too, or the files were not taken up",
        )
        .change("systemctl kill --signal=HUP doorlight");
    }
    of_validity(SHOWN, validity, now)
}

/// Whether it proves that no stranger answered: it verifies, or it is the one in our own files. Whoever showed it has its
/// key.
pub(super) fn is_assured(shown: &Shown, files: Option<&CertificateFiles>) -> bool {
    let own = files.and_then(|files| certificate::read(files).ok());
    shown.verdict.is_ok() || own.is_some_and(|own| own.is(&shown.certificate))
}

/// What a browser would have against it; the end of its time is judged by the validity.
fn refused(error: &TlsError) -> Option<Finding> {
    use CertificateError as Why;
    Some(match error {
        TlsError::InvalidCertificate(
            Why::Expired
            | Why::ExpiredContext { .. }
            | Why::NotValidYet
            | Why::NotValidYetContext { .. },
        ) => return None,
        TlsError::InvalidCertificate(Why::UnknownIssuer) => Finding::warning(
            SHOWN,
            "the certificate is of an authority that this machine does not trust, or comes without those between; \
             applications here will refuse it",
        )
        .change("update-ca-certificates, with the authority's certificate in /usr/local/share/ca-certificates"),
        other => Finding::fault(SHOWN, format!("the certificate that people get to see is refused: {other}")),
    })
}

fn of_validity(check: &'static str, validity: Validity, now: Timestamp) -> Finding {
    let days = validity.not_after.since(now).as_secs() / DAY.as_secs();
    if now > validity.not_after {
        let ago = now.since(validity.not_after).as_secs() / DAY.as_secs();
        Finding::fault(
            check,
            format!("it ended {ago} days ago: every browser refuses it; renew it"),
        )
    } else if now < validity.not_before {
        Finding::fault(check, "it does not count yet; is the clock right?")
    } else if now.plus(SOON) > validity.not_after {
        Finding::warning(
            check,
            format!("it ends in {days} days, and nobody renewed it yet"),
        )
    } else {
        Finding::ok(check, format!("good for {days} more days"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;
    use crate::store::testing::Folder;

    fn days(n: u64) -> Timestamp {
        Timestamp::from_secs(n * 86_400)
    }

    #[test]
    fn the_end_of_a_certificate_is_told_in_good_time() {
        let validity = Validity {
            not_before: days(100),
            not_after: days(190),
        };
        for (now, level) in [
            (99, Level::Fault),
            (100, Level::Ok),
            (175, Level::Ok),
            (177, Level::Warning),
            (190, Level::Warning),
            (191, Level::Fault),
        ] {
            let finding = of_validity(FILES, validity, days(now));
            assert_eq!(finding.level, level, "{now}: {finding:?}");
        }
    }

    #[test]
    fn what_a_browser_refuses_is_a_fault_and_a_home_authority_a_warning() {
        let level = |why| refused(&TlsError::InvalidCertificate(why)).map(|f| f.level);
        assert_eq!(level(CertificateError::BadSignature), Some(Level::Fault));
        assert_eq!(level(CertificateError::UnknownIssuer), Some(Level::Warning));
        assert_eq!(level(CertificateError::Expired), None);
    }

    #[test]
    fn a_certificate_that_does_not_verify_proves_something_only_as_our_own() {
        let folder = Folder::new("shown");
        let made = || rcgen::generate_simple_self_signed(["id.example.org".to_owned()]).unwrap();
        let (own, strangers) = (made(), made());
        let files = CertificateFiles {
            certificate: folder.join("cert.pem"),
            key: folder.join("key.pem"),
        };
        std::fs::write(&files.certificate, own.cert.pem()).unwrap();
        std::fs::write(&files.key, own.signing_key.serialize_pem()).unwrap();
        let shown = |der: &[u8], verdict| Shown {
            certificate: der.to_vec(),
            verdict,
        };
        let refused = || {
            Err(TlsError::InvalidCertificate(
                CertificateError::UnknownIssuer,
            ))
        };
        assert!(is_assured(&shown(own.cert.der(), refused()), Some(&files)));
        assert!(!is_assured(&shown(own.cert.der(), refused()), None));
        let strangers = strangers.cert.der();
        assert!(!is_assured(&shown(strangers, refused()), Some(&files)));
        assert!(is_assured(&shown(strangers, Ok(())), None));
    }
}
