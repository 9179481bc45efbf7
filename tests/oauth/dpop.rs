//! Demonstrating proof of possession (RFC 9449).

use crate::prover::{Key, fresh, line, now, sha256};
use crate::receiver::until;
use crate::world::{
    Answer, Browser, REDIRECT, TestClient, World, challenge, claims, encode, redeem,
};
use serde_json::{Value, json};

const SERVICE: &str = "grant_type=client_credentials";

fn token_url(world: &World) -> String {
    format!("{}/token", world.issuer())
}

fn userinfo_url(world: &World) -> String {
    format!("{}/userinfo", world.issuer())
}

/// A token request with a fresh proof of the key.
fn token(world: &World, client: &TestClient, key: &Key, body: &str) -> Answer {
    let proof = key.proof("POST", &token_url(world));
    world.ask(
        "POST",
        "/token",
        &format!("{}{proof}", client.basic()),
        body,
    )
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap().to_owned()
}

fn error(answer: &Answer) -> (u16, String) {
    (answer.status, text(&answer.json(), "error"))
}

#[test]
fn rfc9449_section_5_a_proof_binds_the_token_of_a_service() {
    let world = World::started();
    let client = world.trusted();
    let key = Key::new();
    let answer = token(&world, &client, &key, SERVICE);
    assert_eq!(answer.status, 200, "{answer:?}");
    let tokens = answer.json();
    assert_eq!(tokens["token_type"], "DPoP");
    let access = text(&tokens, "access_token");
    assert_eq!(claims(&access)["cnf"], json!({ "jkt": key.jkt() }));
    // RFC 9449 §6.2.
    let known = world.introspect(&client, &access);
    assert_eq!(known["cnf"], json!({ "jkt": key.jkt() }));
    assert_eq!(known["token_type"], "DPoP");

    let plain = world.token(&client, SERVICE).json();
    assert_eq!(plain["token_type"], "Bearer");
    assert!(claims(&text(&plain, "access_token")).get("cnf").is_none());
}

#[test]
fn rfc9449_section_7_userinfo_answers_whoever_proves_the_tokens_key() {
    let world = World::started();
    world.user("alice");
    let client = world.trusted();
    let key = Key::new();
    let code = world.sign_in("alice").code(&client, "openid email");
    let tokens = token(&world, &client, &key, &redeem(&code)).json();
    let access = text(&tokens, "access_token");
    for method in ["GET", "POST"] {
        let headers = key.with_token(method, &userinfo_url(&world), &access);
        let headers = headers.replace("DPoP eyJ", "dpop eyJ");
        let answer = world.ask(method, "/userinfo", &headers, "");
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["email"], "alice@example.org");
    }
}

/// Each is refused, changes nothing, and the same request with a good proof is answered.
#[test]
fn rfc9449_section_5_bad_proofs_at_the_token_endpoint_give_nothing() {
    let world = World::started();
    world.user("alice");
    let client = world.trusted();
    let key = Key::new();
    let url = token_url(&world);
    let code = world.sign_in("alice").code(&client, "openid");
    let good = fresh("POST", &url);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        line(&key.jwt("dpop+jwt", &claims))
    };
    // Each is made when it is sent: what is a minute and a half ahead is not for long.
    let cases: [(&str, &dyn Fn() -> String); 10] = [
        ("empty", &|| line("")),
        ("no JWT", &|| line("x")),
        ("twice", &|| line(&key.jwt("dpop+jwt", &good)).repeat(2)),
        ("typ", &|| line(&key.jwt("JWT", &good))),
        ("htm", &|| with("htm", json!("GET"))),
        ("htu", &|| with("htu", json!(userinfo_url(&world)))),
        ("htu of a host in the request", &|| {
            with("htu", json!("http://evil.example/token"))
        }),
        ("iat old", &|| with("iat", json!(now() - 90))),
        ("iat ahead", &|| with("iat", json!(now() + 90))),
        ("jti", &|| with("jti", json!(""))),
    ];
    for (case, proof) in cases {
        for body in [SERVICE, &redeem(&code)] {
            let headers = format!("{}{}", client.basic(), proof());
            let answer = world.ask("POST", "/token", &headers, body);
            let expected = (400, "invalid_dpop_proof".to_owned());
            assert_eq!(error(&answer), expected, "{case}");
        }
    }
    // None of them has used the `jti` or the code up.
    let headers = format!("{}{}", client.basic(), with("iat", json!(now())));
    let answer = world.ask("POST", "/token", &headers, &redeem(&code));
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn rfc9449_section_4_3_the_address_is_the_issuers_whatever_host_a_request_names() {
    let world = World::known_as("https://id.example/door");
    let client = world.trusted();
    let key = Key::new();
    let ask = |url: &str| {
        let headers = format!("{}{}", client.basic(), key.proof("POST", url));
        world.ask("POST", "/door/token", &headers, SERVICE).status
    };
    assert_eq!(ask("https://id.example/door/token"), 200);
    assert_eq!(ask("HTTPS://ID.example:443/door/token?a#b"), 200);
    assert_eq!(
        ask(&format!("http://127.0.0.1:{}/door/token", world.port)),
        400
    );
    assert_eq!(ask("https://id.example/token"), 400);
}

/// The story that the table of uses is for: whoever read a request along sends it again, now or after a restart.
#[test]
fn rfc9449_section_11_1_a_proof_is_good_once_also_after_a_restart() {
    let mut world = World::started();
    world.user("alice");
    let client = world.trusted();
    let key = Key::new();
    let code = world.sign_in("alice").code(&client, "openid");
    let access = text(
        &token(&world, &client, &key, &redeem(&code)).json(),
        "access_token",
    );
    let proof = format!(
        "{}{}",
        client.basic(),
        key.proof("POST", &token_url(&world))
    );
    let userinfo = key.with_token("GET", &userinfo_url(&world), &access);
    let service = |world: &World| world.ask("POST", "/token", &proof, SERVICE);
    let person = |world: &World| world.ask("GET", "/userinfo", &userinfo, "");
    assert_eq!(service(&world).status, 200);
    assert_eq!(person(&world).status, 200);
    for restart in [false, true] {
        if restart {
            world.kill();
            world.start();
        }
        let again = service(&world);
        assert_eq!(error(&again), (400, "invalid_dpop_proof".to_owned()));
        let again = person(&world);
        assert_eq!(error(&again), (401, "invalid_dpop_proof".to_owned()));
    }
    // Another `jti`, and the token is as good as before.
    let fresh = key.with_token("GET", &userinfo_url(&world), &access);
    assert_eq!(world.ask("GET", "/userinfo", &fresh, "").status, 200);
}

#[test]
fn of_eight_requests_with_one_proof_at_once_one_is_answered() {
    let world = World::started();
    let client = world.trusted();
    let proof = Key::new().proof("POST", &token_url(&world));
    let headers = format!("{}{proof}", client.basic());
    let answered = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| world.ask("POST", "/token", &headers, SERVICE).status))
            .collect();
        let statuses = all.into_iter().map(|thread| thread.join().unwrap());
        statuses.filter(|status| *status == 200).count()
    });
    assert_eq!(answered, 1);
}

#[test]
fn rfc9449_section_10_a_code_asked_for_with_dpop_jkt_is_that_keys() {
    let world = World::started();
    world.user("alice");
    let client = world.trusted();
    let (key, other) = (Key::new(), Key::new());
    let mut browser = world.sign_in("alice");
    let bound = format!("&dpop_jkt={}", key.jkt());
    let code = browser
        .authorize(&client, "openid", &bound)
        .parameter("code")
        .unwrap();
    let refused = (400, "invalid_grant".to_owned());
    assert_eq!(error(&world.token(&client, &redeem(&code))), refused);
    assert_eq!(
        error(&token(&world, &client, &other, &redeem(&code))),
        refused
    );
    assert_eq!(token(&world, &client, &key, &redeem(&code)).status, 200);

    for bad in ["x", &key.jkt()[1..], &format!("{}=", key.jkt())] {
        let answer = browser.authorize(&client, "openid", &format!("&dpop_jkt={bad}"));
        let error = answer.parameter("error");
        assert_eq!(error.as_deref(), Some("invalid_request"), "{bad}");
    }
    let twice = browser.authorize(&client, "openid", &format!("{bound}{bound}"));
    assert_eq!(twice.parameter("error").as_deref(), Some("invalid_request"));
}

fn public(world: &World, more: &[&str]) -> TestClient {
    let mut arguments = vec!["--redirect-uri", REDIRECT, "--public", "--trusted"];
    arguments.extend(more);
    world.client("Page", &arguments)
}

/// A token request of a public client.
fn public_token(world: &World, client: &TestClient, key: Option<&Key>, body: &str) -> Answer {
    let proof = key.map(|key| key.proof("POST", &token_url(world)));
    let body = format!("{body}&client_id={}", client.id);
    world.ask("POST", "/token", &proof.unwrap_or_default(), &body)
}

fn refresh(tokens: &Value) -> String {
    let token = text(tokens, "refresh_token");
    format!("grant_type=refresh_token&refresh_token={token}")
}

#[test]
fn rfc9449_section_5_refresh_tokens_of_a_public_client_keep_their_first_key() {
    let world = World::started();
    world.user("alice");
    let client = public(&world, &[]);
    let (key, other) = (Key::new(), Key::new());
    let mut browser = world.sign_in("alice");
    let refused = (400, "invalid_grant".to_owned());
    // The first use is the code's, or a later refresh.
    for first in [Some(&key), None] {
        let code = browser.code(&client, "openid offline_access");
        let mut tokens = public_token(&world, &client, first, &redeem(&code)).json();
        if first.is_none() {
            tokens = public_token(&world, &client, None, &refresh(&tokens)).json();
            assert_eq!(tokens["token_type"], "Bearer");
            tokens = public_token(&world, &client, Some(&key), &refresh(&tokens)).json();
        }
        assert_eq!(tokens["token_type"], "DPoP");
        for wrong in [None, Some(&other)] {
            let answer = public_token(&world, &client, wrong, &refresh(&tokens));
            assert_eq!(error(&answer), refused);
        }
        // Refused without effect: the holder of the key goes on.
        let next = public_token(&world, &client, Some(&key), &refresh(&tokens));
        assert_eq!(next.status, 200, "{next:?}");
        let next = next.json();
        let access = text(&next, "access_token");
        assert_eq!(claims(&access)["cnf"]["jkt"], key.jkt());
        // A used one in the hands of whoever has no key ends nothing either.
        let next = public_token(&world, &client, Some(&key), &refresh(&next)).json();
        let stolen = public_token(&world, &client, Some(&other), &refresh(&tokens));
        assert_eq!(error(&stolen), refused);
        let on = public_token(&world, &client, Some(&key), &refresh(&next));
        assert_eq!(on.status, 200, "{on:?}");
    }
}

#[test]
fn rfc9449_section_5_a_confidential_client_may_change_its_key() {
    let world = World::started();
    world.user("alice");
    let client = world.trusted();
    let (key, other) = (Key::new(), Key::new());
    let code = world
        .sign_in("alice")
        .code(&client, "openid offline_access");
    let tokens = token(&world, &client, &key, &redeem(&code)).json();
    let tokens = token(&world, &client, &other, &refresh(&tokens)).json();
    let access = text(&tokens, "access_token");
    assert_eq!(claims(&access)["cnf"]["jkt"], other.jkt());
    let plain = world.token(&client, &refresh(&tokens)).json();
    assert_eq!(plain["token_type"], "Bearer");
}

#[test]
fn rfc9449_section_7_a_token_is_taken_as_it_is_bound_and_in_no_other_way() {
    let world = World::started();
    world.user("alice");
    let client = world.trusted();
    let (key, other) = (Key::new(), Key::new());
    let mut browser = world.sign_in("alice");
    let code = browser.code(&client, "openid");
    let bound = text(
        &token(&world, &client, &key, &redeem(&code)).json(),
        "access_token",
    );
    let unbound = text(&browser.tokens(&client, "openid"), "access_token");
    let url = userinfo_url(&world);
    let good = key.with_token("GET", &url, &bound);
    let (authorization, proof) = good.split_once("\r\n").unwrap();
    let authorization = format!("{authorization}\r\n");
    let with = |name: &str, value: Value| {
        let mut claims = fresh("GET", &url);
        claims["ath"] = json!(sha256(bound.as_bytes()));
        claims[name] = value;
        format!("{authorization}{}", line(&key.jwt("dpop+jwt", &claims)))
    };
    for (case, headers, code) in [
        (
            "§7.2 bound, as Bearer",
            format!("Authorization: Bearer {bound}\r\n{proof}"),
            "invalid_token",
        ),
        (
            "§7.1 unbound, as DPoP",
            key.with_token("GET", &url, &unbound),
            "invalid_token",
        ),
        (
            "§7.1 another key",
            other.with_token("GET", &url, &bound),
            "invalid_token",
        ),
        (
            "§7.1 no token of ours",
            key.with_token("GET", &url, "x.y.z"),
            "invalid_token",
        ),
        ("§7.1 no proof", authorization.clone(), "invalid_dpop_proof"),
        (
            "§4.3 two proofs",
            format!("{authorization}{proof}{}", key.proof("GET", &url)),
            "invalid_dpop_proof",
        ),
        (
            "§4.3 ath missing",
            with("ath", Value::Null),
            "invalid_dpop_proof",
        ),
        (
            "§4.3 ath of another token",
            with("ath", json!(sha256(unbound.as_bytes()))),
            "invalid_dpop_proof",
        ),
        ("§4.3 htm", with("htm", json!("POST")), "invalid_dpop_proof"),
        (
            "§4.3 htu",
            with("htu", json!(token_url(&world))),
            "invalid_dpop_proof",
        ),
        (
            "§4.3 iat",
            with("iat", json!(now() - 90)),
            "invalid_dpop_proof",
        ),
    ] {
        let answer = world.ask("GET", "/userinfo", &headers, "");
        assert_eq!(error(&answer), (401, code.to_owned()), "{case}");
        // RFC 9449 §7.1: both schemes are offered, and the one that was tried says why.
        let challenges: Vec<&str> = answer
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("WWW-Authenticate"))
            .map(|(_, challenge)| challenge.as_str())
            .collect();
        let tried = if headers.contains("Bearer") {
            ["Bearer ", "DPoP algs=\"RS256 PS256 ES256 EdDSA Ed25519\""]
        } else {
            ["DPoP algs=\"RS256 PS256 ES256 EdDSA Ed25519\"", "Bearer "]
        };
        assert_eq!(challenges.len(), 2, "{case}");
        let why = format!("error=\"{code}\"");
        assert!(challenges[0].starts_with(tried[0]) && challenges[0].contains(&why));
        assert!(challenges[1].starts_with(tried[1]) && !challenges[1].contains("error"));
    }
    // In a form there is no scheme but Bearer (RFC 9449 §7.1).
    let posted = format!("access_token={bound}");
    let answer = world.ask("POST", "/userinfo", "", &posted);
    assert_eq!(error(&answer), (401, "invalid_token".to_owned()));
    // Not one of them has used the proof up.
    assert_eq!(world.ask("GET", "/userinfo", &good, "").status, 200);

    // Nobody waits for the record of a refusal.
    until("the refusal is recorded", || {
        let log = world.run(&["audit", "--outcome", "refused"], "").stdout;
        let log = String::from_utf8(log).unwrap();
        log.contains("ath of the DPoP proof").then_some(())
    });
}

#[test]
fn rfc9449_section_5_2_a_client_that_binds_its_tokens_gets_no_others() {
    let world = World::started();
    world.user("alice");
    let client = public(&world, &["--dpop"]);
    let shown = world.verb(&["client", "show", "Page"], "");
    assert_eq!(shown["dpop_bound_access_tokens"], true);
    let mut browser = world.sign_in("alice");
    let code = browser.code(&client, "openid");
    let answer = public_token(&world, &client, None, &redeem(&code));
    assert_eq!(error(&answer), (400, "invalid_dpop_proof".to_owned()));
    let answer = public_token(&world, &client, Some(&Key::new()), &redeem(&code));
    assert_eq!(answer.json()["token_type"], "DPoP");
}

/// FAPI 2.0 §5.3.2.1: rotation locks out whoever loses an answer, and a key guards better.
#[test]
fn strict_clients_prove_a_key_and_keep_their_refresh_token() {
    let world = World::started();
    world.user("alice");
    let client = public(&world, &["--profile", "strict"]);
    let key = Key::new();
    let mut browser = world.sign_in("alice");
    let code = pushed_code(&world, &mut browser, &client, Some(&key), "").unwrap();
    let bare = public_token(&world, &client, None, &redeem(&code));
    assert_eq!(error(&bare), (400, "invalid_dpop_proof".to_owned()));
    let tokens = public_token(&world, &client, Some(&key), &redeem(&code)).json();
    for _ in 0..3 {
        let again = public_token(&world, &client, Some(&key), &refresh(&tokens));
        assert_eq!(again.status, 200, "{again:?}");
        let again = again.json();
        assert!(again.get("refresh_token").is_none(), "{again}");
        assert_eq!(again["token_type"], "DPoP");
    }
    let other = public_token(&world, &client, Some(&Key::new()), &refresh(&tokens));
    assert_eq!(error(&other), (400, "invalid_grant".to_owned()));
}

/// The strict profile was held to its algorithms where tokens are given, and not where they are used.
#[test]
fn fapi2_section_5_4_1_a_strict_clients_token_is_not_taken_with_a_proof_by_rs256() {
    let world = World::started();
    world.user("alice");
    let client = public(&world, &["--profile", "strict"]);
    // One pair of RSA, with the newer padding and with the older one.
    let (newer, older) = (Key::of("PS256"), Key::of("RS256"));
    assert_eq!(newer.jkt(), older.jkt());
    let mut browser = world.sign_in("alice");
    let code = pushed_code(&world, &mut browser, &client, Some(&newer), "").unwrap();
    let tokens = public_token(&world, &client, Some(&newer), &redeem(&code)).json();
    let token = text(&tokens, "access_token");
    let ask = |key: &Key| {
        let headers = key.with_token("GET", &userinfo_url(&world), &token);
        world.ask("GET", "/userinfo", &headers, "")
    };
    assert_eq!(error(&ask(&older)), (401, "invalid_dpop_proof".to_owned()));
    assert_eq!(ask(&newer).status, 200);
}

/// A code by way of a pushed request, which carries a proof where there is a key; or the error of the push.
fn pushed_code(
    world: &World,
    browser: &mut Browser<'_>,
    client: &TestClient,
    key: Option<&Key>,
    more: &str,
) -> Result<String, (u16, String)> {
    let proof = key.map(|key| key.proof("POST", &format!("{}/par", world.issuer())));
    let headers = format!(
        "Content-Type: application/x-www-form-urlencoded\r\n{}",
        proof.unwrap_or_default()
    );
    let body = format!(
        "client_id={}&response_type=code&redirect_uri={}&scope=openid+offline_access&code_challenge={}\
         &code_challenge_method=S256{more}",
        client.id,
        encode(REDIRECT),
        challenge()
    );
    let pushed = world.ask("POST", "/par", &headers, &body);
    if pushed.status != 201 {
        return Err(error(&pushed));
    }
    let request_uri = pushed.json()["request_uri"].as_str().unwrap().to_owned();
    let start = format!(
        "/authorize?client_id={}&request_uri={}",
        client.id,
        encode(&request_uri)
    );
    let mut answer = browser.get(&start);
    while let Some(next) = answer.header("Location").filter(|to| to.starts_with('/')) {
        let next = next.to_owned();
        answer = browser.get(&next);
    }
    Ok(answer.parameter("code").unwrap())
}

#[test]
fn rfc9449_section_10_1_a_pushed_request_is_bound_to_the_key_that_it_proves() {
    let world = World::started();
    world.user("alice");
    let client = public(&world, &[]);
    let (key, other) = (Key::new(), Key::new());
    let mut browser = world.sign_in("alice");
    let code = pushed_code(&world, &mut browser, &client, Some(&key), "").unwrap();
    let stolen = public_token(&world, &client, Some(&other), &redeem(&code));
    assert_eq!(error(&stolen), (400, "invalid_grant".to_owned()));
    let good = public_token(&world, &client, Some(&key), &redeem(&code));
    assert_eq!(good.status, 200, "{good:?}");
    let named = format!("&dpop_jkt={}", other.jkt());
    let contradiction = pushed_code(&world, &mut browser, &client, Some(&key), &named);
    assert_eq!(contradiction, Err((400, "invalid_dpop_proof".to_owned())));
}

/// RFC 9449 §5.1: each algorithm that is listed, at both endpoints.
#[test]
fn proofs_of_every_listed_algorithm_are_taken() {
    let world = World::started();
    world.user("alice");
    let client = world.trusted();
    let document = world
        .ask("GET", "/.well-known/openid-configuration", "", "")
        .json();
    let listed = document["dpop_signing_alg_values_supported"]
        .as_array()
        .unwrap();
    assert_eq!(listed.len(), 5);
    let mut browser = world.sign_in("alice");
    for alg in listed {
        let key = Key::of(alg.as_str().unwrap());
        let code = browser.code(&client, "openid");
        let tokens = token(&world, &client, &key, &redeem(&code)).json();
        assert_eq!(tokens["token_type"], "DPoP", "{alg}");
        let access = text(&tokens, "access_token");
        assert_eq!(claims(&access)["cnf"]["jkt"], key.jkt(), "{alg}");
        let headers = key.with_token("GET", &userinfo_url(&world), &access);
        assert_eq!(
            world.ask("GET", "/userinfo", &headers, "").status,
            200,
            "{alg}"
        );
    }
}

#[test]
fn pages_of_a_clients_origin_may_send_proofs() {
    let world = World::started();
    let _ = public(&world, &[]);
    let headers = "Origin: https://app.example\r\nAccess-Control-Request-Headers: dpop\r\n";
    for path in ["/token", "/userinfo"] {
        let answer = world.ask("OPTIONS", path, headers, "");
        let allowed = answer.header("Access-Control-Allow-Headers").unwrap();
        assert!(allowed.split(", ").any(|name| name == "DPoP"), "{allowed}");
    }
}
