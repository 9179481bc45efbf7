//! A file of every release opens in every later one, with all that was in it (DESIGN §3). `fixtures/make` adds the one of
//! a release; one from before the first is named after the newest thing in it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

use crate::world::damage::unpacked;
use crate::world::{TestClient, World};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/fixtures");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    found.sort();
    found
}

#[test]
fn a_file_of_every_earlier_format_opens_with_everything_in_it() {
    let fixtures = fixtures();
    assert!(fixtures.len() >= 6, "{fixtures:?}");
    for told in fixtures {
        let name = told.file_stem().unwrap().to_str().unwrap();
        let old = told.with_file_name(format!("{name}.redb.gz"));
        let told: Value = serde_json::from_slice(&std::fs::read(&told).unwrap()).unwrap();
        let mut world = World::empty();
        std::fs::write(world.data(), unpacked(&old)).unwrap();
        // As it is, before a server has brought it to today's format.
        let found = world.verb(&["verify"], "");
        assert_eq!(
            (&found["whole"], &found["people"]),
            (&true.into(), &2.into()),
            "{name}: {found}"
        );
        for kind in ["sessions", "grants", "refresh_tokens"] {
            // The first fixture was made without anybody who signs in.
            let held = told.get(kind).cloned().unwrap_or_else(|| 0.into());
            assert_eq!(found[kind], held, "{name}: {kind} in {found}");
        }

        world.start();
        let keys = world.ask("GET", "/jwks.json", "", "").body;
        for kid in told["kids"].as_array().unwrap() {
            assert!(
                keys.contains(kid.as_str().unwrap()),
                "{name}: {kid} is gone"
            );
        }
        let text = |member: &str| told[member].as_str().unwrap().to_owned();
        let service = TestClient {
            id: text("client_id"),
            secret: text("client_secret"),
        };
        let body = "grant_type=client_credentials&scope=files%3Aread";
        assert_eq!(world.token(&service, body).status, 200, "{name}");
        world.sign_in("alice");
        let alice = world.verb(&["user", "show", "alice"], "");
        assert_eq!(alice["email"], "alice@example.org", "{name}: {alice}");
        assert_eq!(alice["groups"][0], "family", "{name}: {alice}");
        let boss = world.verb(&["user", "show", "boss"], "");
        assert_eq!(boss["admin"], true, "{name}: {boss}");
        let clients = world.verb(&["client", "list"], "");
        assert_eq!(clients.as_array().unwrap().len(), 2, "{name}: {clients}");
        if let Some(resource) = told["resource"].as_str() {
            let listed = world.verb(&["resource", "list"], "");
            assert_eq!(listed[0]["identifier"], resource, "{name}: {listed}");
        }
        // Whole in the format of today, and killed at that.
        world.kill();
        assert_eq!(world.verb(&["verify"], "")["whole"], true, "{name}");
    }
}
