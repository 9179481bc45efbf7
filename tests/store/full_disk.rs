//! A disk without room: requests fail with 503, what was committed stays, and the server recovers by itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

use crate::world::{World, file_size};
use std::process::Command;
use std::time::{Duration, Instant};

#[test]
fn a_full_disk_answers_503_keeps_what_was_committed_and_recovers_with_room() {
    let mut world = World::started();
    world.user("alice");
    let client = world.trusted();
    let kept = world.token(&client, "grant_type=client_credentials").json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();

    // No file of the process may grow any more: the disk is full, as far as it can tell.
    limit(&world, &file_size(&world.data()).to_string());
    // A file that was refused growth may have free pages inside, and be written again at once: asked until it stays so.
    let refused = (0..20_000).find_map(|_| {
        let answer = world.token(&client, "grant_type=client_credentials");
        let off = answer.status != 200 && world.ask("GET", "/readyz", "", "").status == 503;
        off.then_some(answer)
    });
    let refused = refused.expect("the file never reached its limit, or was ready all the same");
    assert_eq!(refused.status, 503, "{refused:?}");
    assert_eq!(refused.json()["error"], "temporarily_unavailable");
    assert!(refused.header("Retry-After").is_some());
    assert_eq!(world.ask("GET", "/healthz", "", "").status, 200);

    limit(&world, "unlimited");
    let begun = Instant::now();
    while world.ask("GET", "/readyz", "", "").status != 200 {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "no recovery: {}",
            world.log()
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(
        world.token(&client, "grant_type=client_credentials").status,
        200
    );
    assert_eq!(world.introspect(&client, &kept)["active"], true);

    world.kill();
    world.start();
    assert_eq!(world.introspect(&client, &kept)["active"], true);
    assert!(world.run(&["user", "show", "alice"], "").status.success());
}

fn limit(world: &World, bytes: &str) {
    let done = Command::new("prlimit")
        .args([
            "--pid",
            &world.pid().to_string(),
            &format!("--fsize={bytes}:unlimited"),
        ])
        .status()
        .unwrap();
    assert!(done.success(), "prlimit (util-linux)");
}
