//! `doorlight doctor`: what it finds beside a running server and without one, and that its probe tells strangers nothing.

use crate::world::{Answer, Reserved, World, names};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::thread;

/// Findings by their check; with the exit code that goes with them.
fn examined(world: &World, more: &[&str]) -> Vec<Value> {
    let mut arguments = vec!["doctor"];
    arguments.extend(more);
    let output = world.run(&arguments, "");
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let faults = findings.iter().filter(|f| f["level"] == "fault").count();
    let expected = i32::from(faults > 0);
    assert_eq!(output.status.code(), Some(expected), "{output:?}");
    assert_eq!(output.stderr.is_empty(), faults == 0, "{output:?}");
    findings
}

fn of<'f>(findings: &'f [Value], check: &str) -> &'f Value {
    let found = findings.iter().find(|finding| finding["check"] == check);
    found.unwrap_or_else(|| panic!("no {check} in {findings:?}"))
}

fn assert_is(findings: &[Value], check: &str, level: &str, words: &str) {
    let finding = of(findings, check);
    assert_eq!(finding["level"], level, "{finding}");
    assert!(
        finding["found"].as_str().unwrap().contains(words),
        "{finding}"
    );
}

#[test]
fn a_server_that_stands_well_is_told_so() {
    let world = World::started();
    let findings = examined(&world, &[]);
    for check in ["server", "permissions", "address", "proxy"] {
        assert_is(&findings, check, "ok", "");
    }
    assert_is(&findings, "proxy", "ok", "directly");
    // The disk, the clock and the limits of this machine are not ours to judge; they are looked at.
    for check in [
        "room on the disk",
        "speed of the disk",
        "clock",
        "memory",
        "open files",
    ] {
        assert!(!of(&findings, check)["found"].as_str().unwrap().is_empty());
    }
    // For people: a line a check.
    let output = world.command().arg("doctor").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().count() >= findings.len(), "{text}");
    assert!(text.starts_with("ok       server "), "{text}");
}

#[test]
fn a_fault_has_the_line_to_change_and_exit_code_1() {
    let world = World::started();
    let socket = world.data().with_extension("sock");
    for (path, mode) in [(world.data(), 0o644), (socket, 0o666)] {
        let before = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let findings = examined(&world, &[]);
        assert_is(&findings, "permissions", "fault", "others");
        let line = format!("chmod 600 {}", path.display());
        assert_eq!(of(&findings, "permissions")["change"], line);
        fs::set_permissions(&path, before).unwrap();
    }
    let output = world.command().arg("doctor").output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn without_a_server_the_file_is_looked_at_and_left_alone() {
    let mut world = World::started();
    world.stop();
    let (before, bytes) = (names(&world.dir), fs::read(world.data()).unwrap());
    let findings = examined(&world, &[]);
    assert_is(&findings, "server", "note", "none runs");
    assert_is(&findings, "address", "note", "cannot be tried");
    assert_is(&findings, "permissions", "ok", "");
    assert_eq!(names(&world.dir), before);
    assert!(fs::read(world.data()).unwrap() == bytes);
}

#[test]
fn a_file_that_is_not_there_is_not_made() {
    let world = World::empty();
    let findings = examined(&world, &[]);
    assert_is(&findings, "data file", "fault", "doorlight.redb");
    assert!(!world.data().exists());
}

/// A killed server leaves a file that the next start repairs: the doctor says so and does not do it.
#[test]
fn a_file_that_was_not_closed_is_noted_and_not_repaired() {
    let mut world = World::started();
    world.user("ann");
    world.kill();
    let bytes = fs::read(world.data()).unwrap();
    let findings = examined(&world, &[]);
    assert_is(&findings, "server", "note", "was not closed");
    assert!(fs::read(world.data()).unwrap() == bytes);
}

/// Whoever stands at the issuer's address instead of Doorlight, or in front of it. It answers until the test ends.
fn in_front(answer: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap());
        }
    });
    address
}

fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => bytes.push(byte[0]),
            _ => break,
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// Passes a request on to a server, with its head rewritten.
fn relay(mut client: TcpStream, port: u16, rewrite: impl Fn(&str) -> String) {
    let request = head(&mut client);
    // Whoever only looked whether somebody listens has gone.
    if request.is_empty() {
        return;
    }
    let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = rewrite(&request);
    let request = request.trim_end().to_owned() + "\r\nConnection: close\r\n\r\n";
    server.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).unwrap();
    client.write_all(&answer).unwrap();
    let _ = client.shutdown(Shutdown::Write);
}

/// A world whose issuer is at a proxy that rewrites heads.
fn behind(settings: &[&str], rewrite: impl Fn(&str) -> String + Send + Sync + 'static) -> World {
    let mut world = World::empty();
    let port = world.port;
    let address = in_front(move |client| relay(client, port, &rewrite));
    world.be_known_as(&format!("http://{address}"), settings);
    world
}

const TRUSTED: &[&str] = &["--trusted-proxy", "127.0.0.1/32"];

/// A head with a header in place of those of that name.
fn with(head: &str, name: &str, value: &str) -> String {
    let mine = |line: &&str| {
        !line
            .to_ascii_lowercase()
            .starts_with(&name.to_ascii_lowercase())
    };
    let mut lines: Vec<&str> = head.trim_end().split("\r\n").filter(mine).collect();
    let header = format!("{name}: {value}");
    lines.push(&header);
    lines.join("\r\n")
}

#[test]
fn a_proxy_that_tells_all_is_ok() {
    let world = behind(TRUSTED, |head| with(head, "X-Forwarded-For", "192.0.2.7"));
    let findings = examined(&world, &[]);
    assert_is(&findings, "address", "ok", "");
    assert_is(&findings, "proxy", "ok", "192.0.2.7");
}

#[test]
fn a_proxy_that_lets_strangers_choose_their_address_is_a_fault() {
    let world = behind(TRUSTED, str::to_owned);
    let findings = examined(&world, &[]);
    assert_is(&findings, "address", "ok", "");
    assert_is(&findings, "proxy", "fault", "pretend");
}

#[test]
fn a_proxy_that_hides_the_name_or_the_client_is_named() {
    let world = behind(TRUSTED, |head| with(head, "Host", "doorlight:8080"));
    let findings = examined(&world, &[]);
    assert_is(&findings, "proxy", "fault", "doorlight:8080");
    assert_eq!(
        of(&findings, "proxy")["change"],
        "proxy_set_header Host $http_host;"
    );
    let world = behind(TRUSTED, |head| {
        with(head, "X-Forwarded-For", "").replace("X-Forwarded-For", "X-Nothing")
    });
    assert_is(&examined(&world, &[]), "proxy", "warning", "who asks");
}

/// Something else at the issuer's address.
fn known_as_stranger(answer: &'static str) -> (World, String) {
    let address = in_front(move |mut client| {
        let asked = head(&mut client);
        if asked.is_empty() {
            return;
        }
        // A client that was answered may have gone.
        let _ = client.write_all(answer.as_bytes());
        let _ = client.shutdown(Shutdown::Write);
    });
    let issuer = format!("http://{address}");
    let mut world = World::empty();
    world.be_known_as(&issuer, &[]);
    (world, issuer)
}

#[test]
fn another_program_at_the_address_is_a_fault() {
    for (answer, words) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 37\r\n\r\n{\"issuer\":\"http://127.0.0.1:1\\u001b\"}",
            "calls itself http://127.0.0.1:1,",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nwelcome",
            "is no Doorlight",
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: https://auth.example/?rd=x\r\nContent-Length: 0\r\n\r\n",
            "sends clients on to https://auth.example/",
        ),
        (
            "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
            "does not reach Doorlight",
        ),
        ("no http\r\n\r\n", "gives no answer"),
    ] {
        let (world, _) = known_as_stranger(answer);
        assert_is(&examined(&world, &[]), "address", "fault", words);
    }
}

#[test]
fn an_address_that_nobody_listens_on_is_a_fault() {
    let free = Reserved::new();
    let mut world = World::empty();
    world.be_known_as(&format!("http://127.0.0.1:{}", free.port), &[]);
    assert_is(
        &examined(&world, &[]),
        "address",
        "fault",
        "refuses the connection",
    );
}

/// The same issuer from a cache: the probe did not arrive.
#[test]
fn an_answer_that_never_passed_the_server_is_not_taken_for_its_own() {
    let mut world = World::empty();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let body = format!("{{\"issuer\":\"{issuer}\"}}");
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let asked = head(&mut client);
            let length = body.len();
            if !asked.is_empty() {
                let _ = write!(
                    client,
                    "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"
                );
                let _ = client.shutdown(Shutdown::Write);
            }
        }
    });
    world.be_known_as(&issuer, &[]);
    assert_is(&examined(&world, &[]), "proxy", "fault", "did not arrive");
}

#[test]
fn settings_that_the_server_does_not_have_are_named() {
    let world = World::started();
    let mut elsewhere = World::empty();
    elsewhere.dir.clone_from(&world.dir);
    let findings = examined(&elsewhere, &[]);
    assert_is(&findings, "settings", "warning", "another port");
    // Both share a folder, which goes with the first.
    elsewhere.dir = std::env::temp_dir().join("doorlight-nowhere");
}

/// A stranger who guesses at probes learns nothing, and the answer is the one that everybody gets.
#[test]
fn a_probe_that_was_not_drawn_changes_nothing() {
    let world = World::started();
    let ask = |query: &str| -> Answer {
        world.ask(
            "GET",
            &format!("/.well-known/openid-configuration{query}"),
            "X-Forwarded-For: 203.0.113.77\r\n",
            "",
        )
    };
    let plain = ask("");
    for query in ["?probe=", "?probe=AAAA", "?probe=1&probe=2", "?probe=%ff"] {
        let probed = ask(query);
        assert_eq!((probed.status, &probed.body), (200, &plain.body), "{query}");
        assert_eq!(probed.headers.len(), plain.headers.len());
        assert!(!probed.body.contains("203.0.113.77"));
    }
    // The doctor answers on the socket alone.
    for path in ["/control/doctor", "/doctor", "/admin/doctor"] {
        assert_eq!(world.ask("POST", path, "", "").status, 404, "{path}");
    }
}
