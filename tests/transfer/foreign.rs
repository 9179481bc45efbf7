//! Hashes as other servers make them, and what every foreign file must withstand.

use super::import;
use crate::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use doorlight::crypto::password;
use doorlight::types::Secret;
use serde_json::Value;
use std::num::NonZeroU32;

/// Of another server's usual cost would take these tests too long; a cheap one is read the same way.
pub fn argon2id(text: &str) -> String {
    let phc = password::hash(&Secret::new(text.to_owned()), [7; 16]);
    phc.unwrap().expose().to_owned()
}

/// 64 bytes of PBKDF2 with SHA-512.
pub fn pbkdf2_sha512(text: &str, salt: &[u8], iterations: u32) -> [u8; 64] {
    let mut derived = [0; 64];
    let iterations = NonZeroU32::new(iterations).unwrap();
    let algorithm = ring::pbkdf2::PBKDF2_HMAC_SHA512;
    ring::pbkdf2::derive(algorithm, iterations, salt, text.as_bytes(), &mut derived);
    derived
}

/// The same as Authelia writes it.
pub fn authelia_pbkdf2(text: &str, iterations: u32) -> String {
    let salt = [0xfb; 16];
    let adapted = |bytes: &[u8]| STANDARD_NO_PAD.encode(bytes).replace('+', ".");
    let derived = pbkdf2_sha512(text, &salt, iterations);
    let written = format!(
        "$pbkdf2-sha512${iterations}${}${}",
        adapted(&salt),
        adapted(&derived)
    );
    assert!(written.contains('.'), "{written}");
    written
}

/// What an import says that must come in.
pub fn taken(world: &World, from: &str, file: &str, more: &[&str]) -> Value {
    let mut arguments = vec!["--from", from];
    arguments.extend(more);
    let (done, report) = import(world, file, &arguments);
    assert!(done, "{report}");
    report
}

/// What an import says that must not.
pub fn refused(world: &World, from: &str, file: &str) -> String {
    let path = world.dir.join("incoming");
    std::fs::write(&path, file).unwrap();
    let output = world.run(&["import", path.to_str().unwrap(), "--from", from], "");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = [output.stdout, output.stderr].concat();
    String::from_utf8(told).unwrap()
}

/// All lines of a report.
pub fn lines(report: &Value, of: &str) -> String {
    let lines = report[of].as_array().unwrap().iter();
    let lines: Vec<&str> = lines.map(|line| line.as_str().unwrap()).collect();
    lines.join("\n")
}

#[test]
fn a_file_that_is_too_long_is_not_read() {
    let world = World::empty();
    let long = "#".repeat(50 * 1024 * 1024);
    for from in ["authelia-users", "authelia", "keycloak"] {
        let told = refused(&world, from, &long);
        assert!(told.contains("longer than"), "{told}");
    }
    assert!(!world.data().exists());
}
