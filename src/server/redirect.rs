//! Plain http, for whoever typed an address without `https://`: sent on, to the issuer and nowhere else. RFC 9110 §15.4.9.
//! Owns: that nothing else is answered in the clear. Not here: the socket (`listener`).

use super::listener::Handler;
use super::respond;
use crate::types::Issuer;
use rouille::{Request, Response};
use std::sync::Arc;

/// A browser remembers the way for an hour: long enough to be of use, short enough to forget a mistake.
const REMEMBERED: &str = "max-age=3600";

/// Answers everything with the same path and query of the issuer, whatever `Host` says.
pub fn handler(issuer: &Issuer) -> Handler {
    let origin = issuer.origin().to_owned();
    Arc::new(move |request, _| {
        let mut answer = redirect(&origin, request);
        respond::complete(&mut answer, false);
        answer
    })
}

fn redirect(origin: &str, request: &Request) -> Response {
    if !matches!(request.method(), "GET" | "HEAD") {
        // What a form or a program sends has crossed the network in the clear already: better they notice than that it
        // works. RFC 9110 §15.5.6.
        let mut refusal = respond::plain(
            405,
            "Nothing is taken over plain http. Use the https address.",
        );
        respond::set(&mut refusal, "Allow", "GET, HEAD");
        return refusal;
    }
    // The listener lets only the origin form through (RFC 9112 §3.2.1); anything else could become part of the host.
    let target = Some(request.raw_url()).filter(|target| target.starts_with('/'));
    let mut answer = Response::text("").with_status_code(308);
    let place = format!("{origin}{}", target.unwrap_or("/"));
    respond::set(&mut answer, "Location", place);
    respond::set(&mut answer, "Cache-Control", REMEMBERED);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, url: &str) -> Response {
        let host = vec![("Host".to_owned(), "evil.example".to_owned())];
        let request = Request::fake_http(method, url, host, Vec::new());
        handler(&"https://id.example:8443/sub".parse().unwrap())(&request, &[])
    }

    fn header<'r>(response: &'r Response, name: &str) -> Option<&'r str> {
        let mut headers = response.headers.iter();
        headers
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_ref())
    }

    #[test]
    fn the_way_leads_to_the_issuers_origin_whatever_the_request_says() {
        for url in [
            "/",
            "/sub/login?a=b&c=%0d%0a",
            "//evil.example/x",
            "/@evil.example",
            "/\\evil.example",
            "*",
        ] {
            for method in ["GET", "HEAD"] {
                let answer = asked(method, url);
                assert_eq!(answer.status_code, 308);
                let place = url::Url::parse(header(&answer, "Location").unwrap()).unwrap();
                assert_eq!(
                    place.origin().ascii_serialization(),
                    "https://id.example:8443",
                    "{url}"
                );
            }
        }
        let answer = asked("GET", "/sub/login?a=b");
        assert_eq!(
            header(&answer, "Location"),
            Some("https://id.example:8443/sub/login?a=b")
        );
    }

    #[test]
    fn nothing_is_taken_in_the_clear() {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT"] {
            let answer = asked(method, "/token");
            assert_eq!(answer.status_code, 405, "{method}");
            assert_eq!(header(&answer, "Allow"), Some("GET, HEAD"));
            assert_eq!(header(&answer, "Location"), None);
        }
    }
}
