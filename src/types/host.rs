//! The host of a web address.

use std::fmt;
use std::str::FromStr;
use url::Url;

/// A host in the one spelling in which it is compared: lower case, ASCII, an IPv4 address in four numbers, an IPv6
/// address in brackets. Without a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Host(String);

/// The text is not a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostError;

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected a host without scheme, port and path, such as nas.home.arpa or 192.168.1.7",
        )
    }
}

impl std::error::Error for HostError {}

impl Host {
    /// Of a web address, if it has one.
    pub fn of(url: &Url) -> Option<Self> {
        url.host().map(|host| Self(host.to_string()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        match url::Host::parse(text.trim()) {
            Ok(host) => Ok(Self(host.to_string())),
            Err(_) => Err(HostError),
        }
    }
}

as_text!(Host);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_compared_in_one_spelling() {
        for (typed, kept) in [
            (" Notes.EXAMPLE ", Some("notes.example")),
            ("b\u{fc}cher.example", Some("xn--bcher-kva.example")),
            ("127.1", Some("127.0.0.1")),
            ("[::1]", Some("[::1]")),
            ("[0:0::1]", Some("[::1]")),
            ("a b", None),
            ("https://a", None),
            ("a/b", None),
            ("a:80", None),
            ("::1", None),
            ("", None),
        ] {
            let host = typed.parse::<Host>().ok();
            assert_eq!(host.as_ref().map(Host::as_str), kept, "{typed}");
        }
    }
}
