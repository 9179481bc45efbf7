//! Pushed authorization requests (RFC 9126) on the wire.

use crate::world::{
    Answer, Browser, PASSWORD, REDIRECT, TestClient, World, challenge, encode, redeem,
};

fn parameters(scope: &str, more: &str) -> String {
    format!(
        "response_type=code&redirect_uri={}&scope={}&state=s-1&nonce=n-1&code_challenge={}\
         &code_challenge_method=S256{more}",
        encode(REDIRECT),
        encode(scope),
        challenge()
    )
}

fn push(world: &World, client: &TestClient, more: &str) -> Answer {
    world.ask(
        "POST",
        "/par",
        &client.basic(),
        &parameters("openid email", more),
    )
}

/// The address to begin at.
fn begin(world: &World, client: &TestClient, more: &str) -> String {
    let answer = push(world, client, more);
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    let body = answer.json();
    assert_eq!(body["expires_in"], 60);
    let uri = body["request_uri"].as_str().unwrap();
    assert!(uri.starts_with("urn:ietf:params:oauth:request_uri:"));
    format!(
        "/authorize?client_id={}&request_uri={}",
        client.id,
        encode(uri)
    )
}

#[test]
fn rfc9126_a_pushed_request_is_signed_in_to_and_answered_once() {
    let world = World::started();
    world.user("alice");
    let client = world.client("Notes", &["--redirect-uri", REDIRECT]);
    let start = begin(&world, &client, "");
    let mut browser = Browser::new(&world);

    // Whoever loads the page again, by either address, still finds it.
    let marked = browser.get(&start);
    assert_eq!(marked.status, 303, "{marked:?}");
    let marked = marked.header("Location").unwrap().to_owned();
    for address in [
        &marked,
        &marked,
        &browser.get(&start).header("Location").unwrap().to_owned(),
    ] {
        let page = browser.get(address);
        assert_eq!(page.status, 200);
        assert!(page.body.contains("Notes"));
    }
    let page = browser.get(&marked);
    let wrong = browser.submit(
        &page,
        "/login",
        &[("username", "alice"), ("password", "no")],
    );
    assert!(wrong.status == 401 && wrong.body.contains("Notes"));
    let entered = browser.submit(
        &wrong,
        "/login",
        &[("username", "alice"), ("password", PASSWORD)],
    );
    let consent = browser.get(entered.header("Location").unwrap());
    assert!(consent.body.contains("email address"), "{}", consent.body);
    let allowed = browser.submit(&consent, "/consent", &[("decision", "allow")]);
    assert_eq!(allowed.parameter("state").as_deref(), Some("s-1"));
    let code = allowed.parameter("code").unwrap();
    assert_eq!(world.token(&client, &redeem(&code)).status, 200);

    // RFC 9126 §7.3, §4: one request, one answer.
    for over in [
        browser.get(&start),
        browser.get(&marked),
        browser.submit(&consent, "/consent", &[("decision", "allow")]),
        browser.submit(&consent, "/consent", &[("decision", "deny")]),
    ] {
        assert_eq!(over.status, 400, "{over:?}");
        assert!(over.header("Location").is_none());
    }
}

#[test]
fn rfc9126_section_4_an_error_uses_the_request_up_and_parameters_outside_are_ignored() {
    let world = World::started();
    world.user("alice");
    let client = world.client("Notes", &["--redirect-uri", REDIRECT]);
    let mut browser = Browser::new(&world);
    let silent = begin(&world, &client, "&prompt=none");
    let outside =
        format!("{silent}&prompt=login&state=other&redirect_uri=https%3A%2F%2Fevil.example");
    let answer = browser.get(&outside);
    assert_eq!(answer.parameter("error").as_deref(), Some("login_required"));
    assert_eq!(answer.parameter("state").as_deref(), Some("s-1"));
    assert!(answer.header("Location").unwrap().starts_with(REDIRECT));
    assert_eq!(browser.get(&silent).status, 400);

    let start = begin(&world, &client, "");
    let marked = browser.get(&start).header("Location").unwrap().to_owned();
    let page = browser.get(&marked);
    let cancelled = browser.submit(&page, "/login", &[("decision", "cancel")]);
    assert_eq!(
        cancelled.parameter("error").as_deref(),
        Some("access_denied")
    );
    assert_eq!(browser.get(&marked).status, 400);
}

#[test]
fn rfc9126_section_4_another_clients_or_an_unknown_request_uri_is_a_page() {
    let world = World::started();
    world.user("alice");
    let client = world.trusted();
    let other = world.client("Other", &["--redirect-uri", REDIRECT, "--trusted"]);
    let start = begin(&world, &client, "");
    let mut browser = world.sign_in("alice");
    let unknown = |client: &TestClient, tail: &str| {
        let uri = encode(&format!("urn:ietf:params:oauth:request_uri:{tail}"));
        format!(
            "/authorize?client_id={}&request_uri={uri}&{}",
            client.id,
            parameters("openid", "")
        )
    };
    let uri = start.split("request_uri=").nth(1).unwrap();
    for target in [
        start.replace(&client.id, &other.id),
        start.replace(&client.id, "nobody"),
        format!("/authorize?request_uri={uri}"),
        format!("{start}x"),
        unknown(&client, ""),
        unknown(&client, "a.b"),
        unknown(&client, &format!("{}.{}", client.id, "x".repeat(43))),
    ] {
        let answer = browser.get(&target);
        assert_eq!(answer.status, 400, "{target}: {answer:?}");
        assert!(answer.header("Location").is_none());
    }
    // None of these used it up; no page is needed any more, so no address is marked.
    assert!(browser.get(&start).parameter("code").is_some());
}

#[test]
fn rfc9126_section_2_3_refusals_are_json_with_the_code_of_the_authorization_endpoint() {
    let world = World::started();
    let client = world.trusted();
    for (body, code) in [
        (
            parameters("openid", "&request_uri=urn%3Ax"),
            "invalid_request",
        ),
        (parameters("openid", "&state=twice"), "invalid_request"),
        (
            parameters("openid", "&response_mode=fragment"),
            "invalid_request",
        ),
        (parameters("nothing", ""), "invalid_scope"),
        (
            "response_type=code&scope=openid".to_owned(),
            "invalid_request",
        ),
        (
            parameters("openid", "").replace("=code&", "=token&"),
            "unsupported_response_type",
        ),
        (
            parameters("openid", &format!("&login_hint={}", "x".repeat(20_000))),
            "invalid_request",
        ),
    ] {
        let answer = world.ask("POST", "/par", &client.basic(), &body);
        assert!(matches!(answer.status, 400 | 413), "{body}: {answer:?}");
        assert_eq!(answer.json()["error"], code, "{body}");
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    }
    let wrong = TestClient {
        secret: "wrong".to_owned(),
        ..client.clone()
    };
    let answer = push(&world, &wrong, "");
    assert_eq!(
        (answer.status, answer.json()["error"].as_str()),
        (401, Some("invalid_client"))
    );
    let body = format!("client_id={}&{}", client.id, parameters("openid", ""));
    assert_eq!(
        world.ask("POST", "/par", "", &body).status,
        401,
        "no secret"
    );
    assert_eq!(world.ask("GET", "/par", "", "").status, 405);
}

#[test]
fn the_strict_profile_takes_pushed_requests_only() {
    let world = World::started();
    world.user("alice");
    let more = [
        "--redirect-uri",
        REDIRECT,
        "--trusted",
        "--profile",
        "strict",
    ];
    let client = world.client("Bank", &more);
    let mut browser = world.sign_in("alice");
    let refused = browser.authorize(&client, "openid email", "");
    assert_eq!(
        refused.parameter("error").as_deref(),
        Some("invalid_request")
    );
    assert_eq!(refused.parameter("state").as_deref(), Some("s-1"));
    let start = begin(&world, &client, "");
    assert!(browser.get(&start).parameter("code").is_some());
}

#[test]
fn choosing_another_account_goes_on_with_a_pushed_request() {
    let world = World::started();
    world.user("alice");
    world.user("bob");
    let client = world.trusted();
    let mut browser = world.sign_in("alice");
    let start = begin(&world, &client, "&prompt=select_account");
    let marked = browser.get(&start).header("Location").unwrap().to_owned();
    let page = browser.get(&marked);
    let sign_in = browser.submit(&page, "/select-account", &[("account", "other")]);
    assert!(sign_in.body.contains("App"), "{}", sign_in.body);
    let entered = browser.submit(
        &sign_in,
        "/login",
        &[("username", "bob"), ("password", PASSWORD)],
    );
    let answer = browser.get(entered.header("Location").unwrap());
    assert!(
        answer.parameter("code").is_some(),
        "signing in is choosing: {answer:?}"
    );
}
