//! The issuer: Doorlight's own address. OpenID Connect Discovery §3, RFC 8414 §2.
//! It comes from the settings, never from a request.

use std::fmt;
use std::str::FromStr;
use url::Url;

/// An `http` or `https` address without query, fragment and trailing slash. Two are equal where their texts are.
#[derive(Clone, Debug)]
pub struct Issuer {
    text: String,
    /// Scheme, host and port, as a browser writes an `Origin`.
    origin: String,
    /// Empty, or a path that begins with a slash and does not end with one.
    path: String,
    authority: String,
    loopback: bool,
    /// The text that it was read from, where that is another.
    given_as: Option<String>,
}

impl PartialEq for Issuer {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Issuer {}

/// Why a text cannot be the issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssuerError {
    /// It does not parse as an absolute `http` or `https` address.
    NotAnAddress,
    /// It has a query, a fragment, a user name or a password.
    HasMore,
    /// It is a plain http address of another machine: passwords and cookies would cross the network unprotected.
    PlainHttp,
}

impl fmt::Display for IssuerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAnAddress => "the issuer must be an address like https://id.example.org",
            Self::HasMore => "the issuer must not have a user name, a query or a fragment",
            Self::PlainHttp => "an http issuer must be this machine (localhost); use https, with a certificate (--tls-cert) or a proxy in front of Doorlight",
        })
    }
}

impl std::error::Error for IssuerError {}

impl Issuer {
    /// `http://localhost` with a port: the address of a Doorlight that was given none.
    pub fn on_this_machine(port: u16) -> Self {
        let authority = match port {
            80 => "localhost".to_owned(),
            port => format!("localhost:{port}"),
        };
        let origin = format!("http://{authority}");
        Self {
            text: origin.clone(),
            origin,
            path: String::new(),
            authority,
            loopback: true,
            given_as: None,
        }
    }

    /// How it was spelt, where that was otherwise: `https://id.example.org:443/`. Whoever spells it so elsewhere is refused.
    pub fn given_as(&self) -> Option<&str> {
        self.given_as.as_deref()
    }

    /// The issuer identifier, exactly as clients compare it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Host, and port unless it is the scheme's own: what a request's `Host` should say.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Empty, or the path below which every endpoint stands.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether it is an `https` address.
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https:")
    }

    /// Whether its host is this very machine: `localhost` or a loopback address.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// The address of one endpoint; `path` begins with a slash.
    pub fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }
}

impl FromStr for Issuer {
    type Err = IssuerError;

    fn from_str(text: &str) -> Result<Self, IssuerError> {
        let url = Url::parse(text).map_err(|_| IssuerError::NotAnAddress)?;
        let host = url
            .host_str()
            .filter(|h| !h.is_empty())
            .ok_or(IssuerError::NotAnAddress)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(IssuerError::NotAnAddress);
        }
        if url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return Err(IssuerError::HasMore);
        }
        let loopback = is_loopback(&url);
        if url.scheme() == "http" && !loopback {
            return Err(IssuerError::PlainHttp);
        }
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let origin = format!("{}://{authority}", url.scheme());
        let path = url.path().trim_end_matches('/').to_owned();
        let kept = format!("{origin}{path}");
        Ok(Self {
            given_as: (kept != text).then(|| text.to_owned()),
            text: kept,
            origin,
            path,
            authority,
            loopback,
        })
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether the URL's host is `localhost`, a name below it, or a loopback address.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_has_one_spelling() {
        for (given, kept) in [
            ("https://id.example/", "https://id.example"),
            ("https://ID.example:443", "https://id.example"),
            ("http://localhost:8080/door/", "http://localhost:8080/door"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            let issuer = given.parse::<Issuer>().unwrap();
            assert_eq!(issuer.as_str(), kept);
            assert_eq!(issuer.given_as(), Some(given).filter(|text| *text != kept));
            assert_eq!(Ok(issuer), kept.parse());
        }
    }

    #[test]
    fn an_issuer_on_this_machine_is_what_its_text_parses_to() {
        for port in [0, 80, 443, 8080, 65535] {
            let issuer = Issuer::on_this_machine(port);
            assert_eq!(issuer.as_str().parse(), Ok(issuer.clone()));
            assert!(issuer.is_loopback());
        }
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        for bad in [
            "",
            "id.example",
            "ftp://id.example",
            "https://a@id.example",
            "https://id.example?x",
            "https://id#f",
            "http://id.example",
            "http://192.168.1.5:8080",
        ] {
            assert!(bad.parse::<Issuer>().is_err(), "{bad}");
        }
    }
}
