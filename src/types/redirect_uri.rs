//! A registered redirect URI. RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1.
//! Not here: which request may use which (`oauth::authorize::redirect_uri`).

use super::issuer::is_loopback;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;
use url::Url;

/// An absolute URI without fragment, kept exactly as it was typed: it is compared as a string.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RedirectUri(String);

/// Why a text cannot be registered as a redirect URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectUriError {
    /// Not an absolute URI.
    NotAbsolute,
    /// It has a `#` part (RFC 6749 §3.1.2).
    HasFragment,
    /// A scheme that would run as code or read local files in a browser.
    ForbiddenScheme,
    /// White space, control characters, a wildcard, or a user name.
    ForbiddenCharacter,
    /// Longer than 2,000 characters.
    TooLong,
}

impl fmt::Display for RedirectUriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAbsolute => {
                "must be a whole address, such as https://app.example.org/callback"
            }
            Self::HasFragment => "must not have a # part",
            Self::ForbiddenScheme => "this kind of address is not safe to return to",
            Self::ForbiddenCharacter => "must not have spaces, wildcards (*) or a user name",
            Self::TooLong => "must be at most 2,000 characters long",
        })
    }
}

impl std::error::Error for RedirectUriError {}

impl RedirectUri {
    /// The address as it was registered.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a plain `http` address of another machine.
    pub fn is_remote_http(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| url.scheme() == "http" && !is_loopback(&url))
    }

    /// Whether an answer goes to a web site that proves its name.
    pub fn is_https(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| url.scheme() == "https")
    }

    /// The scheme in lower case, and whether the host is a loopback one.
    pub fn leads_to(&self) -> Option<(String, bool)> {
        let url = Url::parse(&self.0).ok()?;
        Some((url.scheme().to_owned(), is_loopback(&url)))
    }

    /// `scheme://host:port` of a web address, as a browser writes an `Origin`; `None` for a private-use scheme.
    pub fn origin(&self) -> Option<String> {
        let url = Url::parse(&self.0).ok()?;
        matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
    }

    /// What a person recognises: the host of a web address, else the scheme.
    pub fn place(&self) -> String {
        Url::parse(&self.0)
            .map(|url| match (url.host_str(), url.port()) {
                (Some(host), Some(port)) if !host.is_empty() => format!("{host}:{port}"),
                (Some(host), None) if !host.is_empty() => host.to_owned(),
                _ => format!("{}:", url.scheme()),
            })
            .unwrap_or_default()
    }

    /// Whether `requested` is this address with another port, both `http` on a loopback IP literal or `localhost`
    /// (RFC 8252 §7.3).
    pub fn matches_loopback_port(&self, requested: &str) -> bool {
        // What could not be registered is not let in by way of the port: parsing alone drops tabs and line breaks.
        if requested.parse::<Self>().is_err() {
            return false;
        }
        let (Ok(mut ours), Ok(mut theirs)) = (Url::parse(&self.0), Url::parse(requested)) else {
            return false;
        };
        let loopback_http =
            |url: &Url| url.scheme() == "http" && is_loopback(url) && url.username().is_empty();
        if !loopback_http(&ours) || !loopback_http(&theirs) {
            return false;
        }
        ours.set_port(None).is_ok() && theirs.set_port(None).is_ok() && ours == theirs
    }
}

impl FromStr for RedirectUri {
    type Err = RedirectUriError;

    fn from_str(text: &str) -> Result<Self, RedirectUriError> {
        let uri = Self::kept(text)?;
        let (scheme, rest) = text.split_once(':').unwrap_or_default();
        let authority = rest.strip_prefix("//").map(|rest| {
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            rest.get(..end).unwrap_or_default()
        });
        // Browsers mend `https:/host` and `https:host`, and before the redirect is followed they may take it for a path
        // of ours: what is compared as a string must mean the same to everybody.
        let web = ["http", "https", "ws", "wss", "ftp"];
        if web.iter().any(|web| scheme.eq_ignore_ascii_case(web))
            && authority.is_none_or(str::is_empty)
        {
            return Err(RedirectUriError::NotAbsolute);
        }
        // An empty user name, which parsing drops.
        if authority.is_some_and(|authority| authority.contains('@')) {
            return Err(RedirectUriError::ForbiddenCharacter);
        }
        Ok(uri)
    }
}

impl RedirectUri {
    /// What records may hold: a rule that is added to [`FromStr`] must not make a client of an older file unreadable.
    fn kept(text: &str) -> Result<Self, RedirectUriError> {
        if text.len() > 2_000 {
            return Err(RedirectUriError::TooLong);
        }
        if text.contains('#') {
            return Err(RedirectUriError::HasFragment);
        }
        if text.chars().any(|c| {
            c.is_control() || c.is_whitespace() || matches!(c, '*' | '"' | '<' | '>' | '\\')
        }) {
            return Err(RedirectUriError::ForbiddenCharacter);
        }
        let url = Url::parse(text).map_err(|_| RedirectUriError::NotAbsolute)?;
        match url.scheme() {
            "javascript" | "data" | "vbscript" | "file" | "blob" | "about" | "view-source"
            | "filesystem" => {
                return Err(RedirectUriError::ForbiddenScheme);
            }
            "http" | "https" if url.host_str().is_none_or(str::is_empty) => {
                return Err(RedirectUriError::NotAbsolute);
            }
            _ => {}
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RedirectUriError::ForbiddenCharacter);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RedirectUri {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RedirectUri {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::kept(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_may_be_registered() {
        for good in [
            "https://a.example/cb?x=1",
            "http://127.0.0.1/cb",
            "app.immich:///oauth-callback",
            "audiobookshelf://oauth",
        ] {
            assert!(good.parse::<RedirectUri>().is_ok(), "{good}");
        }
        for bad in [
            "/cb",
            "a.example/cb",
            "https://a.example/#f",
            "javascript:alert(1)",
            "JAVASCRIPT:alert(1)",
            "data:text/html,x",
            "https://*.example/",
            "https://a@b.example/",
            "https://a.example/ x",
            "",
            "https://",
        ] {
            assert!(bad.parse::<RedirectUri>().is_err(), "{bad}");
        }
    }

    /// Fuzzing found these: parsing mends each into `https://a.example/cb`, but the text that is compared and sent in
    /// `Location` is the one that was typed, and a browser takes `https:/cb` for a path of ours.
    #[test]
    fn what_only_parsing_mends_is_not_registered() {
        for (bad, why) in [
            ("https:/a.example/cb", RedirectUriError::NotAbsolute),
            ("HTTPS:/a.example/cb", RedirectUriError::NotAbsolute),
            ("https:a.example/cb", RedirectUriError::NotAbsolute),
            ("https:///a.example/cb", RedirectUriError::NotAbsolute),
            ("http:127.0.0.1/cb", RedirectUriError::NotAbsolute),
            (
                "https://@a.example/cb",
                RedirectUriError::ForbiddenCharacter,
            ),
            (
                "https://:@a.example/cb",
                RedirectUriError::ForbiddenCharacter,
            ),
            (
                "https://a:b@a.example",
                RedirectUriError::ForbiddenCharacter,
            ),
            ("app://@a.example/cb", RedirectUriError::ForbiddenCharacter),
        ] {
            assert_eq!(bad.parse::<RedirectUri>(), Err(why), "{bad}");
        }
        for good in [
            "https://a.example/@me?to=@",
            "https://a.example?@",
            "app:/@",
        ] {
            assert!(good.parse::<RedirectUri>().is_ok(), "{good}");
        }
        let ours: RedirectUri = "http://127.0.0.1/cb".parse().unwrap();
        assert!(!ours.matches_loopback_port("http:/127.0.0.1:1/cb"));
        assert!(!ours.matches_loopback_port("http://@127.0.0.1:1/cb"));
    }

    #[test]
    fn a_client_that_was_kept_before_a_rule_is_still_read() {
        let kept: RedirectUri = serde_json::from_str(r#""https:/a.example/cb""#).unwrap();
        assert_eq!(kept.as_str(), "https:/a.example/cb");
        assert!(serde_json::from_str::<RedirectUri>(r#""javascript:alert(1)""#).is_err());
    }

    #[test]
    fn only_the_loopback_port_is_free() {
        let ours: RedirectUri = "http://127.0.0.1/cb".parse().unwrap();
        for (requested, matches) in [
            ("http://127.0.0.1:49152/cb", true),
            ("http://127.0.0.1/cb", true),
            ("http://127.0.0.1:49152/other", false),
            ("http://127.0.0.1:49152/cb?x", false),
            ("http://localhost:49152/cb", false),
            ("https://127.0.0.1:49152/cb", false),
            ("http://127.0.0.1.example:1/cb", false),
            ("http://a@127.0.0.1:1/cb", false),
            ("http://127.0.0.1:1/cb#f", false),
        ] {
            assert_eq!(
                ours.matches_loopback_port(requested),
                matches,
                "{requested}"
            );
        }
        let remote: RedirectUri = "http://app.example/cb".parse().unwrap();
        assert!(!remote.matches_loopback_port("http://app.example:81/cb"));
    }

    proptest! {
        #[test]
        fn a_match_differs_in_the_port_only(text in "[ -~]{0,60}", port: u16) {
            let ours: RedirectUri = "http://localhost:1/cb".parse().unwrap();
            let _ = text.parse::<RedirectUri>();
            if ours.matches_loopback_port(&text) {
                let url = Url::parse(&text).unwrap();
                prop_assert_eq!(url.path(), "/cb");
                prop_assert_eq!(url.host_str(), Some("localhost"));
            }
            let with_port = format!("http://localhost:{port}/cb");
            prop_assert!(ours.matches_loopback_port(&with_port));
        }
    }
}
