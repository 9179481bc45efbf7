//! Back-channel logout (OpenID Connect Back-Channel Logout 1.0): what an application that ends its own sessions sees.
//! Not here: what is told (`session_ends`).

use crate::receiver::{Receiving, events, header, listening, request, sign_out, until, verifies};
use crate::site::allow_loopback;
use crate::world::{REDIRECT, World, claims};
use serde_json::json;
use std::net::TcpListener;
use std::time::{Duration, Instant};

#[test]
fn a_sign_out_reaches_an_application_that_fails_twice_and_a_server_that_is_killed() {
    let mut world = World::started();
    world.user("alice");
    allow_loopback(&world);
    let app = Receiving::answering(&[503, 500, 200]);
    let client = listening(&world, "App", &app.uri(), &[]);
    let other = Receiving::answering(&[200]);
    listening(&world, "Never used", &other.uri(), &[]);
    let (id_token, first) = {
        let mut browser = world.sign_in("alice");
        let tokens = browser.tokens(&client, "openid");
        browser.tokens(&client, "openid offline_access");
        sign_out(&mut browser);
        (claims(tokens["id_token"].as_str().unwrap()), app.token())
    };
    // What is owed is in the file, wherever the attempt stands.
    world.kill();
    world.start();
    let (second, third) = (app.token(), app.token());
    for token in [&first, &second, &third] {
        let said = claims(token);
        let (iat, exp) = (said["iat"].as_u64().unwrap(), said["exp"].as_u64().unwrap());
        assert_eq!(exp - iat, 120);
        let expected = json!({
            "iss": world.issuer(),
            "sub": id_token["sub"],
            "aud": client.id,
            "iat": iat,
            "exp": exp,
            "jti": said["jti"],
            "sid": id_token["sid"],
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        assert_eq!(said, expected);
        assert_eq!(
            (&header(token)["typ"], &header(token)["alg"]),
            (&json!("logout+jwt"), &json!("RS256"))
        );
        assert!(verifies(&world, token), "{token}");
    }
    // An application that remembers what it has seen takes each attempt.
    assert_ne!(claims(&first)["jti"], claims(&second)["jti"]);
    let told = until("the record that it arrived", || {
        let told = events(&world, "logout.delivery");
        (told.first()?["outcome"] == "success").then_some(told)
    });
    let outcomes: Vec<_> = told
        .iter()
        .map(|event| event["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["success", "refused"], "{told:?}");
    assert_eq!(
        (&told[0]["client_name"], &told[0]["username"]),
        (&json!("App"), &json!("alice"))
    );
    // Once for two grants of one session, and never again.
    assert!(app.is_quiet() && other.is_quiet());
    world.kill();
    world.start();
    assert!(app.is_quiet());
}

#[test]
fn section_2_8_an_application_that_says_400_is_not_asked_again() {
    let world = World::started();
    world.user("alice");
    allow_loopback(&world);
    let app = Receiving::answering(&[400]);
    let client = listening(&world, "App", &app.uri(), &[]);
    let mut browser = world.sign_in("alice");
    browser.tokens(&client, "openid");
    sign_out(&mut browser);
    app.token();
    let told = until("the record", || {
        events(&world, "logout.delivery").into_iter().next()
    });
    assert_eq!(told["outcome"], "refused");
    assert!(told["detail"].as_str().unwrap().contains("400"), "{told}");
    assert!(app.is_quiet());
    // The administrator sees it where the application is.
    world.admin("root");
    let page = world
        .sign_in("root")
        .get(&format!("/admin/applications/{}", client.id));
    assert!(page.body.contains("0 waiting, 1 given up"), "{}", page.body);
    assert!(page.body.contains("it answered 400"));
}

#[test]
fn a_host_that_is_not_allowed_is_not_called_and_the_administrator_learns_why() {
    let world = World::started();
    world.user("alice");
    let app = Receiving::answering(&[200]);
    let client = listening(&world, "App", &app.uri(), &[]);
    let mut browser = world.sign_in("alice");
    browser.tokens(&client, "openid");
    sign_out(&mut browser);
    let refused = until("the refusal", || {
        events(&world, "outbound.call").into_iter().next()
    });
    assert!(
        refused["detail"].as_str().unwrap().contains("not allowed"),
        "{refused}"
    );
    assert_eq!(refused["outcome"], "refused");
    assert!(app.posts.try_recv().is_err());
    // Allowed later: it is told then.
    allow_loopback(&world);
    assert_eq!(
        world.verb(&["outbound", "list"], ""),
        json!([{ "host": "127.0.0.1" }])
    );
    app.token();
    world.verb(&["outbound", "deny", "127.0.0.1"], "");
    assert_eq!(world.verb(&["outbound", "list"], ""), json!([]));
}

/// §2.2: an absolute address, no fragment, http for confidential clients only.
#[test]
fn section_2_2_addresses_that_cannot_be_registered() {
    let world = World::started();
    for (uri, more) in [
        ("/out", None),
        ("ftp://app.example/out", None),
        ("https://app.example/out#here", None),
        ("https://user@app.example/out", None),
        ("https://app.example/o ut", None),
        ("http://app.example/out", Some("--public")),
    ] {
        let mut all = vec![
            "client",
            "add",
            "App",
            "--redirect-uri",
            REDIRECT,
            "--backchannel-logout-uri",
            uri,
        ];
        all.extend(more);
        let output = world.run(&all, "");
        assert_eq!(output.status.code(), Some(1), "{uri}");
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(why.contains("backchannel_logout_uri"), "{why}");
    }
    assert_eq!(world.verb(&["client", "list"], ""), json!([]));
}

/// A call that hangs once kept a stopping server for as long as it took; what it was about is not lost.
#[test]
fn a_server_stops_in_time_while_an_application_hangs_and_tells_it_after_the_next_start() {
    let mut world = World::started();
    world.user("alice");
    allow_loopback(&world);
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("http://{}/out", hanging.local_addr().unwrap());
    let client = listening(&world, "App", &uri, &[]);
    {
        let mut browser = world.sign_in("alice");
        browser.tokens(&client, "openid");
        sign_out(&mut browser);
    }
    // Sooner than a call takes that is not answered, but once, where the machine stands still.
    let stops_in_time = |_: &i32| {
        let (mut held, _) = hanging.accept().unwrap();
        assert!(request(&mut held).starts_with("POST /out"));
        let begun = Instant::now();
        world.stop();
        let took = begun.elapsed();
        world.start();
        took < Duration::from_secs(4)
    };
    let in_time = (0..4).filter(stops_in_time).take(3);
    assert_eq!(in_time.count(), 3);
    let (mut again, _) = hanging.accept().unwrap();
    let post = request(&mut again);
    let token = post.split_once("logout_token=").unwrap().1;
    assert_eq!(claims(token)["aud"], client.id);
}
