//! Back-channel logout (OpenID Connect Back-Channel Logout 1.0): what an application that ends its own sessions sees.

use crate::world::{Browser, PASSWORD, REDIRECT, TestClient, World, claims, encode, hidden};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// An application's receiver: answers with these statuses in turn, the last for ever.
struct Receiving {
    port: u16,
    posts: Receiver<String>,
}

impl Receiving {
    fn answering(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, posts) = channel();
        let mut statuses = statuses.to_vec();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let post = request(&mut stream);
                let status = statuses[0];
                if statuses.len() > 1 {
                    statuses.remove(0);
                }
                let answer = format!("HTTP/1.1 {status} So\r\nContent-Length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).unwrap();
                if tell.send(post).is_err() {
                    return;
                }
            }
        });
        Self { port, posts }
    }

    fn uri(&self) -> String {
        format!("http://127.0.0.1:{}/out?from=doorlight", self.port)
    }

    /// The next logout token.
    fn token(&self) -> String {
        let post = self.posts.recv_timeout(Duration::from_secs(20)).unwrap();
        let (head, body) = post.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("POST /out?from=doorlight HTTP/1.1\r\n"),
            "{head}"
        );
        let head = head.to_lowercase();
        assert!(
            head.contains("content-type: application/x-www-form-urlencoded"),
            "{head}"
        );
        body.strip_prefix("logout_token=").unwrap().to_owned()
    }

    fn is_quiet(&self) -> bool {
        self.posts
            .recv_timeout(Duration::from_millis(1_500))
            .is_err()
    }
}

fn request(stream: &mut TcpStream) -> String {
    let (mut text, mut byte) = (String::new(), [0]);
    let whole = |text: &str| {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let head = head.to_lowercase();
        let length = head.split_once("content-length: ")?.1;
        Some(body.len() >= length.lines().next()?.parse().ok()?)
    };
    while whole(&text) != Some(true) && stream.read(&mut byte).is_ok_and(|n| n == 1) {
        text.push(char::from(byte[0]));
    }
    text
}

fn listening(world: &World, name: &str, uri: &str, more: &[&str]) -> TestClient {
    let mut all = vec![
        "--redirect-uri",
        REDIRECT,
        "--trusted",
        "--backchannel-logout-uri",
        uri,
    ];
    all.extend(more);
    world.client(name, &all)
}

fn allow_loopback(world: &World) {
    world.verb(&["outbound", "allow", "127.0.0.1"], "");
}

fn sign_out(browser: &mut Browser<'_>) {
    let page = browser.get("/logout");
    let answer = browser.submit(&page, "/logout", &[]);
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn header(token: &str) -> Value {
    let header = URL_SAFE_NO_PAD
        .decode(token.split('.').next().unwrap())
        .unwrap();
    serde_json::from_slice(&header).unwrap()
}

/// Against the published keys, as an application would.
fn verifies(world: &World, token: &str) -> bool {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let keys = world.ask("GET", "/jwks.json", "", "").json();
    let kid = header(token)["kid"].clone();
    let key = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["kid"] == kid)
        .unwrap();
    let part = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    match key["alg"].as_str().unwrap() {
        "RS256" => {
            let public = ring::signature::RsaPublicKeyComponents {
                n: part("n"),
                e: part("e"),
            };
            let check = &ring::signature::RSA_PKCS1_2048_8192_SHA256;
            public.verify(check, signed.as_bytes(), &signature).is_ok()
        }
        _ => {
            let point = [vec![4], part("x"), part("y")].concat();
            let check = &ring::signature::ECDSA_P256_SHA256_FIXED;
            let public = ring::signature::UnparsedPublicKey::new(check, point);
            public.verify(signed.as_bytes(), &signature).is_ok()
        }
    }
}

/// The audit events of that kind, newest first.
fn events(world: &World, kind: &str) -> Vec<Value> {
    let output = world.run(&["audit"], "").stdout;
    let lines = String::from_utf8(output).unwrap();
    let all = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    all.filter(|event| event["kind"] == kind).collect()
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_sign_out_reaches_an_application_that_fails_twice_and_a_server_that_is_killed() {
    let mut world = World::started();
    world.user("alice");
    allow_loopback(&world);
    let app = Receiving::answering(&[503, 500, 200]);
    let client = listening(&world, "App", &app.uri(), &[]);
    let other = Receiving::answering(&[200]);
    listening(&world, "Never used", &other.uri(), &[]);
    let (id_token, first) = {
        let mut browser = world.sign_in("alice");
        let tokens = browser.tokens(&client, "openid");
        browser.tokens(&client, "openid offline_access");
        sign_out(&mut browser);
        (claims(tokens["id_token"].as_str().unwrap()), app.token())
    };
    // What is owed is in the file, wherever the attempt stands.
    world.kill();
    world.start();
    let (second, third) = (app.token(), app.token());
    for token in [&first, &second, &third] {
        let said = claims(token);
        let (iat, exp) = (said["iat"].as_u64().unwrap(), said["exp"].as_u64().unwrap());
        assert_eq!(exp - iat, 120);
        let expected = json!({
            "iss": world.issuer(),
            "sub": id_token["sub"],
            "aud": client.id,
            "iat": iat,
            "exp": exp,
            "jti": said["jti"],
            "sid": id_token["sid"],
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        assert_eq!(said, expected);
        assert_eq!(
            (&header(token)["typ"], &header(token)["alg"]),
            (&json!("logout+jwt"), &json!("RS256"))
        );
        assert!(verifies(&world, token), "{token}");
    }
    // An application that remembers what it has seen takes each attempt.
    assert_ne!(claims(&first)["jti"], claims(&second)["jti"]);
    let told = until("the record that it arrived", || {
        let told = events(&world, "logout.delivery");
        (told.first()?["outcome"] == "success").then_some(told)
    });
    let outcomes: Vec<_> = told
        .iter()
        .map(|event| event["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["success", "refused"], "{told:?}");
    assert_eq!(
        (&told[0]["client_name"], &told[0]["username"]),
        (&json!("App"), &json!("alice"))
    );
    // Once for two grants of one session, and never again.
    assert!(app.is_quiet() && other.is_quiet());
    world.kill();
    world.start();
    assert!(app.is_quiet());
}

#[test]
fn each_way_to_lose_a_session_or_a_permission_is_told() {
    let world = World::started();
    allow_loopback(&world);
    for name in ["anna", "bob", "cleo", "dora", "emil"] {
        world.user(name);
    }
    let app = Receiving::answering(&[204]);
    let client = listening(
        &world,
        "App",
        &app.uri(),
        &[
            "--id-token-alg",
            "ES256",
            "--backchannel-logout-session-required",
        ],
    );
    let told = |how: &str, sub: &Value| {
        let token = app.token();
        assert_eq!(&claims(&token)["sub"], sub, "{how}");
        assert_eq!(header(&token)["alg"], "ES256");
        assert!(verifies(&world, &token), "{how}");
    };
    let sub = |browser: &mut Browser<'_>| {
        let tokens = browser.tokens(&client, "openid");
        claims(tokens["id_token"].as_str().unwrap())["sub"].clone()
    };

    let mut anna = world.sign_in("anna");
    let who = sub(&mut anna);
    let page = anna.get("/");
    // She was never asked, so her page has no button for it; a form of it has the same token.
    let fields = hidden(&page.body, "/logout");
    let csrf = fields.iter().find(|(name, _)| name == "csrf").unwrap();
    let body = format!("id={}&csrf={}", client.id, encode(&csrf.1));
    let answer = anna.post("/account/applications/revoke", "", &body);
    assert_eq!(answer.status, 303, "{answer:?}");
    told("the permission is withdrawn", &who);
    // It was told; the session's end says nothing new.
    sign_out(&mut anna);

    let mut bob = world.sign_in("bob");
    let who = sub(&mut bob);
    world.verb(&["user", "disable", "bob"], "");
    told("the person is disabled", &who);

    let mut cleo = world.sign_in("cleo");
    let who = sub(&mut cleo);
    world.verb(
        &["user", "passwd", "cleo", "--password-stdin"],
        "another fine horse battery",
    );
    told("the password is reset", &who);

    let mut dora = world.sign_in("dora");
    let who = sub(&mut dora);
    world.verb(&["user", "rm", "dora"], "");
    told("the person is deleted", &who);

    let mut emil = world.sign_in("emil");
    let who = sub(&mut emil);
    sign_out(&mut emil);
    told("the person signs out", &who);
    assert!(app.is_quiet());
}

#[test]
fn what_others_do_to_a_sign_in_is_told_too() {
    let world = World::started();
    allow_loopback(&world);
    for name in ["anna", "bob", "cleo"] {
        world.user(name);
    }
    let add = ["user", "add", "root", "--admin", "--group", "cooks"];
    world.verb(&[&add[..], &["--password-stdin"]].concat(), PASSWORD);
    let app = Receiving::answering(&[204]);
    let client = listening(&world, "App", &app.uri(), &[]);
    let token_of = |browser: &mut Browser<'_>| {
        let tokens = browser.tokens(&client, "openid");
        let said = claims(tokens["id_token"].as_str().unwrap());
        (said["sub"].clone(), said["sid"].clone())
    };
    let told = |how: &str, who: &(Value, Value)| {
        let said = claims(&app.token());
        assert_eq!((&said["sub"], &said["sid"]), (&who.0, &who.1), "{how}");
    };

    // Another person signs in where somebody else is.
    let mut shared = world.sign_in("anna");
    let anna = token_of(&mut shared);
    let page = shared.get("/login");
    let answer = shared.submit(
        &page,
        "/login",
        &[("username", "bob"), ("password", PASSWORD)],
    );
    assert_eq!(answer.status, 303, "{answer:?}");
    told("another person signs in", &anna);

    let bob = token_of(&mut shared);
    let mut admin = world.sign_in("root");
    let page = admin.get("/admin/sessions");
    let form = format!("<form{}", row_of(&page.body, "bob"));
    let page = crate::world::Answer { body: form, ..page };
    let action = page.body.split("action=\"").nth(1).unwrap();
    let action = action.split('"').next().unwrap().to_owned();
    let answer = admin.submit(&page, &action, &[]);
    assert_eq!(answer.status, 303, "{answer:?}");
    told("an administrator ends the session", &bob);

    let mut cleo = world.sign_in("cleo");
    let who = token_of(&mut cleo);
    let path = format!("/admin/applications/{}", client.id);
    let page = admin.get(&path);
    let uri = app.uri();
    let fields = [
        ("name", "App"),
        ("kind", "web"),
        ("redirect_uris", REDIRECT),
        ("scope", "openid"),
        ("grant", "authorization_code"),
        ("profile", "standard"),
        ("id_token_alg", "RS256"),
        ("access_token_alg", "ES256"),
        ("consent", "trusted"),
        ("refresh", "when_asked"),
        ("access_token_minutes", "15"),
        ("refresh_idle_days", "30"),
        ("refresh_absolute_days", "365"),
        ("backchannel_logout_uri", &uri),
        ("allowed_group", "cooks"),
    ];
    let answer = admin.submit(&page, &path, &fields);
    assert_eq!(answer.status, 303, "{answer:?}");
    told("the application is closed to them", &who);
    assert!(app.is_quiet());
}

/// The form in the row of that person.
fn row_of<'p>(page: &'p str, name: &str) -> &'p str {
    let row = page.split("<tr").find(|row| row.contains(name)).unwrap();
    row.split_once("<form").unwrap().1
}

#[test]
fn section_2_8_an_application_that_says_400_is_not_asked_again() {
    let world = World::started();
    world.user("alice");
    allow_loopback(&world);
    let app = Receiving::answering(&[400]);
    let client = listening(&world, "App", &app.uri(), &[]);
    let mut browser = world.sign_in("alice");
    browser.tokens(&client, "openid");
    sign_out(&mut browser);
    app.token();
    let told = until("the record", || {
        events(&world, "logout.delivery").into_iter().next()
    });
    assert_eq!(told["outcome"], "refused");
    assert!(told["detail"].as_str().unwrap().contains("400"), "{told}");
    assert!(app.is_quiet());
    // The administrator sees it where the application is.
    world.verb(
        &["user", "add", "root", "--admin", "--password-stdin"],
        PASSWORD,
    );
    let page = world
        .sign_in("root")
        .get(&format!("/admin/applications/{}", client.id));
    assert!(page.body.contains("0 waiting, 1 given up"), "{}", page.body);
    assert!(page.body.contains("it answered 400"));
}

#[test]
fn a_host_that_is_not_allowed_is_not_called_and_the_administrator_learns_why() {
    let world = World::started();
    world.user("alice");
    let app = Receiving::answering(&[200]);
    let client = listening(&world, "App", &app.uri(), &[]);
    let mut browser = world.sign_in("alice");
    browser.tokens(&client, "openid");
    sign_out(&mut browser);
    let refused = until("the refusal", || {
        events(&world, "outbound.call").into_iter().next()
    });
    assert!(
        refused["detail"].as_str().unwrap().contains("not allowed"),
        "{refused}"
    );
    assert_eq!(refused["outcome"], "refused");
    assert!(app.posts.try_recv().is_err());
    // Allowed later: it is told then.
    allow_loopback(&world);
    assert_eq!(
        world.verb(&["outbound", "list"], ""),
        json!([{ "host": "127.0.0.1" }])
    );
    app.token();
    world.verb(&["outbound", "deny", "127.0.0.1"], "");
    assert_eq!(world.verb(&["outbound", "list"], ""), json!([]));
}

/// §2.2: an absolute address, no fragment, http for confidential clients only.
#[test]
fn section_2_2_addresses_that_cannot_be_registered() {
    let world = World::started();
    for (uri, more) in [
        ("/out", None),
        ("ftp://app.example/out", None),
        ("https://app.example/out#here", None),
        ("https://user@app.example/out", None),
        ("https://app.example/o ut", None),
        ("http://app.example/out", Some("--public")),
    ] {
        let mut all = vec![
            "client",
            "add",
            "App",
            "--redirect-uri",
            REDIRECT,
            "--backchannel-logout-uri",
            uri,
        ];
        all.extend(more);
        let output = world.run(&all, "");
        assert_eq!(output.status.code(), Some(1), "{uri}");
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(why.contains("backchannel_logout_uri"), "{why}");
    }
    assert_eq!(world.verb(&["client", "list"], ""), json!([]));
}

/// A call that hangs once kept a stopping server for as long as it took; what it was about is not lost.
#[test]
fn a_server_stops_in_time_while_an_application_hangs_and_tells_it_after_the_next_start() {
    let mut world = World::started();
    world.user("alice");
    allow_loopback(&world);
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("http://{}/out", hanging.local_addr().unwrap());
    let client = listening(&world, "App", &uri, &[]);
    {
        let mut browser = world.sign_in("alice");
        browser.tokens(&client, "openid");
        sign_out(&mut browser);
    }
    let (mut held, _) = hanging.accept().unwrap();
    assert!(request(&mut held).starts_with("POST /out"));
    let begun = Instant::now();
    let pid = rustix::process::Pid::from_raw(world.pid().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(world.exit_code(), Some(0));
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
    world.start();
    let (mut again, _) = hanging.accept().unwrap();
    let post = request(&mut again);
    let token = post.split_once("logout_token=").unwrap().1;
    assert_eq!(claims(token)["aud"], client.id);
}

#[test]
fn who_leaves_the_groups_of_an_application_is_signed_out_of_it_alone() {
    let world = World::started();
    world.user("root");
    world.verb(
        &[
            "user",
            "add",
            "anna",
            "--group",
            "cooks",
            "--admin",
            "--password-stdin",
        ],
        PASSWORD,
    );
    allow_loopback(&world);
    let (cooks, all) = (Receiving::answering(&[200]), Receiving::answering(&[200]));
    let kitchen = listening(
        &world,
        "Kitchen",
        &cooks.uri(),
        &["--allowed-group", "cooks"],
    );
    let notes = listening(&world, "Notes", &all.uri(), &[]);
    let mut anna = world.sign_in("anna");
    anna.tokens(&kitchen, "openid offline_access");
    anna.tokens(&notes, "openid");
    let page = anna.get("/admin/groups/~cooks/delete");
    let answer = anna.submit(&page, "/admin/groups/~cooks/delete", &[]);
    assert_eq!(answer.status, 303, "{answer:?}");
    assert_eq!(claims(&cooks.token())["aud"], kitchen.id);
    assert!(all.is_quiet());
    sign_out(&mut anna);
    assert_eq!(claims(&all.token())["aud"], notes.id);
}
