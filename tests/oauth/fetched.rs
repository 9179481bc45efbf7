//! Documents that stand at an address of the application's own (`jwks_uri`, RFC 7591 §2; `request_uri`, RFC 9101 §5.2)
//! on the wire. How often one is fetched is told by the tests of `src/server/fetched/cache.rs`.

use crate::prover::{Key, now};
use crate::world::{Answer, REDIRECT, TestClient, World, challenge, encode};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A web server of one document, whole with its head; counts who asks.
struct Site {
    port: u16,
    asked: Arc<AtomicUsize>,
    answer: Arc<Mutex<String>>,
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

impl Site {
    fn with(answer: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let site = Self {
            port,
            asked: Arc::default(),
            answer: Arc::new(Mutex::new(answer)),
        };
        let (asked, answer) = (site.asked.clone(), site.answer.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let (mut head, mut byte) = (Vec::new(), [0]);
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
                    head.push(byte[0]);
                }
                asked.fetch_add(1, Ordering::SeqCst);
                // The other side may have had enough.
                let _ = stream.write_all(answer.lock().unwrap().as_bytes());
            }
        });
        site
    }

    fn uri(&self) -> String {
        format!("http://127.0.0.1:{}/document", self.port)
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn keys(key: &Key) -> String {
    json!({ "keys": [key.jwk()] }).to_string()
}

fn allow_loopback(world: &World) {
    world.verb(&["outbound", "allow", "127.0.0.1"], "");
}

fn service(world: &World, name: &str, jwks_uri: &str) -> String {
    let more = [
        "--grant",
        "client_credentials",
        "--scope",
        "api",
        "--auth-method",
        "private_key_jwt",
    ];
    let mut all = vec!["client", "add", name, "--jwks-uri", jwks_uri];
    all.extend(more);
    world.verb(&all, "")["client_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn ask(world: &World, key: &Key, id: &str, jti: &str) -> Answer {
    let claims =
        json!({ "iss": id, "sub": id, "aud": world.issuer(), "jti": jti, "exp": now() + 60 });
    let body = format!(
        "grant_type=client_credentials&client_assertion_type={}&client_assertion={}",
        encode("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        key.jwt("JWT", &claims)
    );
    world.ask(
        "POST",
        "/token",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        &body,
    )
}

#[test]
fn keys_at_an_address_prove_an_application_and_are_fetched_once() {
    let world = World::started();
    allow_loopback(&world);
    let key = Key::of("ES256");
    let site = Site::with(ok(&keys(&key)));
    let id = service(&world, "signer", &site.uri());
    for jti in ["1", "2", "3"] {
        let answer = ask(&world, &key, &id, jti);
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let other = ask(&world, &Key::of("ES256"), &id, "4");
    assert_eq!(other.json()["error"], "invalid_client");
    assert_eq!(site.asked(), 1);
}

#[test]
fn what_is_no_key_set_is_refused_and_not_asked_for_again_within_a_minute() {
    let world = World::started();
    allow_loopback(&world);
    let key = Key::of("ES256");
    let long = format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(64 * 1024));
    let private = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}]}"#;
    for (n, bad) in [
        "HTTP/1.1 302 Found\r\nLocation: https://a.example/\r\nContent-Length: 0\r\n\r\n"
            .to_owned(),
        "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n".to_owned(),
        ok("<html>"),
        ok("{\"keys\":[]}"),
        ok("{\"keys\":[],\"keys\":[]}"),
        ok(private),
        ok(&long),
    ]
    .into_iter()
    .enumerate()
    {
        let site = Site::with(bad.clone());
        let id = service(&world, &format!("signer {n}"), &site.uri());
        for jti in ["1", "2"] {
            let answer = ask(&world, &key, &id, jti);
            assert_eq!(answer.json()["error"], "invalid_client", "{bad}");
        }
        assert_eq!(site.asked(), 1, "{bad}");
    }
}

#[test]
fn an_inner_address_is_not_called_until_its_host_is_allowed() {
    let world = World::started();
    let key = Key::of("ES256");
    let site = Site::with(ok(&keys(&key)));
    let id = service(&world, "signer", &site.uri());
    assert_eq!(
        ask(&world, &key, &id, "1").json()["error"],
        "invalid_client"
    );
    assert_eq!(site.asked(), 0);
    allow_loopback(&world);
    assert_eq!(ask(&world, &key, &id, "2").status, 200);
    world.verb(&["outbound", "deny", "127.0.0.1"], "");
    assert_eq!(
        ask(&world, &key, &id, "3").json()["error"],
        "invalid_client"
    );
    assert_eq!(site.asked(), 1);
}

fn request(world: &World, client: &TestClient) -> Value {
    json!({
        "iss": client.id, "aud": world.issuer(), "exp": now() + 60, "nbf": now(), "client_id": client.id,
        "response_type": "code", "redirect_uri": REDIRECT, "scope": "openid", "state": "inside",
        "code_challenge": challenge(), "code_challenge_method": "S256",
    })
}

#[test]
fn rfc9101_section_5_2_a_registered_address_stands_for_the_request() {
    let world = World::started();
    allow_loopback(&world);
    world.user("alice");
    let mut browser = world.sign_in("alice");
    let key = Key::of("ES256");
    let (site, published) = (Site::with(String::new()), Site::with(ok(&keys(&key))));
    let (uri, jwks) = (site.uri(), published.uri());
    let more = [
        "--redirect-uri",
        REDIRECT,
        "--trusted",
        "--jwks-uri",
        &jwks,
        "--request-uri",
        &uri,
    ];
    let client = world.client("Notes", &more);
    let outside = format!("&redirect_uri={}&state=outside", encode(REDIRECT));
    let start = |uri: &str| {
        format!(
            "/authorize?client_id={}&request_uri={}{outside}",
            client.id,
            encode(uri)
        )
    };
    let foreign = browser.get(&start("http://127.0.0.1:1/other"));
    assert_eq!(
        foreign.parameter("error").as_deref(),
        Some("invalid_request_uri")
    );
    let both = browser.get(&format!("{}&request=a.b.c", start(&uri)));
    assert_eq!(both.parameter("error").as_deref(), Some("invalid_request"));
    assert_eq!((site.asked(), published.asked()), (0, 0));

    *site.answer.lock().unwrap() = ok(&key.jwt("oauth-authz-req+jwt", &request(&world, &client)));
    for _ in 0..2 {
        let answer = browser.get(&start(&uri));
        assert_eq!(
            answer.parameter("state").as_deref(),
            Some("inside"),
            "{answer:?}"
        );
        assert!(answer.parameter("code").is_some());
    }
    assert_eq!((site.asked(), published.asked()), (1, 1));
}
