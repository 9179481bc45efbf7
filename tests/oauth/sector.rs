//! Sector documents (OpenID Connect Dynamic Client Registration 1.0 §5): when one is fetched, what it must say, and that
//! nothing is saved where it does not. Not here: the names that come of it (`pairwise`).

use crate::pairwise::OTHER;
use crate::receiver::{events, until};
use crate::registration::{JSON, management, open, register, registered};
use crate::site::allow_loopback;
use crate::world::{REDIRECT, World, claims, encode};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;

const MEMBER: &str = "sector_identifier_uri";

/// An application's web server with one document.
struct Serving {
    port: u16,
    answer: Arc<Mutex<(String, String)>>,
    asked: Receiver<()>,
}

impl Serving {
    fn document(document: &Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = Arc::new(Mutex::new(("200 OK".to_owned(), document.to_string())));
        let (held, (tell, asked)) = (answer.clone(), channel());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let (mut head, mut byte) = (Vec::new(), [0]);
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
                    head.push(byte[0]);
                }
                let (status, body) = held.lock().unwrap().clone();
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nLocation: /list.json?again\r\n\r\n{body}"
                );
                // Counted before it is answered: who has the answer knows that it was.
                if tell.send(()).is_err() {
                    return;
                }
                // One that is too long is not read to its end.
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self {
            port,
            answer,
            asked,
        }
    }

    fn uri(&self) -> String {
        format!("http://127.0.0.1:{}/list.json", self.port)
    }

    fn now(&self, status: &str, body: impl ToString) {
        *self.answer.lock().unwrap() = (status.to_owned(), body.to_string());
    }

    /// How often it was asked since.
    fn times(&self) -> usize {
        self.asked.try_iter().count()
    }
}

fn add<'a>(redirect: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec!["client", "add", "App", "--redirect-uri", redirect];
    all.extend(["--trusted", "--subject-type", "pairwise"]);
    all.extend(more);
    all
}

fn clients(world: &World) -> usize {
    let list = world.verb(&["client", "list"], "");
    list.as_array().unwrap().len()
}

/// Documents that do not do, as status and body.
fn bad_documents() -> Vec<(&'static str, &'static str, String)> {
    let list = json!([REDIRECT]).to_string();
    let long = json!([REDIRECT, "x".repeat(70_000)]).to_string();
    let mixed = json!([REDIRECT, 1]).to_string();
    let text = |text: &str| text.to_owned();
    vec![
        ("lacks a redirect URI", "200 OK", json!([OTHER]).to_string()),
        ("lists nothing", "200 OK", text("[]")),
        (
            "is an object",
            "200 OK",
            json!({ "a": [REDIRECT] }).to_string(),
        ),
        ("is a text", "200 OK", json!(REDIRECT).to_string()),
        ("has a number in it", "200 OK", mixed),
        (
            "has a list in it",
            "200 OK",
            json!([[REDIRECT]]).to_string(),
        ),
        ("is two", "200 OK", format!("{list}{list}")),
        ("is no JSON", "200 OK", text(REDIRECT)),
        ("is empty", "200 OK", text("")),
        ("is too large", "200 OK", long),
        ("is not there", "404 Not Found", list.clone()),
        ("lies elsewhere", "302 Found", list.clone()),
        ("is broken", "500 Internal Server Error", list),
    ]
}

#[test]
fn section_5_the_document_makes_one_sector_of_several_hosts() {
    let world = World::started();
    world.user("alice");
    allow_loopback(&world);
    let site = Serving::document(&json!([OTHER, REDIRECT]));
    let uri = site.uri();
    let add = |name: &str, redirects: &[&str]| {
        let mut all = vec![
            "--trusted",
            "--subject-type",
            "pairwise",
            "--sector-identifier-uri",
            &uri,
        ];
        for redirect in redirects {
            all.extend(["--redirect-uri", redirect]);
        }
        world.client(name, &all)
    };
    let (one, two) = (add("One", &[REDIRECT]), add("Two", &[OTHER, REDIRECT]));
    assert_eq!(site.times(), 2);
    let mut alice = world.sign_in("alice");
    let mut sub = |client| {
        let tokens = alice.tokens(client, "openid");
        claims(tokens["id_token"].as_str().unwrap())["sub"].clone()
    };
    assert_eq!(sub(&one), sub(&two));
    // Looked at when a client is saved, and never at a sign-in.
    assert_eq!(site.times(), 0);
    let shown = world.verb(&["client", "show", "One"], "");
    assert_eq!(shown["subject_type"], "pairwise");
    assert_eq!(shown["sector"], "127.0.0.1");
    assert_eq!(shown[MEMBER], json!(uri));
}

#[test]
fn section_5_an_administrator_saves_nothing_with_a_document_that_does_not_do() {
    let world = World::started();
    allow_loopback(&world);
    let site = Serving::document(&json!([]));
    let uri = site.uri();
    for (what, status, body) in bad_documents() {
        site.now(status, body);
        let output = world.run(&add(REDIRECT, &["--sector-identifier-uri", &uri]), "");
        assert_eq!(output.status.code(), Some(1), "{what}");
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(why.contains(MEMBER), "{what}: {why}");
        assert_eq!(site.times(), 1, "{what}");
    }
    assert_eq!(clients(&world), 0);
}

#[test]
fn core_section_8_1_settings_that_tell_no_sector() {
    let world = World::started();
    let uri = "--sector-identifier-uri";
    for (what, redirect, more) in [
        ("two hosts", REDIRECT, vec!["--redirect-uri", OTHER]),
        ("loopback", "http://127.0.0.1/cb", vec![]),
        ("a scheme", "com.example.app:/cb", vec!["--public"]),
        ("http", REDIRECT, vec![uri, "http://app.example/list"]),
        ("no address", REDIRECT, vec![uri, "app.example"]),
        ("fragment", REDIRECT, vec![uri, "https://app.example/#x"]),
        ("a name", REDIRECT, vec![uri, "https://me@app.example/"]),
    ] {
        let output = world.run(&add(redirect, &more), "");
        assert_eq!(output.status.code(), Some(1), "{what}");
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(why.contains(MEMBER), "{what}: {why}");
    }
    let public = [
        "client",
        "add",
        "App",
        "--redirect-uri",
        REDIRECT,
        uri,
        "https://app.example/",
    ];
    assert_eq!(world.run(&public, "").status.code(), Some(1));
    assert_eq!(clients(&world), 0);
    assert_eq!(events(&world, "outbound.call"), Vec::<Value>::new());
}

#[test]
fn a_private_address_is_not_called_and_the_administrator_learns_why() {
    let world = open();
    let site = Serving::document(&json!([REDIRECT]));
    let inner = format!("https://127.0.0.1:{}/list.json", site.port);
    let output = world.run(&add(REDIRECT, &["--sector-identifier-uri", &inner]), "");
    assert_eq!(output.status.code(), Some(1));
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(why.contains("not public"), "{why}");
    let metadata = json!({ "redirect_uris": [REDIRECT], MEMBER: inner });
    let answer = register(&world, "", &metadata);
    assert_eq!(
        (answer.status, &answer.json()["error"]),
        (400, &json!("invalid_client_metadata"))
    );
    // What stands behind the door is not for strangers to find out.
    assert!(
        !answer.body.contains("127.0.0.1") && !answer.body.contains("public"),
        "{answer:?}"
    );
    // Nobody waits for the record of a refusal.
    let refused = until("both records", || {
        Some(events(&world, "outbound.call")).filter(|all| all.len() == 2)
    });
    for event in refused {
        assert_eq!(event["outcome"], "refused");
        assert!(
            event["detail"].as_str().unwrap().contains(&inner),
            "{event}"
        );
    }
    assert_eq!((clients(&world), site.times()), (0, 0));
}

#[test]
fn registration_section_5_an_application_registers_its_sector() {
    let world = open();
    allow_loopback(&world);
    let site = Serving::document(&json!([REDIRECT]));
    let uri = site.uri();
    // An address for sectors is a wish for them.
    let made = registered(&world, &json!({ "redirect_uris": [REDIRECT], MEMBER: uri }));
    assert_eq!(
        (&made["subject_type"], &made[MEMBER]),
        (&json!("pairwise"), &json!(uri))
    );
    let own = registered(
        &world,
        &json!({ "redirect_uris": [REDIRECT], "subject_type": "pairwise" }),
    );
    assert_eq!(
        (&own["subject_type"], own.get(MEMBER)),
        (&json!("pairwise"), None)
    );
    assert_eq!(site.times(), 1);

    // RFC 7592 §2.2.
    let (path, headers) = management(&world, &made);
    let put = |mut members: Value| {
        members["client_id"] = made["client_id"].clone();
        world.ask(
            "PUT",
            &path,
            &format!("{JSON}{headers}"),
            &members.to_string(),
        )
    };
    let both = json!([REDIRECT, OTHER]);
    for (what, members) in [
        (
            "public again",
            json!({ "redirect_uris": [REDIRECT], "subject_type": "public" }),
        ),
        ("an address of no list", json!({ "redirect_uris": both })),
        (
            "no list",
            json!({ "redirect_uris": both, "subject_type": "pairwise" }),
        ),
    ] {
        let answer = put(members);
        assert_eq!(answer.status, 400, "{what}: {answer:?}");
        assert_eq!(answer.json()["error"], "invalid_client_metadata", "{what}");
    }
    let read = world.ask("GET", &path, &headers, "").json();
    assert_eq!(
        (&read["redirect_uris"], &read[MEMBER]),
        (&json!([REDIRECT]), &json!(uri))
    );
    assert_eq!(site.times(), 1);
    site.now("200 OK", &both);
    let answer = put(json!({ "redirect_uris": both }));
    assert_eq!(
        (answer.status, &answer.json()[MEMBER]),
        (200, &json!(uri)),
        "{answer:?}"
    );
    assert_eq!(site.times(), 1);
    // Nothing that the list would have to hold is new.
    let answer = put(json!({ "redirect_uris": [OTHER], "subject_type": "pairwise", MEMBER: uri }));
    assert_eq!((answer.status, site.times()), (200, 0), "{answer:?}");
}

#[test]
fn registration_section_5_a_document_that_does_not_do_registers_nobody() {
    let world = World::started();
    world.verb(&["registration", "token"], "");
    allow_loopback(&world);
    let added = ["registration", "add-token", "--uses", "50"];
    let token = world.verb(&added, "")["token"].clone();
    let headers = crate::registration::bearer(&token);
    let site = Serving::document(&json!([REDIRECT]));
    let mut metadata = json!({ "redirect_uris": [REDIRECT], MEMBER: site.uri() });
    // Nobody whom we do not know makes us call anybody.
    assert_eq!(register(&world, "", &metadata).status, 401);
    assert_eq!(site.times(), 0);
    for (what, status, body) in bad_documents() {
        site.now(status, body);
        let answer = register(&world, &headers, &metadata);
        assert_eq!(answer.status, 400, "{what}: {answer:?}");
        assert_eq!(answer.json()["error"], "invalid_client_metadata", "{what}");
        assert_eq!(site.times(), 1, "{what}");
    }
    site.now("200 OK", json!([REDIRECT]));
    metadata["subject_type"] = json!("public");
    assert_eq!(register(&world, &headers, &metadata).status, 400);
    assert_eq!((clients(&world), site.times()), (0, 0));
}

#[test]
fn the_button_that_adds_an_address_asks_the_document() {
    let world = World::started();
    world.admin("root");
    allow_loopback(&world);
    let site = Serving::document(&json!([OTHER]));
    let uri = site.uri();
    let all = [
        "--trusted",
        "--subject-type",
        "pairwise",
        "--redirect-uri",
        OTHER,
    ];
    let client = world.client(
        "App",
        &[&all[..], &["--sector-identifier-uri", &uri]].concat(),
    );
    assert_eq!(site.times(), 1);
    let mut root = world.sign_in("root");
    assert_eq!(
        root.authorize(&client, "openid", "").header("Location"),
        None
    );
    let address = format!("/admin/applications/{}", client.id);
    // Nobody waits for the record of a refusal.
    let page = until("the button", || {
        Some(root.get(&address)).filter(|page| page.body.contains("redirect-uris/add"))
    });
    assert!(
        page.body.contains(&format!("value=\"{uri}\"")),
        "{}",
        page.body
    );
    let add = format!("{address}/redirect-uris/add");
    let refused = root.submit(&page, &add, &[]);
    assert_eq!((refused.status, site.times()), (422, 1));
    assert!(refused.body.contains("does not list"), "{}", refused.body);
    site.now("200 OK", json!([REDIRECT, OTHER]));
    let added = root.submit(&refused, &add, &[]);
    assert_eq!((added.status, site.times()), (303, 1), "{added:?}");
    let code = root.authorize(&client, "openid", "").parameter("code");
    assert!(code.is_some(), "{}", encode(REDIRECT));
}
