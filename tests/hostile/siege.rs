//! A siege: a crowd around a server, and a visitor from elsewhere who is answered within a second, each time.

use crate::crowd::{Crowd, Manner, Size};
use crate::witness::{Witness, Work};
use crate::world::{TestClient, World};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Within which everybody else is answered.
const PROMISE: Duration = Duration::from_secs(1);
/// Of so many visits one may take longer because the machine stood still, and no longer than that.
const EXCUSED: u32 = 20;
const LONGEST: Duration = Duration::from_secs(5);
/// Resident memory in KiB (DESIGN §8).
pub const BUDGET: u64 = 40 * 1024;
/// The same where there are a thousand sessions of TLS: those that ask for nothing take 38 MiB (keys, and a buffer each that
/// rustls keeps), and what they ask for stands there encrypted as well.
pub const ENCRYPTED: u64 = 60 * 1024;
/// How long each siege lasts once the crowd is there, and the visits that it sees at least.
const LASTS: Duration = Duration::from_secs(5);
const VISITS: u32 = 50;

/// One at a time: they would be each other's crowds.
pub fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was seen.
#[derive(Debug, Default)]
struct Seen {
    visits: u32,
    /// Without what the machine stood still for meanwhile, and with it.
    slowest: Duration,
    longest: Duration,
    /// Visits that kept the promise only without it.
    excused: u32,
    largest: u64,
}

/// Lays siege. `least` is what the crowd must have opened by the end, so that the attack was one; `budget` what the server
/// may take of the memory.
pub fn hold(world: &World, size: &Size, manner: &Manner, least: u64, budget: u64) {
    let most = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit {
        current: most,
        maximum: most,
    };
    setrlimit(Resource::Nofile, limit).unwrap();
    let client = world.client("Nightly", &["--grant", "client_credentials"]);
    let mut seen = Seen::default();
    let witness = Witness::new();
    // Code that never ran would not be resident.
    visit(world, &client, &witness, &mut seen);
    seen = Seen::default();
    let crowd = Crowd::gather(world.port, size, manner);
    let (begun, work) = (Instant::now(), Work::until_now(world.pid()));
    let mut come = None;
    loop {
        visit(world, &client, &witness, &mut seen);
        let opened = crowd.opened();
        let there = opened >= u64::try_from(size.connections).unwrap_or(u64::MAX);
        if there && come.is_none() {
            come = Some(Instant::now());
        }
        let excused = seen.excused <= seen.visits / EXCUSED;
        if come.is_some_and(|come| come.elapsed() > LASTS) && seen.visits > VISITS && excused {
            break;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{opened} connections came: {seen:?}"
        );
        std::thread::sleep(Duration::from_millis(30));
    }
    let opened = crowd.opened();
    drop(crowd);
    let alone = Work::until_now(world.pid()).alone(work, seen.slowest);
    println!(
        "{opened} connections opened in {:?}, {seen:?}, slowest alone {alone:?}",
        begun.elapsed()
    );
    assert!(opened >= least, "{opened} connections opened");
    assert!(
        alone < PROMISE && seen.longest < LONGEST,
        "{seen:?}, alone {alone:?}"
    );
    assert!(seen.largest < budget, "{seen:?}");
    assert_eq!(world.ask("GET", "/readyz", "", "").status, 200);
}

/// A page and a token, each on a connection of its own.
fn visit(world: &World, client: &TestClient, witness: &Witness, seen: &mut Seen) {
    let mut timed = |what: &str, ask: &dyn Fn() -> Option<u16>| {
        let begun = Instant::now();
        let answer = ask();
        let ended = Instant::now();
        let took = ended.duration_since(begun);
        assert_eq!(answer, Some(200), "{what} after {took:?}, {}", world.log());
        let without = took.saturating_sub(witness.still_between(begun, ended));
        seen.visits += 1;
        seen.slowest = seen.slowest.max(without);
        seen.longest = seen.longest.max(took);
        seen.excused += u32::from(took >= PROMISE && without < PROMISE);
    };
    timed("page", &|| {
        Some(world.try_ask("GET", "/login", "", "")?.status)
    });
    let grant = "grant_type=client_credentials";
    timed("token", &|| {
        Some(
            world
                .try_ask("POST", "/token", &client.basic(), grant)?
                .status,
        )
    });
    seen.largest = seen.largest.max(resident(world.pid()));
}

/// In KiB.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}
