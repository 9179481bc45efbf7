//! Resource indicators (RFC 8707): who gets a token for what, and what the resource decides about it.

use crate::world::{TestClient, World, claims, encode, redeem};
use serde_json::Value;

const API: &str = "https://api.example/v1";
const OTHER: &str = "https://other.example";

/// An application that lists nothing, named by the API.
fn named(world: &World) -> TestClient {
    let client = world.client(
        "Caller",
        &[
            "--grant",
            "authorization_code,refresh_token,client_credentials,device_code",
            "--redirect-uri",
            crate::world::REDIRECT,
            "--trusted",
            "--scope",
            "openid offline_access read write",
        ],
    );
    let made = [
        "resource",
        "add",
        API,
        "--name",
        "API",
        "--scope",
        "read",
        "--token-seconds",
        "300",
        "--alg",
        "RS256",
        "--client",
        &client.id,
    ];
    world.verb(&made, "");
    client
}

fn service(world: &World, client: &TestClient, more: &str) -> Value {
    let body = format!("grant_type=client_credentials{more}");
    world.token(client, &body).json()
}

fn access(tokens: &Value) -> Value {
    claims(tokens["access_token"].as_str().unwrap())
}

fn alg(tokens: &Value) -> String {
    let token = tokens["access_token"].as_str().unwrap();
    claims(&format!(".{}.", token.split('.').next().unwrap()))["alg"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn rfc8707_section_2_2_the_resource_decides_audience_lifetime_signature_and_scope() {
    let world = World::started();
    let client = named(&world);
    let tokens = service(&world, &client, &format!("&resource={}", encode(API)));
    assert_eq!(tokens["expires_in"], 300, "{tokens}");
    assert_eq!(tokens["scope"], "read");
    assert_eq!(access(&tokens)["aud"], API);
    assert_eq!(alg(&tokens), "RS256");
    // Who asks for nothing gets what its own list says, which is nothing.
    let own = service(&world, &client, "");
    assert_eq!(access(&own)["aud"], world.issuer().as_str());
    assert_eq!(alg(&own), "ES256");
}

#[test]
fn rfc8707_section_2_what_is_unknown_malformed_or_anothers_is_an_invalid_target() {
    let world = World::started();
    let client = named(&world);
    world.verb(&["resource", "add", OTHER], "");
    let fragment = format!("{API}#part");
    let long = format!("https://{}.example", "a".repeat(3_000));
    for bad in [
        "",
        "api",
        "/v1",
        "https://unknown.example",
        OTHER,
        &fragment,
        "https://api.example/v1/",
        &long,
    ] {
        let bad = encode(bad);
        let both = format!("&resource={}&resource={bad}", encode(API));
        for more in [format!("&resource={bad}"), both] {
            assert_eq!(
                service(&world, &client, &more)["error"],
                "invalid_target",
                "{more}"
            );
        }
        let device = format!("scope=read&resource={bad}");
        let device = world.ask("POST", "/device_authorization", &client.basic(), &device);
        assert_eq!(device.json()["error"], "invalid_target", "{bad}");
        let push = format!(
            "response_type=code&redirect_uri={}&scope=read&resource={bad}&code_challenge={}&code_challenge_method=S256",
            encode(crate::world::REDIRECT),
            crate::world::challenge(),
        );
        let pushed = world.ask("POST", "/par", &client.basic(), &push);
        assert_eq!(pushed.json()["error"], "invalid_target", "{bad}");
    }
    world.user("alice");
    let mut browser = world.sign_in("alice");
    let refused = browser.authorize(&client, "openid", &format!("&resource={}", encode(OTHER)));
    assert_eq!(
        refused.parameter("error").as_deref(),
        Some("invalid_target")
    );
}

#[test]
fn rfc8707_section_2_2_a_token_is_for_less_and_the_refresh_token_for_all_that_was_granted() {
    let world = World::started();
    let client = named(&world);
    world.verb(&["resource", "add", OTHER, "--client", &client.id], "");
    world.user("alice");
    let mut browser = world.sign_in("alice");
    let both = format!("&resource={}&resource={}", encode(API), encode(OTHER));
    let answer = browser.authorize(&client, "read offline_access", &both);
    let code = answer.parameter("code").unwrap();
    let body = format!("{}&resource={}", redeem(&code), encode(API));
    let tokens = world.token(&client, &body).json();
    assert_eq!(access(&tokens)["aud"], API, "{tokens}");
    let refresh = |tokens: &Value, more: &str| {
        let token = tokens["refresh_token"].as_str().unwrap();
        let body = format!("grant_type=refresh_token&refresh_token={token}{more}");
        world.token(&client, &body).json()
    };
    let second = refresh(&tokens, &format!("&resource={}", encode(OTHER)));
    assert_eq!(access(&second)["aud"], OTHER, "{second}");

    // Narrowed: another application may ask, this one may not.
    world.verb(&["resource", "edit", OTHER, "--client", ""], "");
    let third = refresh(&second, &format!("&resource={}", encode(OTHER)));
    assert_eq!(third["error"], "invalid_target");
    let fourth = refresh(&second, "");
    assert_eq!(access(&fourth)["aud"], API, "{fourth}");
    // Deleted: nothing is left of the grant, and no other door opens instead.
    world.verb(&["resource", "remove", API], "");
    let fifth = refresh(&fourth, "");
    assert_eq!(fifth["error"], "invalid_target");
    let sixth = service(&world, &client, &format!("&resource={}", encode(API)));
    assert_eq!(sixth["error"], "invalid_target");
}

#[test]
fn a_list_of_audiences_works_on_until_a_record_says_otherwise() {
    let world = World::started();
    let client = world.client(
        "Old",
        &[
            "--grant",
            "client_credentials",
            "--scope",
            "read",
            "--audience",
            "grafana",
            "--audience",
            OTHER,
        ],
    );
    let both = serde_json::json!(["grafana", OTHER]);
    assert_eq!(access(&service(&world, &client, ""))["aud"], both);
    // A record that does not name it shuts it out.
    world.verb(&["resource", "add", OTHER], "");
    assert_eq!(access(&service(&world, &client, ""))["aud"], "grafana");
    let asked = format!("&resource={}", encode(OTHER));
    assert_eq!(service(&world, &client, &asked)["error"], "invalid_target");
    // So does its end.
    world.verb(&["resource", "remove", OTHER], "");
    assert_eq!(service(&world, &client, &asked)["error"], "invalid_target");
    let shown = world.verb(&["client", "show", &client.id], "");
    assert_eq!(shown["audiences"], serde_json::json!(["grafana"]));
}
