//! Pairs of files, good and bad. What clients see of them: `tests/tls`.

use super::*;
use crate::store::testing::Folder;
use rcgen::{CertificateParams, KeyPair};
use std::os::unix::fs::PermissionsExt;

/// Where such a pair is.
struct Pair(Folder);

impl Pair {
    fn new(name: &str) -> Self {
        Self(Folder::new(name))
    }

    fn files(&self) -> CertificateFiles {
        CertificateFiles {
            certificate: self.0.join("cert.pem"),
            key: self.0.join("key.pem"),
        }
    }

    fn write(&self, certificate: &str, key: &str) {
        let files = self.files();
        fs::write(&files.certificate, certificate).unwrap();
        fs::write(&files.key, key).unwrap();
        fs::set_permissions(&files.key, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

fn made(name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn issuer(text: &str) -> Issuer {
    text.parse().unwrap()
}

#[test]
fn a_certificate_is_for_the_names_in_it() {
    let folder = Pair::new("names");
    for (name, address, fits) in [
        ("id.example.org", "https://id.example.org", true),
        ("id.example.org", "https://id.example.org:8443/sub", true),
        ("id.example.org", "https://example.org", false),
        ("*.example.org", "https://id.example.org", true),
        ("192.0.2.1", "https://192.0.2.1", true),
        ("2001:db8::1", "https://[2001:db8::1]:8443", true),
        ("2001:db8::1", "https://[2001:db8::2]", false),
    ] {
        let (certificate, key) = made(name);
        folder.write(&certificate, &key);
        let loaded = read(&folder.files()).unwrap();
        assert_eq!(loaded.names(&issuer(address)), fits, "{name}, {address}");
    }
}

#[test]
fn what_is_no_pair_is_said_in_words() {
    let folder = Pair::new("bad");
    let (certificate, key) = made("id.example");
    let (_, another) = made("id.example");
    let broken = certificate.replacen("MI", "IM", 1);
    let locked = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    for (certificate, key, words) in [
        (
            certificate.as_str(),
            another.as_str(),
            "another certificate",
        ),
        (certificate.as_str(), "", "no private key"),
        (certificate.as_str(), locked.as_str(), "without a password"),
        (certificate.as_str(), certificate.as_str(), "no private key"),
        ("", key.as_str(), "no certificate"),
        (key.as_str(), key.as_str(), "no certificate"),
        (broken.as_str(), key.as_str(), "cannot be read"),
    ] {
        folder.write(certificate, key);
        let error = read(&folder.files()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    fs::remove_file(folder.files().key).unwrap();
    folder.write(&certificate, &key);
    fs::remove_file(folder.files().certificate).unwrap();
    let error = read(&folder.files()).unwrap_err().to_string();
    assert!(error.contains("cert.pem: No such file"), "{error}");
}

#[test]
fn one_file_may_hold_both() {
    let folder = Pair::new("both");
    let (certificate, key) = made("id.example");
    let both = format!("{key}{certificate}");
    folder.write(&both, &both);
    assert!(read(&folder.files()).is_ok());
}

#[test]
fn a_key_that_strangers_may_read_is_noticed() {
    let folder = Pair::new("mode");
    let (certificate, key) = made("id.example");
    folder.write(&certificate, &key);
    for (mode, open) in [(0o600, false), (0o640, false), (0o644, true), (0o604, true)] {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(folder.files().key, permissions).unwrap();
        assert_eq!(read(&folder.files()).unwrap().key_is_open, open, "{mode:o}");
    }
}

#[test]
fn a_bad_new_pair_keeps_the_old_one_and_a_good_one_replaces_it() {
    let folder = Pair::new("keeper");
    let (certificate, key) = made("id.example");
    folder.write(&certificate, &key);
    let keeper = Keeper::open(folder.files(), issuer("https://id.example")).unwrap();
    let first = keeper.validity();
    folder.write("", &key);
    assert!(!keeper.reload());
    assert_eq!(keeper.validity(), first);

    let new = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["id.example".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2031, 1, 1);
    folder.write(
        &params.self_signed(&new).unwrap().pem(),
        &new.serialize_pem(),
    );
    keeper.look(Timestamp::from_secs(1_800_000_000));
    assert_eq!(
        keeper.validity().not_after,
        Timestamp::from_secs(1_924_992_000)
    );
}
