//! A server that is killed at random moments under load loses nothing that it acknowledged, and nothing that was used
//! up lives again (DESIGN §2).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

use crate::world::{TestClient, World, redeem};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// At least so many, and on a slow machine until enough was acknowledged.
const KILLS: u32 = 50;
const MOST_KILLS: u32 = 120;
/// Of each kind of work.
const ENOUGH: usize = 10;

/// What the server acknowledged.
#[derive(Default)]
struct Acknowledged {
    /// The last refresh token of a family, and one before it that was followed by a used successor.
    leaf: String,
    dead: Option<String>,
    /// Codes that were redeemed, revoked access tokens, live access tokens, people.
    codes: Vec<String>,
    revoked: Vec<String>,
    live: Vec<String>,
    people: Vec<String>,
}

impl Acknowledged {
    /// How much of each kind of work.
    fn work(&self) -> [usize; 4] {
        let (codes, revoked) = (self.codes.len(), self.revoked.len());
        [codes, revoked, self.live.len(), self.people.len()]
    }
}

#[test]
fn fifty_kills_under_load_lose_nothing_acknowledged_and_revive_nothing_used() {
    let mut world = World::started();
    world.user("alice");
    let client = world.trusted();
    let mut random = Random::new();
    let mut cookies = world.sign_in("alice").cookies;
    let mut total = Acknowledged::default();
    let mut round = 0;
    while round < KILLS || total.work().iter().any(|count| *count <= ENOUGH) {
        let work = total.work();
        assert!(round < MOST_KILLS, "too little was under way: {work:?}");
        let millis = random.below(220 + 20 * u64::from(round.saturating_sub(KILLS)));
        let known = load(&world, &client, &mut cookies, round, millis);
        round += 1;
        world.kill();
        world.start();
        check(&world, &client, &known);
        total.codes.extend(known.codes);
        total.revoked.extend(known.revoked);
        total.live.extend(known.live);
        total.people.extend(known.people);
    }
    // Everything from all rounds, once more at the end.
    check(&world, &client, &total);
}

/// Works from four threads until the kill, and says what was acknowledged.
fn load(
    world: &World,
    client: &TestClient,
    cookies: &mut std::collections::BTreeMap<String, String>,
    round: u32,
    millis: u64,
) -> Acknowledged {
    let mut browser = world.sign_in("alice");
    *cookies = browser.cookies.clone();
    let first = browser.tokens(client, "openid offline_access")["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let known = Mutex::new(Acknowledged {
        leaf: first,
        ..Acknowledged::default()
    });
    let over = AtomicBool::new(false);
    let jar = cookies.clone();
    std::thread::scope(|scope| {
        scope.spawn(|| rotate(world, client, &known, &over));
        scope.spawn(|| {
            let mut browser = crate::world::Browser {
                world,
                cookies: jar,
            };
            redeem_codes(&mut browser, client, &known, &over);
        });
        scope.spawn(|| revoke(world, client, &known, &over));
        scope.spawn(|| {
            let name = format!("person{round}");
            if world
                .run(&["user", "add", &name, "--no-password"], "")
                .status
                .success()
            {
                known.lock().unwrap().people.push(name);
            }
        });
        std::thread::sleep(Duration::from_millis(30 + millis));
        // The process dies while requests are under way; what was not answered counts for nothing.
        world.signal("-9");
        over.store(true, Ordering::Release);
    });
    known.into_inner().unwrap()
}

fn rotate(world: &World, client: &TestClient, known: &Mutex<Acknowledged>, over: &AtomicBool) {
    let mut leaf = known.lock().unwrap().leaf.clone();
    let mut before = None;
    while !over.load(Ordering::Acquire) {
        let body = format!("grant_type=refresh_token&refresh_token={leaf}");
        let Some(answer) = world.try_ask("POST", "/token", &client.basic(), &body) else {
            break;
        };
        if answer.status != 200 || answer.body.is_empty() {
            break;
        }
        let Some(next) = serde_json::from_str::<serde_json::Value>(&answer.body)
            .ok()
            .and_then(|v| v["refresh_token"].as_str().map(str::to_owned))
        else {
            break;
        };
        let mut known = known.lock().unwrap();
        known.dead = before.replace(std::mem::replace(&mut leaf, next.clone()));
        known.leaf = next;
    }
}

fn redeem_codes(
    browser: &mut crate::world::Browser<'_>,
    client: &TestClient,
    known: &Mutex<Acknowledged>,
    over: &AtomicBool,
) {
    let world = browser.world;
    while !over.load(Ordering::Acquire) {
        let cookie = format!("Cookie: doorlight={}\r\n", browser.cookies["doorlight"]);
        let target = format!(
            "/authorize?response_type=code&client_id={}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&scope=openid\
             &code_challenge={}&code_challenge_method=S256",
            client.id,
            crate::world::challenge()
        );
        let Some(code) = world
            .try_ask("GET", &target, &cookie, "")
            .and_then(|a| a.parameter("code"))
        else {
            break;
        };
        let Some(answer) = world.try_ask("POST", "/token", &client.basic(), &redeem(&code)) else {
            break;
        };
        if answer.status == 200 && answer.body.ends_with('}') {
            known.lock().unwrap().codes.push(code);
        }
    }
}

fn revoke(world: &World, client: &TestClient, known: &Mutex<Acknowledged>, over: &AtomicBool) {
    let mut odd = false;
    while !over.load(Ordering::Acquire) {
        let body = "grant_type=client_credentials";
        let Some(answer) = world.try_ask("POST", "/token", &client.basic(), body) else {
            break;
        };
        let Ok(tokens) = serde_json::from_str::<serde_json::Value>(&answer.body) else {
            break;
        };
        let Some(token) = tokens["access_token"].as_str().map(str::to_owned) else {
            break;
        };
        odd = !odd;
        if odd {
            known.lock().unwrap().live.push(token);
            continue;
        }
        let body = format!("token={token}");
        let Some(answer) = world.try_ask("POST", "/revoke", &client.basic(), &body) else {
            break;
        };
        if answer.status == 200 {
            known.lock().unwrap().revoked.push(token);
        }
    }
}

fn check(world: &World, client: &TestClient, known: &Acknowledged) {
    for token in &known.revoked {
        assert_eq!(
            world.introspect(client, token)["active"],
            false,
            "a revoked token lives again"
        );
    }
    for token in &known.live {
        assert_eq!(
            world.introspect(client, token)["active"],
            true,
            "an issued token is lost"
        );
    }
    for name in &known.people {
        assert!(
            world.run(&["user", "show", name], "").status.success(),
            "{name} is lost"
        );
    }
    if !known.leaf.is_empty() {
        // Perhaps it was rotated once more without an answer: within the grace window it still gives a successor.
        let answer = world.token(
            client,
            &format!("grant_type=refresh_token&refresh_token={}", known.leaf),
        );
        assert_eq!(
            answer.status, 200,
            "an acknowledged rotation is lost: {answer:?}"
        );
    }
    if let Some(token) = &known.dead {
        let answer = world.token(
            client,
            &format!("grant_type=refresh_token&refresh_token={token}"),
        );
        assert_eq!(answer.status, 400, "a rotated token can be used again");
    }
    for code in &known.codes {
        assert_eq!(
            world.token(client, &redeem(code)).status,
            400,
            "a used code can be used again"
        );
    }
}

/// xorshift64; its seed is printed where a run fails.
pub struct Random(u64);

impl Random {
    pub fn new() -> Self {
        let seed = u64::from_le_bytes(doorlight::crypto::random::bytes()) | 1;
        println!("seed {seed}");
        Self(seed)
    }

    pub fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}
