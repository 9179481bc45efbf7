//! Kills while applications are told of sign-outs, keys are replaced, and backups are made and restored: every file is
//! whole afterwards, and nothing that was acknowledged is lost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]

use crate::kills::Random;
use crate::receiver::{Receiving, listening};
use crate::world::{TestClient, World, claims, hidden};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// At least so many, and on a slow machine until enough was acknowledged.
const ROUNDS: u32 = 12;
const MOST_ROUNDS: u32 = 80;
/// Of each kind of work.
const ENOUGH: usize = 3;
const SIGN_OUTS: usize = 3;
const RESTORES: u32 = 40;

/// What the server acknowledged in a round.
#[derive(Default)]
struct Acknowledged {
    /// Sessions that ended, by the name that the application knows them by.
    ended: BTreeSet<String>,
    /// Keys that were made.
    kids: Vec<String>,
    backups: usize,
}

impl Acknowledged {
    fn is_enough(&self) -> bool {
        let counts = [self.ended.len(), self.kids.len(), self.backups];
        counts.iter().all(|count| *count >= ENOUGH)
    }
}

#[test]
fn kills_leave_whole_files_and_lose_no_key_and_no_sign_out_that_an_application_is_owed() {
    let mut world = World::started();
    world.user("alice");
    world.verb(&["outbound", "allow", "127.0.0.1"], "");
    let app = Receiving::answering(&[200]);
    let client = listening(&world, "App", &app.uri(), &[]);
    let copy = world.dir.join("copy.redb");
    world.verb(&["backup", copy.to_str().unwrap()], "");
    let mut random = Random::new();
    let (mut told, mut total) = (BTreeSet::new(), Acknowledged::default());
    let mut round = 0;
    while round < ROUNDS || !total.is_enough() {
        assert!(
            round < MOST_ROUNDS,
            "too little was under way: {} sign-outs, {} keys, {} backups",
            total.ended.len(),
            total.kids.len(),
            total.backups
        );
        let people = people(&world, &copy);
        world.verb(&["user", "add", &format!("p{round}"), "--no-password"], "");
        let known = load(
            &world,
            &client,
            &copy,
            random.below(250 + 20 * u64::from(round)),
        );
        world.kill();
        whole(&world, &world.data());
        // The good one that was there, or a later good one.
        let now = u64::from(round) + 2;
        let copied = self::people(&world, &copy);
        assert!(
            (people..=now).contains(&copied),
            "{people}, {copied}, {now}"
        );

        world.start();
        let keys = world.ask("GET", "/jwks.json", "", "").body;
        for kid in &known.kids {
            assert!(keys.contains(kid.as_str()), "the key {kid} is lost");
        }
        let begun = Instant::now();
        while !known.ended.is_subset(&told) {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "the application is not told of {:?}",
                known.ended.difference(&told)
            );
            if let Ok(post) = app.posts.recv_timeout(Duration::from_millis(200)) {
                let token = post.split_once("logout_token=").unwrap().1;
                told.insert(claims(token)["sid"].as_str().unwrap().to_owned());
            }
        }
        total.ended.extend(known.ended);
        total.kids.extend(known.kids);
        total.backups += known.backups;
        round += 1;
    }
}

/// Works from three threads until the kill, and says what was acknowledged. The last backup is killed as well.
fn load(world: &World, client: &TestClient, copy: &Path, millis: u64) -> Acknowledged {
    let browsers: Vec<(String, String)> = (0..SIGN_OUTS)
        .map(|_| {
            let mut browser = world.sign_in("alice");
            let tokens = browser.tokens(client, "openid");
            let id_token = claims(tokens["id_token"].as_str().unwrap());
            let cookie = browser.cookies["doorlight"].clone();
            (cookie, id_token["sid"].as_str().unwrap().to_owned())
        })
        .collect();
    let known = Mutex::new(Acknowledged::default());
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for (cookie, sid) in &browsers {
                if sign_out(world, cookie).is_some() {
                    known.lock().unwrap().ended.insert(sid.clone());
                }
            }
        });
        scope.spawn(|| {
            while !over.load(Ordering::Acquire) {
                let made = world.run(&["keys", "rotate", "--alg", "ES256"], "");
                // One that finds no server writes the file itself, and that holds as well.
                if made.status.success() {
                    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
                    let kid = made["kids"][0].as_str().unwrap().to_owned();
                    known.lock().unwrap().kids.push(kid);
                }
            }
        });
        scope.spawn(|| {
            while !over.load(Ordering::Acquire) {
                let mut child = spawn(world, &["backup", copy.to_str().unwrap()]);
                while child.try_wait().unwrap().is_none() && !over.load(Ordering::Acquire) {
                    std::thread::sleep(Duration::from_millis(1));
                }
                let _ = child.kill();
                let done = child.wait().unwrap().success();
                known.lock().unwrap().backups += usize::from(done);
            }
        });
        std::thread::sleep(Duration::from_millis(30 + millis));
        world.signal("-9");
        over.store(true, Ordering::Release);
    });
    known.into_inner().unwrap()
}

/// Signs a browser out; `None` where no whole answer came.
fn sign_out(world: &World, cookie: &str) -> Option<()> {
    let cookie = format!("Cookie: doorlight={cookie}\r\n");
    let page = world.try_ask("GET", "/logout", &cookie, "")?;
    if page.status != 200 || !page.body.contains("</html>") {
        return None;
    }
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(hidden(&page.body, "/logout"));
    let answer = world.try_ask("POST", "/logout", &cookie, &body.finish())?;
    (answer.status == 200).then_some(())
}

#[test]
fn a_restore_that_is_killed_leaves_the_old_file_or_the_new_one_and_never_none() {
    let mut world = World::started();
    world.user("old");
    world.kill();
    let mut other = World::started();
    other.user("new");
    let copy = other.dir.join("copy.redb");
    let copy = copy.to_str().unwrap();
    other.verb(&["backup", copy], "");
    other.kill();
    let old = std::fs::read(world.data()).unwrap();
    let begun = Instant::now();
    world.verb(&["restore", copy], "");
    let longest = begun.elapsed();
    let (mut olds, mut news) = (0, 0);
    for kill in 0..RESTORES {
        for name in kept(&world) {
            std::fs::remove_file(world.dir.join(name)).unwrap();
        }
        std::fs::write(world.data(), &old).unwrap();
        let mut child = spawn(&world, &["restore", copy]);
        // Towards the end more often: that is where the names change.
        let part = f64::from(kill) / f64::from(RESTORES - 2);
        std::thread::sleep(longest.mul_f64(part.sqrt()));
        if kill == RESTORES - 1 {
            child.wait().unwrap();
        }
        let _ = child.kill();
        child.wait().unwrap();

        whole(&world, &world.data());
        let found = world.verb(&["user", "list"], "");
        let names: Vec<_> = found
            .as_array()
            .unwrap()
            .iter()
            .map(|u| &u["username"])
            .collect();
        match names.as_slice() {
            [name] if *name == "old" => olds += 1,
            [name] if *name == "new" => {
                news += 1;
                // The old one is not lost either.
                let kept = kept(&world);
                assert_eq!(kept.len(), 1, "{kept:?}");
                whole(&world, &world.dir.join(&kept[0]));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(olds > 0 && news > 0, "{olds} old, {news} new");
}

/// Names of files that a restore has kept.
fn kept(world: &World) -> Vec<String> {
    let files = world.files().into_iter();
    files.filter(|name| name.contains(".replaced-")).collect()
}

fn spawn(world: &World, arguments: &[&str]) -> Child {
    world
        .command()
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// What `verify` says of a file that has to be whole.
fn whole(world: &World, file: &Path) -> Value {
    let found = world.verb(&["verify", file.to_str().unwrap()], "");
    assert_eq!(found["whole"], true, "{found}");
    found
}

fn people(world: &World, file: &Path) -> u64 {
    whole(world, file)["people"].as_u64().unwrap()
}
