//! RP-initiated logout.

use crate::world::{REDIRECT, World, encode};

const BYE: &str = "https://app.example/bye";

#[test]
fn a_valid_hint_signs_out_and_returns_and_ends_the_sessions_tokens() {
    let world = World::started();
    world.user("alice");
    let more = [
        "--redirect-uri",
        REDIRECT,
        "--post-logout-redirect-uri",
        BYE,
        "--trusted",
    ];
    let client = world.client("App", &more);
    let mut browser = world.sign_in("alice");
    let tokens = browser.tokens(&client, "openid");
    let lasting = browser.tokens(&client, "openid offline_access");
    let hint = tokens["id_token"].as_str().unwrap();
    let target = format!(
        "/logout?id_token_hint={hint}&post_logout_redirect_uri={}&state=x%26y",
        encode(BYE)
    );
    let answer = browser.get(&target);
    assert_eq!(
        answer.header("Location"),
        Some("https://app.example/bye?state=x%26y")
    );
    assert_eq!(
        world.introspect(&client, tokens["access_token"].as_str().unwrap())["active"],
        false
    );
    // `offline_access` outlives the session.
    assert_eq!(
        world.introspect(&client, lasting["access_token"].as_str().unwrap())["active"],
        true
    );
    assert_eq!(
        browser
            .authorize(&client, "openid", "&prompt=none")
            .parameter("error")
            .as_deref(),
        Some("login_required")
    );
}

#[test]
fn without_a_hint_the_person_is_asked() {
    let world = World::started();
    world.user("alice");
    let more = [
        "--redirect-uri",
        REDIRECT,
        "--post-logout-redirect-uri",
        BYE,
        "--trusted",
    ];
    let client = world.client("App", &more);
    let mut browser = world.sign_in("alice");
    let target = format!(
        "/logout?client_id={}&post_logout_redirect_uri={}",
        client.id,
        encode(BYE)
    );
    let page = browser.get(&target);
    assert_eq!(page.status, 200);
    assert!(
        browser
            .authorize(&client, "openid", "&prompt=none")
            .parameter("code")
            .is_some(),
        "still signed in"
    );
    // The sign-out form of the page's head comes first; the one with the request's fields is what is confirmed.
    let form = page.body.rsplit("<form").next().unwrap();
    let confirm = crate::world::Answer {
        body: format!("<form{form}"),
        ..page.clone()
    };
    let answer = browser.submit(&confirm, "/logout", &[]);
    assert_eq!(answer.header("Location"), Some(BYE));
}

#[test]
fn an_address_that_is_not_registered_gets_a_page_and_nobody_is_signed_out() {
    let world = World::started();
    world.user("alice");
    let client = world.trusted();
    let mut browser = world.sign_in("alice");
    let hint = browser.tokens(&client, "openid")["id_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let target =
        format!("/logout?id_token_hint={hint}&post_logout_redirect_uri=https%3A%2F%2Fevil.example");
    let answer = browser.get(&target);
    assert_eq!((answer.status, answer.header("Location")), (400, None));
    assert!(
        browser
            .authorize(&client, "openid", "&prompt=none")
            .parameter("code")
            .is_some()
    );
}

/// The story: a form on another site brings no `SameSite=Lax` cookie, so nobody was asked, but the answer cleared the
/// cookie all the same.
#[test]
fn a_form_from_another_site_signs_nobody_out() {
    let world = World::started();
    world.user("alice");
    let answer = world.ask("POST", "/logout", "", "state=x");
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("Location"), Some("/logout?state=x"));
    assert!(answer.header("Set-Cookie").is_none());
    let mut browser = world.sign_in("alice");
    let page = browser.get("/logout?state=x");
    assert_eq!(page.status, 200, "the person is asked");
    assert!(browser.get("/").body.contains("alice@example.org"));
}
