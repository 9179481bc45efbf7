//! Revocation (RFC 7009) and introspection (RFC 7662).

use crate::world::{REDIRECT, World, redeem};

#[test]
fn revocation_is_always_200_and_takes_the_family_along() {
    let (world, client, tokens) = World::with_tokens("openid offline_access");
    let (access, refresh) = (
        tokens["access_token"].as_str().unwrap(),
        tokens["refresh_token"].as_str().unwrap(),
    );
    assert_eq!(world.introspect(&client, refresh)["active"], true);
    assert_eq!(
        world
            .ask("POST", "/revoke", &client.basic(), "token=nonsense")
            .status,
        200
    );
    assert_eq!(
        world
            .ask(
                "POST",
                "/revoke",
                &client.basic(),
                &format!("token={refresh}")
            )
            .status,
        200
    );
    assert_eq!(world.introspect(&client, refresh)["active"], false);
    assert_eq!(world.introspect(&client, access)["active"], false);
    assert_eq!(
        world.ask("POST", "/revoke", &client.basic(), "").json()["error"],
        "invalid_request"
    );
}

#[test]
fn another_clients_token_is_neither_revoked_nor_told() {
    let world = World::started();
    world.user("alice");
    let client = world.trusted();
    let other = world.client("Other", &["--redirect-uri", REDIRECT]);
    let resource = world.client(
        "Resource",
        &["--grant", "client_credentials", "--may-introspect"],
    );
    let tokens = world
        .sign_in("alice")
        .tokens(&client, "openid offline_access");
    for token in [
        tokens["access_token"].as_str().unwrap(),
        tokens["refresh_token"].as_str().unwrap(),
    ] {
        assert_eq!(
            world
                .ask("POST", "/revoke", &other.basic(), &format!("token={token}"))
                .status,
            400
        );
        assert_eq!(world.introspect(&client, token)["active"], true);
        assert_eq!(
            world.introspect(&other, token),
            serde_json::json!({ "active": false })
        );
    }
    let known = world.introspect(&resource, tokens["access_token"].as_str().unwrap());
    assert_eq!(
        (known["active"].as_bool(), known["username"].as_str()),
        (Some(true), Some("alice"))
    );
}

#[test]
fn a_public_client_may_not_introspect() {
    let world = World::started();
    let made = world.verb(
        &[
            "client",
            "add",
            "Page",
            "--redirect-uri",
            REDIRECT,
            "--public",
        ],
        "",
    );
    let body = format!("token=x&client_id={}", made["client_id"].as_str().unwrap());
    assert_eq!(world.ask("POST", "/introspect", "", &body).status, 401);
}

/// A used code, a rotated refresh token or another client's token could be sent again and again: each time the grant was
/// written anew and the log grew by a line, as fast as the disk took it.
#[test]
fn what_is_repeated_without_effect_is_recorded_within_bounds() {
    let world = World::started();
    world.user("alice");
    let client = world.trusted();
    let other = world.client("Other", &["--redirect-uri", REDIRECT, "--trusted"]);
    let mut browser = world.sign_in("alice");
    let code = browser.code(&client, "openid");
    let theirs = browser.tokens(&other, "openid");
    let ours = browser.tokens(&client, "openid offline_access");
    let refresh = |token: &str| {
        world.token(
            &client,
            &format!("grant_type=refresh_token&refresh_token={token}"),
        )
    };
    let first = ours["refresh_token"].as_str().unwrap();
    let second = refresh(first).json();
    assert_eq!(
        refresh(second["refresh_token"].as_str().unwrap()).status,
        200
    );
    assert_eq!(world.token(&client, &redeem(&code)).status, 200);
    let theirs = format!("token={}", theirs["access_token"].as_str().unwrap());
    for _ in 0..60 {
        assert_eq!(
            world.token(&client, &redeem(&code)).json()["error"],
            "invalid_grant"
        );
        assert_eq!(refresh(first).json()["error"], "invalid_grant");
        assert_eq!(
            world
                .ask("POST", "/revoke", &client.basic(), &theirs)
                .status,
            400
        );
    }
    let log = String::from_utf8(
        world
            .run(&["audit", "--limit", "1000", "--outcome", "refused"], "")
            .stdout,
    )
    .unwrap();
    let lines = log.lines().count();
    assert!((100..=130).contains(&lines), "{lines} refusals were kept");
    assert_eq!(
        log.matches("everything issued from it is revoked").count(),
        1
    );
    assert_eq!(
        log.matches("all tokens of this sign-in are revoked")
            .count(),
        1
    );
}
