//! Request objects by reference. RFC 9101 §5.2, OpenID Connect Core §6.2.
//! Owns: which addresses are fetched for a client, and what their fragment says of the content. Not here: the fetch
//! (`server::fetched`), what the object says (`request_object`), requests that were pushed (`par`).

use super::par::Reference;
use super::request;
use crate::crypto::digest::s256;
use crate::model::Client;
use crate::oauth::error::AuthorizeError;
use crate::types::Form;

/// The address that a request names and that may be fetched; `None` where it names none. Asked before anything is sent:
/// whoever has no part in a registration must not choose what is called.
pub fn address<'f>(client: &Client, form: &'f Form) -> Result<Option<&'f str>, AuthorizeError> {
    if Reference::in_form(form).is_some() {
        return Ok(None);
    }
    let Some(uri) = request::once(form, "request_uri")? else {
        return Ok(None);
    };
    // RFC 9101 §5: one or the other.
    if request::once(form, "request")?.is_some() {
        return Err(AuthorizeError::BadParameter("request_uri"));
    }
    if client.jwks.is_none() && client.jwks_uri.is_none() {
        return Err(AuthorizeError::RequestUri);
    }
    // RFC 9101 §10.4.1, OpenID Connect Core §6.2: exactly as registered, the fragment included.
    if client.request_uris.iter().any(|known| known == uri) {
        Ok(Some(uri))
    } else {
        Err(AuthorizeError::BadRequestUri(
            "request_uri is not registered",
        ))
    }
}

/// The request as if it had carried what was found at its address. OpenID Connect Core §6.2: a fragment is the SHA-256
/// of the content; one of another shape only tells contents apart.
pub fn resolve(form: &Form, uri: &str, content: &str) -> Result<Form, AuthorizeError> {
    let promised = uri.split_once('#').map(|(_, fragment)| fragment);
    let is_hash = |text: &str| {
        text.len() == 43
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if promised.is_some_and(|hash| is_hash(hash) && hash != s256(content)) {
        return Err(AuthorizeError::BadRequestUri(
            "what stands at request_uri does not have the hash of its fragment",
        ));
    }
    // A file may end with a line end.
    let object = content.trim();
    // RFC 6749 §3.1 would take an empty parameter for one left out, and what stands outside for the whole request.
    if object.is_empty() {
        return Err(AuthorizeError::BadRequestUri(
            "nothing stands at request_uri",
        ));
    }
    Ok(form.without("request_uri").with("request", object))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::keyring::testing::ring;
    use crate::oauth::testing::client;

    const URI: &str = "https://notes.example/ro.jwt";

    fn form(pairs: &[(&str, &str)]) -> Form {
        Form::from_pairs(
            pairs
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn only_what_is_registered_is_fetched_and_never_beside_a_request() {
        let mut client = client();
        client.request_uris = vec![URI.to_owned()];
        let named = form(&[("request_uri", URI)]);
        assert_eq!(address(&client, &named), Err(AuthorizeError::RequestUri));
        client.jwks = Some(ring().jwks());
        assert_eq!(address(&client, &named), Ok(Some(URI)));
        assert_eq!(address(&client, &form(&[])), Ok(None));
        let pushed = form(&[("request_uri", "urn:ietf:params:oauth:request_uri:x")]);
        assert_eq!(address(&client, &pushed), Ok(None));
        for bad in [
            "https://notes.example/ro.jwt#x",
            "https://notes.example/ro.jwt?a",
            "https://notes.example/RO.jwt",
            "https://NOTES.example/ro.jwt",
            "http://notes.example/ro.jwt",
            "ro.jwt",
        ] {
            let refused = address(&client, &form(&[("request_uri", bad)])).unwrap_err();
            assert_eq!(refused.wire().code, "invalid_request_uri", "{bad}");
        }
        for bad in [
            form(&[("request_uri", URI), ("request", "a.b.c")]),
            form(&[("request_uri", URI), ("request_uri", URI)]),
        ] {
            let refused = address(&client, &bad).unwrap_err();
            assert_eq!(refused.wire().code, "invalid_request", "{bad:?}");
        }
    }

    #[test]
    fn oidc_core_section_6_2_the_fragment_is_the_hash_of_the_content() {
        let good = format!("{URI}#{}", s256("a.b.c\n"));
        let named = form(&[("request_uri", &good), ("state", "s")]);
        let resolved = resolve(&named, &good, "a.b.c\n").unwrap();
        assert_eq!(resolved.text("request"), "a.b.c");
        assert!(!resolved.has("request_uri") && resolved.text("state") == "s");
        assert!(resolve(&named, &good, "a.b.d\n").is_err());
        assert!(resolve(&named, &format!("{URI}#v2"), "a.b.d").is_ok());
    }

    /// The parameters outside would have counted alone, signed by nobody.
    #[test]
    fn rfc9101_section_7_an_empty_document_is_no_request_without_an_object() {
        let named = form(&[("request_uri", URI), ("state", "s")]);
        for empty in ["", " ", "\r\n"] {
            let refused = resolve(&named, URI, empty).unwrap_err();
            assert_eq!(refused.wire().code, "invalid_request_uri", "{empty:?}");
        }
    }
}
