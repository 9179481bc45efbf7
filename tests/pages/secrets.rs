//! What is secret stays out of the log, of standard output and of the audit log: whatever is asked, whoever asks, at the
//! most talkative level, and while the disk is full.

use crate::walk::Walk;
use crate::world::{Browser, PASSWORD, World, encode, file_size, redeem};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::process::Command;
use std::time::{Duration, Instant};

/// Every name under which something secret comes in a form or a query.
const NAMES: &[&str] = &[
    "access_token",
    "actor_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "csrf",
    "device_code",
    "password",
    "password_again",
    "refresh_token",
    "request",
    "seal",
    "subject_token",
    "token",
    "username",
];

/// What nobody but the sender may ever see again. It has the form of a bearer secret of ours, so that it is looked up.
const MARK: &str = "01m86h50c8sb6mf4pvr222rr7q.MarkedSecretMarkedSecretMarkedSecretMarkedS";
/// What of it must not be found.
const MARKED: &str = "MarkedSecret";

fn talkative(format: &str) -> World {
    let mut world = World::empty();
    world.environment = vec![
        ("DOORLIGHT_LOG_FORMAT", format.into()),
        ("RUST_LOG", "trace".into()),
    ];
    world.start();
    world
}

/// The mark in every place of a request where a secret may stand, at every address.
fn send_marks_everywhere(walk: &Walk) {
    let pairs = |extra: &[(&str, &str)]| {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(NAMES.iter().map(|name| (*name, MARK)));
        form.extend_pairs(extra);
        form.finish()
    };
    let plain = pairs(&[]);
    let asserted = pairs(&[(
        "client_assertion_type",
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    )]);
    let basic = STANDARD.encode(format!("{MARK}:{MARK}"));
    let cookies: Vec<String> = ["doorlight", "doorlight-browser", "doorlight-device"]
        .map(|name| format!("{name}={MARK}"))
        .into();
    let heads = [
        String::new(),
        format!("Authorization: Bearer {MARK}\r\n"),
        format!("Authorization: Basic {basic}\r\n"),
        format!("Authorization: DPoP {MARK}\r\nDPoP: {MARK}\r\n"),
        format!("Cookie: {}\r\n", cookies.join("; ")),
    ];
    for (route, address) in walk.routes() {
        for head in &heads {
            if route.method == "GET" {
                walk.world
                    .ask("GET", &format!("{address}?{plain}"), head, "");
            } else {
                walk.world.ask(route.method, &address, head, &asserted);
                let json = format!("{head}Content-Type: application/json\r\n");
                let body = format!("{{\"token\":\"{MARK}\",\"software_statement\":\"{MARK}\"}}");
                walk.world.ask(route.method, &address, &json, &body);
            }
        }
    }
    for grant in ["authorization_code", "refresh_token", "password"] {
        for form in [&plain, &asserted] {
            let body = format!("grant_type={grant}&client_id=01m86h50c8sb6mf4pvr222rr7q&{form}");
            walk.world.ask("POST", "/token", "", &body);
        }
    }
}

/// What really was issued, typed and shown.
fn use_everything(world: &World, people: &[&str]) -> Vec<String> {
    let mut secrets = vec![PASSWORD.to_owned()];
    let client = world.client(
        "Everything",
        &[
            "--redirect-uri",
            crate::world::REDIRECT,
            "--grant",
            "authorization_code,refresh_token,client_credentials",
            "--trusted",
            "--may-introspect",
        ],
    );
    let link = world.verb(&["user", "link", people[1]], "");
    let link = link["url"]
        .as_str()
        .unwrap()
        .split_once("token=")
        .unwrap()
        .1;
    let mut browser = Browser::new(world);
    let page = browser.get(&format!("/link?token={link}"));
    let new = "five purple zebras at noon";
    let fields = [("password", new), ("password_again", new)];
    assert_eq!(browser.submit(&page, "/link", &fields).status, 303);
    let mut person = world.sign_in(people[0]);
    let code = person.code(&client, "openid offline_access");
    let tokens = world.token(&client, &redeem(&code)).json();
    world.token(&client, &redeem(&code));
    let text = |name: &str| {
        let text = tokens[name].as_str();
        text.unwrap_or_else(|| panic!("{tokens}")).to_owned()
    };
    let (access, refresh) = (text("access_token"), text("refresh_token"));
    world.ask(
        "GET",
        "/userinfo",
        &format!("Authorization: Bearer {access}\r\n"),
        "",
    );
    world.introspect(&client, &refresh);
    let again = format!("grant_type=refresh_token&refresh_token={refresh}");
    world.token(&client, &again);
    world.token(&client, &again);
    world.ask(
        "POST",
        "/revoke",
        &client.basic(),
        &format!("token={access}"),
    );
    let initial = world.verb(&["registration", "add-token", "--note", "Phone"], "");
    let metrics = world.verb(&["metrics", "token"], "");
    secrets.extend([new.to_owned(), link.to_owned(), code, access, refresh]);
    secrets.extend([client.secret.clone(), text("id_token")]);
    for shown in [&initial["token"], &metrics["metrics_token"]] {
        secrets.push(shown.as_str().unwrap().to_owned());
    }
    secrets.extend(person.cookies.into_values());
    secrets
}

/// No file of the server may grow any more, and then it may again.
fn limit_files(world: &World, bytes: &str) {
    let pid = world.pid().to_string();
    let limit = format!("--fsize={bytes}:unlimited");
    let done = Command::new("prlimit")
        .args(["--pid", &pid, &limit])
        .status();
    assert!(done.unwrap().success(), "prlimit (util-linux)");
}

/// The log so far, which begins anew: it is a file of the server as well, and would be full too.
fn taken(world: &World) -> String {
    let log = world.log();
    std::fs::write(world.dir.join("stderr.log"), "").unwrap();
    log
}

fn nothing_is_told(world: &World, log: &str, secrets: &[String]) {
    let printed = std::fs::read_to_string(world.dir.join("stdout.log")).unwrap();
    let audit = String::from_utf8(world.run(&["audit"], "").stdout).unwrap();
    assert!(audit.lines().count() > 20, "{audit}");
    for (place, text) in [("log", log), ("output", &printed), ("audit log", &audit)] {
        let found = |secret: &str| {
            let mut lines = text.lines();
            lines.find(|line| line.contains(secret)).map(str::to_owned)
        };
        assert_eq!(found(MARKED), None, "{place}");
        for secret in secrets {
            // A selector is the name of a record; what proves possession comes after the last dot.
            let verifier = secret.rsplit('.').next().unwrap();
            assert!(verifier.len() > 10, "{secret}");
            assert_eq!(found(verifier), None, "{place}");
            assert_eq!(found(&encode(verifier)), None, "{place}");
        }
    }
}

fn the_log_holds_no_secret(format: &str) {
    let walk = Walk::of(talkative(format));
    let world = &walk.world;
    let nightly = world.client("Nightly", &["--grant", "client_credentials"]);
    let mut secrets = use_everything(world, &["root", "alice"]);
    secrets.push(nightly.secret.clone());
    send_marks_everywhere(&walk);
    let log = taken(world);
    assert!(log.lines().count() > 300, "{log}");
    nothing_is_told(world, &log, &secrets);
    // Once more while nothing can be written.
    limit_files(world, &file_size(&world.data()).to_string());
    let failed = (0..20_000).find_map(|_| {
        let answer = world.token(&nightly, "grant_type=client_credentials");
        (answer.status == 503).then_some(answer)
    });
    assert!(failed.is_some(), "the file never reached its limit");
    taken(world);
    send_marks_everywhere(&walk);
    limit_files(world, "unlimited");
    let begun = Instant::now();
    while world.ask("GET", "/readyz", "", "").status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", world.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    let log = taken(world);
    assert!(log.lines().count() > 300, "{log}");
    nothing_is_told(world, &log, &secrets);
}

#[test]
fn the_log_holds_no_secret_whatever_is_asked() {
    the_log_holds_no_secret("text");
}

#[test]
fn nor_does_the_log_in_json() {
    the_log_holds_no_secret("json");
}
