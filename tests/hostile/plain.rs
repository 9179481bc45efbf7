//! Attacks over plain http.

use crate::crowd::{Manner, Size, Speech};
use crate::siege::{BUDGET, alone, hold};
use crate::world::World;
use std::time::Duration;

/// As many as 128 connections an address reach the limit of all, many times over.
fn crowd(connections: usize) -> Size {
    Size {
        connections,
        addresses: 100,
    }
}

fn slowly(first: &[u8], then: &[u8]) -> Manner {
    Manner {
        speech: Speech::Plain,
        first: first.to_vec(),
        then: then.to_vec(),
        reads: true,
        turn: Duration::from_secs(1),
    }
}

#[test]
fn ten_thousand_half_open_connections_keep_nobody_out() {
    let _turn = alone();
    hold(
        &World::started(),
        &crowd(10_000),
        &slowly(b"", b""),
        10_000,
        BUDGET,
    );
}

#[test]
fn one_byte_a_second_keeps_nobody_out() {
    let _turn = alone();
    let manner = slowly(b"GET /login HTTP/1.1\r\nHost: a\r\nX-Slow: ", b"a");
    hold(&World::started(), &crowd(3_000), &manner, 3_000, BUDGET);
}

#[test]
fn bodies_that_stall_keep_nobody_out() {
    let _turn = alone();
    let head =
        b"POST /token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                 Content-Length: 60000\r\n\r\ngrant_type=";
    hold(
        &World::started(),
        &crowd(3_000),
        &slowly(head, b"a"),
        3_000,
        BUDGET,
    );
}

/// Each is large, and its end never comes: all of them together do not fit into the memory that there is.
#[test]
fn large_bodies_that_stall_do_not_fill_the_memory() {
    let _turn = alone();
    let mut request =
        b"POST /token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                        Content-Length: 65000\r\n\r\ngrant_type="
            .to_vec();
    request.resize(60_000, b'a');
    hold(
        &World::started(),
        &crowd(2_000),
        &slowly(&request, b"a"),
        2_000,
        BUDGET,
    );
}

/// Each is as long as a head may be, but for its end: all of them together do not fit into the memory that there is.
#[test]
fn heads_without_end_do_not_fill_the_memory() {
    let _turn = alone();
    let mut head = b"GET /login HTTP/1.1\r\nHost: a\r\nX-Long: ".to_vec();
    head.resize(15_000, b'a');
    hold(
        &World::started(),
        &crowd(2_000),
        &slowly(&head, b"a"),
        2_000,
        BUDGET,
    );
}

/// They ask for more and more, and read nothing.
fn take_nothing_of(target: &str) {
    let _turn = alone();
    let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
    let manner = Manner {
        reads: false,
        ..slowly(&request.repeat(1_000).into_bytes(), request.as_bytes())
    };
    hold(&World::started(), &crowd(2_000), &manner, 2_000, BUDGET);
}

/// The largest that anybody gets, which is compiled in.
#[test]
fn files_that_nobody_takes_do_not_fill_the_memory() {
    take_nothing_of("/assets/css/doorlight.css");
}

/// One is kept, and the other is made for each who asks.
#[test]
fn answers_that_nobody_takes_do_not_fill_the_memory() {
    for target in ["/jwks.json", "/login"] {
        take_nothing_of(target);
    }
}

#[test]
fn a_flood_from_one_address_keeps_nobody_else_out() {
    let _turn = alone();
    let size = Size {
        connections: 1_000,
        addresses: 1,
    };
    let whole = b"GET /login HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let manner = Manner {
        turn: Duration::from_millis(50),
        ..slowly(whole, b"")
    };
    hold(&World::started(), &size, &manner, 5_000, BUDGET);
}
