//! Front-channel logout. OpenID Connect Front-Channel Logout 1.0.
//! Owns: which pages of applications the signed-out page opens, and where such a page may lie. Not here: the page that
//! opens them (`server::oauth::logout`), the reliable way (`backchannel_logout`).
//!
//! Browsers may keep an application's cookies from a frame in another site's page; that is between the two. Only the
//! browser that signs out can tell anybody in this way: where a session ends otherwise, the back channel does.

use super::subject;
use crate::model::{Client, Grant};
use crate::types::{ClientId, Issuer, SessionId, append_query};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

/// Frames of one page, at most; their origins stand in one header.
const MOST: usize = 50;

/// A page of an application, opened unseen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// With `iss` and `sid`.
    pub address: String,
    /// Scheme, host and port, for the page's policy.
    pub origin: String,
}

/// One frame for each application that the session was signed in to, the latest first. `grants` are the session's, the
/// latest first; what became of their tokens does not matter, the browser may still be signed in there.
pub fn frames(
    issuer: &Issuer,
    session: SessionId,
    grants: &[Grant],
    clients: &BTreeMap<ClientId, Client>,
) -> Vec<Frame> {
    let mut told = BTreeSet::new();
    grants
        .iter()
        .filter(|grant| grant.session == session && grant.scope.contains("openid"))
        .filter(|grant| told.insert(grant.client))
        .filter_map(|grant| clients.get(&grant.client).filter(|client| !client.disabled))
        .filter_map(|client| frame(issuer, session, client))
        .take(MOST)
        .collect()
}

/// §3: `iss` and `sid` go together. They are always there, whether the application said that it needs them or not.
fn frame(issuer: &Issuer, session: SessionId, client: &Client) -> Option<Frame> {
    let uri = client.frontchannel_logout_uri.as_ref()?;
    let sid = subject::session(session, client);
    let said = [
        ("iss", Cow::Borrowed(issuer.as_str())),
        ("sid", Cow::Owned(sid)),
    ];
    Some(Frame {
        address: append_query(uri, &said),
        origin: origin(uri)?,
    })
}

/// `scheme://host:port` where it can stand in a Content-Security-Policy: hosts may have a semicolon for all that the
/// rules for addresses say, and then what follows is a directive. The policy knows no IPv6 addresses.
pub fn origin(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let fits = matches!(url.scheme(), "http" | "https") && url.host_str()?.chars().all(plain);
    fits.then(|| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::GrantEnd;
    use crate::oauth::testing::{NOW, client, grant, of_sector, session};
    use crate::types::{GrantId, Id};

    const OUT: &str = "https://notes.example/out?from=doorlight";

    fn telling(uri: &str) -> Client {
        Client {
            frontchannel_logout_uri: Some(uri.to_owned()),
            ..client()
        }
    }

    fn framed(grants: &[Grant], client: Client) -> Vec<Frame> {
        let issuer = "https://id.example".parse().unwrap();
        frames(&issuer, session().id, grants, &[(client.id, client)].into())
    }

    #[test]
    fn section_3_each_application_of_the_session_is_told_once_with_iss_and_sid() {
        let first = grant(&client());
        let again = Grant {
            id: GrantId(Id::new(NOW, [8; 10])),
            ended: Some((NOW, GrantEnd::RevokedByPerson)),
            ..first.clone()
        };
        let expected = Frame {
            address: format!("{OUT}&iss=https%3A%2F%2Fid.example&sid={}", session().id),
            origin: "https://notes.example".to_owned(),
        };
        assert_eq!(framed(&[again, first], telling(OUT)), [expected]);
    }

    #[test]
    fn oidc_core_section_8_1_two_applications_cannot_compare_the_sid() {
        let session = session().id.to_string();
        let told = |host, key| {
            let client = Client {
                frontchannel_logout_uri: Some(OUT.to_owned()),
                ..of_sector(host, key)
            };
            framed(&[grant(&client)], client).remove(0).address
        };
        let (one, two) = (told("one.example", 1), told("two.example", 2));
        assert_ne!(one, two);
        assert!(!one.contains(&session) && !two.contains(&session));
    }

    #[test]
    fn who_was_not_signed_in_to_is_not_opened() {
        let g = grant(&client());
        let elsewhere = Grant {
            session: SessionId(Id::new(NOW, [9; 10])),
            ..g.clone()
        };
        let machine = Grant {
            scope: "api:read".parse().unwrap(),
            ..g.clone()
        };
        let disabled = Client {
            disabled: true,
            ..telling(OUT)
        };
        let table = [
            ("another session", elsewhere, telling(OUT)),
            ("no openid", machine, telling(OUT)),
            ("no page", g.clone(), client()),
            ("switched off", g.clone(), disabled),
            ("no origin of a policy", g, telling("https://a;b.example/")),
        ];
        for (how, grant, client) in table {
            assert_eq!(framed(&[grant], client), [], "{how}");
        }
    }

    #[test]
    fn what_stands_in_the_policy_is_an_origin_and_nothing_else() {
        for (uri, expected) in [
            (OUT, Some("https://notes.example")),
            ("http://localhost:8080/out", Some("http://localhost:8080")),
            (
                "https://notes.example:443/out",
                Some("https://notes.example"),
            ),
            ("https://a;sandbox/", None),
            ("https://a,b/", None),
            ("https://[::1]/", None),
            ("app.notes:/out", None),
            ("out", None),
        ] {
            assert_eq!(origin(uri).as_deref(), expected, "{uri}");
        }
    }
}
