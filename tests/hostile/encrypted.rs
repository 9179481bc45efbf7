//! Attacks where https is spoken: on the handshake, which costs the server most.

use crate::certified::{Authority, started};
use crate::crowd::{Manner, Size};
use crate::siege::{alone, hold};
use std::time::Duration;

/// The first bytes of a ClientHello that says it has 512 (RFC 8446 §4, §5.1).
const BEGUN: [u8; 11] = [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3];

#[test]
fn handshakes_that_stall_keep_nobody_out() {
    let _turn = alone();
    let size = Size {
        connections: 3_000,
        addresses: 100,
    };
    let manner = Manner {
        first: BEGUN.to_vec(),
        then: vec![0],
        reads: true,
        turn: Duration::from_secs(1),
    };
    hold(&started(&Authority::new(), &[]), &size, &manner, 3_000);
}
