//! A world with a certificate of an authority of the tests' own.

use crate::world::World;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Signs certificates for 127.0.0.1.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    /// Its own certificate, in PEM.
    pub fn pem(&self) -> String {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(&self.certificate);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    }

    /// A certificate for a host and its key, in PEM.
    pub fn signed(&self, host: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// A client that trusts this authority and no other, and does not resume sessions.
    pub fn client(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = rustls::client::Resumption::disabled();
        Arc::new(config)
    }
}

/// The two files of a world.
pub fn files(world: &World) -> (PathBuf, PathBuf) {
    (world.dir.join("cert.pem"), world.dir.join("key.pem"))
}

/// Puts a pair in place as a deploy hook does: each file at once, the certificate first.
pub fn install(world: &World, (certificate, key): &(String, String)) {
    let (at, beside) = files(world);
    for (path, text) in [(at, certificate), (beside, key)] {
        let new = path.with_extension("new");
        fs::write(&new, text).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).unwrap();
        fs::rename(new, path).unwrap();
    }
}

/// The settings of a world with these files.
pub fn settings(world: &World) -> Vec<String> {
    let (certificate, key) = files(world);
    let text = |path: PathBuf| path.to_str().unwrap().to_owned();
    vec![
        "--tls-cert".to_owned(),
        text(certificate),
        "--tls-key".to_owned(),
        text(key),
    ]
}

/// A server that speaks https on 127.0.0.1, with further settings.
pub fn started(authority: &Authority, more: &[&str]) -> World {
    let mut world = World::empty();
    install(&world, &authority.signed("127.0.0.1"));
    world.tls = Some(authority.client());
    let issuer = format!("https://127.0.0.1:{}", world.port);
    let settings = settings(&world);
    let mut settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    settings.extend(more);
    world.be_known_as(&issuer, &settings);
    world
}

/// Waits until it is so.
pub fn until(what: &str, world: &World, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "never: {what}; {}",
            world.log()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
