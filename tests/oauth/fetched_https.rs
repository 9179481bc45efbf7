//! Documents over https, with a certificate authority of the tests' own: whom Doorlight believes to be the host that an
//! application named. RFC 9110 §4.3.4, RFC 9525 §6, RFC 5280 §6.1; RFC 9101 §10.4 counts on it.

use crate::prover::Key;
use crate::site::{Site, allow_loopback, ask, keys, ok, service, told};
use crate::world::World;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::sync::Arc;

/// An authority, and its certificate as a file holds it.
fn authority() -> (Issuer<'static, KeyPair>, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let certificate = params.self_signed(&key).unwrap().pem();
    (Issuer::new(params, key), certificate)
}

/// What a certificate says of a host.
fn params(host: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

/// Publishes a key set over TLS with such a certificate.
fn site(params: &CertificateParams, issuer: Option<&Issuer<'_, KeyPair>>, document: &str) -> Site {
    let key = KeyPair::generate().unwrap();
    let certificate = match issuer {
        Some(issuer) => params.signed_by(&key, issuer),
        None => params.self_signed(&key),
    };
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.unwrap().der().clone()], private)
        .unwrap();
    let config = Arc::new(config);
    Site::serving(ok(document), move |stream| {
        let connection = ServerConnection::new(config.clone()).unwrap();
        Box::new(StreamOwned::new(connection, stream))
    })
}

#[test]
fn only_a_host_that_an_authority_of_the_machine_vouches_for_is_asked() {
    let (trusted, certificate) = authority();
    let (stranger, _) = authority();
    let mut world = World::empty();
    let file = world.dir.join("authority.pem");
    std::fs::write(&file, certificate).unwrap();
    world.environment.push(("SSL_CERT_FILE", file));
    world.start();
    // Allowed, these may stand at home; who they are is looked at all the same.
    allow_loopback(&world);
    world.verb(&["outbound", "allow", "localhost"], "");

    let key = Key::of("ES256");
    let document = keys(&key);
    let reach = |what: &str, host: &str, site: &Site| {
        let uri = format!("https://{host}:{}/keys", site.port);
        let id = service(&world, what, &uri);
        (ask(&world, &key, &id, "1"), uri)
    };
    for host in ["localhost", "127.0.0.1"] {
        let site = site(&params(host), Some(&trusted), &document);
        let (answer, _) = reach(host, host, &site);
        assert_eq!(answer.status, 200, "{host}: {answer:?}");
        assert_eq!(site.asked(), 1, "{host}");
    }

    let dated = |from, to| {
        let mut params = params("localhost");
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1);
        params
    };
    let mut for_clients = params("localhost");
    for_clients.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let good = params("localhost");
    for (what, host, params, issuer) in [
        (
            "RFC 9525 §6.3: another name",
            "localhost",
            &params("other.example"),
            Some(&trusted),
        ),
        (
            "RFC 9525 §6.3: a name below",
            "localhost",
            &params("*.localhost"),
            Some(&trusted),
        ),
        (
            "RFC 9110 §4.3.5: a name for an address",
            "127.0.0.1",
            &good,
            Some(&trusted),
        ),
        (
            "RFC 5280 §6.1.3: expired",
            "localhost",
            &dated(2020, 2021),
            Some(&trusted),
        ),
        (
            "RFC 5280 §6.1.3: not valid yet",
            "localhost",
            &dated(4000, 4001),
            Some(&trusted),
        ),
        (
            "RFC 5280 §4.2.1.12: for clients",
            "localhost",
            &for_clients,
            Some(&trusted),
        ),
        (
            "RFC 5280 §6.1.1: an unknown authority",
            "localhost",
            &good,
            Some(&stranger),
        ),
        (
            "RFC 5280 §6.1.1: its own authority",
            "localhost",
            &good,
            None,
        ),
    ] {
        let site = site(params, issuer, &document);
        let (answer, uri) = reach(what, host, &site);
        assert_eq!(answer.json()["error"], "invalid_client", "{what}");
        assert_eq!(site.asked(), 0, "{what}: it was asked");
        told(&world, &uri);
    }

    // No TLS at all behind an address that promises it.
    let plain = Site::with(ok(&document));
    let (answer, uri) = reach("plain", "localhost", &plain);
    assert_eq!(answer.json()["error"], "invalid_client");
    told(&world, &uri);
}
