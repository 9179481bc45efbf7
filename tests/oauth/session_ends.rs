//! The cascade: each way to lose a session or a permission is told to the application (Back-Channel Logout §2.5).

use crate::device::{GRANT, say};
use crate::receiver::{Receiving, header, listening, sign_out, verifies};
use crate::site::allow_loopback;
use crate::world::{Answer, Browser, PASSWORD, REDIRECT, World, claims, encode, hidden};
use serde_json::Value;

#[test]
fn each_way_to_lose_a_session_or_a_permission_is_told() {
    let world = World::started();
    allow_loopback(&world);
    for name in ["anna", "bob", "cleo", "dora", "emil"] {
        world.user(name);
    }
    let app = Receiving::answering(&[204]);
    let client = listening(
        &world,
        "App",
        &app.uri(),
        &[
            "--id-token-alg",
            "ES256",
            "--backchannel-logout-session-required",
        ],
    );
    let told = |how: &str, sub: &Value| {
        let token = app.token();
        assert_eq!(&claims(&token)["sub"], sub, "{how}");
        assert_eq!(header(&token)["alg"], "ES256");
        assert!(verifies(&world, &token), "{how}");
    };
    let sub = |browser: &mut Browser<'_>| {
        let tokens = browser.tokens(&client, "openid");
        claims(tokens["id_token"].as_str().unwrap())["sub"].clone()
    };

    let mut anna = world.sign_in("anna");
    let who = sub(&mut anna);
    let page = anna.get("/");
    // She was never asked, so her page has no button for it; a form of it has the same token.
    let fields = hidden(&page.body, "/logout");
    let csrf = fields.iter().find(|(name, _)| name == "csrf").unwrap();
    let body = format!("id={}&csrf={}", client.id, encode(&csrf.1));
    let answer = anna.post("/account/applications/revoke", "", &body);
    assert_eq!(answer.status, 303, "{answer:?}");
    told("the permission is withdrawn", &who);
    // It was told; the session's end says nothing new.
    sign_out(&mut anna);

    let mut bob = world.sign_in("bob");
    let who = sub(&mut bob);
    world.verb(&["user", "disable", "bob"], "");
    told("the person is disabled", &who);

    let mut cleo = world.sign_in("cleo");
    let who = sub(&mut cleo);
    world.verb(
        &["user", "passwd", "cleo", "--password-stdin"],
        "another fine horse battery",
    );
    told("the password is reset", &who);

    let mut dora = world.sign_in("dora");
    let who = sub(&mut dora);
    world.verb(&["user", "rm", "dora"], "");
    told("the person is deleted", &who);

    let mut emil = world.sign_in("emil");
    let who = sub(&mut emil);
    sign_out(&mut emil);
    told("the person signs out", &who);
    assert!(app.is_quiet());
}

#[test]
fn what_others_do_to_a_sign_in_is_told_too() {
    let world = World::started();
    allow_loopback(&world);
    for name in ["anna", "bob", "cleo"] {
        world.user(name);
    }
    let add = ["user", "add", "root", "--admin", "--group", "cooks"];
    world.verb(&[&add[..], &["--password-stdin"]].concat(), PASSWORD);
    let app = Receiving::answering(&[204]);
    let client = listening(&world, "App", &app.uri(), &[]);
    let token_of = |browser: &mut Browser<'_>| {
        let tokens = browser.tokens(&client, "openid");
        let said = claims(tokens["id_token"].as_str().unwrap());
        (said["sub"].clone(), said["sid"].clone())
    };
    let told = |how: &str, who: &(Value, Value)| {
        let said = claims(&app.token());
        assert_eq!((&said["sub"], &said["sid"]), (&who.0, &who.1), "{how}");
    };

    // Another person signs in where somebody else is.
    let mut shared = world.sign_in("anna");
    let anna = token_of(&mut shared);
    let page = shared.get("/login");
    let answer = shared.submit(
        &page,
        "/login",
        &[("username", "bob"), ("password", PASSWORD)],
    );
    assert_eq!(answer.status, 303, "{answer:?}");
    told("another person signs in", &anna);

    let bob = token_of(&mut shared);
    let mut admin = world.sign_in("root");
    let page = admin.get("/admin/sessions");
    let form = format!("<form{}", row_of(&page.body, "bob"));
    let page = Answer { body: form, ..page };
    let action = page.body.split("action=\"").nth(1).unwrap();
    let action = action.split('"').next().unwrap().to_owned();
    let answer = admin.submit(&page, &action, &[]);
    assert_eq!(answer.status, 303, "{answer:?}");
    told("an administrator ends the session", &bob);

    let mut cleo = world.sign_in("cleo");
    let who = token_of(&mut cleo);
    let path = format!("/admin/applications/{}", client.id);
    let page = admin.get(&path);
    let uri = app.uri();
    let fields = [
        ("name", "App"),
        ("kind", "web"),
        ("redirect_uris", REDIRECT),
        ("scope", "openid"),
        ("grant", "authorization_code"),
        ("profile", "standard"),
        ("id_token_alg", "RS256"),
        ("subject_type", "public"),
        ("access_token_alg", "ES256"),
        ("consent", "trusted"),
        ("refresh", "when_asked"),
        ("access_token_minutes", "15"),
        ("refresh_idle_days", "30"),
        ("refresh_absolute_days", "365"),
        ("backchannel_logout_uri", &uri),
        ("allowed_group", "cooks"),
    ];
    let answer = admin.submit(&page, &path, &fields);
    assert_eq!(answer.status, 303, "{answer:?}");
    told("the application is closed to them", &who);
    assert!(app.is_quiet());
}

/// The form in the row of that person.
fn row_of<'p>(page: &'p str, name: &str) -> &'p str {
    let row = page.split("<tr").find(|row| row.contains(name)).unwrap();
    row.split_once("<form").unwrap().1
}

#[test]
fn who_leaves_the_groups_of_an_application_is_signed_out_of_it_alone() {
    let world = World::started();
    world.user("root");
    world.verb(
        &[
            "user",
            "add",
            "anna",
            "--group",
            "cooks",
            "--admin",
            "--password-stdin",
        ],
        PASSWORD,
    );
    allow_loopback(&world);
    let (cooks, all) = (Receiving::answering(&[200]), Receiving::answering(&[200]));
    let kitchen = listening(
        &world,
        "Kitchen",
        &cooks.uri(),
        &["--allowed-group", "cooks"],
    );
    let notes = listening(&world, "Notes", &all.uri(), &[]);
    let mut anna = world.sign_in("anna");
    anna.tokens(&kitchen, "openid offline_access");
    anna.tokens(&notes, "openid");
    let page = anna.get("/admin/groups/~cooks/delete");
    let answer = anna.submit(&page, "/admin/groups/~cooks/delete", &[]);
    assert_eq!(answer.status, 303, "{answer:?}");
    assert_eq!(claims(&cooks.token())["aud"], kitchen.id);
    assert!(all.is_quiet());
    sign_out(&mut anna);
    assert_eq!(claims(&all.token())["aud"], notes.id);
}

/// RFC 8628: the `sid` of what a device got is the browser's in which the person said yes.
#[test]
fn a_device_is_signed_out_with_the_browser_that_let_it_in() {
    let world = World::started();
    world.user("alice");
    allow_loopback(&world);
    let app = Receiving::answering(&[200]);
    let grants = ["--grant", "device_code,refresh_token"];
    let client = listening(&world, "Console", &app.uri(), &grants);
    let asked = world.ask(
        "POST",
        "/device_authorization",
        &client.basic(),
        "scope=openid",
    );
    assert_eq!(asked.status, 200, "{asked:?}");
    let text = |member: &str| asked.json()[member].as_str().unwrap().to_owned();
    let mut browser = world.sign_in("alice");
    say(&mut browser, &text("user_code"), "allow");
    let body = format!("grant_type={GRANT}&device_code={}", text("device_code"));
    let answer = world.token(&client, &body);
    assert_eq!(answer.status, 200, "{answer:?}");
    let sid = claims(answer.json()["id_token"].as_str().unwrap())["sid"].clone();
    assert!(sid.is_string());
    sign_out(&mut browser);
    assert_eq!(claims(&app.token())["sid"], sid);
}
