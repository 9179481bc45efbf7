//! Documents that stand at an address of the application's own (`jwks_uri`, RFC 7591 §2; `request_uri`, RFC 9101 §5.2)
//! on the wire. How often one is fetched is told by the tests of `src/server/fetched`; what is refused stands in
//! `fetched_bad_input`, and over https in `fetched_https`.

use crate::prover::Key;
use crate::registration::{open, register, registered};
use crate::site::{Site, allow_loopback, ask, assertion, keys, ok, request, service, told};
use crate::world::{REDIRECT, TestClient, World, encode};
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn keys_at_an_address_prove_an_application_and_are_fetched_once() {
    let world = World::started();
    allow_loopback(&world);
    let key = Key::of("ES256");
    let site = Site::with(ok(&keys(&key)));
    let id = service(&world, "signer", &site.uri());
    for jti in ["1", "2", "3"] {
        let answer = ask(&world, &key, &id, jti);
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let other = ask(&world, &Key::of("ES256"), &id, "4");
    assert_eq!(other.json()["error"], "invalid_client");
    assert_eq!(site.asked(), 1);
}

#[test]
fn an_inner_address_is_not_called_until_its_host_is_allowed() {
    let world = World::started();
    let key = Key::of("ES256");
    let site = Site::with(ok(&keys(&key)));
    let id = service(&world, "signer", &site.uri());
    assert_eq!(
        ask(&world, &key, &id, "1").json()["error"],
        "invalid_client"
    );
    assert_eq!(site.asked(), 0);
    allow_loopback(&world);
    assert_eq!(ask(&world, &key, &id, "2").status, 200);
    world.verb(&["outbound", "deny", "127.0.0.1"], "");
    assert_eq!(
        ask(&world, &key, &id, "3").json()["error"],
        "invalid_client"
    );
    assert_eq!(site.asked(), 1);
}

#[test]
fn rfc9101_section_5_2_a_registered_address_stands_for_the_request() {
    let world = World::started();
    allow_loopback(&world);
    world.user("alice");
    let mut browser = world.sign_in("alice");
    let key = Key::of("ES256");
    let (site, published) = (Site::with(String::new()), Site::with(ok(&keys(&key))));
    let (uri, jwks) = (site.uri(), published.uri());
    let more = [
        "--redirect-uri",
        REDIRECT,
        "--trusted",
        "--jwks-uri",
        &jwks,
        "--request-uri",
        &uri,
    ];
    let client = world.client("Notes", &more);
    let outside = format!("&redirect_uri={}&state=outside", encode(REDIRECT));
    let start = |uri: &str| {
        format!(
            "/authorize?client_id={}&request_uri={}{outside}",
            client.id,
            encode(uri)
        )
    };
    let foreign = browser.get(&start("http://127.0.0.1:1/other"));
    assert_eq!(
        foreign.parameter("error").as_deref(),
        Some("invalid_request_uri")
    );
    let both = browser.get(&format!("{}&request=a.b.c", start(&uri)));
    assert_eq!(both.parameter("error").as_deref(), Some("invalid_request"));
    assert_eq!((site.asked(), published.asked()), (0, 0));

    *site.answer.lock().unwrap() = ok(&key.jwt("oauth-authz-req+jwt", &request(&world, &client)));
    for _ in 0..2 {
        let answer = browser.get(&start(&uri));
        assert_eq!(
            answer.parameter("state").as_deref(),
            Some("inside"),
            "{answer:?}"
        );
        assert!(answer.parameter("code").is_some());
    }
    assert_eq!((site.asked(), published.asked()), (1, 1));
}

#[test]
fn rfc9126_a_request_is_pushed_by_whoever_publishes_its_keys() {
    let world = World::started();
    allow_loopback(&world);
    world.user("alice");
    let mut browser = world.sign_in("alice");
    let key = Key::of("ES256");
    let site = Site::with(ok(&keys(&key)));
    let jwks = site.uri();
    let more = [
        "--redirect-uri",
        REDIRECT,
        "--trusted",
        "--auth-method",
        "private_key_jwt",
        "--jwks-uri",
        &jwks,
    ];
    let client = world.client("Notes", &more);
    let object = key.jwt("oauth-authz-req+jwt", &request(&world, &client));
    let push = |jti: &str, object: &str| {
        let who = assertion(&world, &key, &client.id, jti);
        world.ask("POST", "/par", "", &format!("request={object}&{who}"))
    };
    let pushed = push("1", &object);
    assert_eq!(pushed.status, 201, "{pushed:?}");
    let uri = encode(pushed.json()["request_uri"].as_str().unwrap());
    let answer = browser.get(&format!(
        "/authorize?client_id={}&request_uri={uri}",
        client.id
    ));
    assert_eq!(answer.parameter("state").as_deref(), Some("inside"));
    assert!(answer.parameter("code").is_some(), "{answer:?}");
    let other = Key::of("ES256").jwt("oauth-authz-req+jwt", &request(&world, &client));
    assert_eq!(push("2", &other).json()["error"], "invalid_request_object");
    assert_eq!(site.asked(), 1);
}

#[test]
fn rfc7591_section_2_addresses_are_registered_answered_and_used() {
    let world = open();
    allow_loopback(&world);
    let key = Key::of("ES256");
    let site = Site::with(ok(&keys(&key)));
    let metadata = json!({
        "redirect_uris": [REDIRECT],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": site.uri(),
        "request_uris": ["https://app.example/ro.jwt#x"],
    });
    let made = registered(&world, &metadata);
    for member in ["jwks_uri", "request_uris"] {
        assert_eq!(made[member], metadata[member], "{made}");
    }
    assert_eq!(made["jwks"], Value::Null);
    assert_eq!(site.asked(), 0, "nobody is called for a registration");
    let client = TestClient {
        id: made["client_id"].as_str().unwrap().to_owned(),
        secret: String::new(),
    };
    let object = key.jwt("oauth-authz-req+jwt", &request(&world, &client));
    let who = assertion(&world, &key, &client.id, "1");
    let pushed = world.ask("POST", "/par", "", &format!("request={object}&{who}"));
    assert_eq!(pushed.status, 201, "{pushed:?}");

    let unreachable = json!({
        "redirect_uris": [REDIRECT],
        "token_endpoint_auth_method": "private_key_jwt",
    });
    let refused = register(&world, "", &unreachable);
    assert_eq!(refused.json()["error"], "invalid_client_metadata");
}

/// PROTOCOL, "More": 5 seconds in all; and nobody else waits for them.
#[test]
fn a_slow_host_is_given_up_and_holds_nobody_else_up() {
    let world = World::started();
    allow_loopback(&world);
    let key = Key::of("ES256");
    let site = Site::slow(ok(&keys(&key)), Duration::from_secs(20));
    let id = service(&world, "slow", &site.uri());
    let quick = world.trusted();
    thread::scope(|scope| {
        let slow = scope.spawn(|| {
            let begun = Instant::now();
            (ask(&world, &key, &id, "1"), begun.elapsed())
        });
        let begun = Instant::now();
        while site.asked() == 0 {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "nobody was called"
            );
            thread::sleep(Duration::from_millis(10));
        }
        // Whoever waited would be answered once, or twice.
        let mut others = Vec::new();
        while !slow.is_finished() {
            let begun = Instant::now();
            let answer = world.token(&quick, "grant_type=client_credentials");
            assert_eq!(answer.status, 200, "{answer:?}");
            others.push(begun.elapsed());
            thread::sleep(Duration::from_millis(10));
        }
        others.sort();
        assert!(others.len() > 3, "{others:?}");
        let median = others[others.len() / 2];
        assert!(median < Duration::from_millis(500), "{others:?}");
        let (answer, took) = slow.join().unwrap();
        assert_eq!(answer.json()["error"], "invalid_client");
        let bound = Duration::from_secs(4)..Duration::from_secs(15);
        assert!(bound.contains(&took), "{took:?}");
    });
    told(&world, "no answer within 5 seconds");
}

#[test]
fn calls_are_counted_on_the_overview() {
    let world = World::started();
    world.admin("root");
    let mut browser = world.sign_in("root");
    assert!(!browser.get("/admin").body.contains("Calls made"));
    let key = Key::of("ES256");
    let site = Site::with("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned());
    let id = service(&world, "signer", &site.uri());
    assert_eq!(ask(&world, &key, &id, "1").status, 401);
    allow_loopback(&world);
    assert_eq!(ask(&world, &key, &id, "2").status, 401);
    *site.answer.lock().unwrap() = ok(&keys(&key));
    world.verb(&["outbound", "allow", "nas.example"], "");
    assert_eq!(ask(&world, &key, &id, "3").status, 200);
    let page = browser.get("/admin").body;
    assert!(
        page.contains("3 since the start; not allowed: 1; failed: 1"),
        "{page}"
    );
}
