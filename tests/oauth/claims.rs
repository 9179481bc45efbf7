//! Claims under names of an application's own, the `claims` parameter (OpenID Connect Core §5.5), and `acr`.

use crate::world::{REDIRECT, TestClient, World, claims, encode};
use serde_json::{Value, json};

fn told(world: &World, tokens: &Value) -> Value {
    let access = tokens["access_token"].as_str().unwrap();
    let bearer = format!("Authorization: Bearer {access}\r\n");
    world.ask("GET", "/userinfo", &bearer, "").json()
}

fn with(world: &World, name: &str, more: &[&str]) -> TestClient {
    let usual = ["--redirect-uri", REDIRECT, "--trusted"];
    world.client(name, &[usual.as_slice(), more].concat())
}

const LINES: [&str; 8] = [
    "--claim",
    "is_admin is \"true\" for admins, otherwise \"false\"",
    "--claim",
    "login from email",
    "--claim",
    "tenant is home, also in access tokens",
    "--claim",
    "guest is true for admins",
];

#[test]
fn claims_of_an_applications_own_go_where_its_settings_say() {
    let world = World::started();
    world.user("alice");
    let add = [
        "user",
        "add",
        "bob",
        "--group",
        "admins",
        "--password-stdin",
    ];
    world.verb(&add, crate::world::PASSWORD);
    let client = with(&world, "Lean", &LINES);
    let mut browser = world.sign_in("alice");
    let tokens = browser.tokens(&client, "openid");
    let answer = told(&world, &tokens);
    assert_eq!(answer["is_admin"], "false");
    assert_eq!(answer["login"], "alice@example.org");
    assert_eq!(answer["tenant"], "home");
    assert!(answer.get("guest").is_none() && answer.get("email").is_none());
    let id = claims(tokens["id_token"].as_str().unwrap());
    assert!(id.get("tenant").is_none());
    let access = claims(tokens["access_token"].as_str().unwrap());
    assert_eq!(access["tenant"], "home");
    assert!(access.get("is_admin").is_none() && access.get("login").is_none());

    let tokens = world.sign_in("bob").tokens(&client, "openid");
    let answer = told(&world, &tokens);
    assert_eq!(
        (&answer["is_admin"], &answer["guest"]),
        (&json!("true"), &json!(true))
    );
    assert!(answer.get("login").is_none(), "he has no email");

    let full = with(
        &world,
        "Full",
        &[LINES.as_slice(), &["--claims-in-id-token"]].concat(),
    );
    let tokens = browser.tokens(&full, "openid");
    let id = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(
        (&id["tenant"], &id["is_admin"]),
        (&json!("home"), &json!("false"))
    );

    let shown = world.verb(&["client", "show", "Lean"], "");
    let lines = shown["claim_mappings"].as_array().unwrap();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[0], LINES[1]);
    assert_eq!(lines[2], "tenant is \"home\", also in access tokens");
}

#[test]
fn claims_that_would_lie_about_the_token_are_refused() {
    let world = World::started();
    for bad in [
        "sub is x",
        "scope is all",
        "a is null",
        "a is 1 for nobody",
        "a from password",
    ] {
        let add = [
            "client",
            "add",
            "Bad",
            "--redirect-uri",
            REDIRECT,
            "--claim",
            bad,
        ];
        let refused = world.run(&add, "");
        assert!(!refused.status.success(), "{bad}");
    }
}

/// Core §5.5: what is asked for by name comes where it was asked for, without its scope.
#[test]
fn openid_core_section_5_5_claims_by_name() {
    let world = World::started();
    world.user("alice");
    let client = world.trusted();
    let mut browser = world.sign_in("alice");
    let wish = r#"{"userinfo":{"email":{"essential":true},"name#de":null,"unknown":{"value":1}},"id_token":{"email_verified":null}}"#;
    let answer = browser.authorize(&client, "openid", &format!("&claims={}", encode(wish)));
    let code = answer.parameter("code").unwrap();
    let tokens = world.token(&client, &crate::world::redeem(&code)).json();
    let answer = told(&world, &tokens);
    assert_eq!(answer["email"], "alice@example.org");
    assert!(answer.get("email_verified").is_none() && answer.get("name#de").is_none());
    let id = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(id["email_verified"], true);
    assert!(id.get("email").is_none());
}

/// Core §5.5.1 on `sub`, §5.5.1.1 on `acr`; OpenID Connect Core Error Code unmet_authentication_requirements.
#[test]
fn openid_core_section_5_5_1_what_must_be_met_is_met_or_refused() {
    let world = World::started();
    world.user("alice");
    let client = world.trusted();
    let mut browser = world.sign_in("alice");
    let tokens = browser.tokens(&client, "openid");
    let first = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(
        (&first["acr"], &first["amr"]),
        (&json!("1"), &json!(["pwd"]))
    );
    let access = claims(tokens["access_token"].as_str().unwrap());
    assert_eq!(
        (&access["acr"], &access["auth_time"]),
        (&first["acr"], &first["auth_time"])
    );
    let looked_up = world.introspect(&client, tokens["access_token"].as_str().unwrap());
    assert_eq!(looked_up["acr"], "1");
    assert_eq!(looked_up["auth_time"], first["auth_time"]);

    let same = format!(r#"{{"id_token":{{"sub":{{"value":{}}}}}}}"#, first["sub"]);
    let other = r#"{"id_token":{"sub":{"value":"somebody"}}}"#;
    let other_by_userinfo = r#"{"userinfo":{"sub":{"value":"somebody"}}}"#;
    for (wish, error) in [
        (same.as_str(), None),
        (other, Some("login_required")),
        (other_by_userinfo, Some("login_required")),
        (r#"{"id_token":{"acr":{"essential":true}}}"#, None),
        (
            r#"{"id_token":{"acr":{"essential":true,"values":["9","1"]}}}"#,
            None,
        ),
        (r#"{"id_token":{"acr":{"values":["9"]}}}"#, None),
        (
            r#"{"id_token":{"acr":{"essential":true,"values":["9"]}}}"#,
            Some("unmet_authentication_requirements"),
        ),
        (
            r#"{"id_token":{"acr":{"essential":true,"value":"9"}}}"#,
            Some("unmet_authentication_requirements"),
        ),
    ] {
        let more = format!("&prompt=none&claims={}", encode(wish));
        let answer = browser.authorize(&client, "openid", &more);
        assert_eq!(answer.parameter("error").as_deref(), error, "{wish}");
        assert_eq!(
            answer.parameter("code").is_some(),
            error.is_none(),
            "{wish}"
        );
    }
    // Voluntary (Core §3.1.2.1).
    let answer = browser.authorize(&client, "openid", "&prompt=none&acr_values=9+8");
    assert!(answer.parameter("code").is_some());
}
