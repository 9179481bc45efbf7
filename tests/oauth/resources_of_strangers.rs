//! Resources for applications that introduced themselves: what an MCP server needs (RFC 8707 with RFC 7591). A person
//! gives them, for that resource, and they bring its scopes and no others.

use crate::registration::{open, registered};
use crate::world::{Answer, Browser, REDIRECT, TestClient, World, claims, encode, redeem};
use serde_json::{Value, json};

const MCP: &str = "https://notes.example/mcp";
const OTHER: &str = "https://other.example/mcp";

/// A server with an open resource, and an application of a stranger.
fn world() -> (World, TestClient) {
    let world = open();
    world.user("alice");
    // Doorlight's own scopes are not the resource's to give.
    add(&world, MCP, "read write groups doorlight:write");
    let client = stranger(&world, "openid offline_access");
    (world, client)
}

fn add(world: &World, identifier: &str, scope: &str) {
    let more = ["--name", "Notes", "--registered-clients"];
    let verb = [
        &["resource", "add", identifier, "--scope", scope],
        &more[..],
    ]
    .concat();
    world.verb(&verb, "");
}

fn stranger(world: &World, scope: &str) -> TestClient {
    let grants = ["authorization_code", "refresh_token"];
    let metadata = json!({ "redirect_uris": [REDIRECT], "grant_types": grants, "scope": scope });
    let made = registered(world, &metadata);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    TestClient {
        id: text("client_id"),
        secret: text("client_secret"),
    }
}

fn resource(identifier: &str) -> String {
    format!("&resource={}", encode(identifier))
}

fn allow(browser: &mut Browser<'_>, page: &Answer) -> String {
    let agreed = browser.submit(page, "/consent", &[("decision", "allow")]);
    agreed.parameter("code").unwrap()
}

fn access(tokens: &Value) -> Value {
    claims(tokens["access_token"].as_str().unwrap())
}

fn refresh(world: &World, client: &TestClient, tokens: &Value, more: &str) -> Answer {
    let token = encode(tokens["refresh_token"].as_str().unwrap());
    let body = format!("grant_type=refresh_token&refresh_token={token}{more}");
    world.token(client, &body)
}

#[test]
fn a_person_is_asked_by_name_and_the_token_has_the_scopes_of_the_resource_alone() {
    let (world, client) = world();
    let mut browser = world.sign_in("alice");
    let scope = "openid offline_access read groups doorlight:write unknown";
    let page = browser.authorize(&client, scope, &resource(MCP));
    assert!(
        page.body
            .contains("Use “Notes” (https://notes.example/mcp) in your name")
    );
    assert!(page.body.contains("Have the permission “read”"), "{page:?}");
    for never in [
        "groups you belong to",
        "Administer this Doorlight",
        "permission “write”",
    ] {
        assert!(!page.body.contains(never), "{never}: {page:?}");
    }
    let code = allow(&mut browser, &page);
    let tokens = world.token(&client, &redeem(&code)).json();
    assert_eq!(tokens["scope"], "offline_access openid read", "{tokens}");
    // With `openid` it is for userinfo too.
    assert_eq!(access(&tokens)["aud"], json!([MCP, world.issuer()]));
    // Once and for all: until more is asked for, or it is for another resource.
    let code = browser.authorize(&client, "openid read", &resource(MCP));
    assert!(code.parameter("code").is_some(), "{code:?}");
    let more = browser.authorize(&client, "openid write", &resource(MCP));
    assert!(
        more.body.contains("Have the permission “write”"),
        "{more:?}"
    );
    let again = refresh(&world, &client, &tokens, "").json();
    assert_eq!(again["scope"], "offline_access openid read", "{again}");
    assert_eq!(access(&again)["aud"], json!([MCP, world.issuer()]));
}

#[test]
fn what_was_agreed_for_one_resource_is_asked_again_for_another() {
    let (world, client) = world();
    add(&world, OTHER, "read");
    let mut browser = world.sign_in("alice");
    let page = browser.authorize(&client, "read", &resource(MCP));
    allow(&mut browser, &page);
    let silent = format!("{}&prompt=none", resource(OTHER));
    let refused = browser.authorize(&client, "read", &silent);
    assert_eq!(
        refused.parameter("error").as_deref(),
        Some("consent_required")
    );
    let page = browser.authorize(&client, "read", &resource(OTHER));
    assert!(
        page.body
            .contains("Use “Notes” (https://other.example/mcp)"),
        "{page:?}"
    );
    allow(&mut browser, &page);
    // Neither consent has undone the other.
    for known in [MCP, OTHER] {
        let answer = browser.authorize(&client, "read", &resource(known));
        assert!(answer.parameter("code").is_some(), "{answer:?}");
    }
}

#[test]
fn without_a_person_or_the_resource_it_is_an_invalid_target_or_scope() {
    let (world, client) = world();
    world.verb(&["resource", "add", OTHER, "--scope", "read"], "");
    let mut browser = world.sign_in("alice");
    for (scope, more, error) in [
        ("read", String::new(), "invalid_scope"),
        ("openid", resource(OTHER), "invalid_target"),
        (
            "openid",
            resource("https://unknown.example"),
            "invalid_target",
        ),
        (
            "openid",
            format!("{}&resource=", resource(MCP)),
            "invalid_target",
        ),
        ("groups", resource(MCP), "invalid_scope"),
        ("doorlight:write", resource(MCP), "invalid_scope"),
    ] {
        let answer = browser.authorize(&client, scope, &more);
        let told = answer.parameter("error");
        assert_eq!(told.as_deref(), Some(error), "{scope} {more}: {answer:?}");
    }
}

#[test]
fn rfc8707_section_2_2_the_token_request_cannot_bring_in_what_nobody_agreed_to() {
    let (world, client) = world();
    let mut browser = world.sign_in("alice");
    let page = browser.authorize(&client, "openid", "");
    let code = allow(&mut browser, &page);
    let answer = world.token(&client, &format!("{}{}", redeem(&code), resource(MCP)));
    assert_eq!(answer.json()["error"], "invalid_target", "{answer:?}");
}

#[test]
fn closing_the_resource_ends_its_refreshing() {
    let (world, client) = world();
    let mut browser = world.sign_in("alice");
    let page = browser.authorize(&client, "offline_access read", &resource(MCP));
    let code = allow(&mut browser, &page);
    let tokens = world.token(&client, &redeem(&code)).json();
    world.verb(&["resource", "edit", MCP, "--registered-clients=false"], "");
    let answer = refresh(&world, &client, &tokens, "");
    assert_eq!(answer.json()["error"], "invalid_target", "{answer:?}");
    let answer = browser.authorize(&client, "read", &resource(MCP));
    assert_eq!(answer.parameter("error").as_deref(), Some("invalid_target"));
}

#[test]
fn one_that_an_administrator_added_is_named_or_is_not() {
    let (world, _) = world();
    let added = world.client(
        "Added",
        &["--redirect-uri", REDIRECT, "--scope", "openid read"],
    );
    let mut browser = world.sign_in("alice");
    let answer = browser.authorize(&added, "openid read", &resource(MCP));
    assert_eq!(answer.parameter("error").as_deref(), Some("invalid_target"));
}

#[test]
fn rfc7591_section_2_scopes_of_open_resources_may_be_registered_and_are_told_back() {
    let (world, _) = world();
    let scope = |asked: &str| {
        let metadata = json!({ "redirect_uris": [REDIRECT], "scope": asked });
        registered(&world, &metadata)["scope"].clone()
    };
    assert_eq!(scope("read"), "read");
    assert_eq!(
        scope("read offline_access groups other"),
        "offline_access read"
    );
    let only = stranger(&world, "read");
    let mut browser = world.sign_in("alice");
    let answer = browser.authorize(&only, "read", "");
    assert_eq!(answer.parameter("error").as_deref(), Some("invalid_scope"));
    let page = browser.authorize(&only, "read", &resource(MCP));
    let code = allow(&mut browser, &page);
    let tokens = world.token(&only, &redeem(&code)).json();
    assert_eq!(tokens["scope"], "read", "{tokens}");
    assert_eq!(tokens["id_token"], Value::Null);
}
