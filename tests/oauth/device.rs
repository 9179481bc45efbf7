//! Signing in on another device (RFC 8628): what the device and the person see.

use crate::world::{Answer, Browser, PASSWORD, REDIRECT, TestClient, World, claims, hidden};
use serde_json::Value;
use std::time::Duration;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

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

fn say(browser: &mut Browser<'_>, user_code: &str, decision: &str) -> Answer {
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
    assert_eq!(error(&poll(&world, &client, &device_code)), "slow_down");

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
