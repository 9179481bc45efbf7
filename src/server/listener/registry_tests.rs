//! Who is counted together and who goes first; the rest is told on the wire, in `tests/listener/crowding.rs`.

use std::os::unix::net::UnixStream;

use super::*;

/// For which no time passes: its beginning is still to come, so that nobody stalls because the machine does.
fn registry(connections: usize, connections_per_address: usize) -> Arc<Registry> {
    let limits = Limits {
        connections,
        connections_per_address,
        ..Limits::default()
    };
    Arc::new(Registry {
        started: Instant::now() + Duration::from_secs(3_600),
        ..Registry::new(&limits)
    })
}

fn admit(registry: &Arc<Registry>, peer: &str) -> Option<Ticket> {
    let socket = Socket::Unix(UnixStream::pair().unwrap().0);
    registry
        .admit(socket, Peer::of(peer.parse().unwrap()), false)
        .ok()
}

#[test]
fn an_ipv6_network_of_64_bits_is_one_peer_and_a_mapped_ipv4_address_is_ipv4() {
    let peer = |address: &str| Peer::of(address.parse().unwrap());
    assert_eq!(peer("2001:db8:1:2::1"), peer("2001:db8:1:2:ffff::9"));
    assert_ne!(peer("2001:db8:1:2::1"), peer("2001:db8:1:3::1"));
    assert_eq!(peer("::ffff:192.0.2.1"), peer("192.0.2.1"));
    assert_ne!(peer("192.0.2.2"), peer("192.0.2.1"));
}

#[test]
fn an_address_at_its_limit_costs_no_other_address_a_connection() {
    let registry = registry(100, 2);
    let other = admit(&registry, "192.0.2.9").unwrap();
    let first = admit(&registry, "192.0.2.1").unwrap();
    let second = admit(&registry, "192.0.2.1").unwrap();
    let third = admit(&registry, "192.0.2.1").unwrap();
    assert!(first.busy().is_err(), "the first was shed");
    assert!(second.busy().is_ok() && third.busy().is_ok() && other.busy().is_ok());
    assert!(
        admit(&registry, "192.0.2.1").is_none(),
        "none of its own is idle"
    );
}

#[test]
fn a_newcomer_waits_until_the_shed_connection_is_gone() {
    let registry = registry(1, 10);
    let first = admit(&registry, "192.0.2.1").unwrap();
    assert!(
        admit(&registry, "192.0.2.2").is_none(),
        "it is told to go, but its thread does not end"
    );
    drop(first);
    assert!(admit(&registry, "192.0.2.2").is_some());
}

#[test]
fn the_machines_own_socket_gets_in_when_all_is_taken() {
    let registry = registry(1, 10);
    let stranger = admit(&registry, "192.0.2.1").unwrap();
    stranger.busy().unwrap();
    assert!(admit(&registry, "192.0.2.2").is_none());
    let socket = Socket::Unix(UnixStream::pair().unwrap().0);
    let own = registry.admit(socket, Peer::Local, false);
    assert!(own.is_ok() && stranger.idle().is_ok());
}

/// Once, a hundred addresses that each kept ten bodies coming answered everybody else with 503 for as long as they liked.
#[test]
fn who_holds_most_makes_room_for_who_comes_with_one() {
    let registry = registry(4, 10);
    let crowd: Vec<_> = (0..4)
        .map(|_| admit(&registry, "192.0.2.1").unwrap())
        .collect();
    for member in &crowd {
        member.receiving().unwrap();
    }
    // Whoever holds as many gets nothing by it: the thread of the one that has to go does not end here.
    assert!(admit(&registry, "192.0.2.1").is_none());
    assert!(crowd.iter().all(|member| member.receiving().is_ok()));
    assert!(admit(&registry, "192.0.2.2").is_none());
    let shed = crowd.iter().filter(|member| member.receiving().is_err());
    assert_eq!(shed.count(), 1);
}

#[test]
fn who_has_stalled_for_a_second_goes_before_who_holds_most() {
    let limits = Limits {
        connections: 3,
        ..Limits::default()
    };
    let registry = Arc::new(Registry {
        started: Instant::now() - Duration::from_secs(10),
        ..Registry::new(&limits)
    });
    let stalled = admit(&registry, "192.0.2.9").unwrap();
    for entry in registry.lock().entries.values() {
        let begun = Phase::Sending.since(0);
        entry.state.store(begun, Ordering::Relaxed);
    }
    let crowd = [
        admit(&registry, "192.0.2.1").unwrap(),
        admit(&registry, "192.0.2.1").unwrap(),
    ];
    assert!(admit(&registry, "192.0.2.2").is_none());
    assert!(stalled.sending().is_err());
    assert!(crowd.iter().all(|member| member.receiving().is_ok()));
}

/// The one place that a visitor has is not taken from them before they have said what they want.
#[test]
fn a_crowd_does_not_shed_a_connection_that_has_just_come() {
    let registry = registry(3, 10);
    let crowd = [
        admit(&registry, "192.0.2.1").unwrap(),
        admit(&registry, "192.0.2.1").unwrap(),
    ];
    let visitor = admit(&registry, "192.0.2.2").unwrap();
    for member in &crowd {
        member.busy().unwrap();
    }
    assert!(admit(&registry, "192.0.2.1").is_none());
    assert!(visitor.busy().is_ok());
}

/// One by one, a thousand newcomers would each wait for one thread to end.
#[test]
fn a_few_newcomers_do_not_wait_for_those_who_were_shed() {
    let registry = registry(128, 128);
    let crowd: Vec<_> = (0..128)
        .map(|_| admit(&registry, "192.0.2.1").unwrap())
        .collect();
    // Those who wait are refused in the end: none of the crowd ends here.
    let first = admit(&registry, "192.0.2.2");
    let second = admit(&registry, "192.0.2.3");
    assert!(first.is_some() && second.is_some());
    assert!(admit(&registry, "192.0.2.4").is_none(), "three are leaving");
    drop(crowd);
    assert_eq!(registry.lock().entries.len(), 2);
}

/// What was decided is told, also at a shutdown: an answer that is on its way is not cut off before its time.
#[test]
fn a_shutdown_waits_for_answers_that_are_being_taken() {
    let registry = Arc::new(Registry::new(&Limits::default()));
    let slow = admit(&registry, "192.0.2.1").unwrap();
    slow.sending().unwrap();
    let timeout = Duration::from_millis(GRACE + 300);
    assert_eq!(registry.drain(timeout), 1);
    assert!(slow.idle().is_ok(), "it was shed");
}

#[test]
fn counts_return_to_nothing() {
    let registry = registry(3, 2);
    for round in 0..50 {
        let tickets: Vec<_> = (0..3)
            .filter_map(|at| admit(&registry, &format!("192.0.2.{}", at % 2)))
            .collect();
        if round % 2 == 0 {
            let mut connections = registry.lock();
            registry.shed(&mut connections, None, Phase::Sending);
        }
        drop(tickets);
    }
    let connections = registry.lock();
    assert!(connections.entries.is_empty() && connections.of_peer.is_empty());
    assert_eq!(connections.leaving, 0);
}
