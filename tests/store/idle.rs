//! A memory card lasts for as long as nobody writes to it: what an idle server writes, and one that is only read from.
//! Counted by the kernel (`/proc/PID/io`, proc(5)) and seen in the file itself. Whatever writes counts, the log too.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

use crate::world::{Browser, World, names};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Longer than the sweep rests (30 s) and than the certificate is left unlooked at (10 s). The benchmark has ten minutes:
/// `cargo bench --bench bench -- --only idle-writes --idle 600`.
const IDLE: Duration = Duration::from_secs(45);
/// For so long nothing is written any more: after the last answer, what was asked for may still be on its way to the disk.
const SETTLED: Duration = Duration::from_secs(2);

/// All that a write would change.
#[derive(Debug, PartialEq, Eq)]
struct Traces {
    /// Bytes that the process caused to be written. Only root may read that of a process that leaves no core dump.
    written: Option<u64>,
    /// Of the data file: length, blocks, and the moment it was last written in nanoseconds.
    file: (u64, u64, i64, i64),
    /// Whatever stands beside it.
    folder: Vec<String>,
}

impl Traces {
    fn of(world: &World) -> Self {
        let io = fs::read_to_string(format!("/proc/{}/io", world.pid())).ok();
        let written = io.map(|io| {
            io.lines()
                .find_map(|line| line.strip_prefix("write_bytes: "))
                .and_then(|written| written.parse().ok())
                .expect("the kernel counts writes (CONFIG_TASK_IO_ACCOUNTING)")
        });
        let file = fs::metadata(world.data()).unwrap();
        Self {
            written,
            file: (file.len(), file.blocks(), file.mtime(), file.mtime_nsec()),
            folder: names(&world.dir),
        }
    }
}

/// What there is once nothing is on its way any more.
fn settled(world: &World) -> Traces {
    let begun = Instant::now();
    loop {
        let before = Traces::of(world);
        std::thread::sleep(SETTLED);
        if Traces::of(world) == before {
            return before;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "it writes on");
    }
}

/// A server with people, an application, sessions and tokens, at rest.
fn lived_in() -> (World, String, String) {
    // Writes into a file system in memory, as many a folder for temporary files is, are not counted.
    let mut world = World::empty_in(Path::new(env!("CARGO_TARGET_TMPDIR")));
    world.start();
    world.admin("boss");
    world.user("ann");
    let client = world.trusted();
    let mut browser = world.sign_in("ann");
    let before = Traces::of(&world);
    let tokens = browser.tokens(&client, "openid profile offline_access");
    let token = tokens["access_token"].as_str().unwrap().to_owned();
    // What is looked at tells: a sign-in is written.
    let after = Traces::of(&world);
    assert_ne!(after.file, before.file);
    if before.written.is_some() {
        assert_ne!(after.written, before.written);
    }
    (world, token, client.basic())
}

#[test]
fn an_idle_server_writes_nothing() {
    let (world, _, _) = lived_in();
    let before = settled(&world);
    std::thread::sleep(IDLE);
    assert_eq!(Traces::of(&world), before, "{}", world.log());
}

#[test]
fn reading_writes_nothing() {
    let (world, token, basic) = lived_in();
    let mut boss = world.sign_in("boss");
    let mut stranger = Browser::new(&world);
    let before = settled(&world);
    let bearer = format!("Authorization: Bearer {token}\r\n");
    for _ in 0..20 {
        for path in [
            "/.well-known/openid-configuration",
            "/jwks.json",
            "/healthz",
        ] {
            assert_eq!(world.ask("GET", path, "", "").status, 200, "{path}");
        }
        assert_eq!(world.ask("GET", "/userinfo", &bearer, "").status, 200);
        let body = format!("token={token}");
        let known = world.ask("POST", "/introspect", &basic, &body);
        assert_eq!(known.json()["active"], true);
        assert_eq!(stranger.get("/login").status, 200);
        assert_eq!(stranger.get("/no-such-page").status, 404);
        for page in [
            "/",
            "/admin",
            "/admin/people",
            "/admin/applications",
            "/admin/sessions",
            "/admin/audit",
        ] {
            assert_eq!(boss.get(page).status, 200, "{page}");
        }
    }
    std::thread::sleep(SETTLED);
    assert_eq!(Traces::of(&world), before, "{}", world.log());
}
