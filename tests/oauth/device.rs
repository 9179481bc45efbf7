//! Signing in on another device (RFC 8628): what the device and the person see.

use crate::receiver::until;
use crate::world::{Answer, Browser, PASSWORD, TestClient, World, claims, hidden};
use serde_json::Value;

pub const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A public client of devices, as a television has it.
fn television(world: &World) -> TestClient {
    let more = ["--public", "--grant", "device_code,refresh_token"];
    world.client("Television", &more)
}

fn ask(world: &World, client: &TestClient, more: &str) -> Answer {
    let body = format!("client_id={}{more}", client.id);
    world.ask("POST", "/device_authorization", "", &body)
}

fn asked(world: &World, client: &TestClient, scope: &str) -> (String, String) {
    let scope = crate::world::encode(scope);
    let answer = ask(world, client, &format!("&scope={scope}"));
    assert_eq!(answer.status, 200, "{answer:?}");
    (text(&answer, "device_code"), text(&answer, "user_code"))
}

fn text(answer: &Answer, member: &str) -> String {
    answer.json()[member].as_str().unwrap().to_owned()
}

fn poll(world: &World, client: &TestClient, device_code: &str) -> Answer {
    let body = format!(
        "grant_type={GRANT}&client_id={}&device_code={device_code}",
        client.id
    );
    world.ask("POST", "/token", "", &body)
}

fn error(answer: &Answer) -> String {
    assert!(answer.status >= 400, "{answer:?}");
    answer.json()["error"].as_str().unwrap().to_owned()
}

/// Types the code, and gives the page that follows.
fn type_code(browser: &mut Browser<'_>, user_code: &str) -> Answer {
    let page = browser.get("/device");
    browser.submit(&page, "/device", &[("user_code", user_code)])
}

pub fn say(browser: &mut Browser<'_>, user_code: &str, decision: &str) -> Answer {
    let page = type_code(browser, user_code);
    assert_eq!(page.status, 200, "{page:?}");
    browser.submit(&page, "/device/answer", &[("decision", decision)])
}

fn events(world: &World, kind: &str) -> Vec<Value> {
    let audit = world.run(&["audit", "--limit", "1000"], "").stdout;
    let audit = String::from_utf8(audit).unwrap();
    let lines: Vec<Value> = match serde_json::from_str(&audit) {
        Ok(Value::Array(lines)) => lines,
        _ => audit
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    };
    lines.into_iter().filter(|e| e["kind"] == kind).collect()
}

#[test]
fn a_device_without_a_browser_is_signed_in_from_a_phone() {
    let world = World::started();
    world.user("alice");
    let client = television(&world);
    let answer = ask(&world, &client, "&scope=openid%20email%20offline_access");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    let (device_code, user_code) = (text(&answer, "device_code"), text(&answer, "user_code"));
    let json = answer.json();
    let uri = format!("{}/device", world.issuer());
    assert_eq!(json["verification_uri"], uri.as_str());
    let complete = format!("{uri}?user_code={user_code}");
    assert_eq!(json["verification_uri_complete"], complete.as_str());
    assert_eq!(
        (&json["expires_in"], &json["interval"]),
        (&600.into(), &5.into())
    );
    assert_eq!(
        error(&poll(&world, &client, &device_code)),
        "authorization_pending"
    );
    assert_eq!(error(&poll(&world, &client, &device_code)), "slow_down");

    // The person is not signed in: they are sent to do it, and come back to the page with the code filled in.
    let mut browser = Browser::new(&world);
    let to_login = browser.get(&format!("/device?user_code={user_code}"));
    assert_eq!(to_login.status, 303);
    let login = browser.get(to_login.header("Location").unwrap());
    let back = browser.submit(
        &login,
        "/login",
        &[("username", "alice"), ("password", PASSWORD)],
    );
    assert_eq!(
        back.header("Location"),
        Some(&*format!("/device?user_code={user_code}"))
    );
    let page = browser.get(back.header("Location").unwrap());
    assert!(
        page.body.contains(&format!("value=\"{user_code}\"")),
        "{page:?}"
    );

    // RFC 8628 §5.4: what, for whom, since when and from where; and a warning.
    let typed = user_code.replace('-', " ").to_lowercase();
    let page = browser.submit(&page, "/device", &[("user_code", &typed)]);
    for part in [
        "Television",
        "on another device",
        &user_code,
        "less than a minute ago",
        "127.0.0.1",
        "only if you started this yourself",
        "See your email address",
    ] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    let done = browser.submit(&page, "/device/answer", &[("decision", "allow")]);
    assert_eq!(done.status, 200, "{done:?}");
    assert!(done.body.contains("You can go back to your device"));

    let tokens = poll(&world, &client, &device_code).json();
    let id = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(id["aud"], client.id.as_str());
    assert_eq!(tokens["scope"], "email offline_access openid");
    let bearer = format!(
        "Authorization: Bearer {}\r\n",
        tokens["access_token"].as_str().unwrap()
    );
    assert_eq!(
        world.ask("GET", "/userinfo", &bearer, "").json()["email"],
        "alice@example.org"
    );
    let refresh = format!(
        "grant_type=refresh_token&client_id={}&refresh_token={}",
        client.id,
        tokens["refresh_token"].as_str().unwrap()
    );
    let renewed = world.ask("POST", "/token", "", &refresh);
    assert_eq!(renewed.status, 200, "{renewed:?}");
    for kind in ["device.asked", "device.approved", "token.device_code"] {
        let events = events(&world, kind);
        assert_eq!(events.len(), 1, "{kind}: {events:?}");
        assert!(
            !events[0].to_string().contains(&user_code),
            "{kind} tells the code"
        );
    }
}

#[test]
fn a_no_reaches_the_device_and_stands() {
    let world = World::started();
    world.user("alice");
    let client = television(&world);
    let (device_code, user_code) = asked(&world, &client, "openid");
    let mut browser = world.sign_in("alice");
    let done = say(&mut browser, &user_code, "deny");
    assert!(done.body.contains("The device was not let in"), "{done:?}");
    for _ in 0..2 {
        let answer = poll(&world, &client, &device_code);
        assert_eq!(error(&answer), "access_denied");
    }
    // There is one answer: the code is of no use any more.
    let again = type_code(&mut browser, &user_code);
    assert_eq!(again.status, 400);
    assert!(again.body.contains("No device waits with this code"));
    assert_eq!(events(&world, "device.denied").len(), 1);
    assert!(events(&world, "token.device_code").is_empty());
}

#[test]
fn a_device_code_is_good_once_and_a_second_use_ends_what_the_first_one_gave() {
    let world = World::started();
    world.user("alice");
    let client = television(&world);
    let app = world.trusted();
    let (device_code, user_code) = asked(&world, &client, "openid offline_access");
    say(&mut world.sign_in("alice"), &user_code, "allow");
    let tokens = poll(&world, &client, &device_code).json();
    let access = tokens["access_token"].as_str().unwrap();
    let bearer = format!("Authorization: Bearer {access}\r\n");
    assert_eq!(world.ask("GET", "/userinfo", &bearer, "").status, 200);
    assert_eq!(world.introspect(&app, access)["active"], true);

    assert_eq!(error(&poll(&world, &client, &device_code)), "invalid_grant");
    assert_eq!(world.introspect(&app, access)["active"], false);
    assert_eq!(world.ask("GET", "/userinfo", &bearer, "").status, 401);
    let refresh = format!(
        "grant_type=refresh_token&client_id={}&refresh_token={}",
        client.id,
        tokens["refresh_token"].as_str().unwrap()
    );
    let refused = world.ask("POST", "/token", "", &refresh);
    assert_eq!(error(&refused), "invalid_grant");
}

#[test]
fn what_a_device_gets_hangs_on_the_browser_in_which_the_person_said_yes() {
    let world = World::started();
    world.user("alice");
    let client = television(&world);
    let mut browser = world.sign_in("alice");
    let access = |scope: &str, browser: &mut Browser<'_>| {
        let (device_code, user_code) = asked(&world, &client, scope);
        say(browser, &user_code, "allow");
        let tokens = poll(&world, &client, &device_code).json();
        let access = tokens["access_token"].as_str().unwrap().to_owned();
        format!("Authorization: Bearer {access}\r\n")
    };
    let (session, lasting) = (
        access("openid", &mut browser),
        access("openid offline_access", &mut browser),
    );
    // A yes that nobody fetched before the person signed out opens nothing.
    let (late, user_code) = asked(&world, &client, "openid offline_access");
    say(&mut browser, &user_code, "allow");
    let home = browser.get("/");
    browser.submit(&home, "/logout", &[]);
    assert_eq!(world.ask("GET", "/userinfo", &session, "").status, 401);
    assert_eq!(world.ask("GET", "/userinfo", &lasting, "").status, 200);
    assert_eq!(error(&poll(&world, &client, &late)), "invalid_grant");
}

/// Missing, repeated, malformed, another's: the specification's error, and the device that waits is none the wiser.
#[test]
fn rfc8628_section_3_bad_input_is_refused_and_changes_nothing() {
    let world = World::started();
    world.user("alice");
    let client = television(&world);
    let other = world.client("Radio", &["--grant", "device_code"]);
    let without = world.client(
        "Web",
        &["--redirect-uri", "https://web.example/cb", "--public"],
    );
    let (device_code, user_code) = asked(&world, &client, "openid");

    let id = format!("client_id={}", client.id);
    for (name, body, expected) in [
        ("3.1 no client", String::new(), "invalid_client"),
        (
            "3.1 unknown client",
            "client_id=nobody".to_owned(),
            "invalid_client",
        ),
        ("3.1 client twice", format!("{id}&{id}"), "invalid_request"),
        (
            "3.1 scope twice",
            format!("{id}&scope=openid&scope=email"),
            "invalid_request",
        ),
        (
            "3.1 scope malformed",
            format!("{id}&scope=%22"),
            "invalid_scope",
        ),
        (
            "3.1 scope not the client's",
            format!("{id}&scope=api"),
            "invalid_scope",
        ),
        (
            "3.1 scope too long",
            format!("{id}&scope={}", "x".repeat(300)),
            "invalid_scope",
        ),
        (
            "RFC 8707 resource not the client's",
            format!("{id}&resource=https://x.example"),
            "invalid_target",
        ),
        (
            "3.1 grant not allowed",
            format!("client_id={}", without.id),
            "unauthorized_client",
        ),
        (
            "3.1 secret missing",
            format!("client_id={}", other.id),
            "invalid_client",
        ),
    ] {
        let answer = world.ask("POST", "/device_authorization", "", &body);
        assert_eq!(error(&answer), expected, "{name}");
    }
    assert_eq!(events(&world, "device.asked").len(), 1);

    let grant = format!("grant_type={GRANT}");
    let long = "x".repeat(5_000);
    for (name, body, expected) in [
        (
            "3.4 no client",
            format!("{grant}&device_code={device_code}"),
            "invalid_client",
        ),
        ("3.4 no code", format!("{grant}&{id}"), "invalid_request"),
        (
            "3.4 empty code",
            format!("{grant}&{id}&device_code="),
            "invalid_request",
        ),
        (
            "3.4 code twice",
            format!("{grant}&{id}&device_code={device_code}&device_code={device_code}"),
            "invalid_request",
        ),
        (
            "3.4 unknown code",
            format!("{grant}&{id}&device_code=abc"),
            "invalid_grant",
        ),
        (
            "3.4 long code",
            format!("{grant}&{id}&device_code={long}"),
            "invalid_grant",
        ),
        (
            "3.4 user code",
            format!("{grant}&{id}&device_code={user_code}"),
            "invalid_grant",
        ),
        (
            "3.4 another verifier",
            format!("{grant}&{id}&device_code={}", flipped(&device_code)),
            "invalid_grant",
        ),
        (
            "3.4 grant not allowed",
            format!("{grant}&client_id={}&device_code={device_code}", without.id),
            "unauthorized_client",
        ),
    ] {
        let answer = world.ask("POST", "/token", "", &body);
        assert_eq!(error(&answer), expected, "{name}");
    }
    let foreign = world.token(&other, &format!("{grant}&device_code={device_code}"));
    assert_eq!(
        error(&foreign),
        "invalid_grant",
        "3.4 another client's code"
    );

    // None of these was a poll of this device.
    assert_eq!(
        error(&poll(&world, &client, &device_code)),
        "authorization_pending"
    );
    say(&mut world.sign_in("alice"), &user_code, "allow");
    let foreign = world.token(&other, &format!("{grant}&device_code={device_code}"));
    assert_eq!(
        error(&foreign),
        "invalid_grant",
        "3.4 another client's code, answered"
    );
    assert_eq!(poll(&world, &client, &device_code).status, 200);
}

/// The same selector with another verifier.
fn flipped(device_code: &str) -> String {
    let (selector, verifier) = device_code.split_once('.').unwrap();
    let other = if verifier.starts_with('A') { 'B' } else { 'A' };
    format!("{selector}.{other}{}", &verifier[1..])
}

#[test]
fn rfc8628_section_5_4_nothing_is_allowed_by_an_address_or_a_form_of_somebody_else() {
    let world = World::started();
    world.user("alice");
    world.user("mallory");
    let client = television(&world);
    let (device_code, user_code) = asked(&world, &client, "openid");
    let mut alice = world.sign_in("alice");
    let pending = |world: &World| {
        assert_ne!(poll(world, &client, &device_code).status, 200);
        assert!(events(world, "device.approved").is_empty());
    };
    // The address alone fills the code in.
    alice.get(&format!("/device?user_code={user_code}&decision=allow"));
    pending(&world);
    // Without a token of ours, or from another site.
    let bare = format!("user_code={user_code}&decision=allow");
    assert_eq!(alice.post("/device", "", &bare).status, 403);
    let page = type_code(&mut alice, &user_code);
    let fields = hidden(&page.body, "/device/answer");
    let body = |fields: &[(String, String)]| {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields).append_pair("decision", "allow");
        form.finish()
    };
    let evil = "Origin: https://evil.example\r\n";
    assert_eq!(
        alice.post("/device/answer", evil, &body(&fields)).status,
        403
    );
    // What alice's page carries is hers: in another's browser, or for another device, it opens nothing.
    let mut mallory = world.sign_in("mallory");
    let mine = mallory.get("/device");
    let csrf = hidden(&mine.body, "/device");
    let mut stolen: Vec<_> = fields
        .iter()
        .filter(|(n, _)| n != "csrf")
        .cloned()
        .collect();
    stolen.extend(csrf);
    assert_eq!(
        mallory.post("/device/answer", "", &body(&stolen)).status,
        403
    );
    let (_, second) = asked(&world, &client, "openid");
    let other = type_code(&mut alice, &second);
    let device = hidden(&other.body, "/device/answer")
        .into_iter()
        .find(|(n, _)| n == "device");
    let mut mixed: Vec<_> = fields
        .iter()
        .filter(|(n, _)| n != "device")
        .cloned()
        .collect();
    mixed.extend(device);
    assert_eq!(alice.post("/device/answer", "", &body(&mixed)).status, 403);
    // Nor does a button that does not exist.
    let answer = alice.submit(&page, "/device/answer", &[("decision", "maybe")]);
    assert_eq!(answer.status, 400);
    let answer = alice.submit(
        &page,
        "/device/answer",
        &[("decision", "deny"), ("decision", "allow")],
    );
    assert_eq!(answer.status, 400);
    pending(&world);
    let done = alice.submit(&page, "/device/answer", &[("decision", "allow")]);
    assert_eq!(done.status, 200);
    let twice = alice.submit(&page, "/device/answer", &[("decision", "deny")]);
    assert_eq!(twice.status, 400, "there is one answer");
    assert_eq!(poll(&world, &client, &device_code).status, 200);
}

#[test]
fn a_person_outside_the_groups_is_refused_and_the_device_waits_on() {
    let world = World::started();
    world.user("alice");
    world.verb(
        &["user", "add", "bob", "--group", "staff", "--password-stdin"],
        PASSWORD,
    );
    let more = [
        "--public",
        "--grant",
        "device_code",
        "--allowed-group",
        "staff",
        "--trusted",
    ];
    let client = world.client("Television", &more);
    let (device_code, user_code) = asked(&world, &client, "openid");
    let refused = type_code(&mut world.sign_in("alice"), &user_code);
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("You may not use this application"));
    assert_eq!(
        error(&poll(&world, &client, &device_code)),
        "authorization_pending"
    );
    // Trusted or not: nobody is signed in elsewhere without being asked.
    let page = type_code(&mut world.sign_in("bob"), &user_code);
    assert!(page.body.contains("only if you started this yourself"));
    say(&mut world.sign_in("bob"), &user_code, "allow");
    assert_eq!(poll(&world, &client, &device_code).status, 200);
}

#[test]
fn rfc8628_section_5_1_wrong_codes_are_slowed_down_and_right_ones_and_typing_errors_are_not() {
    let world = World::started();
    world.user("alice");
    let client = television(&world);
    let mut browser = world.sign_in("alice");
    let (_, user_code) = asked(&world, &client, "openid");
    for _ in 0..12 {
        assert_eq!(type_code(&mut browser, &user_code).status, 200);
        let typo = type_code(&mut browser, "BCDF-GHJ");
        assert_eq!(typo.status, 400);
        assert!(typo.body.contains("eight letters"));
    }
    for _ in 0..10 {
        assert_eq!(type_code(&mut browser, "BBBB-BBBB").status, 400);
    }
    // And for longer than the next sign-in takes. Each that is looked at doubles the wait, so they are few, on a slow
    // machine as well.
    let mut looked_at = 0;
    let slowed = until("slowed down", || {
        let answer = type_code(&mut browser, "BBBB-BBBB");
        let Some(seconds) = answer.header("Retry-After") else {
            looked_at += 1;
            assert!(looked_at <= 6, "nobody is slowed down");
            return None;
        };
        let seconds = seconds.parse::<u64>().unwrap();
        (seconds > 4).then_some(answer)
    });
    assert_eq!(slowed.status, 429);
    // A new sign-in of the same person begins where the last one stopped; the right code waits with the wrong ones.
    let mut again = world.sign_in("alice");
    assert_eq!(type_code(&mut again, &user_code).status, 429);
    assert!(!events(&world, "device.code").is_empty());
}
