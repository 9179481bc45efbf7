//! Guessing passwords is slow, tells nothing, and never locks anyone out for good.

use crate::world::{Answer, Browser, PASSWORD, World};
use doorlight::crypto::digest::base64url;
use doorlight::crypto::seal::SealKey;
use doorlight::store::ReadOnly;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

const DEVICE: &str = "doorlight-device";

/// A browser that knows nothing but the device cookie of another.
fn with_device<'w>(world: &'w World, value: &str) -> Browser<'w> {
    let mut browser = Browser::new(world);
    browser.cookies.insert(DEVICE.to_owned(), value.to_owned());
    browser
}

fn try_in(browser: &mut Browser<'_>, name: &str, password: &str) -> u16 {
    answer_in(browser, name, password).status
}

fn answer_in(browser: &mut Browser<'_>, name: &str, password: &str) -> Answer {
    let page = browser.get("/login");
    let fields = [("username", name), ("password", password)];
    browser.submit(&page, "/login", &fields)
}

/// Strangers at every slot: of the account, and of the one address that everybody here has.
fn crowd(world: &World, name: &str) {
    for other in [name, "one", "two", "three", "four", "five", "six"] {
        let guesses = if other == "six" { 2 } else { 3 };
        for _ in 0..guesses {
            assert_eq!(guess(world, other, "wrong").status, 401);
        }
    }
    let begun = Instant::now();
    for _ in 0..2 {
        while guess(world, name, "wrong").status != 401 {
            assert!(begun.elapsed() < Duration::from_secs(60), "for good");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    stay(world, name);
}

/// They are there for some seconds yet: a slot that opens again because the machine is slow is taken again, for twice as
/// long.
fn stay(world: &World, name: &str) {
    for tried in [name, "unheard-of"] {
        until_they_wait(5, || guess(world, tried, "wrong"));
    }
}

/// Wrong guesses until whoever makes them has to wait for so many seconds yet. Each that is looked at doubles the wait, so
/// they are few, on a slow machine as well.
fn until_they_wait(at_least: u64, mut guess: impl FnMut() -> Answer) {
    let (begun, mut looked_at) = (Instant::now(), 0);
    loop {
        let refused = guess();
        let seconds = refused.header("Retry-After").map(str::parse::<u64>);
        match (refused.status, seconds) {
            (429, Some(Ok(seconds))) if (at_least..=60).contains(&seconds) => return,
            (401, None) => {
                looked_at += 1;
                assert!(looked_at <= 6, "nobody is slowed down");
            }
            (429, Some(Ok(1..=60))) => assert!(begun.elapsed() < Duration::from_secs(120)),
            other => panic!("{other:?}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn guess(world: &World, name: &str, password: &str) -> Answer {
    answer_in(&mut Browser::new(world), name, password)
}

#[test]
fn a_name_that_nobody_has_is_answered_like_a_wrong_password() {
    let world = World::started();
    world.user("alice");
    let (known, unknown) = (
        guess(&world, "alice", "wrong"),
        guess(&world, "mallory", "wrong"),
    );
    assert_eq!((known.status, unknown.status), (401, 401));
    let told = |answer: &Answer, name: &str| {
        answer
            .body
            .replace(name, "NAME")
            .split("csrf")
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(told(&known, "alice"), told(&unknown, "mallory"));
}

#[test]
fn failures_are_slowed_down_for_known_and_unknown_names_and_the_owner_gets_in_again() {
    let world = World::started();
    world.user("alice");
    for name in ["alice", "mallory"] {
        for _ in 0..3 {
            assert_eq!(guess(&world, name, "wrong").status, 401);
        }
        until_they_wait(3, || guess(&world, name, "wrong"));
        assert_eq!(guess(&world, name, PASSWORD).status, 429, "{name}");
    }
    let begun = Instant::now();
    while guess(&world, "alice", PASSWORD).status != 303 {
        assert!(begun.elapsed() < Duration::from_secs(60), "for good");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn with_a_stranger_at_every_slot_the_owner_signs_in_where_they_did_before() {
    let world = World::started();
    world.user("alice");
    let alice = world.sign_in("alice");
    let mut phone = world.sign_in("alice");
    let cookie = alice.cookies[DEVICE].clone();
    crowd(&world, "alice");
    assert_eq!(guess(&world, "alice", PASSWORD).status, 429, "unknown");
    let mut known = with_device(&world, &cookie);
    assert_eq!(try_in(&mut known, "Alice", PASSWORD), 303);
    // The same browser, remembered anew.
    let device = |cookie: &str| cookie.split('.').nth(1).unwrap().to_owned();
    assert_eq!(device(&known.cookies[DEVICE]), device(&cookie));
    assert_ne!(device(&phone.cookies[DEVICE]), device(&cookie));
    // A session that holds confirms its password, and answers nobody else's.
    phone.cookies.remove(DEVICE);
    assert_eq!(try_in(&mut phone, "alice", PASSWORD), 303);
    stay(&world, "alice");
    assert_eq!(try_in(&mut phone, "bob", PASSWORD), 429);
}

#[test]
fn the_cookie_of_another_a_forged_an_old_and_one_from_before_a_reset_are_unknown() {
    let world = World::started();
    world.user("alice");
    world.user("bob");
    let alice = world.sign_in("alice").cookies[DEVICE].clone();
    let bob = world.sign_in("bob").cookies[DEVICE].clone();
    let early = world.sign_in("alice").cookies[DEVICE].clone();
    let file = ReadOnly::open(&world.data()).unwrap();
    let settings = file.snapshot().unwrap().view().settings().unwrap();
    let key = SealKey::new(settings.unwrap().seal_key.bytes());
    let [user, device, issued, tag] = alice.split('.').collect::<Vec<_>>()[..] else {
        panic!("{alice}")
    };
    let sealed = |purpose: &str, issued: &str| {
        let tag = key.tag(purpose, &[user, device, issued]);
        format!("{user}.{device}.{issued}.{tag}")
    };
    assert_eq!(sealed("device", issued), alice);
    let day = 86_400_000;
    let ago = |days: u64| (issued.parse::<u64>().unwrap() - days * day).to_string();
    let other = base64url(&[1; 16]);
    crowd(&world, "alice");
    for (what, cookie) in [
        ("another's", bob.clone()),
        ("forged", format!("{user}.{other}.{issued}.{tag}")),
        ("sealed for another end", sealed("form", issued)),
        ("old", sealed("device", &ago(180))),
        ("no cookie", "x".to_owned()),
    ] {
        let mut browser = with_device(&world, &cookie);
        stay(&world, "alice");
        assert_eq!(try_in(&mut browser, "alice", PASSWORD), 429, "{what}");
    }
    let mut browser = with_device(&world, &sealed("device", &ago(179)));
    assert_eq!(try_in(&mut browser, "alice", PASSWORD), 303, "not yet old");

    world.verb(&["user", "passwd", "alice", "--password-stdin"], PASSWORD);
    for cookie in [&alice, &early] {
        let mut browser = with_device(&world, cookie);
        stay(&world, "alice");
        assert_eq!(try_in(&mut browser, "alice", PASSWORD), 429, "reset");
    }
    let mut browser = with_device(&world, &bob);
    assert_eq!(try_in(&mut browser, "bob", PASSWORD), 303);
    world.verb(&["user", "disable", "bob"], "");
    world.verb(&["user", "enable", "bob"], "");
    let mut browser = with_device(&world, &bob);
    stay(&world, "alice");
    assert_eq!(try_in(&mut browser, "bob", PASSWORD), 429, "switched off");
}

#[test]
fn a_thief_of_the_cookie_is_slowed_down_and_slows_nobody_else() {
    let world = World::started();
    world.user("alice");
    let stolen = world.sign_in("alice").cookies[DEVICE].clone();
    for _ in 0..3 {
        let mut thief = with_device(&world, &stolen);
        assert_eq!(try_in(&mut thief, "alice", "wrong"), 401);
    }
    until_they_wait(3, || {
        answer_in(&mut with_device(&world, &stolen), "alice", "wrong")
    });
    let mut thief = with_device(&world, &stolen);
    assert_eq!(try_in(&mut thief, "alice", PASSWORD), 429);
    assert_eq!(guess(&world, "alice", PASSWORD).status, 303);
}

#[test]
fn the_question_for_the_password_again_is_slowed_down_and_says_until_when() {
    let world = World::started();
    world.user("alice");
    let session = world.sign_in("alice").cookies["doorlight"].clone();
    let mut thief = Browser::new(&world);
    thief.cookies.insert("doorlight".to_owned(), session);
    let page = thief.get("/");
    let csrf = crate::world::hidden(&page.body, "/logout");
    let (_, csrf) = csrf.iter().find(|(name, _)| name == "csrf").unwrap();
    let body = format!("csrf={csrf}&continue=%2F&password=wrong");
    for _ in 0..3 {
        assert_eq!(thief.post("/login/again", "", &body).status, 401);
    }
    until_they_wait(1, || thief.post("/login/again", "", &body));
}

/// A hash is computed for whoever is not there, so that waiting tells nothing: without it, an answer takes a twentieth of
/// the time. The quickest of many answers is what it costs; on a machine that is busy with other things as well it takes
/// some more of them to see that.
#[test]
fn a_name_that_nobody_has_takes_as_long_as_a_wrong_password() {
    let mut world = World::started();
    world.user("alice");
    world.user("bob");
    world.user("carol");
    world.verb(&["user", "add", "dora", "--no-password"], "");
    world.verb(&["user", "disable", "carol"], "");
    let names = ["alice", "mallory", "bob", "no such name", "carol", "dora"];
    let mut quickest = names.map(|_| Duration::MAX);
    for start in 1.. {
        let mut browser = Browser::new(&world);
        let page = browser.get("/login");
        let mut took = |name: &str| {
            let fields = [("username", name), ("password", "wrong")];
            let begun = Instant::now();
            let answer = browser.submit(&page, "/login", &fields);
            assert_eq!(answer.status, 401, "{name}");
            begun.elapsed()
        };
        for _ in 0..3 {
            for (name, quickest) in names.iter().zip(&mut quickest) {
                *quickest = took(name).min(*quickest);
            }
        }
        let (least, most) = (
            quickest.iter().min().unwrap(),
            quickest.iter().max().unwrap(),
        );
        if start >= 3 && *most < *least * 2 {
            return;
        }
        assert!(start < 20, "{names:?}: {quickest:?}");
        // Twenty guesses are free for one address, and three for one name; a new start forgets them.
        world.stop();
        world.start();
    }
}

/// A crowd behind a trusted proxy has as many addresses as it likes.
#[test]
fn many_addresses_at_once_get_ten_guesses_a_minute_and_the_owner_gets_in() {
    let mut world = World::empty();
    let issuer = world.issuer();
    world.be_known_as(&issuer, &["--trusted-proxy", "127.0.0.1"]);
    world.user("alice");
    let mut alice = world.sign_in("alice");
    alice.cookies.remove("doorlight");
    let (looked_at, refused, next) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
    let over = AtomicBool::new(false);
    let begun = Instant::now();
    let guess = || {
        let mut browser = Browser::new(&world);
        let page = browser.get("/login");
        while !over.load(Ordering::Relaxed) && begun.elapsed() < Duration::from_secs(50) {
            let [_, a, b, c] = next.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            let from = format!("X-Forwarded-For: 10.{a}.{b}.{c}\r\n");
            let hidden = crate::world::hidden(&page.body, "/login");
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(hidden);
            // Case and spaces do not make another account.
            form.extend_pairs([("username", " ALICE "), ("password", "wrong")]);
            let answer = browser.post("/login", &from, &form.finish());
            let count = match answer.status {
                401 => &looked_at,
                429 | 503 => &refused,
                other => panic!("{other}"),
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(guess);
        }
        // Within the minute, on a slow machine as well.
        let pass = |seconds| Duration::from_secs(seconds).saturating_sub(begun.elapsed());
        std::thread::sleep(pass(3));
        // While they are at it.
        let alice = try_in(&mut alice, "alice", PASSWORD);
        let stranger = |_| try_in(&mut Browser::new(&world), "alice", PASSWORD);
        // One of many: a place that opens just then may be theirs.
        let strangers: Vec<u16> = (0..3).map(stranger).collect();
        while refused.load(Ordering::Relaxed) <= 200 && !pass(40).is_zero() {
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(pass(6));
        over.store(true, Ordering::Relaxed);
        assert_eq!(alice, 303);
        assert!(strangers.contains(&429), "{strangers:?}");
    });
    let (looked_at, refused) = (looked_at.into_inner(), refused.into_inner());
    assert!((1..=10).contains(&looked_at), "{looked_at} of {refused}");
    assert!(refused > 50, "{refused}");
}
