//! Pairwise subjects (OpenID Connect Core §8.1): which names applications learn, and that none of them is one that
//! another could know. Not here: what a sector document must say (`sector`).

use crate::receiver::{Receiving, sign_out};
use crate::site::allow_loopback;
use crate::world::{Browser, REDIRECT, TestClient, World, claims, encode, redeem};
use serde_json::{Value, json};

pub const OTHER: &str = "https://other.example/cb";
const OUT: &str = "https://app.example/out";
const BYE: &str = "https://app.example/bye";

fn pairwise(world: &World, name: &str, redirect: &str, more: &[&str]) -> TestClient {
    let mut all = vec![
        "--redirect-uri",
        redirect,
        "--trusted",
        "--grant",
        "authorization_code,refresh_token",
        "--post-logout-redirect-uri",
        BYE,
        "--subject-type",
        "pairwise",
    ];
    all.extend(more);
    world.client(name, &all)
}

fn person(world: &World, name: &str) -> String {
    let people = world.verb(&["user", "list"], "");
    let people = people.as_array().unwrap();
    let one = people.iter().find(|one| one["username"] == name).unwrap();
    one["id"].as_str().unwrap().to_owned()
}

fn session(world: &World, name: &str) -> String {
    let shown = world.verb(&["user", "show", name], "");
    shown["sessions"][0]["id"].as_str().unwrap().to_owned()
}

/// Signs in where the redirect URI is not the usual one.
fn tokens_at(browser: &mut Browser<'_>, client: &TestClient, redirect: &str, scope: &str) -> Value {
    let target = format!(
        "/authorize?response_type=code&client_id={}&redirect_uri={}&scope={}&nonce=n-1&code_challenge={}\
         &code_challenge_method=S256",
        client.id,
        encode(redirect),
        encode(scope),
        crate::world::challenge()
    );
    let answer = browser.get(&target);
    let code = answer.parameter("code").unwrap();
    let body = redeem(&code).replace(&encode(REDIRECT), &encode(redirect));
    let answer = browser.world.token(client, &body);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn said(tokens: &Value, token: &str) -> Value {
    claims(tokens[token].as_str().unwrap())
}

fn refreshed(world: &World, client: &TestClient, tokens: &Value) -> Value {
    let token = tokens["refresh_token"].as_str().unwrap();
    let answer = world.token(
        client,
        &format!("grant_type=refresh_token&refresh_token={token}"),
    );
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn userinfo(world: &World, tokens: &Value) -> Value {
    let token = tokens["access_token"].as_str().unwrap();
    let answer = world.ask(
        "GET",
        "/userinfo",
        &format!("Authorization: Bearer {token}\r\n"),
        "",
    );
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[test]
fn section_8_1_one_name_in_a_sector_another_outside_and_the_same_after_a_restart() {
    let mut world = World::started();
    world.user("alice");
    world.user("bob");
    let scope = "openid offline_access";
    let one = pairwise(&world, "One", REDIRECT, &[]);
    let two = pairwise(&world, "Two", REDIRECT, &[]);
    let other = pairwise(&world, "Other", OTHER, &[]);
    let public = world.client("Public", &["--redirect-uri", REDIRECT, "--trusted"]);
    let (first, sub) = {
        let mut alice = world.sign_in("alice");
        let (first, second) = (alice.tokens(&one, scope), alice.tokens(&two, scope));
        let third = tokens_at(&mut alice, &other, OTHER, scope);
        let plain = alice.tokens(&public, "openid");
        let sub = said(&first, "id_token")["sub"].clone();
        let text = sub.as_str().unwrap();
        assert!(text.len() <= 255 && text.is_ascii());
        for (tokens, same) in [
            (&first, true),
            (&second, true),
            (&third, false),
            (&plain, false),
        ] {
            let id = said(tokens, "id_token");
            assert_eq!(id["sub"] == sub, same);
            // Everywhere the client's own.
            assert_eq!(said(tokens, "access_token")["sub"], id["sub"]);
            assert_eq!(userinfo(&world, tokens)["sub"], id["sub"]);
        }
        assert_eq!(said(&plain, "id_token")["sub"], person(&world, "alice"));
        let bobs = world.sign_in("bob").tokens(&one, "openid");
        assert_ne!(said(&bobs, "id_token")["sub"], sub);
        (first, sub)
    };
    world.kill();
    world.start();
    // §12.2 of Core: the same as in the first ID token.
    let again = refreshed(&world, &one, &first);
    assert_eq!(said(&again, "id_token")["sub"], sub);
    assert_eq!(said(&again, "access_token")["sub"], sub);
    let anew = world.sign_in("alice").tokens(&two, "openid");
    assert_eq!(said(&anew, "id_token")["sub"], sub);
}

#[test]
fn section_8_1_nothing_that_an_application_is_told_holds_a_name_that_others_know() {
    let world = World::started();
    world.user("alice");
    allow_loopback(&world);
    let app = Receiving::answering(&[200]);
    let uri = app.uri();
    let more = [
        "--backchannel-logout-uri",
        &uri,
        "--frontchannel-logout-uri",
        OUT,
    ];
    let client = pairwise(&world, "App", REDIRECT, &more);
    let other = pairwise(&world, "Other", OTHER, &[]);
    let mut alice = world.sign_in("alice");
    let tokens = alice.tokens(&client, "openid offline_access");
    let elsewhere = tokens_at(&mut alice, &other, OTHER, "openid");
    let (user, sid) = (person(&world, "alice"), session(&world, "alice"));

    let text = |token: &Value| token.as_str().unwrap().to_owned();
    let [access, refresh] = ["access_token", "refresh_token"].map(|name| text(&tokens[name]));
    let id = said(&tokens, "id_token");
    let mut told = vec![
        ("ID token", id.to_string()),
        ("access token", claims(&access).to_string()),
        ("refresh token", refresh.clone()),
        ("userinfo", userinfo(&world, &tokens).to_string()),
    ];
    for token in [&access, &refresh] {
        let answer = world.introspect(&client, token);
        assert_eq!(
            (&answer["active"], &answer["sub"]),
            (&json!(true), &id["sub"])
        );
        told.push(("introspection", answer.to_string()));
    }
    let asked = alice.get("/logout");
    let page = alice.submit(&asked, "/logout", &[]);
    let frame = page.body.split("<iframe src=\"").nth(1).unwrap();
    let frame = frame.split('"').next().unwrap().to_owned();
    let own = id["sid"].as_str().unwrap();
    assert!(frame.ends_with(&format!("sid={own}")), "{frame}");
    told.push(("front channel", frame));
    let logout = claims(&app.token());
    assert_eq!((&logout["sub"], &logout["sid"]), (&id["sub"], &id["sid"]));
    told.push(("back channel", logout.to_string()));

    let theirs = said(&elsewhere, "id_token");
    for (what, told) in told {
        for name in [&user, &sid, "alice"] {
            assert!(!told.contains(name), "{what}: {name}: {told}");
        }
        for claim in ["sub", "sid"] {
            let name = theirs[claim].as_str().unwrap();
            assert!(!told.contains(name), "{what}: {claim}: {told}");
        }
    }
}

#[test]
fn the_username_is_told_with_the_profile_only() {
    let world = World::started();
    world.user("alice");
    let client = pairwise(&world, "App", REDIRECT, &[]);
    let mut alice = world.sign_in("alice");
    for (scope, username) in [("openid", Value::Null), ("openid profile", json!("alice"))] {
        let tokens = alice.tokens(&client, scope);
        let answer = world.introspect(&client, tokens["access_token"].as_str().unwrap());
        assert_eq!(answer["username"], username, "{scope}");
    }
}

#[test]
fn core_section_3_1_2_1_the_hint_is_read_under_the_name_of_its_client() {
    let world = World::started();
    world.user("alice");
    world.user("bob");
    let client = pairwise(&world, "App", REDIRECT, &[]);
    let mut alice = world.sign_in("alice");
    let mut bob = world.sign_in("bob");
    let tokens = alice.tokens(&client, "openid");
    let hint = tokens["id_token"].as_str().unwrap();
    let more = format!("&prompt=none&id_token_hint={hint}");
    assert!(
        alice
            .authorize(&client, "openid", &more)
            .parameter("code")
            .is_some()
    );
    let error = bob.authorize(&client, "openid", &more).parameter("error");
    assert_eq!(error.as_deref(), Some("login_required"));
    // The `sub` that is asked for by name (§5.5.1).
    let claims = |sub: &Value| {
        let asked = json!({ "id_token": { "sub": { "value": sub } } });
        format!("&prompt=none&claims={}", encode(&asked.to_string()))
    };
    let own = claims(&said(&tokens, "id_token")["sub"]);
    assert!(
        alice
            .authorize(&client, "openid", &own)
            .parameter("code")
            .is_some()
    );
    let number = claims(&json!(person(&world, "alice")));
    let error = alice
        .authorize(&client, "openid", &number)
        .parameter("error");
    assert_eq!(error.as_deref(), Some("login_required"));
}

#[test]
fn rp_initiated_logout_section_2_a_hint_signs_out_unasked_and_nobody_else() {
    let world = World::started();
    world.user("alice");
    world.user("bob");
    let client = pairwise(&world, "App", REDIRECT, &[]);
    let mut alice = world.sign_in("alice");
    let mut bob = world.sign_in("bob");
    let tokens = alice.tokens(&client, "openid");
    let target = format!(
        "/logout?id_token_hint={}&post_logout_redirect_uri={}",
        tokens["id_token"].as_str().unwrap(),
        encode(BYE)
    );
    let asked = bob.get(&target);
    assert_eq!((asked.status, asked.header("Location")), (200, None));
    assert!(
        bob.authorize(&client, "openid", "&prompt=none")
            .parameter("code")
            .is_some()
    );
    let mut second = world.sign_in("alice");
    assert_eq!(second.get(&target).status, 200, "another session of hers");
    let gone = alice.get(&target);
    assert_eq!(gone.header("Location"), Some(BYE), "{gone:?}");
    let error = alice
        .authorize(&client, "openid", "&prompt=none")
        .parameter("error");
    assert_eq!(error.as_deref(), Some("login_required"));
}

#[test]
fn sign_out_tells_the_back_channel_of_each_client_by_its_own_name() {
    let world = World::started();
    world.user("alice");
    allow_loopback(&world);
    let (one, two) = (Receiving::answering(&[200]), Receiving::answering(&[200]));
    let (here, there) = (one.uri(), two.uri());
    let own = pairwise(
        &world,
        "Own",
        REDIRECT,
        &["--backchannel-logout-uri", &here],
    );
    let all = [
        "--redirect-uri",
        REDIRECT,
        "--trusted",
        "--backchannel-logout-uri",
        &there,
    ];
    let public = world.client("Public", &all);
    let mut alice = world.sign_in("alice");
    let (first, second) = (
        alice.tokens(&own, "openid"),
        alice.tokens(&public, "openid"),
    );
    sign_out(&mut alice);
    for (receiver, tokens) in [(&one, &first), (&two, &second)] {
        let (logout, id) = (claims(&receiver.token()), said(tokens, "id_token"));
        assert_eq!((&logout["sub"], &logout["sid"]), (&id["sub"], &id["sid"]));
    }
}
