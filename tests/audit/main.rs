//! The audit log and the data file tell what happened, and no secret.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

#[path = "../world/mod.rs"]
mod world;

use world::{PASSWORD, REDIRECT, World, redeem};

#[test]
fn no_password_code_token_cookie_or_link_stands_in_a_log_or_in_the_file() {
    let mut world = World::started();
    world.user("alice");
    let client = world.client(
        "App",
        &[
            "--redirect-uri",
            REDIRECT,
            "--grant",
            "authorization_code,refresh_token,client_credentials",
            "--trusted",
        ],
    );
    let mut browser = world.sign_in("alice");
    let code = browser.code(&client, "openid email offline_access");
    let tokens = world.token(&client, &redeem(&code)).json();
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let refreshed = world
        .token(
            &client,
            &format!(
                "grant_type=refresh_token&refresh_token={}",
                text("refresh_token")
            ),
        )
        .json();
    let service = world.token(&client, "grant_type=client_credentials").json();
    assert_eq!(world.token(&client, &redeem(&code)).status, 400);
    let wrong = world.ask(
        "POST",
        "/token",
        "Authorization: Basic eDpoaWRkZW4tc2VjcmV0\r\n",
        "grant_type=client_credentials",
    );
    assert_eq!(wrong.status, 401);
    let link = world.verb(&["user", "link", "alice"], "")["url"]
        .as_str()
        .unwrap()
        .to_owned();
    let page = browser.get("/login");
    let mistyped = browser.submit(
        &page,
        "/login",
        &[("username", "alice"), ("password", "a mistyped passphrase")],
    );
    assert_eq!(mistyped.status, 401);

    // Of `selector.verifier` the verifier is the secret; of a JWT the signature.
    let last = |text: &str| text.rsplit(['.', '=']).next().unwrap().to_owned();
    let secrets = [
        PASSWORD.to_owned(),
        "a mistyped passphrase".to_owned(),
        "hidden-secret".to_owned(),
        client.secret.clone(),
        last(&code),
        last(&text("access_token")),
        last(&text("id_token")),
        last(&text("refresh_token")),
        last(refreshed["refresh_token"].as_str().unwrap()),
        last(service["access_token"].as_str().unwrap()),
        last(&browser.cookies["doorlight"]),
        last(&link),
        world::VERIFIER.to_owned(),
    ];
    world.kill();
    let file = std::fs::read(world.data()).unwrap();
    let stdout = std::fs::read_to_string(world.dir.join("stdout.log")).unwrap();
    let audit = String::from_utf8(world.run(&["audit", "--limit", "1000"], "").stdout).unwrap();
    for secret in &secrets {
        assert!(secret.len() > 10, "{secret}");
        assert!(!world.log().contains(secret), "in the log: {secret}");
        assert!(!stdout.contains(secret), "on standard output: {secret}");
        assert!(!audit.contains(secret), "in the audit log: {secret}");
        assert!(
            !file
                .windows(secret.len())
                .any(|window| window == secret.as_bytes()),
            "in the file: {secret}"
        );
    }
    // What happened is there: each kind with its outcome.
    for kind in [
        "\"sign_in\"",
        "\"authorization\"",
        "\"token.authorization_code\"",
        "\"token.refresh\"",
        "\"token.client_credentials\"",
        "\"client.authentication\"",
        "\"client.added\"",
        "\"user.added\"",
        "\"link.made\"",
    ] {
        assert!(audit.contains(kind), "{kind} is missing: {audit}");
    }
}
