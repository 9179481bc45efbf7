//! The discovery documents say what works, and nothing else (OpenID Connect Discovery §3, RFC 8414).

use crate::world::{REDIRECT, TestClient, World, redeem};

#[test]
fn both_documents_are_the_same_and_carry_validators() {
    let world = World::started();
    let one = world.ask("GET", "/.well-known/openid-configuration", "", "");
    let two = world.ask("GET", "/.well-known/oauth-authorization-server", "", "");
    assert_eq!(one.body, two.body);
    let etag = one.header("ETag").unwrap();
    let known = world.ask(
        "GET",
        "/.well-known/openid-configuration",
        &format!("If-None-Match: {etag}\r\n"),
        "",
    );
    assert_eq!((known.status, known.body.as_str()), (304, ""));
    let head = world.ask("HEAD", "/.well-known/openid-configuration", "", "");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[test]
fn what_is_listed_works_and_what_is_not_listed_does_not() {
    let world = World::started();
    world.user("alice");
    let document = world
        .ask("GET", "/.well-known/openid-configuration", "", "")
        .json();
    let list = |name: &str| -> Vec<String> {
        document[name]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(document["issuer"], world.issuer());

    // Every endpoint answers as itself: no 404, no 405 to its own method.
    for (name, value) in document.as_object().unwrap() {
        let Some(url) = value
            .as_str()
            .filter(|_| name.ends_with("_endpoint") || name == "jwks_uri")
        else {
            continue;
        };
        let path = url.strip_prefix(&world.issuer()).unwrap();
        let method = if matches!(
            path,
            "/token" | "/introspect" | "/revoke" | "/par" | "/device_authorization"
        ) {
            "POST"
        } else {
            "GET"
        };
        assert!(
            !matches!(world.ask(method, path, "", "").status, 404 | 405),
            "{name}"
        );
    }

    // Signing algorithms: an ID token of each.
    for alg in list("id_token_signing_alg_values_supported") {
        let more = [
            "--redirect-uri",
            crate::world::REDIRECT,
            "--trusted",
            "--id-token-alg",
            &alg,
        ];
        let client = world.client(&format!("Signs {alg}"), &more);
        let tokens = world.sign_in("alice").tokens(&client, "openid");
        let header = tokens["id_token"]
            .as_str()
            .unwrap()
            .split('.')
            .next()
            .unwrap()
            .to_owned();
        assert!(header.len() > 20, "{alg}");
        let keys = world.ask("GET", "/jwks.json", "", "").json();
        assert!(
            keys["keys"]
                .as_array()
                .unwrap()
                .iter()
                .any(|key| key["alg"] == alg.as_str()),
            "{alg} has no key"
        );
    }

    // Grants, methods and modes that are listed, and the ones that are not.
    let client = world.trusted();
    let mut browser = world.sign_in("alice");
    assert_eq!(
        list("grant_types_supported"),
        [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:device_code",
            "urn:ietf:params:oauth:grant-type:token-exchange"
        ]
    );
    let tokens = browser.tokens(&client, "openid offline_access");
    let refresh = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(
        world
            .token(
                &client,
                &format!("grant_type=refresh_token&refresh_token={refresh}")
            )
            .status,
        200
    );
    assert_eq!(
        world.token(&client, "grant_type=client_credentials").status,
        200
    );
    for absent in ["password", "device_code", "implicit"] {
        assert_eq!(
            world.token(&client, &format!("grant_type={absent}")).json()["error"],
            "unsupported_grant_type"
        );
    }
    let device = world.client("Device", &["--grant", "device_code"]);
    let asked = world.ask("POST", "/device_authorization", &device.basic(), "");
    let device_code = asked.json()["device_code"].as_str().unwrap().to_owned();
    let poll = format!(
        "grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code={device_code}"
    );
    assert_eq!(
        world.token(&device, &poll).json()["error"],
        "authorization_pending"
    );
    let exchanging = ["--grant", "client_credentials,token_exchange"];
    let exchange = world.client("Exchange", &exchanging);
    world.verb(&["resource", "add", "api", "--client", "Exchange"], "");
    let own = token_of(&world, &exchange, "grant_type=client_credentials");
    let another = format!(
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&resource=api&subject_token={own}\
         &subject_token_type=urn:ietf:params:oauth:token-type:access_token"
    );
    token_of(&world, &exchange, &another);
    assert_eq!(list("code_challenge_methods_supported"), ["S256"]);
    let plain = browser.authorize(&client, "openid", "");
    assert!(plain.parameter("code").is_some());
    assert_eq!(list("response_types_supported"), ["code"]);
    for mode in list("response_modes_supported") {
        let answer = browser.authorize(&client, "openid", &format!("&response_mode={mode}"));
        let name = if mode.ends_with("jwt") {
            "response"
        } else {
            "code"
        };
        assert!(
            answer.parameter(name).is_some() || answer.body.contains(&format!("name=\"{name}\"")),
            "{mode}"
        );
    }
    let fragment = browser.authorize(&client, "openid", "&response_mode=fragment");
    assert_eq!(
        fragment.parameter("error").as_deref(),
        Some("invalid_request")
    );
    for prompt in list("prompt_values_supported") {
        let answer = browser.authorize(&client, "openid", &format!("&prompt={prompt}"));
        assert!(answer.parameter("error").is_none(), "{prompt}");
    }
    assert_eq!(document["request_parameter_supported"], true);
    assert_eq!(document["request_uri_parameter_supported"], false);
    for (more, error) in [
        ("request=a.b.c", "request_not_supported"),
        (
            "request_uri=https%3A%2F%2Fa.example",
            "request_uri_not_supported",
        ),
    ] {
        let answer = browser.authorize(&client, "openid", &format!("&{more}"));
        assert_eq!(answer.parameter("error").as_deref(), Some(error));
    }
    assert_eq!(
        document["authorization_response_iss_parameter_supported"],
        true
    );

    for alg in list("authorization_signing_alg_values_supported") {
        let more = [
            "--redirect-uri",
            REDIRECT,
            "--trusted",
            "--authorization-signed-response-alg",
            &alg,
        ];
        let client = world.client(&format!("Answers {alg}"), &more);
        let answer = browser.authorize(&client, "openid", "&response_mode=jwt");
        assert!(answer.parameter("response").is_some(), "{alg}");
    }

    // `signed_userinfo.rs` opens one of each.
    assert_eq!(
        list("userinfo_signing_alg_values_supported"),
        ["RS256", "ES256", "EdDSA"]
    );
    assert_eq!(list("acr_values_supported"), ["1"]);

    // Pushed requests: taken, and not required (the requests above were not pushed).
    assert_eq!(document["require_pushed_authorization_requests"], false);
    let pushed = format!("response_type=code&redirect_uri={REDIRECT}");
    let pushed = world.ask("POST", "/par", &client.basic(), &pushed).json();
    let start = format!(
        "/authorize?client_id={}&request_uri={}",
        client.id,
        pushed["request_uri"].as_str().unwrap()
    );
    assert!(browser.get(&start).parameter("code").is_some());
    // Logout tokens: `backchannel_logout.rs` receives them, each with a `sid`.
    assert_eq!(document["backchannel_logout_supported"], true);
    assert_eq!(document["backchannel_logout_session_supported"], true);
    // The signed-out page: `frontchannel_logout.rs` reads it.
    assert_eq!(document["frontchannel_logout_supported"], true);
    assert_eq!(document["frontchannel_logout_session_supported"], true);

    // Scopes and claims: the profile scope gives preferred_username, groups an array.
    let tokens = browser.tokens(&client, "openid profile email groups");
    let bearer = format!(
        "Authorization: Bearer {}\r\n",
        tokens["access_token"].as_str().unwrap()
    );
    let info = world.ask("GET", "/userinfo", &bearer, "").json();
    for (claim, value) in info.as_object().unwrap() {
        assert!(
            list("claims_supported").contains(claim),
            "{claim} is not listed"
        );
        assert!(!value.is_null(), "{claim}");
    }

    // Public clients: `none`.
    let made = world.verb(
        &[
            "client",
            "add",
            "Page",
            "--redirect-uri",
            crate::world::REDIRECT,
            "--public",
            "--trusted",
        ],
        "",
    );
    let page = crate::world::TestClient {
        id: made["client_id"].as_str().unwrap().to_owned(),
        secret: String::new(),
    };
    let code = browser.code(&page, "openid");
    let body = format!("{}&client_id={}", redeem(&code), page.id);
    assert_eq!(world.ask("POST", "/token", "", &body).status, 200);
}

fn token_of(world: &World, client: &TestClient, body: &str) -> String {
    let answer = world.token(client, body).json();
    let token = answer["access_token"].as_str();
    token.expect("a token").to_owned()
}
