//! Addresses that an application may register for itself, beside the rules for every application (`oauth::clients`).
//! OpenID Connect Dynamic Client Registration §2 (`application_type`), RFC 8252 §7 and §8.4.

use super::error::RegistrationError;
use crate::model::quoted;
use crate::types::RedirectUri;

/// Where a sign-in may return to. Those that the client has already are `kept`.
pub(super) fn returning(
    uris: &[String],
    kept: &[RedirectUri],
    native: bool,
) -> Result<(), RegistrationError> {
    match first_fault(uris, kept, native) {
        Some((sentence, detail)) => Err(RegistrationError::RedirectUri { sentence, detail }),
        None => Ok(()),
    }
}

/// Where a sign-out may return to.
pub(super) fn after_sign_out(
    uris: &[String],
    kept: &[RedirectUri],
    native: bool,
) -> Result<(), RegistrationError> {
    match first_fault(uris, kept, native) {
        Some((_, detail)) => Err(RegistrationError::Metadata {
            sentence: "post_logout_redirect_uris must be addresses of the kind that redirect_uris may have",
            detail,
        }),
        None => Ok(()),
    }
}

fn first_fault(
    uris: &[String],
    kept: &[RedirectUri],
    native: bool,
) -> Option<(&'static str, String)> {
    uris.iter()
        .filter(|uri| !kept.iter().any(|kept| kept.as_str() == uri.trim()))
        .find_map(|uri| {
            let sentence = fault(uri, native)?;
            Some((sentence, format!("{sentence}: {}", quoted(uri))))
        })
}

/// Whether it leads to a program on the person's own machine.
pub(super) fn is_of_machine(uri: &str) -> bool {
    leads_to(uri).is_some_and(|(scheme, loopback)| match scheme.as_str() {
        "http" => loopback,
        "https" => false,
        _ => true,
    })
}

/// What is wrong with it. One that does not parse is left to the rules for every application.
fn fault(uri: &str, native: bool) -> Option<&'static str> {
    let (scheme, loopback) = leads_to(uri)?;
    match (scheme.as_str(), native) {
        // Claimed https addresses are fine for native applications too (RFC 8252 §7.2).
        ("https", true) => None,
        ("https", false) if loopback => {
            Some("a web client must not return to localhost: use application_type native")
        }
        ("https", false) => None,
        ("http", true) if loopback => None,
        ("http", _) => {
            Some("addresses must be https; http is for loopback addresses of native clients")
        }
        (_, false) => Some("a web client must return to an https address"),
        // RFC 8252 §7.1, §8.4: a scheme that is no domain name backwards may be anybody's.
        (scheme, true) if !scheme.contains('.') => {
            Some("a private scheme must be a domain name backwards, such as com.example.app")
        }
        (_, true) => None,
    }
}

fn leads_to(uri: &str) -> Option<(String, bool)> {
    uri.trim().parse::<RedirectUri>().ok()?.leads_to()
}
