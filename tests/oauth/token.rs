//! The token endpoint (RFC 6749 §3.2): authentication, codes, client credentials.

use crate::world::{World, claims, redeem};

#[test]
fn basic_or_post_but_not_both_and_failures_challenge_basic() {
    let world = World::started();
    let client = world.trusted();
    let body = "grant_type=client_credentials";
    let posted = format!(
        "{body}&client_id={}&client_secret={}",
        client.id, client.secret
    );
    assert_eq!(world.ask("POST", "/token", "", &posted).status, 200);
    assert_eq!(world.token(&client, body).status, 200);
    let both = world.token(&client, &posted);
    assert_eq!(
        (
            both.status,
            both.json()["error"].as_str().unwrap().to_owned()
        ),
        (400, "invalid_request".to_owned())
    );

    let wrong = world.ask("POST", "/token", "Authorization: Basic eDp5\r\n", body);
    assert_eq!(
        (
            wrong.status,
            wrong.json()["error"].as_str().unwrap().to_owned()
        ),
        (401, "invalid_client".to_owned())
    );
    assert!(
        wrong
            .header("WWW-Authenticate")
            .unwrap()
            .starts_with("Basic")
    );
    let nobody = world.ask("POST", "/token", "", body);
    assert_eq!(nobody.status, 401);
    assert!(nobody.header("WWW-Authenticate").is_none());
}

#[test]
fn a_service_gets_a_token_for_itself_and_no_refresh_token() {
    let world = World::started();
    let client = world.client(
        "Backup",
        &[
            "--grant",
            "client_credentials",
            "--scope",
            "api:read api:write",
        ],
    );
    let answer = world.token(&client, "grant_type=client_credentials&scope=api:read");
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    let tokens = answer.json();
    assert!(tokens.get("refresh_token").is_none() && tokens.get("id_token").is_none());
    let access = claims(tokens["access_token"].as_str().unwrap());
    assert_eq!(
        (access["sub"].as_str(), access["scope"].as_str()),
        (Some(client.id.as_str()), Some("api:read"))
    );
    let more = world.token(&client, "grant_type=client_credentials&scope=api:admin");
    assert_eq!(more.json()["error"], "invalid_scope");
    let foreign = world.token(
        &client,
        "grant_type=client_credentials&resource=https://other.example",
    );
    assert_eq!(foreign.json()["error"], "invalid_target");
    assert_eq!(
        world
            .token(&client, "grant_type=refresh_token&refresh_token=x")
            .json()["error"],
        "unauthorized_client"
    );
}

#[test]
fn a_code_used_twice_ends_everything_issued_from_it() {
    let world = World::started();
    world.user("alice");
    let client = world.trusted();
    let mut browser = world.sign_in("alice");
    let code = browser.code(&client, "openid offline_access");
    let tokens = world.token(&client, &redeem(&code)).json();
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(world.introspect(&client, access)["active"], true);

    let replay = world.token(&client, &redeem(&code));
    assert_eq!(
        (
            replay.status,
            replay.json()["error"].as_str().unwrap().to_owned()
        ),
        (400, "invalid_grant".to_owned())
    );
    assert_eq!(world.introspect(&client, access)["active"], false);
    let refresh = format!(
        "grant_type=refresh_token&refresh_token={}",
        tokens["refresh_token"].as_str().unwrap()
    );
    assert_eq!(
        world.token(&client, &refresh).json()["error"],
        "invalid_grant"
    );
    let bearer = format!("Authorization: Bearer {access}\r\n");
    assert_eq!(world.ask("GET", "/userinfo", &bearer, "").status, 401);
}

#[test]
fn a_code_is_good_for_its_client_redirect_uri_and_verifier_only() {
    let world = World::started();
    world.user("alice");
    let client = world.trusted();
    let other = world.client("Other", &["--redirect-uri", crate::world::REDIRECT]);
    let mut browser = world.sign_in("alice");
    let code = browser.code(&client, "openid");
    let good = redeem(&code);
    for (who, body) in [
        (&other, good.clone()),
        (&client, good.replace("%2Fcb", "%2Fcb2")),
        (&client, good.replace("code_verifier=d", "code_verifier=e")),
        (
            &client,
            good.split("&code_verifier").next().unwrap().to_owned(),
        ),
    ] {
        assert_eq!(
            world.token(who, &body).json()["error"],
            "invalid_grant",
            "{body}"
        );
    }
    assert_eq!(world.token(&client, &good).status, 200);
}

#[test]
fn grants_that_do_not_exist_are_refused() {
    let world = World::started();
    let client = world.trusted();
    for (body, error) in [
        (
            "grant_type=password&username=a&password=b",
            "unsupported_grant_type",
        ),
        ("grant_type=", "invalid_request"),
        ("grant_type=authorization_code", "invalid_request"),
        (
            "grant_type=authorization_code&code=a&code=b",
            "invalid_request",
        ),
        (
            "grant_type=authorization_code&code=nonsense",
            "invalid_grant",
        ),
    ] {
        assert_eq!(world.token(&client, body).json()["error"], error, "{body}");
    }
}

/// The story: a code that was issued before a reset was redeemed after it, for tokens that outlived what was meant to end
/// them.
#[test]
fn a_code_from_before_a_reset_or_a_sign_out_opens_nothing() {
    let world = World::started();
    world.user("alice");
    let client = world.trusted();
    let mut browser = world.sign_in("alice");
    let code = browser.code(&client, "openid offline_access");
    world.verb(
        &["user", "passwd", "alice", "--password-stdin"],
        crate::world::PASSWORD,
    );
    let answer = world.token(&client, &redeem(&code));
    assert_eq!(answer.json()["error"], "invalid_grant");

    let mut browser = world.sign_in("alice");
    let hint = browser.tokens(&client, "openid")["id_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let code = browser.code(&client, "openid offline_access");
    browser.get(&format!("/logout?id_token_hint={hint}"));
    let answer = world.token(&client, &redeem(&code));
    assert_eq!(answer.json()["error"], "invalid_grant");
}

#[test]
fn a_code_from_before_the_permission_was_taken_back_opens_nothing() {
    let world = World::started();
    world.user("alice");
    let client = world.client("Notes", &["--redirect-uri", crate::world::REDIRECT]);
    let mut browser = world.sign_in("alice");
    let page = browser.authorize(&client, "openid offline_access", "");
    let allowed = browser.submit(&page, "/consent", &[("decision", "allow")]);
    let code = allowed.parameter("code").unwrap();
    let home = browser.get("/");
    let revoked = browser.submit(&home, "/account/applications/revoke", &[]);
    assert_eq!(revoked.status, 303, "{revoked:?}");
    let answer = world.token(&client, &redeem(&code));
    assert_eq!(answer.json()["error"], "invalid_grant");
}

#[test]
fn codes_that_nobody_was_given_reach_neither_the_writer_nor_the_log_without_bound() {
    let world = World::started();
    let client = world.trusted();
    for _ in 0..150 {
        let answer = world.token(
            &client,
            &redeem("01m86h50c8sb6mf4pvr222rr7q.YzCVgSdLyTX0QkAf6vm5et7PenhDVgQRdkmkMkah3I0"),
        );
        assert_eq!(answer.json()["error"], "invalid_grant");
    }
    assert_eq!(
        world.token(&client, "grant_type=client_credentials").status,
        200
    );
    let log = String::from_utf8(
        world
            .run(&["audit", "--limit", "1000", "--outcome", "refused"], "")
            .stdout,
    )
    .unwrap();
    let lines = log.lines().count();
    assert!((100..=130).contains(&lines), "{lines} refusals were kept");
}
