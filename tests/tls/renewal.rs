//! Certificates that are renewed while people are connected.

use crate::certified::{Authority, files, install, started, until};
use crate::world::{Stream, World};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;

fn hang_up(world: &World) {
    let pid = Pid::from_raw(i32::try_from(world.pid()).unwrap()).unwrap();
    kill_process(pid, Signal::HUP).unwrap();
}

/// One request on a connection that stays.
fn is_answered(stream: &mut dyn Stream) -> bool {
    let request = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    if stream.write_all(request).is_err() {
        return false;
    }
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if !matches!(stream.read(&mut byte), Ok(1)) {
            return false;
        }
        answer.push(byte[0]);
    }
    let head = String::from_utf8(answer).unwrap().to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).is_ok() && head.starts_with("http/1.1 200 ")
}

/// Whether a fresh client that trusts this authority alone is answered.
fn trusts(world: &mut World, authority: &Authority) -> bool {
    world.tls = Some(authority.client());
    world
        .try_ask("GET", "/healthz", "", "")
        .is_some_and(|answer| answer.status == 200)
}

#[test]
fn a_hangup_shows_the_new_certificate_and_ends_no_connection() {
    let (old, new) = (Authority::new(), Authority::new());
    let mut world = started(&old, &[]);
    let mut stays = world.connect().unwrap();
    assert!(is_answered(&mut *stays));
    install(&world, &new.signed("127.0.0.1"));
    hang_up(&world);
    let log = world.dir.join("stderr.log");
    until("read again", &world, || {
        fs::read_to_string(&log).unwrap().contains("was read again")
    });
    assert!(trusts(&mut world, &new));
    assert!(!trusts(&mut world, &old));
    assert!(is_answered(&mut *stays), "the old connection was dropped");
    // Nor does a second hangup, or one with nothing new, end anything.
    hang_up(&world);
    assert!(is_answered(&mut *stays) && trusts(&mut world, &new));
}

#[test]
fn renewed_files_are_noticed_without_a_signal() {
    let (old, new) = (Authority::new(), Authority::new());
    let mut world = started(&old, &[]);
    install(&world, &new.signed("127.0.0.1"));
    let client = new.client();
    world.tls = Some(client);
    until("noticed", &world, || {
        world
            .try_ask("GET", "/healthz", "", "")
            .is_some_and(|answer| answer.status == 200)
    });
    assert!(!trusts(&mut world, &old));
}

#[test]
fn a_bad_new_pair_keeps_the_old_one_and_says_so() {
    let (old, new) = (Authority::new(), Authority::new());
    let mut world = started(&old, &[]);
    let (certificate, key) = new.signed("127.0.0.1");
    let (_, another) = new.signed("127.0.0.1");
    let mut told = 0;
    for (bad, key, words) in [
        (
            certificate.as_str(),
            another.as_str(),
            "the key belongs to another certificate",
        ),
        ("half a cert", key.as_str(), "holds no certificate"),
        (
            &certificate[..certificate.len() / 2],
            key.as_str(),
            "holds no certificate",
        ),
        (certificate.as_str(), "", "holds no private key"),
    ] {
        install(&world, &(bad.to_owned(), key.to_owned()));
        hang_up(&world);
        let log = world.dir.join("stderr.log");
        until(words, &world, || {
            let text = fs::read_to_string(&log).unwrap();
            let lines: Vec<&str> = text
                .lines()
                .filter(|line| line.contains("stays the old one"))
                .collect();
            lines.len() > told && lines.last().unwrap().contains(words)
        });
        told = world.log().matches("stays the old one").count();
        assert!(trusts(&mut world, &old), "{words}");
    }
    // The files may also be gone for a moment.
    fs::remove_file(files(&world).0).unwrap();
    hang_up(&world);
    assert!(trusts(&mut world, &old));
    install(&world, &(certificate, key));
    hang_up(&world);
    world.tls = Some(new.client());
    until("mended", &world, || {
        world
            .try_ask("GET", "/healthz", "", "")
            .is_some_and(|answer| answer.status == 200)
    });
}
