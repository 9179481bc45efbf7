//! Token exchange (RFC 8693): who may turn which token into which other.

use crate::prover::Key;
use crate::world::{Browser, TestClient, World, claims, encode};
use serde_json::{Value, json};

const FRONT: &str = "https://front.example";
const BACK: &str = "https://back.example";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const EXCHANGE: &str = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange";

/// A person's application calls the service `front`, which calls `back`.
struct Chain {
    world: World,
    app: TestClient,
    front: TestClient,
}

fn exchanging(world: &World, name: &str) -> TestClient {
    let more = [
        "--grant",
        "client_credentials,token_exchange",
        "--scope",
        "read write",
    ];
    world.client(name, &more)
}

impl Chain {
    fn new() -> Self {
        let world = World::started();
        world.user("alice");
        let app = world.client(
            "App",
            &[
                "--redirect-uri",
                crate::world::REDIRECT,
                "--trusted",
                "--scope",
                "openid offline_access read other",
            ],
        );
        let front = exchanging(&world, "Front");
        let add = |identifier, client: &TestClient, more: &[&str]| {
            let verb = ["resource", "add", identifier, "--client", &client.id];
            world.verb(&[verb.as_slice(), more].concat(), "");
        };
        add(FRONT, &app, &["--server", &front.id]);
        add(BACK, &front, &["--token-seconds", "3600"]);
        Self { world, app, front }
    }

    fn tokens(&self, browser: &mut Browser<'_>, more: &str) -> Value {
        let more = format!("&resource={}{more}", encode(FRONT));
        let scope = "openid offline_access read other";
        let answer = browser.authorize(&self.app, scope, &more);
        let code = answer.parameter("code").unwrap();
        self.world
            .token(&self.app, &crate::world::redeem(&code))
            .json()
    }

    fn subject(&self) -> String {
        let mut browser = self.world.sign_in("alice");
        text(&self.tokens(&mut browser, ""))
    }

    fn exchange(&self, client: &TestClient, subject: &str, more: &str) -> Value {
        let body = format!("{EXCHANGE}&subject_token={subject}&subject_token_type={ACCESS}{more}");
        self.world.token(client, &body).json()
    }

    fn back(&self, subject: &str) -> Value {
        let more = format!("&resource={}", encode(BACK));
        self.exchange(&self.front, subject, &more)
    }

    fn active(&self, client: &TestClient, token: &str) -> bool {
        self.world.introspect(client, token)["active"] == true
    }
}

fn text(tokens: &Value) -> String {
    tokens["access_token"].as_str().expect("a token").to_owned()
}

#[test]
fn rfc8693_section_2_2_a_service_gets_a_token_for_the_next_one() {
    let chain = Chain::new();
    let subject = chain.subject();
    let answer = chain.back(&subject);
    assert_eq!(answer["issued_token_type"], ACCESS, "{answer}");
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["scope"], "read");
    assert!(answer.get("refresh_token").is_none() && answer.get("id_token").is_none());
    let (was, is) = (claims(&subject), claims(&text(&answer)));
    assert_eq!((&is["sub"], &is["aud"]), (&was["sub"], &json!(BACK)));
    assert_eq!(is["client_id"], chain.front.id.as_str());
    assert_eq!(is["act"]["sub"], chain.front.id.as_str());
    // The resource would let it live for an hour; the token it came from does not.
    assert!(is["exp"].as_u64() <= was["exp"].as_u64());
    assert!(answer["expires_in"].as_u64().unwrap() <= 900);
    assert!(chain.active(&chain.front, &text(&answer)));
    let jwt = format!("&audience={}&requested_token_type={JWT}", encode(BACK));
    let jwt = chain.exchange(&chain.front, &subject, &jwt);
    assert_eq!(jwt["issued_token_type"], JWT, "{jwt}");
    let audit = chain.world.run(&["audit"], "").stdout;
    let audit = String::from_utf8(audit).unwrap();
    assert!(audit.contains("token.exchange"), "{audit}");
}

#[test]
fn rfc8693_section_2_1_and_2_2_2_bad_requests_are_invalid() {
    let chain = Chain::new();
    let subject = chain.subject();
    let to = format!("&resource={}", encode(BACK));
    let refused = |body: String| {
        let answer = chain
            .world
            .token(&chain.front, &format!("{EXCHANGE}{body}"));
        assert_eq!(answer.status, 400, "{body}");
        answer.json()["error"].as_str().unwrap().to_owned()
    };
    let good = format!("&subject_token={subject}&subject_token_type={ACCESS}{to}");
    let id_type = "urn:ietf:params:oauth:token-type:id_token";
    let twice = |name: &str, value: &str| format!("{good}&{name}={value}&{name}={value}");
    let long = "a".repeat(20_000);
    let (head, _) = subject.rsplit_once('.').unwrap();
    for body in [
        to.clone(),
        format!("&subject_token={subject}{to}"),
        format!("&subject_token_type={ACCESS}{to}"),
        format!("&subject_token=&subject_token_type={ACCESS}{to}"),
        format!("&subject_token=x&subject_token_type={ACCESS}{to}"),
        format!("&subject_token={long}&subject_token_type={ACCESS}{to}"),
        format!("&subject_token={head}.AAAA&subject_token_type={ACCESS}{to}"),
        format!("&subject_token={subject}&subject_token_type={id_type}{to}"),
        format!("&subject_token={subject}&subject_token_type={to}"),
        format!("{good}&subject_token={subject}"),
        format!("{good}&subject_token_type={ACCESS}"),
        format!("{good}&requested_token_type={id_type}"),
        format!("{good}&requested_token_type=urn:ietf:params:oauth:token-type:refresh_token"),
        format!("{good}&actor_token={subject}"),
        format!("{good}&actor_token_type={ACCESS}"),
        format!("{good}&actor_token=x&actor_token_type={ACCESS}"),
        twice("requested_token_type", ACCESS),
        twice("actor_token", "x"),
        twice("scope", "read"),
    ] {
        assert_eq!(refused(body.clone()), "invalid_request", "{body}");
    }
    // Never wider than the subject token, nor than the client.
    for scope in ["read+other", "write", "openid", "read+admin"] {
        assert_eq!(
            refused(format!("{good}&scope={scope}")),
            "invalid_scope",
            "{scope}"
        );
    }
    let plain = format!("&subject_token={subject}&subject_token_type={ACCESS}");
    for target in [
        String::new(),
        format!("&resource={}", encode(FRONT)),
        "&audience=unknown".to_owned(),
        format!("&audience={}", chain.app.id),
        format!("{to}&audience={}", encode(&chain.world.issuer())),
    ] {
        assert_eq!(
            refused(format!("{plain}{target}")),
            "invalid_target",
            "{target}"
        );
    }
    // Nothing changed.
    assert!(chain.active(&chain.app, &subject));
    assert!(chain.back(&subject)["access_token"].is_string());
}

#[test]
fn rfc8693_section_5_a_stolen_token_is_no_use_to_whom_it_was_not_sent() {
    let chain = Chain::new();
    let subject = chain.subject();
    let thief = exchanging(&chain.world, "Thief");
    let world = &chain.world;
    world.verb(
        &[
            "resource",
            "edit",
            BACK,
            "--client",
            &chain.front.id,
            "--client",
            &thief.id,
        ],
        "",
    );
    let to = format!("&resource={}", encode(BACK));
    let stolen = chain.exchange(&thief, &subject, &to);
    assert_eq!(stolen["error"], "invalid_request", "{stolen}");
    // Not even as actor.
    let own = world.token(&thief, "grant_type=client_credentials").json();
    let more = format!("{to}&actor_token={subject}&actor_token_type={ACCESS}");
    let acted = chain.exchange(&thief, &text(&own), &more);
    assert_eq!(acted["error"], "invalid_request", "{acted}");
    // And whoever was not allowed to exchange, may not, not even its own.
    let app = chain.exchange(&chain.app, &subject, &to);
    assert_eq!(app["error"], "unauthorized_client");
}

#[test]
fn rfc8693_section_4_1_actors_are_nested_and_a_chain_falls_with_its_first_token() {
    let chain = Chain::new();
    let world = &chain.world;
    let last = exchanging(world, "Last");
    world.verb(&["resource", "edit", BACK, "--server", &last.id], "");
    let end = "https://end.example";
    world.verb(&["resource", "add", end, "--client", &last.id], "");
    let subject = chain.subject();
    let second = text(&chain.back(&subject));
    let own = text(&world.token(&last, "grant_type=client_credentials").json());
    let more = format!(
        "&resource={}&actor_token={own}&actor_token_type={JWT}",
        encode(end)
    );
    let third = text(&chain.exchange(&last, &second, &more));
    let act = &claims(&third)["act"];
    assert_eq!(act["sub"], last.id.as_str(), "{act}");
    assert_eq!(act["act"]["sub"], chain.front.id.as_str(), "{act}");
    assert!(chain.active(&last, &third));

    let body = format!("token={subject}");
    world.ask("POST", "/revoke", &chain.app.basic(), &body);
    assert!(!chain.active(&last, &third));
    assert!(!chain.active(&chain.front, &second));
    assert_eq!(chain.back(&subject)["error"], "invalid_request");
}

#[test]
fn an_exchanged_token_falls_with_the_grant_and_the_person() {
    let chain = Chain::new();
    let mut browser = chain.world.sign_in("alice");
    let tokens = chain.tokens(&mut browser, "");
    let exchanged = text(&chain.back(&text(&tokens)));
    assert!(chain.active(&chain.front, &exchanged));
    let body = format!("token={}", tokens["refresh_token"].as_str().unwrap());
    chain
        .world
        .ask("POST", "/revoke", &chain.app.basic(), &body);
    assert!(!chain.active(&chain.front, &exchanged));

    let again = text(&chain.back(&text(&chain.tokens(&mut browser, ""))));
    assert!(chain.active(&chain.front, &again));
    chain.world.verb(&["user", "disable", "alice"], "");
    assert!(!chain.active(&chain.front, &again));
}

#[test]
fn narrowing_a_resource_ends_exchanges_for_it() {
    let chain = Chain::new();
    let subject = chain.subject();
    assert!(chain.back(&subject)["access_token"].is_string());
    chain
        .world
        .verb(&["resource", "edit", BACK, "--client", ""], "");
    assert_eq!(chain.back(&subject)["error"], "invalid_target");
}

#[test]
fn rfc9449_section_7_2_a_bound_token_is_exchanged_by_its_key_only() {
    let chain = Chain::new();
    let world = &chain.world;
    let own = exchanging(world, "Bound");
    world.verb(&["resource", "edit", BACK, "--client", &own.id], "");
    let key = Key::new();
    let url = format!("{}/token", world.issuer());
    let ask = |prover: Option<&Key>, body: &str| {
        let proof = prover.map(|key| key.proof("POST", &url));
        let headers = format!("{}{}", own.basic(), proof.unwrap_or_default());
        world.ask("POST", "/token", &headers, body).json()
    };
    let subject = text(&ask(Some(&key), "grant_type=client_credentials"));
    let body = format!(
        "{EXCHANGE}&subject_token={subject}&subject_token_type={ACCESS}&resource={}",
        encode(BACK)
    );
    assert_eq!(ask(None, &body)["error"], "invalid_request");
    assert_eq!(ask(Some(&Key::new()), &body)["error"], "invalid_request");
    let good = ask(Some(&key), &body);
    assert_eq!(good["token_type"], "DPoP", "{good}");
    assert_eq!(claims(&text(&good))["cnf"]["jkt"], key.jkt().as_str());
}
