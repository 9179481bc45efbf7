//! Which addresses belong to the public network. RFC 6890 and the IANA special-purpose registries.
//! Not here: which hosts may be called all the same (`super::Allowed`).

use ipnet::{Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range and its name, for whoever asks why.
type Range<N> = (N, &'static str);

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(a: u16, b: u16, c: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), length)
}

/// IPv4 that is not public.
const V4: [Range<Ipv4Net>; 15] = [
    (v4(0, 0, 0, 0, 8), "unspecified"),
    (v4(10, 0, 0, 0, 8), "private"),
    (v4(100, 64, 0, 0, 10), "shared (carrier NAT)"),
    (v4(127, 0, 0, 0, 8), "loopback"),
    (v4(169, 254, 0, 0, 16), "link-local"),
    (v4(172, 16, 0, 0, 12), "private"),
    (v4(192, 0, 0, 0, 24), "reserved for protocols"),
    (v4(192, 0, 2, 0, 24), "for documentation"),
    (v4(192, 88, 99, 0, 24), "of a 6to4 relay"),
    (v4(192, 168, 0, 0, 16), "private"),
    (v4(198, 18, 0, 0, 15), "for benchmarks"),
    (v4(198, 51, 100, 0, 24), "for documentation"),
    (v4(203, 0, 113, 0, 24), "for documentation"),
    (v4(224, 0, 0, 0, 4), "multicast"),
    (v4(240, 0, 0, 0, 4), "reserved"),
];

/// Parts of 2000::/3 that are not public. What lies outside of it is not public either (`of_v6`).
const V6: [Range<Ipv6Net>; 3] = [
    (v6(0x2001, 0, 0, 23), "reserved for protocols"),
    (v6(0x2001, 0x0db8, 0, 32), "for documentation"),
    (v6(0x3fff, 0, 0, 20), "for documentation"),
];

/// RFC 6052 §2.1: the last 32 bits are an IPv4 address.
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);
/// RFC 3056 §2: the 32 bits behind the first 16 are an IPv4 address.
const SIX_TO_FOUR: Ipv6Net = v6(0x2002, 0, 0, 16);
/// RFC 4291 §2.5: the one block from which public unicast addresses are given.
const GLOBAL: Ipv6Net = v6(0x2000, 0, 0, 3);

/// What sort of address it is, where it is not a public one.
pub fn not_public(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => of_v4(address),
        IpAddr::V6(address) => of_v6(address),
    }
}

fn of_v4(address: Ipv4Addr) -> Option<&'static str> {
    V4.iter()
        .find(|(range, _)| range.contains(&address))
        .map(|(_, words)| *words)
}

fn of_v6(address: Ipv6Addr) -> Option<&'static str> {
    if let Some(embedded) = embedded(address) {
        return of_v4(embedded);
    }
    if !GLOBAL.contains(&address) {
        return Some(match address.segments() {
            [0, 0, 0, 0, 0, 0, 0, 0] => "unspecified",
            [0, 0, 0, 0, 0, 0, 0, 1] => "loopback",
            [0xfc00..=0xfdff, ..] => "unique local",
            [0xfe80..=0xfebf, ..] => "link-local",
            [0xff00..=0xffff, ..] => "multicast",
            _ => "reserved",
        });
    }
    V6.iter()
        .find(|(range, _)| range.contains(&address))
        .map(|(_, words)| *words)
}

/// The IPv4 address that a packet to this one goes to in the end.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return Some(mapped);
    }
    let [_, _, b, c, d, e, _, _, _, _, _, _, w, x, y, z] = address.octets();
    if NAT64.contains(&address) {
        Some(Ipv4Addr::new(w, x, y, z))
    } else if SIX_TO_FOUR.contains(&address) {
        Some(Ipv4Addr::new(b, c, d, e))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ends of every range, and the public neighbours of each.
    #[test]
    fn every_special_range_is_known_to_its_last_address() {
        let table: &[(&str, &str, &str)] = &[
            ("0.0.0.0", "0.255.255.255", "unspecified"),
            ("10.0.0.0", "10.255.255.255", "private"),
            ("100.64.0.0", "100.127.255.255", "shared (carrier NAT)"),
            ("127.0.0.0", "127.255.255.255", "loopback"),
            ("169.254.0.0", "169.254.255.255", "link-local"),
            ("172.16.0.0", "172.31.255.255", "private"),
            ("192.0.0.0", "192.0.0.255", "reserved for protocols"),
            ("192.0.2.0", "192.0.2.255", "for documentation"),
            ("192.88.99.0", "192.88.99.255", "of a 6to4 relay"),
            ("192.168.0.0", "192.168.255.255", "private"),
            ("198.18.0.0", "198.19.255.255", "for benchmarks"),
            ("198.51.100.0", "198.51.100.255", "for documentation"),
            ("203.0.113.0", "203.0.113.255", "for documentation"),
            ("224.0.0.0", "239.255.255.255", "multicast"),
            ("240.0.0.0", "255.255.255.255", "reserved"),
            ("::", "::", "unspecified"),
            ("::1", "::1", "loopback"),
            ("::2", "::255.255.255.255", "reserved"),
            (
                "64:ff9b:1::",
                "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
                "reserved",
            ),
            ("100::", "100::ffff:ffff:ffff:ffff", "reserved"),
            (
                "2001::",
                "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
                "reserved for protocols",
            ),
            (
                "2001:db8::",
                "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
                "for documentation",
            ),
            (
                "3fff::",
                "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
                "for documentation",
            ),
            (
                "4000::",
                "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "reserved",
            ),
            (
                "fc00::",
                "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "unique local",
            ),
            (
                "fe80::",
                "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "link-local",
            ),
            (
                "fec0::",
                "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "reserved",
            ),
            (
                "ff00::",
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "multicast",
            ),
        ];
        for (first, last, words) in table {
            for address in [first, last] {
                assert_eq!(
                    not_public(address.parse().unwrap()),
                    Some(*words),
                    "{address}"
                );
            }
        }
        for public in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.88.98.255",
            "192.88.100.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "2000::",
            "2001:200::",
            "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
            "2001:db9::",
            "2606:4700::1111",
            "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "3fff:1000::",
        ] {
            assert_eq!(not_public(public.parse().unwrap()), None, "{public}");
        }
    }

    /// An IPv6 spelling of an inner address reaches it all the same.
    #[test]
    fn an_ipv4_address_inside_an_ipv6_one_is_what_counts() {
        for inner in [
            "127.0.0.1",
            "10.1.2.3",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
        ] {
            let v4: Ipv4Addr = inner.parse().unwrap();
            let [a, b, c, d] = v4.octets();
            let hex = format!(
                "{:x}:{:x}",
                u16::from_be_bytes([a, b]),
                u16::from_be_bytes([c, d])
            );
            for outer in [
                format!("::ffff:{inner}"),
                format!("64:ff9b::{inner}"),
                format!("2002:{hex}::1"),
                format!("64:ff9b:1::{inner}"),
                format!("::{inner}"),
                format!("2001:0:{hex}::"),
            ] {
                let address = outer.parse().unwrap();
                assert!(not_public(address).is_some(), "{outer}");
            }
        }
        for outer in ["::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2002:101:101::1"] {
            assert_eq!(not_public(outer.parse().unwrap()), None, "{outer}");
        }
    }
}
