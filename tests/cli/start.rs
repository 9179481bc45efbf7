//! How `serve` starts, and how it leaves the file where it cannot.

use super::refused;
use crate::world::World;
use doorlight::model::{Algorithm, Change, Decision, SigningKey};
use doorlight::store::{ReadOnly, Store};
use doorlight::types::Timestamp;
use serde_json::Value;
use std::convert::Infallible;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

/// A server that goes with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_without_an_issuer_is_known_by_the_port_that_it_got() {
    let world = World::empty();
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorlight"));
    command.env_remove("DOORLIGHT_ISSUER");
    command.args(["--listen", "127.0.0.1:0", "--json", "--data"]);
    let mut server = Running(
        command
            .arg(world.data())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let announced: Value = serde_json::from_str(&line).unwrap();
    let listen = announced["listen"].as_str().unwrap();
    let issuer = listen.replace("127.0.0.1", "http://localhost");
    assert_eq!(announced["issuer"], issuer);
    let setup = announced["setup_url"].as_str().unwrap();
    assert!(setup.starts_with(&format!("{issuer}/setup?")), "{setup}");
    let mut stream = TcpStream::connect(listen).unwrap();
    stream
        .write_all(b"GET /.well-known/openid-configuration HTTP/1.0\r\nHost: localhost\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.contains(&format!("\"issuer\":\"{issuer}\"")),
        "{answer}"
    );
}

#[test]
fn a_server_on_port_zero_names_the_port_that_it_got() {
    let world = World::empty();
    let mut server = Running(
        world
            .command()
            .args(["serve", "--listen", "127.0.0.1:0", "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let announced: Value = serde_json::from_str(&line).unwrap();
    let listen = announced["listen"].as_str().unwrap();
    assert!(!listen.ends_with(":0"), "{listen}");
    // A second server asks the first one over its socket.
    let second = refused(&world.run(&["serve"], ""), 1);
    assert!(second.contains(listen), "{second} {listen}");
}

/// A file that was not closed needs a repair, which only a writer may do.
fn assert_closed(world: &World) {
    if let Err(error) = ReadOnly::open(&world.data()) {
        panic!("{error}");
    }
    assert!(!world.dir.join("doorlight.sock").exists());
}

#[test]
fn a_server_whose_address_is_taken_closes_the_file() {
    let world = World::empty();
    world.verb(&["setup-link"], "");
    let _taken = TcpListener::bind(("127.0.0.1", world.port)).unwrap();
    let line = refused(&world.run(&["serve"], ""), 1);
    assert!(line.contains("cannot listen on"), "{line}");
    assert!(line.contains("choose another with --listen"), "{line}");
    assert_closed(&world);
}

#[test]
fn a_server_that_cannot_load_a_key_closes_the_file() {
    let world = World::empty();
    world.verb(&["setup-link"], "");
    let store = Store::open(&world.data()).unwrap();
    let stored = store.submit(|_| {
        let damaged = SigningKey {
            kid: "damaged".to_owned(),
            algorithm: Algorithm::Es256,
            private: vec![0; 8].into(),
            created: Timestamp::from_secs(1_795_510_200),
            active_from: Timestamp::from_secs(1_795_510_200),
        };
        let reply: Result<(), Infallible> = Ok(());
        Ok(Decision {
            changes: vec![Change::PutSigningKey(Box::new(damaged))],
            events: Vec::new(),
            reply,
        })
    });
    assert!(matches!(stored, Ok(Ok(()))));
    store.close();
    let line = refused(&world.run(&["serve"], ""), 1);
    assert!(line.contains("key"), "{line}");
    assert_closed(&world);
}

/// Every application refused its sign-ins, and nothing said why.
#[test]
fn another_issuer_than_before_is_told_of_until_the_old_one_is_back() {
    let mut world = World::started();
    let old = world.issuer();
    let new = format!("http://localhost:{}", world.port);
    let told = |world: &World| {
        let findings = world.run(&["doctor"], "").stdout;
        let findings: Vec<Value> = serde_json::from_slice(&findings).unwrap();
        let lines = world.log().matches("Doorlight's address is").count();
        let found = findings
            .into_iter()
            .find(|found| found["check"] == "issuer");
        (found, lines)
    };
    let changes = |world: &World| {
        let events = world.run(&["audit", "--kind", "issuer.changed"], "").stdout;
        let lines: Vec<Value> = String::from_utf8(events)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        lines
    };
    assert_eq!(told(&world), (None, 0));
    world.trusted();
    world.stop();
    world.be_known_as(&new, &[]);
    let (found, lines) = told(&world);
    let found = found.unwrap();
    assert_eq!((&found["level"], lines), (&"warning".into(), 1));
    let words = found["found"].as_str().unwrap();
    assert!(words.contains(&old) && words.contains(&new), "{words}");
    assert_eq!(found["change"], format!("--issuer {old}"));
    let recorded = changes(&world);
    assert_eq!(recorded.len(), 1, "{recorded:?}");
    assert_eq!(recorded[0]["detail"], format!("from {old} to {new}"));
    // Said at each start, and recorded once.
    world.stop();
    world.start();
    assert_eq!((told(&world).1, changes(&world).len()), (2, 1));
    world.stop();
    world.be_known_as(&old, &[]);
    assert_eq!(told(&world), (None, 2));
    assert_eq!(changes(&world).len(), 2);
}
