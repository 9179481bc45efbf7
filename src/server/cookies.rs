//! Cookies: one for the session, one that ties a form to a browser before there is a session, and those of other
//! modules (`known_device`). DESIGN §6.
//! `__Host-` and `Secure` wherever the issuer is https; plain names on a loopback issuer only.

use super::incoming::Incoming;
use crate::types::{BearerSecret, Issuer};
use rouille::Request;

const SESSION: &str = "doorlight";
const BROWSER: &str = "doorlight-browser";

/// The value of a cookie. Where a name stands twice, the first counts.
pub fn read<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    request
        .headers()
        .filter(|(header, _)| header.eq_ignore_ascii_case("cookie"))
        .flat_map(|(_, value)| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(n, _)| *n == name)
        .map(|(_, value)| value)
}

/// The secret of the session cookie.
pub fn session_secret(incoming: &Incoming<'_>) -> Option<BearerSecret> {
    BearerSecret::parse(incoming.cookie(&name(&incoming.ctx.config.issuer, SESSION))?)
}

/// The value that ties forms to this browser.
pub fn browser<'r>(incoming: &'r Incoming<'_>) -> Option<&'r str> {
    incoming
        .cookie(&name(&incoming.ctx.config.issuer, BROWSER))
        .filter(|value| value.len() >= 22)
}

/// `Set-Cookie` for a session. It ends with the browser's own session or with the record, whichever is first.
pub fn set_session(issuer: &Issuer, secret: &BearerSecret, seconds: u64) -> String {
    with_attributes(issuer, SESSION, secret.text().expose(), Some(seconds))
}

/// `Set-Cookie` that forgets the session.
pub fn clear_session(issuer: &Issuer) -> String {
    with_attributes(issuer, SESSION, "", Some(0))
}

/// `Set-Cookie` for the value that ties forms to this browser.
pub fn set_browser(issuer: &Issuer, value: &str) -> String {
    with_attributes(issuer, BROWSER, value, None)
}

/// `Set-Cookie` for something that we remember in the browser for a while; none left: forgotten.
pub fn set_short(issuer: &Issuer, plain: &str, value: &str, seconds: u64) -> String {
    with_attributes(issuer, plain, value, Some(seconds))
}

/// What we remembered in the browser.
pub fn short<'r>(incoming: &'r Incoming<'_>, plain: &str) -> Option<&'r str> {
    incoming.cookie(&name(&incoming.ctx.config.issuer, plain))
}

fn with_attributes(issuer: &Issuer, plain: &str, value: &str, max_age: Option<u64>) -> String {
    let secure = if issuer.is_https() { "; Secure" } else { "" };
    let age = max_age
        .map(|seconds| format!("; Max-Age={seconds}"))
        .unwrap_or_default();
    format!(
        "{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}",
        name(issuer, plain)
    )
}

fn name(issuer: &Issuer, plain: &str) -> String {
    if issuer.is_https() {
        format!("__Host-{plain}")
    } else {
        plain.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Id;

    #[test]
    fn cookies_are_host_bound_and_secure_on_https() {
        let secret = BearerSecret::new(Id::default(), [1; 32]);
        let secure = set_session(&"https://id.example".parse().unwrap(), &secret, 60);
        assert!(secure.starts_with("__Host-doorlight="));
        assert!(secure.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60"));
        let plain = set_session(&"http://localhost:8080".parse().unwrap(), &secret, 60);
        assert!(
            plain.starts_with("doorlight=")
                && !plain.contains("Secure")
                && plain.contains("HttpOnly")
        );
    }
}
