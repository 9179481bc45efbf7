//! Revocation (RFC 7009) and introspection (RFC 7662).

use crate::world::{REDIRECT, World};

#[test]
fn revocation_is_always_200_and_takes_the_family_along() {
    let world = World::started();
    world.user("alice");
    let client = world.trusted();
    let tokens = world
        .sign_in("alice")
        .tokens(&client, "openid offline_access");
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
