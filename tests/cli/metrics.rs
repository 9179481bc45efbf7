//! Measurements: what is counted, and who may read it.

use super::text;
use crate::world::World;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// As Prometheus reads them.
fn lines(world: &World) -> String {
    let output = world.command().arg("metrics").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    text(&output.stdout)
}

fn value(text: &str, series: &str) -> f64 {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().unwrap())
}

/// Once the records of refusals, which nobody waits for, are in the file, and that has the size that is told.
fn at_rest(world: &World) -> String {
    let begun = Instant::now();
    loop {
        let text = lines(world);
        let waiting = value(&text, "doorlight_writer_queue_length");
        let told = value(&text, "doorlight_data_file_bytes");
        let file = std::fs::metadata(world.data()).unwrap().len();
        if waiting == 0.0 && told == file as f64 {
            return text;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{file}: {text}");
    }
}

#[test]
fn what_happened_is_counted_by_route_status_grant_and_cause() {
    let world = World::started();
    let client = world.trusted();
    world.user("ada");
    let mut browser = world.sign_in("ada");
    let tokens = browser.tokens(&client, "openid offline_access");
    let refresh = tokens["refresh_token"].as_str().unwrap();
    for _ in 0..2 {
        assert_eq!(
            world.token(&client, "grant_type=client_credentials").status,
            200
        );
    }
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
        world
            .token(&client, "grant_type=authorization_code&code=wrong")
            .status,
        400
    );
    assert_eq!(
        world
            .ask("POST", "/token", "", "grant_type=client_credentials")
            .status,
        401
    );
    let text = at_rest(&world);
    for (series, expected) in [
        (
            "doorlight_tokens_issued_total{grant=\"authorization_code\"}",
            1.0,
        ),
        (
            "doorlight_tokens_issued_total{grant=\"refresh_token\"}",
            1.0,
        ),
        (
            "doorlight_tokens_issued_total{grant=\"client_credentials\"}",
            2.0,
        ),
        ("doorlight_sign_ins_total{outcome=\"success\"}", 1.0),
        ("doorlight_refusals_total{code=\"invalid_grant\"}", 1.0),
        ("doorlight_refusals_total{code=\"invalid_client\"}", 1.0),
        ("doorlight_refusals_total{code=\"other\"}", 0.0),
        (
            "doorlight_http_requests_total{method=\"POST\",route=\"/token\",status=\"200\"}",
            4.0,
        ),
        (
            "doorlight_http_requests_total{method=\"POST\",route=\"/token\",status=\"400\"}",
            1.0,
        ),
        (
            "doorlight_http_requests_total{method=\"POST\",route=\"/token\",status=\"401\"}",
            1.0,
        ),
        (
            "doorlight_http_request_duration_seconds_count{method=\"POST\",route=\"/token\"}",
            6.0,
        ),
        (
            "doorlight_http_request_duration_seconds_bucket{method=\"POST\",route=\"/token\",le=\"+Inf\"}",
            6.0,
        ),
        ("doorlight_ready", 1.0),
        ("doorlight_writer_failures_total", 0.0),
        (
            "doorlight_outbound_refused_total{purpose=\"keys\",cause=\"inner\"}",
            0.0,
        ),
    ] {
        assert!(
            text.contains(series) || expected == 0.0,
            "{series} is missing: {text}"
        );
        assert_eq!(value(&text, series), expected, "{series}: {text}");
    }
    assert!(value(&text, "doorlight_connections") >= 1.0);
    assert!(value(&text, "doorlight_writer_commit_duration_seconds_count") >= 5.0);
    assert!(value(&text, "doorlight_writer_jobs_total") >= 5.0);
    assert!(value(&text, "doorlight_signing_key_age_seconds{alg=\"ES256\"}") < 600.0);
    assert!(text.contains("doorlight_signing_key_age_seconds{alg=\"ES256\"}"));
}

#[test]
fn paths_that_strangers_choose_make_no_series() {
    let world = World::started();
    let series = |text: &str| -> BTreeSet<String> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| line.rsplit_once(' ').unwrap().0.to_owned())
            .collect()
    };
    world.ask("GET", "/first", "", "");
    world.ask("BREW", "/first", "", "");
    let before = series(&lines(&world));
    for n in 0..50 {
        world.ask("GET", &format!("/no-such-{n}"), "", "");
        world.ask("GET", &format!("/no-such-{n}?x=\"}}"), "", "");
        world.ask("BREW", &format!("/pot-{n}"), "", "");
    }
    let text = lines(&world);
    assert_eq!(series(&text), before);
    assert!(
        !text.contains("no-such") && !text.contains("BREW"),
        "{text}"
    );
    let none = "doorlight_http_requests_total{method=\"any\",route=\"none\",status=\"404\"}";
    assert_eq!(value(&text, none), 152.0, "{text}");
}

#[test]
fn over_http_there_is_nothing_without_the_token() {
    let world = World::started();
    let ask = |token: &str| {
        let header = if token.is_empty() {
            String::new()
        } else {
            format!("Authorization: {token}\r\n")
        };
        world.ask("GET", "/metrics", &header, "")
    };
    let nothing_there = |token: &str| {
        let mut answer = ask(token);
        let mut other = world.ask("GET", "/there-is-no-such", "", "");
        // As any address that there is not; but for the id of the request.
        for answer in [&mut answer, &mut other] {
            let id = answer.header("X-Request-Id").unwrap().to_owned();
            answer.body = answer.body.replace(&id, "");
        }
        assert_eq!((answer.status, answer.body), (404, other.body), "{token}");
    };
    nothing_there("");
    nothing_there("Bearer ");
    let made = world.verb(&["metrics", "token"], "");
    let first = made["metrics_token"].as_str().unwrap().to_owned();
    assert_eq!(first.len(), 43);
    let answer = ask(&format!("Bearer {first}"));
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("Content-Type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    assert!(
        answer.body.contains("\ndoorlight_ready 1\n"),
        "{}",
        answer.body
    );
    assert_eq!(ask(&format!("bearer {first}")).status, 200);
    for wrong in [
        "",
        "Bearer",
        "Bearer ",
        &first,
        &format!("Basic {first}"),
        &format!("Bearer {first}A"),
    ] {
        nothing_there(wrong);
    }
    // The file has a hash of it only, and the log has nothing.
    let file = std::fs::read(world.data()).unwrap();
    assert!(
        !file
            .windows(first.len())
            .any(|part| part == first.as_bytes())
    );
    assert!(!world.log().contains(&first));
    // A second token replaces the first; off is off, also after a restart.
    let second = world.verb(&["metrics", "token"], "")["metrics_token"]
        .as_str()
        .unwrap()
        .to_owned();
    nothing_there(&format!("Bearer {first}"));
    assert_eq!(ask(&format!("Bearer {second}")).status, 200);
    world.verb(&["metrics", "off"], "");
    nothing_there(&format!("Bearer {second}"));
}

#[test]
fn a_file_at_rest_tells_its_size_and_its_keys() {
    let mut world = World::started();
    world.kill();
    let token = world.verb(&["metrics", "token"], "")["metrics_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let text = lines(&world);
    assert_eq!(value(&text, "doorlight_ready"), 0.0);
    assert!(text.contains("\ndoorlight_ready 0\n"), "{text}");
    assert!(value(&text, "doorlight_data_file_bytes") > 0.0);
    let samples = world.verb(&["metrics"], "");
    let samples: Vec<&Value> = samples.as_array().unwrap().iter().collect();
    let age = samples
        .iter()
        .find(|sample| sample["name"] == "doorlight_signing_key_age_seconds")
        .unwrap();
    assert!(
        age["labels"]["alg"].is_string() && age["value"].is_f64(),
        "{age}"
    );
    world.start();
    let answer = world.ask(
        "GET",
        "/metrics",
        &format!("Authorization: Bearer {token}\r\n"),
        "",
    );
    assert_eq!(answer.status, 200);
}

/// An alert on a name that nobody counts never fires.
#[test]
fn every_name_in_the_alerts_is_counted() {
    let world = World::started();
    let counted = lines(&world);
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let alerts = std::fs::read_to_string(root.join("packaging/prometheus/alerts.yml")).unwrap();
    let mut names = 0;
    let expressions = alerts
        .lines()
        .filter_map(|line| line.trim().strip_prefix("expr: "));
    for expression in expressions {
        let words = expression.split(|c: char| !(c.is_ascii_lowercase() || c == '_'));
        for name in words.filter(|word| word.starts_with("doorlight_")) {
            let family = name.strip_suffix("_bucket").unwrap_or(name);
            assert!(counted.contains(&format!("# TYPE {family} ")), "{name}");
            names += 1;
        }
    }
    assert!(names >= 8, "{names}");
}

/// The age of the last one went on after backups were switched off, and the alert with it, for ever.
#[test]
fn the_age_of_a_backup_is_told_while_it_is_one_of_the_folder_that_is_set() {
    let world = World::empty();
    world.verb(&["user", "add", "alice", "--no-password"], "");
    let is_told = || {
        let output = world.command().arg("metrics").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .any(|line| line.starts_with("doorlight_backup_age_seconds "))
    };
    let folder = |name: &str| {
        let folder = world.dir.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder.to_str().unwrap().to_owned()
    };
    let (one, other) = (folder("one"), folder("other"));
    assert!(!is_told());
    world.verb(&["backups", "set", "--folder", &one], "");
    assert!(!is_told());
    world.verb(&["backups", "run"], "");
    assert!(is_told());
    world.verb(&["backups", "set", "--folder", &other], "");
    assert!(!is_told());
    world.verb(&["backups", "set", "--folder", &one], "");
    assert!(is_told());
    world.verb(&["backups", "off"], "");
    assert!(!is_told());
}
