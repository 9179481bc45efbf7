//! Whether Doorlight's own address leads to it from here, and says the issuer that it should. OpenID Connect Discovery
//! §4.3: an application compares the two texts.

use super::finding::{Finding, shown};
use crate::ops::outbound::address::not_public;
use crate::ops::outbound::own::{Answer, Unreached};
use crate::types::Issuer;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use url::Url;

const CHECK: &str = "address";

/// Whether the setting is spelt as everybody else must spell it.
pub(super) fn spelling(issuer: &Issuer) -> Option<Finding> {
    let given = issuer.given_as()?;
    let words = difference(issuer.as_str(), given)?;
    let found = format!(
        "it is set as {}, which {words}; Doorlight calls itself {issuer}, and applications must too, letter by letter",
        shown(given)
    );
    Some(Finding::note("issuer", found).change(format!("--issuer {issuer}")))
}

/// Judges what came back for the discovery document. `listen` is where Doorlight itself listens; `assured`, whether the
/// certificate proved who answered. Without that, nothing of the answer gets into a line to type.
pub(super) fn judge(
    issuer: &Issuer,
    listen: SocketAddr,
    answer: Result<&Answer, &Unreached>,
    assured: bool,
) -> Finding {
    let answer = match answer {
        Ok(answer) => answer,
        Err(unreached) => return unreachable(issuer, unreached),
    };
    if (300..400).contains(&answer.status) {
        return redirected(issuer, answer, assured);
    }
    match answer.status {
        200 => {}
        502..=504 => {
            let found = format!(
                "{issuer} answers {}: the proxy there does not reach Doorlight",
                answer.status
            );
            return Finding::fault(CHECK, found)
                .change(format!("proxy_pass http://{};", local(listen)));
        }
        404 if !issuer.path().is_empty() => {
            let found = format!(
                "{issuer} answers 404: the proxy there must pass on the whole path, {} included",
                issuer.path()
            );
            let line = format!(
                "location {}/ {{ proxy_pass http://{}; }}",
                issuer.path(),
                local(listen)
            );
            return Finding::fault(CHECK, found).change(line);
        }
        status => {
            let found = format!(
                "{issuer} answers {status} to a public page of Doorlight's: another program answers there, or lets \
                 nobody through"
            );
            return Finding::fault(CHECK, found);
        }
    }
    let document: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let said = document
        .as_ref()
        .and_then(|document| document.get("issuer")?.as_str());
    let Some(said) = said else {
        let found = format!("what answers at {issuer} is no Doorlight");
        return Finding::fault(CHECK, found);
    };
    match difference(issuer.as_str(), said) {
        None => Finding::ok(
            CHECK,
            format!("{issuer} leads here, and says the same issuer"),
        ),
        Some(words) => {
            let found = format!(
                "what answers at {issuer} calls itself {}, which {words}; applications compare the two letter by letter",
                shown(said)
            );
            set_to(Finding::fault(CHECK, found), issuer, said, assured)
        }
    }
}

/// With the line that sets the issuer to what was said there, if that is another address of our own host and has no
/// character that a shell takes for its own.
fn set_to(finding: Finding, issuer: &Issuer, said: &str, assured: bool) -> Finding {
    let host = |issuer: &Issuer| {
        let url = Url::parse(issuer.as_str()).ok();
        url.and_then(|url| url.host_str().map(str::to_owned))
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._/:[]".contains(c);
    match said.parse::<Issuer>() {
        Ok(other)
            if other != *issuer
                && host(&other) == host(issuer)
                && other.as_str().chars().all(plain) =>
        {
            if assured {
                finding.change(format!("--issuer {other}"))
            } else {
                finding.unassured()
            }
        }
        _ => finding,
    }
}

fn unreachable(issuer: &Issuer, unreached: &Unreached) -> Finding {
    let host = issuer.authority();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let point = |to: &dyn std::fmt::Display| format!("in /etc/hosts of this machine: {to} {host}");
    match unreached {
        Unreached::NoSuchName => Finding::fault(
            CHECK,
            format!("this machine finds no address for the name {host}"),
        )
        .change(point(&Ipv4Addr::LOCALHOST)),
        Unreached::NoTls(_) => Finding::fault(
            CHECK,
            format!(
                "what listens at {issuer} speaks no https that this program understands: a proxy that speaks plain \
                 http, or another port"
            ),
        ),
        Unreached::NoAnswer(why) => Finding::fault(
            CHECK,
            format!(
                "{issuer} takes the connection and gives no answer: {}",
                shown(why)
            ),
        ),
        Unreached::Refused(to) | Unreached::Silent(to) => {
            let (ip, port) = (to.ip(), to.port());
            let what = match unreached {
                Unreached::Refused(_) => "refuses the connection",
                _ => "does not answer",
            };
            if not_public(ip).is_none() {
                // Many routers do not lead out and in again ("hairpin").
                let found = format!(
                    "{issuer} cannot be reached from here: {ip} {what} on port {port}. From outside it may work all the \
                     same; then your router does not lead back inside (hairpin), and applications on this network \
                     cannot reach Doorlight either"
                );
                return Finding::warning(CHECK, found).change(point(&"192.168.1.5"));
            }
            Finding::fault(
                CHECK,
                format!("{issuer} cannot be reached: {ip} {what} on port {port}"),
            )
        }
    }
}

fn redirected(issuer: &Issuer, answer: &Answer, assured: bool) -> Finding {
    let to = answer.location.as_deref().unwrap_or_default();
    let begun = format!("{issuer} sends clients on to {}", shown(to));
    let Ok(url) = Url::parse(to) else {
        let found = format!("{begun}: the proxy in front answers before Doorlight is asked");
        return Finding::fault(CHECK, found);
    };
    let own = Url::parse(issuer.as_str()).ok();
    let same_host = own.as_ref().and_then(Url::host_str) == url.host_str();
    let candidate = format!("{}{}", url.origin().ascii_serialization(), issuer.path());
    match candidate.parse::<Issuer>() {
        Ok(candidate) if same_host && candidate != *issuer => {
            let words = difference(issuer.as_str(), candidate.as_str()).unwrap_or("is another");
            let found = format!("{begun}, which {words}: applications do not follow that");
            set_to(
                Finding::fault(CHECK, found),
                issuer,
                candidate.as_str(),
                assured,
            )
        }
        _ => {
            let found = format!(
                "{begun}: something in front asks for a sign-in of its own, or the name belongs to another program. \
                 Doorlight's pages must be let through"
            );
            Finding::fault(CHECK, found)
        }
    }
}

/// Where the proxy finds Doorlight on this machine.
fn local(listen: SocketAddr) -> SocketAddr {
    match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => {
            SocketAddr::new(Ipv4Addr::LOCALHOST.into(), listen.port())
        }
        IpAddr::V6(ip) if ip.is_unspecified() => {
            SocketAddr::new(Ipv4Addr::LOCALHOST.into(), listen.port())
        }
        _ => listen,
    }
}

/// How an issuer differs from the one that it should be, in words that follow “which”.
pub fn difference(expected: &str, found: &str) -> Option<&'static str> {
    if expected == found {
        return None;
    }
    let normal = |text: &str| text.trim_end_matches('/').to_ascii_lowercase();
    if expected.trim_end_matches('/') == found.trim_end_matches('/') {
        return Some("differs in the slash at its end");
    }
    if normal(expected) == normal(found) {
        return Some("differs in capital letters");
    }
    let (Ok(a), Ok(b)) = (Url::parse(expected), Url::parse(found)) else {
        return Some("is no address");
    };
    if a.host_str() != b.host_str() {
        return Some("has another host");
    }
    if a.scheme() != b.scheme() {
        return Some("differs in http and https");
    }
    if a.port_or_known_default() != b.port_or_known_default() {
        return Some("has another port");
    }
    if a.path().trim_end_matches('/') != b.path().trim_end_matches('/') {
        return Some("has another path");
    }
    Some("names the port that its scheme has anyway")
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
