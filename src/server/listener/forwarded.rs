//! Who the client is, behind the proxies that are trusted.
//! The de-facto `X-Forwarded-For` and `X-Forwarded-Proto`. Pure. Owns: when these fields are believed, and that
//! nobody sees them otherwise. Not here: which proxies are trusted (the configuration).

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

/// The client of a request as the handler shall see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Client {
    pub(super) address: SocketAddr,
    pub(super) https: bool,
}

/// Whether `address` belongs to a trusted proxy.
pub(super) fn is_trusted(trusted: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    trusted.iter().any(|net| net.contains(&address))
}

/// The client behind a trusted proxy: the first address from the right that is not itself a trusted proxy.
/// A malformed entry makes the whole field worthless, and the proxy stands for its client.
pub(super) fn client_behind(
    peer: Client,
    trusted: &[IpNet],
    fields: &[(String, String)],
) -> Client {
    Client {
        address: forwarded_for(trusted, fields).unwrap_or(peer.address),
        https: forwarded_https(fields).unwrap_or(peer.https),
    }
}

/// Takes away what only a trusted proxy may say (`Forwarded`, `X-Forwarded-*`), so that no handler can believe it.
pub(super) fn strip(fields: &mut Vec<(String, String)>) {
    const PREFIX: &str = "x-forwarded-";
    fields.retain(|(name, _)| {
        let prefixed = name
            .get(..PREFIX.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(PREFIX));
        !prefixed && !name.eq_ignore_ascii_case("forwarded")
    });
}

fn forwarded_for(trusted: &[IpNet], fields: &[(String, String)]) -> Option<SocketAddr> {
    let mut farthest = None;
    for value in values(fields, "x-forwarded-for").rev() {
        for entry in value.rsplit(',') {
            let address = address(entry.trim())?;
            farthest = Some(address);
            if !is_trusted(trusted, address.ip()) {
                return farthest;
            }
        }
    }
    farthest
}

/// What the nearest proxy says: entries to its left may come from anyone.
fn forwarded_https(fields: &[(String, String)]) -> Option<bool> {
    let value = values(fields, "x-forwarded-proto").next_back()?;
    let scheme = value.rsplit(',').next()?.trim();
    if scheme.eq_ignore_ascii_case("https") {
        Some(true)
    } else if scheme.eq_ignore_ascii_case("http") {
        Some(false)
    } else {
        None
    }
}

fn values<'a>(
    fields: &'a [(String, String)],
    wanted: &'static str,
) -> impl DoubleEndedIterator<Item = &'a str> {
    fields
        .iter()
        .filter(move |(name, _)| name.eq_ignore_ascii_case(wanted))
        .map(|(_, value)| value.as_str())
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`. Port 0 where there is none.
fn address(entry: &str) -> Option<SocketAddr> {
    let bare = entry
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(entry);
    let (ip, port) = match bare.parse::<IpAddr>() {
        Ok(ip) if bare.len() == entry.len() || ip.is_ipv6() => (ip, 0),
        Ok(_) => return None,
        Err(_) => entry
            .parse::<SocketAddr>()
            .map(|address| (address.ip(), address.port()))
            .ok()?,
    };
    Some(SocketAddr::new(ip.to_canonical(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(trusted: &[&str], fields: &[(&str, &str)]) -> (String, bool) {
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        let peer = Client {
            address: "10.0.0.1:5000".parse().unwrap(),
            https: false,
        };
        let client = client_behind(peer, &trusted, &fields);
        (client.address.to_string(), client.https)
    }

    #[test]
    fn the_client_is_the_rightmost_address_that_is_no_trusted_proxy() {
        let trusted = ["10.0.0.0/8", "2001:db8:1::/48"];
        for (value, client) in [
            ("192.0.2.7", "192.0.2.7:0"),
            ("198.51.100.1, 192.0.2.7", "192.0.2.7:0"),
            ("198.51.100.1, 192.0.2.7, 10.0.0.2", "192.0.2.7:0"),
            (
                "198.51.100.1,192.0.2.7:4711,2001:db8:1::5",
                "192.0.2.7:4711",
            ),
            ("[2001:db8::9]:443", "[2001:db8::9]:443"),
            ("[2001:db8::9]", "[2001:db8::9]:0"),
            ("2001:db8::9", "[2001:db8::9]:0"),
            ("::ffff:192.0.2.7", "192.0.2.7:0"),
            ("nonsense, 192.0.2.7", "192.0.2.7:0"),
            ("10.0.0.3, 10.0.0.2", "10.0.0.3:0"),
        ] {
            assert_eq!(
                seen(&trusted, &[("X-Forwarded-For", value)]).0,
                client,
                "{value}"
            );
        }
    }

    #[test]
    fn several_fields_are_one_list() {
        let fields = [
            ("x-forwarded-for", "192.0.2.1, 192.0.2.2"),
            ("X-Forwarded-For", "10.0.0.9"),
        ];
        assert_eq!(seen(&["10.0.0.0/8"], &fields).0, "192.0.2.2:0");
    }

    #[test]
    fn a_malformed_list_names_the_proxy_itself() {
        for value in [
            "",
            "unknown",
            "192.0.2.7, _hidden",
            "192.0.2.7, ",
            "192.0.2.300",
            "[192.0.2.7]",
            "fe80::1%eth0",
        ] {
            assert_eq!(
                seen(&["10.0.0.0/8"], &[("X-Forwarded-For", value)]).0,
                "10.0.0.1:5000",
                "{value}"
            );
        }
    }

    #[test]
    fn the_scheme_is_what_the_nearest_proxy_says() {
        for (value, https) in [
            ("https", true),
            ("HTTPS", true),
            ("https, http", false),
            ("http,https", true),
            ("x", false),
        ] {
            assert_eq!(
                seen(&[], &[("X-Forwarded-Proto", value)]).1,
                https,
                "{value}"
            );
        }
    }

    #[test]
    fn stripping_leaves_other_fields_alone() {
        let names = [
            "Host",
            "X-Forwarded-For",
            "x-forwarded-host",
            "Forwarded",
            "X-Forwarded",
            "X-Original-Url",
        ];
        let mut fields: Vec<_> = names
            .iter()
            .map(|name| (name.to_string(), String::new()))
            .collect();
        strip(&mut fields);
        let left: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(left, ["Host", "X-Forwarded", "X-Original-Url"]);
    }
}
