//! Client ID metadata documents that cannot be used, and the limits of fetching them
//! (draft-ietf-oauth-client-id-metadata-document-02). What a document may not say is told in full by the table in
//! `src/oauth/registration/document_tests.rs`.

use crate::client_documents::{
    Host, ask, audit, clients, is_recorded, post, world, world_and_host,
};
use crate::world::{Browser, World};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// §4, §5: an error page without a redirect; the reason is the administrator's to read.
#[test]
fn a_document_that_cannot_be_used_is_an_error_page_and_never_a_redirect() {
    let (ok, none) = ("200 OK", "");
    let other = |host: &Host, member: &str, value: Value| {
        let mut document = host.document();
        document[member] = value;
        document.to_string()
    };
    type Bad<'a> = (&'a str, Box<dyn Fn(&Host)>, &'a str);
    let bad: Vec<Bad<'_>> = vec![
        (
            "§4: another client_id",
            Box::new(move |h| {
                h.respond(
                    ok,
                    none,
                    &other(h, "client_id", json!("https://evil.example/c")),
                )
            }),
            "not the address",
        ),
        (
            "§4.1: a secret",
            Box::new(move |h| h.respond(ok, none, &other(h, "client_secret", json!("s")))),
            "client secret",
        ),
        (
            "§4.1: a shared method",
            Box::new(move |h| {
                h.respond(
                    ok,
                    none,
                    &other(h, "token_endpoint_auth_method", json!("client_secret_post")),
                )
            }),
            "client secret",
        ),
        (
            "§4: no JSON",
            Box::new(move |h| h.respond(ok, none, "<html>")),
            "no JSON object",
        ),
        (
            "§4: a list",
            Box::new(move |h| h.respond(ok, none, "[]")),
            "no JSON object",
        ),
        (
            "§4: a member twice",
            Box::new(move |h| h.respond(ok, none, "{\"a\":1,\"a\":2}")),
            "no JSON object",
        ),
        (
            "§5: 404",
            Box::new(|h| h.respond("404 Not Found", "", &h.document().to_string())),
            "answered 404",
        ),
        (
            "§5: 201",
            Box::new(|h| h.respond("201 Created", "", &h.document().to_string())),
            "answered 201",
        ),
        (
            "§5: a redirect",
            Box::new(|h| {
                h.respond(
                    "302 Found",
                    "Location: /client.json?again\r\n",
                    &h.document().to_string(),
                )
            }),
            "answered 302",
        ),
        (
            "§8.7: too long",
            Box::new(move |h| h.respond(ok, none, &other(h, "more", json!("a".repeat(17_000))))),
            "longer than",
        ),
        (
            "§8.7: without end",
            Box::new(move |h| h.respond(ok, none, &"a".repeat(100_000))),
            "longer than",
        ),
        (
            "§4.2: plain http elsewhere",
            Box::new(move |h| {
                h.respond(
                    ok,
                    none,
                    &other(h, "redirect_uris", json!(["http://app.example/cb"])),
                )
            }),
            "https",
        ),
    ];
    for (why, prepare, detail) in bad {
        let (world, host) = world_and_host();
        prepare(&host);
        let mut browser = world.sign_in("alice");
        let page = ask(&mut browser, &host.id());
        assert_eq!(page.status, 400, "{why}: {page:?}");
        assert_eq!(page.header("Location"), None, "{why}");
        assert!(
            page.body.contains("client_document_unusable"),
            "{why}: {page:?}"
        );
        assert!(!page.body.contains(detail), "{why}: told to the stranger");
        assert!(is_recorded(&world, detail), "{why}: {}", audit(&world));
        assert_eq!(
            host.asked(),
            1,
            "{why}: it was called again, or a redirect was followed"
        );
        // RFC 6749 §5.2, RFC 9126 §2.3.
        for path in ["/token", "/par"] {
            let answer = post(
                &world,
                path,
                &host.id(),
                "grant_type=authorization_code&code=x",
            );
            assert_eq!(
                (answer.status, answer.json()["error"].clone()),
                (401, json!("invalid_client")),
                "{why}"
            );
        }
        assert_eq!(clients(&world), 0, "{why}");
        // §5.2: the error is not kept.
        host.serve(&host.document());
        assert_eq!(ask(&mut browser, &host.id()).status, 200, "{why}");
    }
}

#[test]
fn section_8_6_an_inner_address_is_called_only_where_the_host_is_allowed() {
    let host = Host::new();
    host.serve(&host.document());
    let world = World::started();
    world.verb(&["registration", "documents", "on"], "");
    let mut browser = Browser::new(&world);
    for id in [
        host.id(),
        format!("https://127.0.0.1:{}/client.json", host.port),
        format!("https://localhost:{}/client.json", host.port),
        format!("https://[::1]:{}/client.json", host.port),
    ] {
        let page = ask(&mut browser, &id);
        assert_eq!(page.status, 400, "{id}");
    }
    assert_eq!(host.asked(), 0);
    assert!(is_recorded(&world, "plain http"));
    assert!(is_recorded(&world, "is not public"));
}

#[test]
fn section_8_7_a_host_that_does_not_answer_holds_one_up_for_seconds_only() {
    let (world, host) = world_and_host();
    host.raw(String::new());
    let started = Instant::now();
    let page = ask(&mut Browser::new(&world), &host.id());
    assert_eq!(page.status, 400, "{page:?}");
    assert!(started.elapsed() < Duration::from_secs(20));
    assert!(is_recorded(&world, "no answer within"));
}

#[test]
fn one_address_cannot_make_doorlight_call_without_end() {
    let world = world();
    let mut browser = Browser::new(&world);
    let called = |_: &usize| {
        let host = Host::new();
        host.respond("500 Broken", "", "{}");
        let page = ask(&mut browser, &host.id());
        let later = page.body.contains("client_document_later");
        assert_eq!(host.asked(), usize::from(!later), "{page:?}");
        !later
    };
    // A few more, where the machine takes as long for one as the next has to wait.
    let calls = (0..20).take_while(called).count();
    assert!((10..=14).contains(&calls), "{calls}");
}
