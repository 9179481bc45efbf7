//! What `doorlight doctor` says about certificates: of the files, and of what the public address shows.

use crate::certified::{Authority, files, install, settings, started, until};
use crate::world::World;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::thread;

fn examined(world: &World) -> Vec<Value> {
    serde_json::from_slice(&world.run(&["doctor"], "").stdout).unwrap()
}

fn assert_is(findings: &[Value], check: &str, level: &str, words: &str) {
    let finding = findings.iter().find(|finding| finding["check"] == check);
    let finding = finding.unwrap_or_else(|| panic!("no {check} in {findings:?}"));
    assert_eq!(finding["level"], level, "{finding}");
    assert!(
        finding["found"].as_str().unwrap().contains(words),
        "{finding}"
    );
}

#[test]
fn a_certificate_that_this_machine_trusts_is_good() {
    let authority = Authority::new();
    let mut world = World::empty();
    let roots = world.dir.join("roots.pem");
    fs::write(&roots, authority.pem()).unwrap();
    world.environment = vec![("SSL_CERT_FILE", roots)];
    install(&world, &authority.signed("127.0.0.1"));
    world.tls = Some(authority.client());
    let settings = settings(&world);
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    world.be_known_as(&format!("https://127.0.0.1:{}", world.port), &settings);
    let findings = examined(&world);
    for check in ["certificate", "shown certificate"] {
        assert_is(&findings, check, "ok", "good for");
    }
    assert_is(&findings, "address", "ok", "leads here");
    assert_is(&findings, "proxy", "ok", "directly");
}

#[test]
fn a_certificate_of_a_home_authority_is_a_warning_and_the_rest_is_looked_at() {
    let world = started(&Authority::new(), &[]);
    let findings = examined(&world);
    assert_is(&findings, "certificate", "ok", "good for");
    assert_is(&findings, "shown certificate", "warning", "does not trust");
    assert_is(&findings, "address", "ok", "leads here");
}

#[test]
fn a_certificate_for_another_name_and_a_key_that_others_read_are_faults() {
    let authority = Authority::new();
    let world = started(&authority, &[]);
    let (_, key) = files(&world);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert_is(
        &examined(&world),
        "certificate",
        "fault",
        "may read its key",
    );
    install(&world, &authority.signed("other.example"));
    assert_is(&examined(&world), "certificate", "fault", "is not one for");
    // As soon as it is taken up, people get to see it.
    let shown = |findings: Vec<Value>| {
        findings
            .iter()
            .any(|f| f["check"] == "shown certificate" && f["level"] == "fault")
    };
    until("another name shown", &world, || shown(examined(&world)));
}

/// Ends https with a certificate of this authority, and passes on what comes. It runs until the test ends.
fn proxy(authority: &Authority, port: u16) -> SocketAddr {
    let (certificate, key) = authority.signed("127.0.0.1");
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            let session = ServerConnection::new(config.clone()).unwrap();
            pass_on(StreamOwned::new(session, client.unwrap()), port);
        }
    });
    address
}

fn pass_on(mut client: StreamOwned<ServerConnection, TcpStream>, port: u16) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match client.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            // Whoever only looked whether somebody listens has gone.
            _ => return,
        }
    }
    head.truncate(head.len() - 2);
    head.extend(b"Connection: close\r\n\r\n");
    let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
    server.write_all(&head).unwrap();
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).unwrap();
    client.write_all(&answer).unwrap();
    client.conn.send_close_notify();
    let _ = client.flush();
}

/// A neighbour at the public address can pass the doctor's request on as well. Whoever typed the line that trusts it would
/// believe what it says about people's addresses from then on.
#[test]
fn a_proxy_gets_a_line_that_trusts_it_only_by_a_certificate_that_holds() {
    for is_known in [true, false] {
        let authority = Authority::new();
        let mut world = World::empty();
        if is_known {
            let roots = world.dir.join("roots.pem");
            fs::write(&roots, authority.pem()).unwrap();
            world.environment = vec![("SSL_CERT_FILE", roots)];
        }
        let address = proxy(&authority, world.port);
        world.be_known_as(&format!("https://{address}"), &[]);
        let findings = examined(&world);
        assert_is(&findings, "address", "ok", "leads here");
        assert_is(
            &findings,
            "proxy",
            "fault",
            "127.0.0.1, which is not trusted",
        );
        let found = findings.iter().find(|one| one["check"] == "proxy").unwrap();
        if is_known {
            assert_is(&findings, "shown certificate", "ok", "good for");
            assert_eq!(found["change"], "--trusted-proxy 127.0.0.1");
        } else {
            assert_is(&findings, "shown certificate", "warning", "does not trust");
            assert!(found.get("change").is_none(), "{found}");
            assert_is(&findings, "proxy", "fault", "does not prove who answered");
        }
    }
}

/// Prometheus can warn of it in good time.
#[test]
fn the_end_of_the_certificate_is_measured() {
    let authority = Authority::new();
    let world = started(&authority, &[]);
    let measured = || {
        let samples = world.verb(&["metrics"], "");
        let name = "doorlight_certificate_expiry_timestamp_seconds";
        let samples = samples.as_array().unwrap().clone();
        let sample = samples.into_iter().find(|sample| sample["name"] == name);
        sample.unwrap()["value"].as_f64().unwrap()
    };
    // rcgen's certificates end in the year 4096.
    assert!(measured() > 60_000_000_000.0, "{}", measured());
}
