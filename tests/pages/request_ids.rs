//! Ids of requests: in every answer, on error pages, in the log and in the audit log.

use crate::world::{Browser, World, encode};
use serde_json::Value;
use std::time::{Duration, Instant};

fn is_id(text: &str) -> bool {
    text.len() == 10
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// Lines of the log, all of them JSON.
fn lines(world: &World) -> Vec<Value> {
    let log = world.log();
    let lines = log.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

fn logging(format: &str, levels: &str) -> World {
    let mut world = World::empty();
    world.environment = vec![
        ("DOORLIGHT_LOG_FORMAT", format.into()),
        ("RUST_LOG", levels.into()),
    ];
    world.start();
    world
}

#[test]
fn every_answer_has_a_fresh_id_and_never_the_clients() {
    let world = World::started();
    let mut seen = Vec::new();
    for target in [
        "/",
        "/healthz",
        "/nothing-here",
        "/jwks.json",
        "/assets/",
        "/authorize",
        "/admin",
    ] {
        let answer = world.ask("GET", target, "X-Request-Id: chosen0000\r\n", "");
        let ids: Vec<_> = answer
            .headers
            .iter()
            .filter(|(name, _)| name == "X-Request-Id")
            .collect();
        let [(_, id)] = ids.as_slice() else {
            panic!("{answer:?}")
        };
        assert!(is_id(id) && id != "chosen0000", "{id}");
        assert!(!seen.contains(id), "{id} came twice");
        seen.push(id.clone());
    }
    assert!(!world.log().contains("chosen0000"));
}

#[test]
fn the_id_on_an_error_page_finds_its_event_and_its_lines() {
    let world = World::started();
    let client = world.trusted();
    let mut browser = Browser::new(&world);
    let target = format!(
        "/authorize?response_type=code&client_id={}&redirect_uri={}",
        client.id,
        encode("https://elsewhere.example/")
    );
    let answer = browser.get(&target);
    assert_eq!(answer.status, 400);
    let id = answer.header("X-Request-Id").unwrap().to_owned();
    assert!(
        answer
            .body
            .contains(&format!("<dt>Request</dt><dd><code>{id}</code>")),
        "{}",
        answer.body
    );
    let begun = Instant::now();
    let found = loop {
        let output = world.run(&["audit", "--request", &id], "");
        let text = String::from_utf8(output.stdout).unwrap();
        if !text.is_empty() {
            break text;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", world.log());
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(found.lines().count(), 1, "{found}");
    let event: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(event["request"], id);
    assert_eq!(event["outcome"], "refused");
    let of_request = |target: &str| -> String {
        let log = world.log();
        let lines = log
            .lines()
            .filter(|line| line.contains(&id) && line.contains(target));
        lines.collect()
    };
    assert!(
        of_request(" audit: authorization refused").contains("elsewhere.example"),
        "{}",
        world.log()
    );
    assert!(
        of_request(" request: answered").contains("route=\"/authorize\" status=400"),
        "{}",
        world.log()
    );
    // A text that is no id finds nothing, and is no error of the server's.
    assert_eq!(
        world
            .run(&["audit", "--request", "../../etc"], "")
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn no_request_writes_a_line_of_its_own_making() {
    for format in ["json", "text"] {
        let world = logging(format, "debug");
        let client = world.trusted();
        let forged = encode(
            "\r\n2026-11-29T02:00:00.000Z INFO  audit: sign_in success person=\"forged\"\u{1b}[31m\u{2028}",
        );
        for target in [
            format!("/authorize?client_id={forged}&redirect_uri={forged}&state={forged}"),
            format!(
                "/authorize?response_type=code&client_id={}&redirect_uri={forged}",
                client.id
            ),
            format!("/{forged}"),
            format!("/link?token={forged}"),
        ] {
            world.ask("GET", &target, "", "");
        }
        world.token(
            &client,
            &format!("grant_type={forged}&code={forged}&refresh_token={forged}"),
        );
        let body = format!("username={forged}&password={forged}");
        world.ask("POST", "/login", "", &body);
        world.ask("GET", "/healthz", "", "");
        // Whatever came before is written by now: events in their order, and each request's line before its answer's
        // successor on another connection.
        world.verb(&["user", "add", "last", "--no-password"], "");
        let log = world.log();
        assert!(!log.chars().any(|c| c != '\n' && c.is_control()), "{log:?}");
        assert!(!log.contains('\u{2028}'));
        assert!(log.contains("\"/authorize\""), "{log}");
        assert!(!log.contains("healthz") && !log.contains("readyz"), "{log}");
        if format == "json" {
            for line in lines(&world) {
                assert!(
                    line["time"].is_string() && line["level"].is_string(),
                    "{line}"
                );
                assert_ne!(line["person"], "forged", "{line}");
            }
        } else {
            for line in log.lines() {
                let level = line.split_whitespace().nth(1).unwrap_or_default();
                assert!(
                    ["DEBUG", "INFO", "WARN", "ERROR"].contains(&level),
                    "{line:?}"
                );
                assert!(
                    !line.starts_with("2026-11-29T02:00:00.000Z INFO  audit: sign_in success"),
                    "{line:?}"
                );
            }
        }
    }
}

#[test]
fn a_line_in_json_says_what_was_answered_and_nothing_secret() {
    let world = logging("json", "debug");
    world.ask(
        "GET",
        "/link?token=a-secret-of-somebody",
        "Cookie: __Host-s=another-secret\r\n",
        "",
    );
    world.user("ada");
    let lines = lines(&world);
    let answered = lines
        .iter()
        .find(|line| line["target"] == "request" && line["route"] == "/link")
        .unwrap();
    assert_eq!(answered["method"], "GET");
    assert!(answered["status"].as_u64().unwrap() >= 200, "{answered}");
    assert!(answered["microseconds"].is_u64(), "{answered}");
    assert!(is_id(answered["request"].as_str().unwrap()), "{answered}");
    let added = lines
        .iter()
        .find(|line| line["kind"] == "user.added")
        .unwrap();
    assert_eq!(added["person"], "ada");
    assert_eq!(added["target"], "audit");
    let log = world.log();
    assert!(
        !log.contains("a-secret-of-somebody") && !log.contains("another-secret"),
        "{log}"
    );
}
