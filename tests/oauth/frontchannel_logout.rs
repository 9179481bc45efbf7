//! Front-channel logout (OpenID Connect Front-Channel Logout 1.0): what the signed-out page opens, and under which
//! policy.

use crate::registration::{JSON, management, open, register, registered};
use crate::world::{Answer, Browser, REDIRECT, TestClient, World, claims, encode};
use serde_json::{Value, json};

const BYE: &str = "https://app.example/bye";
const OUT: &str = "https://app.example/out?from=doorlight";
const NOTES: &str = "https://notes.example:8443/cb";
const NOTES_OUT: &str = "https://notes.example:8443/out";

fn with_page(world: &World, name: &str, out: &str) -> TestClient {
    let all = [
        "--redirect-uri",
        REDIRECT,
        "--redirect-uri",
        NOTES,
        "--post-logout-redirect-uri",
        BYE,
        "--trusted",
        "--frontchannel-logout-uri",
        out,
    ];
    world.client(name, &all)
}

/// Addresses of the frames of a page.
fn frames(page: &Answer) -> Vec<String> {
    let all = page.body.split("<iframe src=\"").skip(1);
    all.map(|rest| rest.split('"').next().unwrap().replace("&#38;", "&"))
        .collect()
}

fn frame_src(page: &Answer) -> Option<String> {
    let policy = page.header("Content-Security-Policy").unwrap();
    let directives = policy.split("; ");
    let mut sources = directives.filter_map(|one| one.strip_prefix("frame-src "));
    sources.next().map(str::to_owned)
}

fn expected(world: &World, out: &str, sid: &Value) -> String {
    let joint = if out.contains('?') { '&' } else { '?' };
    let sid = sid.as_str().unwrap();
    format!("{out}{joint}iss={}&sid={sid}", encode(&world.issuer()))
}

fn sign_in(browser: &mut Browser<'_>, client: &TestClient) -> (String, Value) {
    let tokens = browser.tokens(client, "openid");
    let token = tokens["id_token"].as_str().unwrap().to_owned();
    let sid = claims(&token)["sid"].clone();
    (token, sid)
}

fn by_hint(hint: &str) -> String {
    format!(
        "/logout?id_token_hint={hint}&post_logout_redirect_uri={}&state=x%26y",
        encode(BYE)
    )
}

#[test]
fn section_3_the_signed_out_page_opens_each_application_with_iss_and_sid_and_goes_on() {
    let world = World::started();
    world.user("alice");
    let app = with_page(&world, "Photos", OUT);
    let notes = with_page(&world, "Notes", NOTES_OUT);
    with_page(&world, "Never used", "https://app.example/never");
    let silent = world.trusted();
    let mut browser = world.sign_in("alice");
    let (hint, sid) = sign_in(&mut browser, &app);
    sign_in(&mut browser, &notes);
    sign_in(&mut browser, &notes);
    sign_in(&mut browser, &silent);

    let page = browser.get(&by_hint(&hint));
    assert_eq!((page.status, page.header("Location")), (200, None));
    let told = [
        expected(&world, NOTES_OUT, &sid),
        expected(&world, OUT, &sid),
    ];
    assert_eq!(frames(&page), told);
    assert_eq!(
        frame_src(&page).as_deref(),
        Some("https://app.example https://notes.example:8443")
    );
    let policy = page.header("Content-Security-Policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"));
    // Without scripts too it goes on, and says where.
    let onward = "https://app.example/bye?state=x%26y";
    assert!(page.body.contains(&format!(
        "<noscript><meta http-equiv=\"refresh\" content=\"4; url={onward}\"></noscript>"
    )));
    assert!(
        page.body
            .contains(&format!("href=\"{onward}\" data-onward"))
    );
    // It is over.
    let error = browser.authorize(&app, "openid", "&prompt=none");
    assert_eq!(error.parameter("error").as_deref(), Some("login_required"));
    // Nobody is signed in any more: nobody is to be told, and the answer is as it was.
    let again = browser.get(&by_hint(&hint));
    assert_eq!(again.header("Location"), Some(onward));
}

#[test]
fn the_persons_own_button_tells_them_too_and_stays() {
    let world = World::started();
    world.user("alice");
    let app = with_page(&world, "App", OUT);
    let mut browser = world.sign_in("alice");
    let (_, sid) = sign_in(&mut browser, &app);
    let asked = browser.get("/logout");
    assert!(frames(&asked).is_empty(), "nothing has ended yet");
    assert_eq!(frame_src(&asked), None);
    let page = browser.submit(&asked, "/logout", &[]);
    assert_eq!(frames(&page), [expected(&world, OUT, &sid)]);
    assert!(!page.body.contains("http-equiv=\"refresh\"") && !page.body.contains("data-onward"));
}

#[test]
fn an_address_without_a_hint_is_not_gone_to_unasked() {
    let world = World::started();
    world.user("alice");
    let app = with_page(&world, "App", OUT);
    let mut browser = world.sign_in("alice");
    sign_in(&mut browser, &app);
    let target = format!(
        "/logout?client_id={}&post_logout_redirect_uri={}",
        app.id,
        encode(BYE)
    );
    let page = browser.get(&target);
    assert!(frames(&page).is_empty());
    let form = page.body.rsplit("<form").next().unwrap();
    let confirm = Answer {
        body: format!("<form{form}"),
        ..page.clone()
    };
    let done = browser.submit(&confirm, "/logout", &[]);
    assert_eq!(frames(&done).len(), 1);
    assert!(done.body.contains(&format!("url={BYE}\"")), "{}", done.body);
}

#[test]
fn who_is_not_in_the_session_is_not_opened() {
    let world = World::started();
    world.user("alice");
    let app = with_page(&world, "App", OUT);
    let (mut here, mut there) = (world.sign_in("alice"), world.sign_in("alice"));
    let (_, sid) = sign_in(&mut there, &app);
    here.tokens(&app, "email");
    for (browser, told) in [
        (&mut here, vec![]),
        (&mut there, vec![expected(&world, OUT, &sid)]),
    ] {
        let asked = browser.get("/logout");
        let page = browser.submit(&asked, "/logout", &[]);
        assert_eq!(page.status, 200);
        assert_eq!(frames(&page), told);
        assert_eq!(frame_src(&page).is_some(), !told.is_empty());
    }
}

/// §2: absolute, no fragment, https or allowed to be http, and of a redirect URI's scheme, host and port.
#[test]
fn section_2_addresses_that_cannot_be_registered() {
    let world = World::started();
    let public = Some("--public");
    for (what, redirect, uri, more) in [
        ("relative", REDIRECT, "/out", None),
        ("another scheme", REDIRECT, "ftp://app.example/out", None),
        ("fragment", REDIRECT, "https://app.example/out#x", None),
        ("a name", REDIRECT, "https://me@app.example/out", None),
        ("a space", REDIRECT, "https://app.example/o ut", None),
        ("wildcard", REDIRECT, "https://*.example/out", None),
        ("another host", REDIRECT, "https://other.example/out", None),
        ("a subdomain", REDIRECT, "https://a.app.example/out", None),
        (
            "another port",
            REDIRECT,
            "https://app.example:8443/out",
            None,
        ),
        (
            "http",
            REDIRECT,
            "http://app.example/out",
            Some("--allow-http"),
        ),
        (
            "public http",
            "http://localhost/cb",
            "http://localhost/out",
            public,
        ),
        (
            "native",
            "com.example.app:/cb",
            "com.example.app:/out",
            public,
        ),
        (
            "a directive",
            "https://a;sandbox/cb",
            "https://a;sandbox/out",
            None,
        ),
        (
            "IPv6",
            "https://[2001:db8::1]/cb",
            "https://[2001:db8::1]/",
            None,
        ),
    ] {
        let mut all = vec![
            "client",
            "add",
            "App",
            "--redirect-uri",
            redirect,
            "--frontchannel-logout-uri",
            uri,
        ];
        all.extend(more);
        let output = world.run(&all, "");
        assert_eq!(output.status.code(), Some(1), "{what}");
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(why.contains("frontchannel_logout_uri"), "{what}: {why}");
    }
    assert_eq!(world.verb(&["client", "list"], ""), json!([]));
}

#[test]
fn what_is_set_is_shown_on_the_command_line_and_on_the_page() {
    let world = World::started();
    let all = [
        "--redirect-uri",
        "http://media.home:8096/sso",
        "--allow-http",
        "--frontchannel-logout-uri",
        "http://media.home:8096/out",
        "--frontchannel-logout-session-required",
    ];
    let client = world.client("Media", &all);
    let shown = world.verb(&["client", "show", &client.id], "");
    assert_eq!(shown["frontchannel_logout_uri"], all[4]);
    assert_eq!(shown["frontchannel_logout_session_required"], true);
    world.admin("root");
    let page = format!("/admin/applications/{}", client.id);
    let page = world.sign_in("root").get(&page);
    assert!(page.body.contains(&format!("value=\"{}\"", all[4])));
}

/// Dynamic registration: the members of §2, and what may not stand in them.
#[test]
fn section_2_an_application_registers_its_page() {
    let world = open();
    let with = |member: &str, value: Value| {
        let mut metadata = json!({ "redirect_uris": [REDIRECT] });
        metadata[member] = value;
        metadata
    };
    let uri = "frontchannel_logout_uri";
    for (what, metadata) in [
        ("no text", with(uri, json!(["https://app.example/out"]))),
        ("http", with(uri, json!("http://app.example/out"))),
        (
            "another host",
            with(uri, json!("https://other.example/out")),
        ),
        ("fragment", with(uri, json!("https://app.example/out#x"))),
        (
            "too long",
            with(
                uri,
                json!(format!("https://app.example/{}", "x".repeat(2_000))),
            ),
        ),
        (
            "no flag",
            with("frontchannel_logout_session_required", json!("true")),
        ),
    ] {
        let answer = register(&world, "", &metadata);
        assert_eq!(answer.status, 400, "{what}: {answer:?}");
        assert_eq!(answer.json()["error"], "invalid_client_metadata", "{what}");
    }
    assert_eq!(world.verb(&["client", "list"], ""), json!([]));

    let mut metadata = with(uri, json!(OUT));
    metadata["frontchannel_logout_session_required"] = json!(true);
    let made = registered(&world, &metadata);
    assert_eq!(made[uri], OUT);
    assert_eq!(made["frontchannel_logout_session_required"], true);
    // RFC 7592 §2.2: what is left out is taken away.
    let (path, headers) = management(&world, &made);
    let left = json!({ "client_id": made["client_id"], "redirect_uris": [REDIRECT] });
    let answer = world.ask("PUT", &path, &format!("{JSON}{headers}"), &left.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json().get(uri), None);
}
