//! What a service manager is told, and that the unit for systemd asks for it.

use crate::world::World;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::{Duration, Instant};

fn said(socket: &UnixDatagram) -> String {
    let mut buffer = [0; 64];
    let length = socket.recv(&mut buffer).unwrap();
    String::from_utf8(buffer[..length].to_vec()).unwrap()
}

/// It ended a server without a certificate, and everybody who was at the door.
#[test]
fn a_hangup_ends_no_server_that_has_nothing_to_read_again() {
    const SAID: &str = "there is no certificate to read again";
    let mut world = World::started();
    for times in 1..=2 {
        world.signal("-HUP");
        let begun = Instant::now();
        while world.log().matches(SAID).count() < times {
            assert!(begun.elapsed() < Duration::from_secs(60), "{}", world.log());
            assert_eq!(world.ask("GET", "/readyz", "", "").status, 200);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    assert_eq!(world.ask("GET", "/readyz", "", "").status, 200);
    world.stop();
}

#[test]
fn a_service_manager_hears_when_it_is_ready_alive_and_stopping() {
    let mut world = World::empty();
    let path = world.dir.join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    world.environment = vec![("NOTIFY_SOCKET", path), ("WATCHDOG_USEC", "300000".into())];
    world.start();
    assert_eq!(said(&socket), "READY=1");
    // Whoever was told so may connect at once.
    assert_eq!(world.ask("GET", "/readyz", "", "").status, 200);
    for _ in 0..3 {
        assert_eq!(said(&socket), "WATCHDOG=1");
    }
    world.stop();
    let rest: Vec<String> = std::iter::repeat_with(|| said(&socket))
        .take_while(|word| word != "STOPPING=1")
        .collect();
    assert!(rest.iter().all(|word| word == "WATCHDOG=1"), "{rest:?}");
}

#[test]
fn an_abstract_socket_is_understood_and_another_process_watchdog_is_not_ours() {
    let mut world = World::empty();
    let name = format!("doorlight-cli-{}", std::process::id());
    let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    world.environment = vec![
        ("NOTIFY_SOCKET", format!("@{name}").into()),
        ("WATCHDOG_USEC", "60000".into()),
        ("WATCHDOG_PID", "1".into()),
    ];
    world.start();
    assert_eq!(said(&socket), "READY=1");
    std::thread::sleep(Duration::from_millis(200));
    world.stop();
    assert_eq!(said(&socket), "STOPPING=1");
}

#[test]
fn a_service_manager_that_is_not_there_is_no_reason_not_to_serve() {
    let mut world = World::empty();
    world.environment = vec![
        ("NOTIFY_SOCKET", world.dir.join("nobody")),
        ("WATCHDOG_USEC", "100000".into()),
    ];
    world.start();
    assert_eq!(world.ask("GET", "/readyz", "", "").status, 200);
    assert!(
        world
            .log()
            .contains("the service manager cannot be told READY=1"),
        "{}",
        world.log()
    );
    world.stop();
}

/// `systemd-analyze` looks at the rest (tests/run).
#[test]
fn the_unit_asks_for_what_the_server_says_and_gives_it_one_folder() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/packaging/systemd/doorlight.service"
    );
    let unit = std::fs::read_to_string(path).unwrap();
    let has = |line: &str| unit.lines().any(|there| there == line);
    for line in [
        "Type=notify",
        "WatchdogSec=60",
        "Restart=on-failure",
        "StateDirectory=doorlight",
        "StateDirectoryMode=0700",
        "UMask=0077",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "CapabilityBoundingSet=",
        "LimitCORE=0",
    ] {
        assert!(has(line), "{line}");
    }
}
