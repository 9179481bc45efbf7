//! What every answer carries over https, on every row of the route table.

use crate::certified::{Authority, started};
use crate::walk::{Walk, has_its_headers};
use crate::world::{Answer, Browser, PASSWORD};

fn asks_for_https(name: &str, answer: &Answer) {
    let value = answer.header("Strict-Transport-Security");
    assert_eq!(value, Some("max-age=31536000"), "{name}");
    has_its_headers(name, answer);
}

/// Cookies that a neighbour on the network can neither read nor set, and an answer that leads nobody back to plain http.
#[test]
fn over_https_every_route_answers_with_its_headers_and_host_bound_cookies() {
    let walk = Walk::of(started(&Authority::new(), &[]));
    let mut root = walk.world.sign_in("root");
    for (route, address) in walk.routes() {
        let name = format!("{} {address}", route.method);
        asks_for_https(&name, &walk.ask(route, &address, None));
        asks_for_https(&name, &walk.ask(route, &address, Some(&mut root)));
    }
    for (method, address) in [("GET", "/nothing"), ("PATCH", "/token"), ("HEAD", "/login")] {
        let name = format!("{method} {address}");
        asks_for_https(&name, &walk.world.ask(method, address, "", ""));
    }
    let mut ann = Browser::new(&walk.world);
    let page = ann.get("/login");
    let given = ann.submit(
        &page,
        "/login",
        &[("username", "alice"), ("password", PASSWORD)],
    );
    asks_for_https("sign-in", &given);
    assert!(given.header("Set-Cookie").is_some());
}
