//! What `doorlight doctor` says about certificates: of the files, and of what the public address shows.

use crate::certified::{Authority, files, install, settings, started, until};
use crate::world::World;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;

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
