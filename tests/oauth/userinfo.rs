//! UserInfo (OpenID Connect Core §5.3, RFC 6750) and cross-origin requests.

use crate::world::{REDIRECT, World};

#[test]
fn header_or_form_give_the_claims_of_the_scope() {
    let world = World::started();
    world.user("alice");
    let client = world.trusted();
    let tokens = world.sign_in("alice").tokens(&client, "openid email");
    let access = tokens["access_token"].as_str().unwrap();
    let bearer = format!("Authorization: bearer {access}\r\n");
    let header = world.ask("GET", "/userinfo", &bearer, "").json();
    assert_eq!(header["email"], "alice@example.org");
    assert_eq!(header["email_verified"], true);
    assert!(header["sub"].is_string() && header.get("name").is_none());
    assert_eq!(
        world
            .ask("POST", "/userinfo", "", &format!("access_token={access}"))
            .json(),
        header
    );
    let both = world.ask(
        "POST",
        "/userinfo",
        &bearer,
        &format!("access_token={access}"),
    );
    assert_eq!(both.json()["error"], "invalid_request");
    // Never in the address (RFC 9700 §4.3.2).
    assert_eq!(
        world
            .ask("GET", &format!("/userinfo?access_token={access}"), "", "")
            .status,
        401
    );
}

#[test]
fn challenges_say_why_except_where_no_token_was_sent() {
    let world = World::started();
    let client = world.trusted();
    let none = world.ask("GET", "/userinfo", "", "");
    assert_eq!(
        (none.status, none.header("WWW-Authenticate")),
        (401, Some("Bearer realm=\"Doorlight\""))
    );
    let bad = world.ask("GET", "/userinfo", "Authorization: Bearer x.y.z\r\n", "");
    assert!(
        bad.header("WWW-Authenticate")
            .unwrap()
            .contains("error=\"invalid_token\"")
    );
    let service = world.token(&client, "grant_type=client_credentials").json();
    let bearer = format!(
        "Authorization: Bearer {}\r\n",
        service["access_token"].as_str().unwrap()
    );
    let scope = world.ask("GET", "/userinfo", &bearer, "");
    assert_eq!(scope.status, 403);
    assert!(
        scope
            .header("WWW-Authenticate")
            .unwrap()
            .contains("insufficient_scope")
    );
}

#[test]
fn an_id_token_is_no_access_token() {
    let world = World::started();
    world.user("alice");
    let client = world.trusted();
    let tokens = world.sign_in("alice").tokens(&client, "openid");
    let id = tokens["id_token"].as_str().unwrap();
    assert_eq!(
        world
            .ask(
                "GET",
                "/userinfo",
                &format!("Authorization: Bearer {id}\r\n"),
                ""
            )
            .status,
        401
    );
    assert_eq!(world.introspect(&client, id)["active"], false);
}

/// Fetch §3.2: what a page must be allowed to send and to read.
#[test]
fn a_page_may_send_its_proof_and_read_the_challenge() {
    let world = World::started();
    let _ = world.client("Page", &["--redirect-uri", REDIRECT, "--public"]);
    let ours = "Origin: https://app.example\r\n";
    let asked = world.ask("OPTIONS", "/userinfo", ours, "");
    assert_eq!(asked.status, 204);
    assert_eq!(
        asked.header("Access-Control-Allow-Headers"),
        Some("Authorization, Content-Type, DPoP")
    );
    assert_eq!(asked.header("Vary"), Some("Origin"));
    assert!(asked.header("Access-Control-Allow-Credentials").is_none());
    for (method, path) in [
        ("GET", "/userinfo"),
        ("POST", "/token"),
        ("POST", "/revoke"),
    ] {
        let refused = world.ask(method, path, ours, "");
        assert!(refused.status >= 400, "{path}");
        assert_eq!(
            refused.header("Access-Control-Allow-Origin"),
            Some("https://app.example"),
            "{path}"
        );
        assert_eq!(
            refused.header("Access-Control-Expose-Headers"),
            Some("WWW-Authenticate, DPoP-Nonce"),
            "{path}"
        );
        assert_eq!(refused.header("Vary"), Some("Origin"), "{path}");
    }
    // Not what only servers call.
    for path in ["/introspect", "/device_authorization", "/authorize"] {
        for method in ["OPTIONS", "POST"] {
            let answer = world.ask(method, path, ours, "");
            assert!(
                answer.header("Access-Control-Allow-Origin").is_none(),
                "{path}"
            );
        }
    }
}

#[test]
fn pages_of_a_clients_origin_may_ask_and_others_may_not() {
    let world = World::started();
    let _ = world.client("Page", &["--redirect-uri", REDIRECT, "--public"]);
    for path in ["/token", "/userinfo", "/revoke"] {
        let ours = world.ask("OPTIONS", path, "Origin: https://app.example\r\n", "");
        assert_eq!(
            ours.header("Access-Control-Allow-Origin"),
            Some("https://app.example"),
            "{path}"
        );
        let other = world.ask("OPTIONS", path, "Origin: https://evil.example\r\n", "");
        assert!(
            other.header("Access-Control-Allow-Origin").is_none(),
            "{path}"
        );
    }
    for path in ["/jwks.json", "/.well-known/openid-configuration"] {
        let asked = world.ask("OPTIONS", path, "Origin: https://any.example\r\n", "");
        assert_eq!(asked.status, 204);
        assert_eq!(asked.header("Access-Control-Allow-Origin"), Some("*"));
        assert_eq!(asked.header("Access-Control-Allow-Methods"), Some("GET"));
        assert_eq!(
            world
                .ask("GET", path, "", "")
                .header("Access-Control-Allow-Origin"),
            Some("*")
        );
    }
    assert!(
        world
            .ask(
                "OPTIONS",
                "/introspect",
                "Origin: https://app.example\r\n",
                ""
            )
            .header("Access-Control-Allow-Origin")
            .is_none()
    );
}
