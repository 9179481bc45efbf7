//! The authorization endpoint (RFC 6749 §4.1, OpenID Connect Core §3.1.2).

use crate::world::{Browser, REDIRECT, World, claims, encode, redeem};

#[test]
fn an_unknown_client_or_redirect_uri_gets_a_page_and_never_a_redirect() {
    let world = World::started();
    let client = world.trusted();
    for target in [
        "/authorize?response_type=code&client_id=nobody&redirect_uri=https%3A%2F%2Fevil.example"
            .to_owned(),
        format!(
            "/authorize?response_type=code&client_id={}&redirect_uri=https%3A%2F%2Fevil.example%2F%3Cscript%3E",
            client.id
        ),
        format!(
            "/authorize?response_type=code&client_id={}&scope=openid",
            client.id
        ),
        format!(
            "/authorize?response_type=code&client_id={0}&client_id={0}",
            client.id
        ),
    ] {
        let answer = world.ask("GET", &target, "", "");
        assert_eq!(answer.status, 400, "{target}");
        assert!(answer.header("Location").is_none());
        assert!(!answer.body.contains("<script>"), "reflected unescaped");
    }
    // The administrator finds expected and received; nobody waits for such an event, so it may come a moment later.
    let expected = "redirect_uri expected https://app.example/cb received https://evil.example/";
    let begun = std::time::Instant::now();
    loop {
        let log = world.run(&["audit", "--kind", "authorization"], "").stdout;
        if String::from_utf8(log).unwrap().contains(expected) {
            break;
        }
        assert!(begun.elapsed().as_secs() < 60, "{}", world.log());
    }
}

/// Strangers learn no addresses of the house; who may change them sees both.
#[test]
fn registered_addresses_are_shown_to_administrators_only() {
    let world = World::started();
    let client = world.trusted();
    world.user("alice");
    world.admin("root");
    let target = format!(
        "/authorize?response_type=code&client_id={}&redirect_uri=https%3A%2F%2Fevil.example%2F",
        client.id
    );
    let stranger = world.ask("GET", &target, "", "");
    let person = world.sign_in("alice").get(&target);
    let administrator = world.sign_in("root").get(&target);
    for page in [&stranger, &person, &administrator] {
        assert!(page.body.contains("https://evil.example/"));
    }
    assert!(!stranger.body.contains(REDIRECT) && !person.body.contains(REDIRECT));
    assert!(administrator.body.contains(REDIRECT));
}

/// Where the address could be added is told to whoever may add it, and to nobody else: they learn no id of a record.
#[test]
fn a_refused_address_leads_administrators_to_where_it_can_be_added() {
    let world = World::started();
    let client = world.trusted();
    world.user("alice");
    world.admin("root");
    let evil = "https%3A%2F%2Fevil.example%2F";
    let application = format!("href=\"/admin/applications/{}\"", client.id);
    for (target, there) in [
        (
            format!(
                "/authorize?response_type=code&client_id={}&redirect_uri={evil}",
                client.id
            ),
            application.as_str(),
        ),
        (
            format!(
                "/logout?client_id={}&post_logout_redirect_uri={evil}",
                client.id
            ),
            &application,
        ),
        (
            format!("/authorize?response_type=code&client_id=nobody&redirect_uri={evil}"),
            "href=\"/admin/applications\"",
        ),
    ] {
        let stranger = world.ask("GET", &target, "", "");
        let person = world.sign_in("alice").get(&target);
        let mut root = world.sign_in("root");
        let administrator = root.get(&target);
        for page in [&stranger, &person, &administrator] {
            assert_eq!(page.status, 400, "{target}");
        }
        assert!(
            administrator.body.contains(there),
            "{target}: {}",
            administrator.body
        );
        for page in [&stranger, &person] {
            assert!(!page.body.contains("/admin"), "{target}: {}", page.body);
        }
    }
    // Nobody was sent anywhere, and nothing was added by looking.
    let mut root = world.sign_in("root");
    let page = root.get(&format!("/admin/applications/{}", client.id));
    assert!(page.body.contains("Add this address"), "{}", page.body);
    let shown = world.verb(&["client", "show", &client.id], "");
    assert_eq!(shown["redirect_uris"], serde_json::json!([REDIRECT]));
}

#[test]
fn what_is_kept_of_a_request_is_bounded() {
    let world = World::started();
    let client = world.trusted();
    world.user("alice");
    let mut browser = world.sign_in("alice");
    let claims = format!("{{\"userinfo\":{{\"{}\":null}}}}", "x".repeat(4_000));
    let asked = format!(
        "/authorize?response_type=code&client_id={}&redirect_uri={}&scope=openid",
        client.id,
        encode(REDIRECT)
    );
    for (more, error) in [
        (format!("&nonce={}", "n".repeat(1_000)), None),
        (
            format!("&nonce={}", "n".repeat(1_001)),
            Some("invalid_request"),
        ),
        (
            format!("&claims={}", encode(&claims)),
            Some("invalid_request"),
        ),
    ] {
        let answer = browser.get(&format!("{asked}{more}"));
        assert_eq!(answer.parameter("error").as_deref(), error);
        assert_eq!(answer.parameter("code").is_some(), error.is_none());
    }
}

#[test]
fn later_errors_are_redirects_with_the_state_as_sent_and_the_issuer() {
    let world = World::started();
    let client = world.trusted();
    let state = "s".repeat(2_000);
    for (more, error) in [
        ("response_type=token", "unsupported_response_type"),
        ("scope=openid", "invalid_request"),
        (
            "response_type=code&scope=openid&prompt=none",
            "login_required",
        ),
        (
            "response_type=code&scope=openid&request=x.y.z",
            "request_not_supported",
        ),
        (
            "response_type=code&scope=openid&code_challenge=x&code_challenge_method=plain",
            "invalid_request",
        ),
        (
            "response_type=code&scope=openid&nonce=1&nonce=2",
            "invalid_request",
        ),
    ] {
        let target = format!(
            "/authorize?client_id={}&redirect_uri={}&state={state}&{more}",
            client.id,
            encode(REDIRECT)
        );
        let answer = world.ask("GET", &target, "", "");
        assert_eq!(answer.status, 303, "{more}");
        assert!(
            answer
                .header("Location")
                .unwrap()
                .starts_with("https://app.example/cb?")
        );
        assert_eq!(answer.parameter("error").as_deref(), Some(error), "{more}");
        assert_eq!(answer.parameter("state").as_deref(), Some(state.as_str()));
        assert_eq!(answer.parameter("iss"), Some(world.issuer()));
        assert!(answer.parameter("code").is_none());
    }
}

#[test]
fn a_person_signs_in_agrees_once_and_is_not_asked_again() {
    let world = World::started();
    world.user("alice");
    let client = world.client("Notes", &["--redirect-uri", REDIRECT]);
    let mut browser = Browser::new(&world);

    let page = browser.authorize(&client, "openid email", "");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Notes"));
    let wrong = browser.submit(
        &page,
        "/login",
        &[("username", "alice"), ("password", "wrong")],
    );
    assert_eq!(wrong.status, 401);
    let page = browser.submit(
        &page,
        "/login",
        &[("username", "alice"), ("password", crate::world::PASSWORD)],
    );
    assert_eq!(page.status, 303, "{page:?}");
    let consent = browser.get(page.header("Location").unwrap());
    assert!(consent.body.contains("email address"), "{}", consent.body);
    let allowed = browser.submit(&consent, "/consent", &[("decision", "allow")]);
    let code = allowed.parameter("code").unwrap();
    assert_eq!(allowed.parameter("state").as_deref(), Some("s-1"));

    let tokens = world.token(&client, &redeem(&code)).json();
    let id = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(
        (id["nonce"].as_str(), id["aud"].as_str()),
        (Some("n-1"), Some(client.id.as_str()))
    );
    assert_eq!(id["iss"], world.issuer());

    let again = browser.authorize(&client, "openid email", "");
    assert!(again.parameter("code").is_some(), "asked again: {again:?}");
    let more = browser.authorize(&client, "openid email groups", "");
    assert_eq!(more.status, 200, "new scope is asked for");
}

#[test]
fn no_is_access_denied_and_cancel_on_the_sign_in_page_too() {
    let world = World::started();
    world.user("alice");
    let client = world.client("Notes", &["--redirect-uri", REDIRECT]);
    let mut stranger = Browser::new(&world);
    let page = stranger.authorize(&client, "openid", "");
    let cancelled = stranger.submit(&page, "/login", &[("decision", "cancel")]);
    assert_eq!(
        cancelled.parameter("error").as_deref(),
        Some("access_denied")
    );

    let mut browser = world.sign_in("alice");
    let page = browser.authorize(&client, "openid", "");
    let denied = browser.submit(&page, "/consent", &[("decision", "deny")]);
    assert_eq!(denied.parameter("error").as_deref(), Some("access_denied"));
    assert_eq!(denied.parameter("state").as_deref(), Some("s-1"));
}

#[test]
fn prompts_and_max_age_show_the_pages_they_ask_for() {
    let world = World::started();
    world.user("alice");
    let client = world.trusted();
    let mut browser = world.sign_in("alice");
    assert!(
        browser
            .authorize(&client, "openid", "&prompt=none")
            .parameter("code")
            .is_some()
    );
    for more in ["&prompt=login", "&max_age=0"] {
        let page = browser.authorize(&client, "openid", more);
        assert_eq!(page.status, 200, "{more}");
        let fields = [("username", "alice"), ("password", crate::world::PASSWORD)];
        let entered = browser.submit(&page, "/login", &fields);
        let answer = browser.get(entered.header("Location").unwrap());
        assert!(answer.parameter("code").is_some(), "{more}: {answer:?}");
    }
    let page = browser.authorize(&client, "openid", "&prompt=consent");
    assert!(
        browser
            .submit(&page, "/consent", &[("decision", "allow")])
            .parameter("code")
            .is_some()
    );
    let page = browser.authorize(&client, "openid", "&prompt=select_account");
    assert!(page.body.contains("/select-account"));
}

#[test]
fn form_post_is_a_page_that_posts_the_answer() {
    let world = World::started();
    world.user("alice");
    let client = world.trusted();
    let mut browser = world.sign_in("alice");
    let page = browser.authorize(&client, "openid", "&response_mode=form_post");
    assert_eq!(page.status, 200);
    let fields = crate::world::hidden(&page.body, REDIRECT);
    let value = |name: &str| {
        fields
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.clone())
    };
    assert!(value("code").is_some());
    assert_eq!(value("state").as_deref(), Some("s-1"));
    assert_eq!(value("iss"), Some(world.issuer()));
    assert_eq!(
        world
            .token(&client, &redeem(&value("code").unwrap()))
            .status,
        200
    );
}
