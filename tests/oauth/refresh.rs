//! Refresh (RFC 6749 §6, RFC 9700 §4.14.2).

use crate::world::{TestClient, World, claims};

fn refresh(world: &World, client: &TestClient, token: &str, more: &str) -> crate::world::Answer {
    world.token(
        client,
        &format!("grant_type=refresh_token&refresh_token={token}{more}"),
    )
}

#[test]
fn replayed_refresh_token_revokes_its_family() {
    let (world, client, tokens) = World::with_tokens("openid offline_access");
    let first = tokens["refresh_token"].as_str().unwrap().to_owned();
    let second = refresh(&world, &client, &first, "").json();
    let second_token = second["refresh_token"].as_str().unwrap();
    let third = refresh(&world, &client, second_token, "").json();
    let access = third["access_token"].as_str().unwrap();
    assert_eq!(world.introspect(&client, access)["active"], true);

    assert_eq!(
        refresh(&world, &client, &first, "").json()["error"],
        "invalid_grant"
    );
    assert_eq!(world.introspect(&client, access)["active"], false);
    let leaf = third["refresh_token"].as_str().unwrap();
    assert_eq!(
        refresh(&world, &client, leaf, "").json()["error"],
        "invalid_grant"
    );
    let events =
        String::from_utf8(world.run(&["audit", "--outcome", "refused"], "").stdout).unwrap();
    assert!(
        events.contains("a used refresh token came back"),
        "{events}"
    );
}

#[test]
fn a_lost_answer_can_be_asked_for_again_at_once() {
    let (world, client, tokens) = World::with_tokens("openid offline_access");
    let first = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(refresh(&world, &client, first, "").status, 200);
    let again = refresh(&world, &client, first, "");
    assert_eq!(again.status, 200);
    let leaf = again.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(refresh(&world, &client, &leaf, "").status, 200);
}

#[test]
fn two_refreshes_at_once_come_one_after_the_other_and_leave_one_live_token() {
    let (world, client, tokens) = World::with_tokens("openid offline_access");
    let first = tokens["refresh_token"].as_str().unwrap();
    let leaves: Vec<String> = std::thread::scope(|scope| {
        let both: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| refresh(&world, &client, first, "")))
            .collect();
        both.into_iter()
            .map(|thread| thread.join().unwrap())
            .filter(|answer| answer.status == 200)
            .map(|answer| answer.json()["refresh_token"].as_str().unwrap().to_owned())
            .collect()
    });
    let live = leaves
        .iter()
        .filter(|leaf| world.introspect(&client, leaf)["active"] == true)
        .count();
    assert_eq!(live, 1);
}

#[test]
fn scope_narrows_and_the_id_token_keeps_who_and_when() {
    let (world, client, tokens) = World::with_tokens("openid email offline_access");
    let first = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(
        refresh(&world, &client, first, "&scope=openid+groups").json()["error"],
        "invalid_scope"
    );
    let narrowed = refresh(&world, &client, first, "&scope=openid").json();
    assert_eq!(narrowed["scope"], "openid");
    let (before, after) = (
        claims(tokens["id_token"].as_str().unwrap()),
        claims(narrowed["id_token"].as_str().unwrap()),
    );
    for name in ["iss", "sub", "aud", "auth_time", "sid"] {
        assert_eq!(before[name], after[name], "{name}");
    }
    assert!(after.get("nonce").is_none());
}

#[test]
fn a_disabled_person_and_a_changed_password_end_the_tokens() {
    let (world, client, tokens) = World::with_tokens("openid offline_access");
    let (access, leaf) = (
        tokens["access_token"].as_str().unwrap(),
        tokens["refresh_token"].as_str().unwrap(),
    );
    world.verb(&["user", "disable", "alice"], "");
    assert_eq!(world.introspect(&client, access)["active"], false);
    assert_eq!(
        refresh(&world, &client, leaf, "").json()["error"],
        "invalid_grant"
    );
    world.verb(&["user", "enable", "alice"], "");
    assert_eq!(
        refresh(&world, &client, leaf, "").json()["error"],
        "invalid_grant"
    );
}
