//! Guessing passwords is slow, tells nothing, and never locks anyone out for good.

use crate::world::{Answer, Browser, PASSWORD, World};

fn guess(world: &World, name: &str, password: &str) -> Answer {
    let mut browser = Browser::new(world);
    let page = browser.get("/login");
    browser.submit(
        &page,
        "/login",
        &[("username", name), ("password", password)],
    )
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
        let slowed = guess(&world, name, PASSWORD);
        assert_eq!(slowed.status, 429, "{name}");
        let seconds: u64 = slowed.header("Retry-After").unwrap().parse().unwrap();
        assert!((1..=60).contains(&seconds));
    }
    std::thread::sleep(std::time::Duration::from_millis(2_200));
    assert_eq!(guess(&world, "alice", PASSWORD).status, 303);
}
