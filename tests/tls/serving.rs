//! What https changes for people and applications: cookies, the scheme in every address, health; and which settings
//! are refused.

use crate::certified::{Authority, files, install, settings, started};
use crate::world::{Browser, World};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

#[test]
fn a_whole_sign_in_works_over_https_with_cookies_that_stay_there() {
    let world = started(&Authority::new(), &[]);
    world.user("ann");
    let client = world.trusted();
    let mut browser = Browser::new(&world);
    let page = browser.get("/login");
    assert_eq!(
        page.header("Strict-Transport-Security"),
        Some("max-age=31536000")
    );
    let fields = [("username", "ann"), ("password", crate::world::PASSWORD)];
    let answer = browser.submit(&page, "/login", &fields);
    assert_eq!(answer.status, 303, "{answer:?}");
    let cookies: Vec<&str> = answer
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        .map(|(_, value)| value.as_str())
        .collect();
    assert!(!cookies.is_empty());
    for cookie in cookies {
        assert!(
            cookie.starts_with("__Host-") && cookie.contains("; Secure"),
            "{cookie}"
        );
    }
    let tokens = browser.tokens(&client, "openid");
    let claims = crate::world::claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(claims["iss"], world.issuer());
    let document = world.ask("GET", "/.well-known/openid-configuration", "", "");
    let document = document.json();
    assert_eq!(document["issuer"], world.issuer());
    let endpoint = document["token_endpoint"].as_str().unwrap();
    assert!(endpoint.starts_with(&world.issuer()), "{endpoint}");
}

#[test]
fn health_asks_over_https_where_the_socket_does_not_answer() {
    let (world, elsewhere) = (started(&Authority::new(), &[]), World::empty());
    let listen = format!("127.0.0.1:{}", world.port);
    let mut arguments = vec!["health".to_owned(), "--listen".to_owned(), listen];
    arguments.extend(settings(&world));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = elsewhere.run(&arguments, "");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"{\"ready\":true}\n");
}

#[test]
fn a_verb_reaches_the_server_whatever_it_speaks() {
    let world = started(&Authority::new(), &[]);
    world.user("ann");
    let people = world.verb(&["user", "list"], "");
    assert!(people.to_string().contains("ann@example.org"), "{people}");
}

/// What `serve` says when it does not start: one line.
fn refusal(world: &World, issuer: &str, settings: &[String]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorlight"));
    command.arg("--data").arg(world.data());
    command.args(["--listen", "127.0.0.1:0", "--issuer", issuer]);
    let output = command.args(settings).arg("serve").output().unwrap();
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(line.lines().count(), 1, "{line}");
    (output.status.code(), line)
}

#[test]
fn settings_that_cannot_work_are_refused_in_one_line_before_anything_is_made() {
    let world = World::empty();
    let authority = Authority::new();
    install(&world, &authority.signed("127.0.0.1"));
    let all = settings(&world);
    let redirect = ["--http-redirect".to_owned(), "127.0.0.1:0".to_owned()];
    let (https, http) = ("https://127.0.0.1", "http://127.0.0.1:1");
    for (issuer, settings, code, words) in [
        (https, &all[..2], 2, "--tls-cert needs --tls-key"),
        (https, &all[2..], 2, "--tls-key needs --tls-cert"),
        (http, &all[..], 1, "--tls-cert needs the https address"),
        (
            http,
            &redirect,
            1,
            "--http-redirect needs the https address",
        ),
    ] {
        let (found, line) = refusal(&world, issuer, settings);
        assert_eq!(found, Some(code), "{line}");
        assert!(line.contains(words), "{line}");
    }
    let (_, another) = authority.signed("127.0.0.1");
    fs::write(files(&world).1, another).unwrap();
    let (code, line) = refusal(&world, https, &all);
    assert_eq!(code, Some(1));
    assert!(
        line.contains("the key belongs to another certificate"),
        "{line}"
    );
    fs::remove_file(files(&world).1).unwrap();
    let (code, line) = refusal(&world, https, &all);
    assert_eq!(code, Some(1));
    assert!(line.contains("key.pem: No such file"), "{line}");
    assert!(!world.data().exists());
}

#[test]
fn a_key_that_others_may_read_and_a_certificate_for_another_host_are_said_in_the_log() {
    let authority = Authority::new();
    let mut world = World::empty();
    world.tls = Some(authority.client());
    install(&world, &authority.signed("127.0.0.1"));
    fs::set_permissions(files(&world).1, fs::Permissions::from_mode(0o644)).unwrap();
    let settings = settings(&world);
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    world.be_known_as("https://id.example.org", &settings);
    let log = world.log();
    assert!(
        log.contains("other users of this machine may read the key"),
        "{log}"
    );
    assert!(log.contains("is not one for id.example.org"), "{log}");

    let quiet = started(&authority, &[]).log();
    assert!(!quiet.contains("WARN"), "{quiet}");
}
