//! Client ID metadata documents (draft-ietf-oauth-client-id-metadata-document-02) on the wire: an application that nobody
//! added is known by the address of a document. Documents that
//! are refused, and the limits of fetching: `client_documents_refused`.

use crate::prover::{Key, now};
use crate::site::allow_loopback;
use crate::world::{Answer, Browser, REDIRECT, World, challenge, claims, encode, redeem};
use doorlight::types::WireClientId;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

pub const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

/// The application's own web server: answers what it is told to, and counts.
pub struct Host {
    pub port: u16,
    answer: Arc<Mutex<Vec<u8>>>,
    asked: Arc<AtomicUsize>,
}

impl Host {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = Arc::new(Mutex::new(Vec::new()));
        let asked = Arc::new(AtomicUsize::new(0));
        let (shared, count) = (answer.clone(), asked.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, answer) = (stream.unwrap(), shared.clone());
                let count = count.clone();
                thread::spawn(move || {
                    let head = head(&mut stream);
                    assert!(head.starts_with("GET /client.json"), "{head}");
                    count.fetch_add(1, Ordering::SeqCst);
                    let answer = answer.lock().unwrap().clone();
                    if answer.is_empty() {
                        thread::sleep(Duration::from_secs(30));
                    }
                    // Whoever has heard enough hangs up.
                    let _ = stream.write_all(&answer);
                });
            }
        });
        Self {
            port,
            answer,
            asked,
        }
    }

    pub fn id(&self) -> String {
        format!("http://127.0.0.1:{}/client.json", self.port)
    }

    pub fn document(&self) -> Value {
        json!({
            "client_id": self.id(),
            "client_name": "Notes",
            "redirect_uris": [REDIRECT],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        })
    }

    pub fn raw(&self, answer: String) {
        *self.answer.lock().unwrap() = answer.into_bytes();
    }

    pub fn serve(&self, document: &Value) {
        self.respond(
            "200 OK",
            "Cache-Control: max-age=600\r\n",
            &document.to_string(),
        );
    }

    pub fn respond(&self, status: &str, headers: &str, body: &str) {
        self.raw(format!(
            "HTTP/1.1 {status}\r\n{headers}Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ));
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn head(stream: &mut TcpStream) -> String {
    let (mut text, mut byte) = (String::new(), [0]);
    while !text.ends_with("\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
        text.push(char::from(byte[0]));
    }
    text
}

/// A server that takes documents, from this machine too.
pub fn world() -> World {
    let world = World::started();
    world.verb(&["registration", "documents", "on"], "");
    allow_loopback(&world);
    world.user("alice");
    world
}

/// A server and an application that describes itself.
pub fn world_and_host() -> (World, Host) {
    let host = Host::new();
    host.serve(&host.document());
    (world(), host)
}

fn parameters(id: &str, more: &str) -> String {
    format!(
        "response_type=code&client_id={}&redirect_uri={}&scope=openid+offline_access&state=s-1&nonce=n-1&code_challenge={}\
         &code_challenge_method=S256{more}",
        encode(id),
        encode(REDIRECT),
        challenge()
    )
}

pub fn ask(browser: &mut Browser<'_>, id: &str) -> Answer {
    browser.get(&format!("/authorize?{}", parameters(id, "")))
}

fn agree(browser: &mut Browser<'_>, page: &Answer) -> String {
    let agreed = browser.submit(page, "/consent", &[("decision", "allow")]);
    agreed.parameter("code").unwrap()
}

pub fn post(world: &World, path: &str, id: &str, body: &str) -> Answer {
    let body = format!("client_id={}&{body}", encode(id));
    world.ask("POST", path, FORM, &body)
}

/// Signs alice in, who agrees.
fn tokens(world: &World, id: &str) -> Value {
    let mut browser = world.sign_in("alice");
    let page = ask(&mut browser, id);
    let code = agree(&mut browser, &page);
    let answer = post(world, "/token", id, &redeem(&code));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

pub fn clients(world: &World) -> usize {
    world
        .verb(&["client", "list"], "")
        .as_array()
        .map_or(0, Vec::len)
}

pub fn audit(world: &World) -> String {
    String::from_utf8(world.run(&["audit"], "").stdout).unwrap()
}

/// Nobody waits for the record of a refusal, so it may come a little later.
pub fn is_recorded(world: &World, text: &str) -> bool {
    let begun = Instant::now();
    while !audit(world).contains(text) {
        if begun.elapsed() > Duration::from_secs(60) {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
    true
}

fn discovered(world: &World) -> Value {
    let document = world.ask("GET", "/.well-known/oauth-authorization-server", "", "");
    document.json()["client_id_metadata_document_supported"].clone()
}

#[test]
fn an_application_that_nobody_added_signs_people_in_after_they_agreed() {
    let (world, host) = world_and_host();
    let mut browser = world.sign_in("alice");
    let page = ask(&mut browser, &host.id());
    assert_eq!(page.status, 200, "{page:?}");
    let place = format!("127.0.0.1:{}", host.port);
    assert!(
        page.body
            .contains(&format!("Sign in to {place} (“Notes”)?")),
        "{page:?}"
    );
    assert!(
        page.body
            .contains(&format!("describes itself at <strong>{place}</strong>"))
    );
    assert!(
        page.body
            .contains("sends you on to <strong>app.example</strong>")
    );
    assert_eq!(clients(&world), 0, "written before anybody agreed");

    let code = agree(&mut browser, &page);
    assert_eq!(clients(&world), 1);
    let tokens = post(&world, "/token", &host.id(), &redeem(&code));
    assert_eq!(tokens.status, 200, "{tokens:?}");
    let again = ask(&mut browser, &host.id());
    assert!(
        again.parameter("code").is_some(),
        "asked for the same twice: {again:?}"
    );
    assert_eq!(host.asked(), 1, "fetched once in ten minutes");
}

/// Nothing that leaves may show the key under which the client is kept.
#[test]
fn the_address_stands_wherever_a_client_id_is_written() {
    let (world, host) = world_and_host();
    let id = host.id();
    let tokens = tokens(&world, &id);
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let (access, id_token, refresh) = (
        text("access_token"),
        text("id_token"),
        text("refresh_token"),
    );
    assert_eq!(claims(&access)["client_id"], json!(id));
    assert_eq!(claims(&id_token)["aud"], json!(id));

    // RFC 7662: a public client may not ask; another, with the right to, sees whose token it is.
    let reader = world.client("Reader", &["--redirect-uri", REDIRECT, "--may-introspect"]);
    let seen = world.introspect(&reader, &access);
    assert_eq!(
        (&seen["active"], &seen["client_id"]),
        (&json!(true), &json!(id))
    );

    let mut browser = world.sign_in("alice");
    let signed = browser.get(&format!(
        "/authorize?{}",
        parameters(&id, "&response_mode=jwt")
    ));
    assert_eq!(
        claims(&signed.parameter("response").unwrap())["aud"],
        json!(id)
    );

    let shown = world.verb(&["client", "show", &id], "");
    assert_eq!(shown["client_id"], json!(id));

    // What it is kept under names nobody.
    let key = id.parse::<WireClientId>().unwrap().key().to_string();
    assert_eq!(ask(&mut browser, &key).status, 400);
    let unknown = post(
        &world,
        "/token",
        &key,
        &format!("grant_type=refresh_token&refresh_token={refresh}"),
    );
    assert_eq!(unknown.json()["error"], "invalid_client");

    // OpenID Connect RP-Initiated Logout §2: the hint's audience is the client.
    let out = browser.get(&format!(
        "/logout?id_token_hint={id_token}&client_id={}",
        encode(&id)
    ));
    assert_eq!(out.status, 200, "{out:?}");
    let other = browser.get(&format!(
        "/logout?id_token_hint={id_token}&client_id={}",
        reader.id
    ));
    assert_eq!(other.status, 400, "{other:?}");

    // RFC 7009: its own token; a grant ends with its refresh token.
    let revoked = post(&world, "/revoke", &id, &format!("token={refresh}"));
    assert_eq!(revoked.status, 200, "{revoked:?}");
    let again = post(
        &world,
        "/token",
        &id,
        &format!("grant_type=refresh_token&refresh_token={refresh}"),
    );
    assert_eq!(again.json()["error"], "invalid_grant");
    assert_eq!(
        world.introspect(&reader, &access),
        json!({ "active": false })
    );
}

#[test]
fn off_by_default_and_then_no_address_is_called() {
    let host = Host::new();
    host.serve(&host.document());
    let world = World::started();
    allow_loopback(&world);
    world.user("alice");
    let mut browser = world.sign_in("alice");
    assert_eq!(discovered(&world), Value::Null);
    let page = ask(&mut browser, &host.id());
    assert_eq!((page.status, host.asked()), (400, 0));
    assert!(page.body.contains("unknown_client"), "{page:?}");
    assert_eq!(post(&world, "/par", &host.id(), "").status, 401);
    assert_eq!(host.asked(), 0);

    world.verb(&["registration", "documents", "on"], "");
    assert_eq!(discovered(&world), true);
    let page = ask(&mut browser, &host.id());
    assert_eq!((page.status, host.asked()), (200, 1));
    let code = agree(&mut browser, &page);
    let tokens = post(&world, "/token", &host.id(), &redeem(&code)).json();

    // Off again: nobody new; what was given goes on.
    world.verb(&["registration", "documents", "off"], "");
    assert_eq!(
        world.verb(&["registration", "show"], "")["client_documents"],
        false
    );
    assert_eq!(ask(&mut browser, &host.id()).status, 400);
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let body = format!("grant_type=refresh_token&refresh_token={refresh}");
    assert_eq!(post(&world, "/token", &host.id(), &body).status, 200);
}

#[test]
fn section_8_4_a_new_address_is_asked_about_again_and_one_that_went_is_refused() {
    let (world, host) = world_and_host();
    host.respond(
        "200 OK",
        "Cache-Control: no-store\r\n",
        &host.document().to_string(),
    );
    let first = tokens(&world, &host.id());
    let mut changed = host.document();
    changed["redirect_uris"] = json!([REDIRECT, "https://more.example/cb"]);
    host.serve(&changed);

    // What is held counts for a minute; a restart forgets it.
    let mut world = world;
    world.kill();
    world.start();
    let mut browser = world.sign_in("alice");
    let page = ask(&mut browser, &host.id());
    assert_eq!(page.status, 200, "nobody is asked: {page:?}");
    agree(&mut browser, &page);
    let shown = world.verb(&["client", "show", &host.id()], "");
    assert_eq!(
        shown["redirect_uris"],
        json!([REDIRECT, "https://more.example/cb"])
    );
    assert!(is_recorded(&world, "its document changed: redirect_uris"));
    let again = ask(&mut browser, &host.id());
    assert!(again.parameter("code").is_some(), "{again:?}");

    // Tokens go on, also while the document is gone; new sign-ins do not.
    host.respond("410 Gone", "", "{}");
    world.kill();
    world.start();
    let mut browser = world.sign_in("alice");
    assert_eq!(ask(&mut browser, &host.id()).status, 400);
    let refresh = first["refresh_token"].as_str().unwrap();
    let body = format!("grant_type=refresh_token&refresh_token={refresh}");
    assert_eq!(post(&world, "/token", &host.id(), &body).status, 200);
}

/// The id is made of the address, so it comes back: what was issued before must not.
#[test]
fn what_was_issued_before_the_application_was_deleted_stays_dead() {
    let (world, host) = world_and_host();
    let before = tokens(&world, &host.id());
    world.verb(&["client", "rm", &host.id()], "");
    let refresh = before["refresh_token"].as_str().unwrap();
    let body = format!("grant_type=refresh_token&refresh_token={refresh}");
    assert_eq!(post(&world, "/token", &host.id(), &body).status, 401);

    // `tokens` agrees again, so the person was asked again.
    let after = tokens(&world, &host.id());
    let dead = post(&world, "/token", &host.id(), &body);
    assert_eq!(dead.json()["error"], "invalid_grant", "{dead:?}");
    let bearer = |tokens: &Value| {
        let access = tokens["access_token"].as_str().unwrap();
        world
            .ask(
                "GET",
                "/userinfo",
                &format!("Authorization: Bearer {access}\r\n"),
                "",
            )
            .status
    };
    assert_eq!((bearer(&before), bearer(&after)), (401, 200));
}

#[test]
fn rfc7636_pkce_is_required_of_every_one_also_with_a_key() {
    let (world, host) = world_and_host();
    let key = Key::of("ES256");
    let mut document = host.document();
    document["token_endpoint_auth_method"] = json!("private_key_jwt");
    document["jwks"] = json!({ "keys": [key.jwk()] });
    host.serve(&document);
    let mut browser = world.sign_in("alice");
    let bare = format!(
        "/authorize?response_type=code&client_id={}&redirect_uri={}&scope=openid",
        encode(&host.id()),
        encode(REDIRECT)
    );
    let refused = browser.get(&bare);
    assert_eq!(
        refused.parameter("error").as_deref(),
        Some("invalid_request"),
        "{refused:?}"
    );

    // §8.2: it proves itself with its key, and not without.
    let page = ask(&mut browser, &host.id());
    let code = agree(&mut browser, &page);
    let alone = post(&world, "/token", &host.id(), &redeem(&code));
    assert_eq!(alone.json()["error"], "invalid_client");
    let assertion = |jti: &str| {
        let claims = json!({
            "iss": host.id(), "sub": host.id(), "aud": world.issuer(), "jti": jti, "exp": now() + 60,
        });
        format!(
            "client_assertion_type={}&client_assertion={}",
            encode("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            key.jwt("JWT", &claims)
        )
    };
    let with_key = format!("{}&{}", redeem(&code), assertion("one"));
    let tokens = post(&world, "/token", &host.id(), &with_key);
    assert_eq!(tokens.status, 200, "{tokens:?}");

    // RFC 9126: it pushes with the key too.
    let pushed = format!("{}&{}", parameters(&host.id(), ""), assertion("two"));
    let pushed = world.ask("POST", "/par", FORM, &pushed);
    assert_eq!(pushed.status, 201, "{pushed:?}");
}

#[test]
fn rfc9126_a_push_may_be_the_first_that_is_heard_of_it() {
    let (world, host) = world_and_host();
    let pushed = world.ask("POST", "/par", FORM, &parameters(&host.id(), ""));
    assert_eq!(pushed.status, 201, "{pushed:?}");
    assert_eq!((clients(&world), host.asked()), (0, 1));
    let uri = pushed.json()["request_uri"].as_str().unwrap().to_owned();
    let mut browser = world.sign_in("alice");
    let start = format!(
        "/authorize?client_id={}&request_uri={}",
        encode(&host.id()),
        encode(&uri)
    );
    let marked = browser.get(&start);
    let page = browser.get(marked.header("Location").unwrap());
    let code = agree(&mut browser, &page);
    assert_eq!(
        post(&world, "/token", &host.id(), &redeem(&code)).status,
        200
    );
}

#[test]
fn rfc8252_section_8_6_who_goes_on_in_a_program_on_the_device_is_warned_of_and_asked_each_time() {
    let (world, host) = world_and_host();
    let mut document = host.document();
    document["redirect_uris"] = json!(["http://127.0.0.1/cb"]);
    host.serve(&document);
    let mut browser = world.sign_in("alice");
    let target = format!(
        "/authorize?{}",
        parameters(&host.id(), "").replace(&encode(REDIRECT), &encode("http://127.0.0.1:5123/cb"))
    );
    for _ in 0..2 {
        let page = browser.get(&target);
        assert_eq!(page.status, 200, "{page:?}");
        assert!(
            page.body.contains("in a program on this device"),
            "{page:?}"
        );
        agree(&mut browser, &page);
    }
}
