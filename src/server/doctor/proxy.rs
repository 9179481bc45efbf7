//! Whether what stands in front of Doorlight tells it the truth: the name that people typed, the scheme, and the client's
//! address. Judged by what the server saw of a probe (`probes`).

use super::finding::{Finding, shown};
use super::probes::Seen;
use crate::types::Issuer;
use ipnet::IpNet;
use std::net::IpAddr;

const CHECK: &str = "proxy";

/// What the doctor claims to be forwarded for, to see whether a proxy lets strangers say so: an address for documentation
/// (RFC 5737).
pub(super) const CLAIMED: &str = "203.0.113.77";

/// What is known about the way of the probe.
pub(super) struct Way<'a> {
    pub(super) issuer: &'a Issuer,
    pub(super) trusted: &'a [IpNet],
    /// Our own address on the way to the public one.
    pub(super) from: IpAddr,
    /// Whether the public address is the very socket that Doorlight listens on.
    pub(super) direct: bool,
    /// Whether https ends here: then nobody in front can say who asks.
    pub(super) ends_https: bool,
    /// Whether the certificate proved who answered: only then is the sender of the probe a proxy to be trusted.
    pub(super) assured: bool,
}

/// Judges what was seen; `None`: the request never arrived.
pub(super) fn judge(way: &Way<'_>, seen: Option<&Seen>) -> Finding {
    let issuer = way.issuer;
    let Some(seen) = seen else {
        return Finding::fault(
            CHECK,
            format!(
                "a request to {issuer} was answered and did not arrive here: a cache, or another Doorlight, answers it"
            ),
        );
    };
    if let Some(finding) = of_host(issuer, seen).or_else(|| of_scheme(way, seen)) {
        return finding;
    }
    if way.direct {
        return Finding::ok(CHECK, "none: Doorlight is reached directly");
    }
    if way.ends_https && seen.forwarded_for.is_none() {
        return of_relay(way, seen);
    }
    of_address(way, seen)
}

/// What passes connections on without looking into them: a router, or Docker's own relay.
fn of_relay(way: &Way<'_>, seen: &Seen) -> Finding {
    let peer = seen.address.map(|ip| ip.to_string()).unwrap_or_default();
    if seen.address == Some(way.from) {
        return Finding::ok(CHECK, format!("none: this machine is known as {peer}"));
    }
    Finding::note(
        CHECK,
        format!(
            "this machine, which is {}, is known here as {peer}; if the audit log shows that address for everybody, \
             something on the way hides who asks",
            way.from
        ),
    )
}

fn of_host(issuer: &Issuer, seen: &Seen) -> Option<Finding> {
    let port = if issuer.is_https() { ":443" } else { ":80" };
    let host = seen.host.strip_suffix(port).unwrap_or(&seen.host);
    if host.eq_ignore_ascii_case(issuer.authority()) {
        return None;
    }
    let found = format!(
        "the proxy does not pass on the name that was asked for: Host is {}, not {}",
        shown(&seen.host),
        issuer.authority()
    );
    Some(Finding::fault(CHECK, found).change("proxy_set_header Host $http_host;"))
}

fn of_scheme(way: &Way<'_>, seen: &Seen) -> Option<Finding> {
    if seen.https || !way.issuer.is_https() {
        return None;
    }
    let peer = seen.address.map(|ip| ip.to_string()).unwrap_or_default();
    Some(if seen.forwarded_proto {
        let found = "the proxy says that people came by http, though they came by https: another proxy before it ends https";
        Finding::fault(CHECK, found).change("proxy_set_header X-Forwarded-Proto https;")
    } else if is_trusted(way, seen) {
        let found = "the proxy does not say by which scheme people came (X-Forwarded-Proto)";
        Finding::fault(CHECK, found).change("proxy_set_header X-Forwarded-Proto $scheme;")
    } else {
        let found = format!(
            "requests come from {peer}, which is not trusted: what it says about people's addresses and https is not \
             believed"
        );
        let finding = Finding::fault(CHECK, found);
        if way.assured {
            finding.change(format!("--trusted-proxy {peer}"))
        } else {
            finding.unassured()
        }
    })
}

fn of_address(way: &Way<'_>, seen: &Seen) -> Finding {
    let Some(said) = &seen.forwarded_for else {
        if !is_trusted(way, seen) && seen.address == Some(way.from) {
            return Finding::ok(
                CHECK,
                format!("none that is seen; this machine is known as {}", way.from),
            );
        }
        let found = "the proxy does not say who asks (X-Forwarded-For): all people count as one address, and one who \
                     guesses passwords slows down all";
        return Finding::warning(CHECK, found)
            .change("proxy_set_header X-Forwarded-For $remote_addr;");
    };
    if said.trim() == CLAIMED {
        let found = "the proxy passes on the X-Forwarded-For that a client sends: everybody can pretend to be another \
                     address";
        return Finding::fault(CHECK, found)
            .change("proxy_set_header X-Forwarded-For $remote_addr;");
    }
    if seen.address.is_some_and(|ip| ip.to_string() == CLAIMED) {
        return of_claim(way);
    }
    let as_whom = seen.address.map(|ip| ip.to_string()).unwrap_or_default();
    Finding::ok(
        CHECK,
        format!("it passes on name, scheme and address; this machine is known as {as_whom}"),
    )
}

/// The proxy adds the address that it was called from, and that one is trusted too: so what it claims is believed.
fn of_claim(way: &Way<'_>) -> Finding {
    let from = way.from;
    if from.is_loopback() {
        return Finding::ok(
            CHECK,
            "it passes on name, scheme and address; what programs on this machine say of themselves is believed",
        );
    }
    let range = way.trusted.iter().find(|net| net.contains(&from));
    let range = range.map(|net| net.to_string()).unwrap_or_default();
    let found = format!(
        "this machine, {from}, counts as a proxy itself, as does everybody in {range}: whoever is there can pretend to be \
         another address"
    );
    Finding::warning(CHECK, found).change("--trusted-proxy, with the address of the proxy alone")
}

/// Whether a trusted proxy sent it: then some of its fields are there, or it is the client itself as far as is known.
fn is_trusted(way: &Way<'_>, seen: &Seen) -> bool {
    seen.forwarded_for.is_some()
        || seen.forwarded_proto
        || seen
            .address
            .is_some_and(|ip| way.trusted.iter().any(|net| net.contains(&ip)))
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    const PROXY: &str = "172.18.0.2";

    fn judged(trusted: &str, seen: Option<Seen>) -> Finding {
        judged_as(true, trusted, seen)
    }

    fn judged_as(assured: bool, trusted: &str, seen: Option<Seen>) -> Finding {
        let issuer = "https://id.example.org".parse().unwrap();
        let trusted: Vec<IpNet> = trusted
            .split_whitespace()
            .map(|n| n.parse().unwrap())
            .collect();
        let way = Way {
            issuer: &issuer,
            trusted: &trusted,
            from: "192.168.1.5".parse().unwrap(),
            direct: false,
            ends_https: false,
            assured,
        };
        judge(&way, seen.as_ref())
    }

    /// As a proxy that does all right shows it.
    fn right() -> Seen {
        Seen {
            host: "id.example.org".to_owned(),
            https: true,
            address: Some("192.168.1.5".parse().unwrap()),
            forwarded_for: Some("192.168.1.5".to_owned()),
            forwarded_proto: true,
        }
    }

    fn change(finding: Finding, level: Level) -> String {
        assert_eq!(finding.level, level, "{finding:?}");
        finding.change.unwrap()
    }

    #[test]
    fn a_proxy_that_says_all_is_ok() {
        for said in ["192.168.1.5", "203.0.113.77, 192.168.1.5"] {
            let seen = Seen {
                forwarded_for: Some(said.to_owned()),
                host: "ID.example.org:443".to_owned(),
                ..right()
            };
            assert_eq!(judged("172.18.0.0/16", Some(seen)).level, Level::Ok);
        }
    }

    #[test]
    fn each_header_that_is_wrong_has_its_line() {
        let host = Seen {
            host: "127.0.0.1:8080".to_owned(),
            ..right()
        };
        assert_eq!(
            change(judged("172.18.0.0/16", Some(host)), Level::Fault),
            "proxy_set_header Host $http_host;"
        );
        let scheme = Seen {
            https: false,
            forwarded_proto: false,
            ..right()
        };
        assert_eq!(
            change(judged("172.18.0.0/16", Some(scheme)), Level::Fault),
            "proxy_set_header X-Forwarded-Proto $scheme;"
        );
        let http = Seen {
            https: false,
            ..right()
        };
        assert_eq!(
            change(judged("172.18.0.0/16", Some(http)), Level::Fault),
            "proxy_set_header X-Forwarded-Proto https;"
        );
        let silent = Seen {
            forwarded_for: None,
            address: Some(PROXY.parse().unwrap()),
            ..right()
        };
        assert_eq!(
            change(judged("172.18.0.0/16", Some(silent)), Level::Warning),
            "proxy_set_header X-Forwarded-For $remote_addr;"
        );
        let passes_on = Seen {
            forwarded_for: Some(CLAIMED.to_owned()),
            address: Some(CLAIMED.parse().unwrap()),
            ..right()
        };
        let finding = judged("172.18.0.0/16", Some(passes_on));
        assert!(finding.found.contains("pretend"), "{finding:?}");
        assert_eq!(finding.level, Level::Fault);
    }

    #[test]
    fn a_proxy_that_is_not_trusted_is_named() {
        let seen = Seen {
            https: false,
            forwarded_for: None,
            forwarded_proto: false,
            address: Some(PROXY.parse().unwrap()),
            ..right()
        };
        assert_eq!(
            change(judged("", Some(seen.clone())), Level::Fault),
            "--trusted-proxy 172.18.0.2"
        );
        // A neighbour can pass the probe on as well, and would be believed from then on.
        let finding = judged_as(false, "", Some(seen));
        assert_eq!((finding.level, finding.change), (Level::Fault, None));
        assert!(
            finding.found.contains("does not prove"),
            "{}",
            finding.found
        );
    }

    /// A range that holds more than the proxy lets all of it choose their addresses.
    #[test]
    fn a_network_that_is_trusted_as_a_whole_is_a_warning() {
        let appended = Seen {
            forwarded_for: Some("203.0.113.77, 192.168.1.5".to_owned()),
            address: Some(CLAIMED.parse().unwrap()),
            ..right()
        };
        let finding = judged("192.168.0.0/16", Some(appended));
        assert_eq!(finding.level, Level::Warning);
        assert!(finding.found.contains("192.168.0.0/16"), "{finding:?}");
    }

    #[test]
    fn a_request_that_never_arrived_was_answered_by_another() {
        let finding = judged("", None);
        assert_eq!(finding.level, Level::Fault);
        assert!(finding.found.contains("did not arrive"), "{finding:?}");
    }
}
