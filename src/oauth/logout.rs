//! RP-initiated logout. OpenID Connect RP-Initiated Logout 1.0 §2 to §4.
//! Owns: when a sign-out may happen without asking, and where it may return to.

use super::subject;
use crate::model::{Client, User};
use crate::types::{Form, SessionId, WireClientId, append_query};
use std::borrow::Cow;

/// What a valid `id_token_hint` says, expired ones too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// `aud`.
    pub client: WireClientId,
    /// `sub`, as that client knows the person.
    pub sub: String,
    /// `sid`, in the same way.
    pub sid: Option<String>,
}

/// Why the request is answered with an error page. There is no redirect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogoutError {
    /// A parameter stands twice.
    Repeated(String),
    /// `client_id` is not the hint's audience (§2).
    ClientMismatch,
    /// An address, but nobody whose address it could be.
    NoClient,
    /// Not one of the client's (§3).
    RedirectUri {
        /// What was sent.
        received: String,
        /// What is registered.
        expected: Vec<String>,
    },
}

/// The parameters, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `id_token_hint`, unchecked.
    pub id_token_hint: Option<String>,
    /// `client_id`.
    pub client_id: Option<WireClientId>,
    redirect_uri: Option<String>,
    state: Option<String>,
}

impl Request {
    /// Reads the query or form.
    pub fn parse(form: &Form) -> Result<Self, LogoutError> {
        let one = |name: &str| {
            form.one(name)
                .map(|v| v.map(str::to_owned))
                .map_err(|e| LogoutError::Repeated(e.0))
        };
        let client_id = match one("client_id")? {
            Some(text) => Some(text.parse().map_err(|_| LogoutError::NoClient)?),
            None => None,
        };
        Ok(Self {
            id_token_hint: one("id_token_hint")?,
            client_id,
            redirect_uri: one("post_logout_redirect_uri")?,
            state: one("state")?,
        })
    }

    /// Which client it speaks for: the hint's, which `client_id` must not contradict.
    pub fn client(&self, hint: Option<&Hint>) -> Result<Option<WireClientId>, LogoutError> {
        match (hint, &self.client_id) {
            (Some(hint), Some(named)) if hint.client != *named => Err(LogoutError::ClientMismatch),
            (Some(hint), _) => Ok(Some(hint.client.clone())),
            (None, named) => Ok(named.clone()),
        }
    }

    /// Where to return to: compared as a string with the client's registered addresses (§3).
    pub fn return_to(&self, client: Option<&Client>) -> Result<Option<String>, LogoutError> {
        let Some(requested) = &self.redirect_uri else {
            return Ok(None);
        };
        let client = client.ok_or(LogoutError::NoClient)?;
        if client
            .post_logout_redirect_uris
            .iter()
            .all(|uri| uri.as_str() != requested)
        {
            return Err(LogoutError::RedirectUri {
                received: requested.clone(),
                expected: client
                    .post_logout_redirect_uris
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
            });
        }
        Ok(Some(match &self.state {
            Some(state) => append_query(requested, &[("state", Cow::Borrowed(state))]),
            None => requested.clone(),
        }))
    }
}

/// Whether the person must be asked: always, unless a valid hint names the very session of this browser. `client` is
/// the hint's; of one that is gone nobody knows how it named people.
pub fn must_ask(
    hint: Option<&Hint>,
    client: Option<&Client>,
    session: Option<(SessionId, &User)>,
) -> bool {
    match (hint, session) {
        (Some(hint), Some((id, user))) => client.is_none_or(|client| {
            let is_it = |sid: &String| *sid == subject::session(id, client);
            hint.client != client.wire_id()
                || hint.sub != subject::of(user, client)
                || !hint.sid.as_ref().is_none_or(is_it)
        }),
        (Some(_), None) => false,
        (None, _) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::{NOW, client, of_sector, session, user};
    use crate::types::{Id, UserId};

    fn request(text: &str) -> Request {
        Request::parse(&Form::parse(text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn the_address_must_be_the_clients_own() {
        let client = client();
        let good =
            request("post_logout_redirect_uri=https%3A%2F%2Fnotes.example%2Fbye&state=a%26b");
        let expected = "https://notes.example/bye?state=a%26b".to_owned();
        assert_eq!(good.return_to(Some(&client)), Ok(Some(expected)));
        assert_eq!(good.return_to(None), Err(LogoutError::NoClient));
        let bad = request("post_logout_redirect_uri=https%3A%2F%2Fnotes.example%2Fbye%2F");
        assert!(matches!(
            bad.return_to(Some(&client)),
            Err(LogoutError::RedirectUri { .. })
        ));
        assert_eq!(request("state=x").return_to(Some(&client)), Ok(None));
    }

    #[test]
    fn only_a_hint_of_this_very_session_goes_unasked() {
        let person = user();
        let here = Some((session().id, &person));
        let other = Id::new(NOW, [9; 10]);
        for known in [client(), of_sector("notes.example", 1)] {
            let named = |id| User {
                id: UserId(id),
                ..user()
            };
            let sub = |id| Some(subject::of(&named(id), &known));
            let sid = |id| Some(subject::session(SessionId(id), &known));
            let (us, this) = (user().id.0, session().id.0);
            let table = [
                ("of this session", sub(us), sid(this), false),
                ("of this person", sub(us), None, false),
                ("of another session", sub(us), sid(other), true),
                ("of another person", sub(other), None, true),
                ("of another client's name", Some("x".into()), None, true),
            ];
            for (what, sub, sid, asked) in table {
                let client = known.wire_id();
                let hint = sub.map(|sub| Hint { client, sub, sid });
                let must = |client| must_ask(hint.as_ref(), client, here);
                assert_eq!(must(Some(&known)), asked, "{what}");
                assert!(must(None), "{what}: a client that is gone");
            }
        }
        assert!(must_ask(None, Some(&client()), here));
        assert!(must_ask(None, None, None));
    }

    #[test]
    fn a_client_id_that_contradicts_the_hint_is_refused() {
        let hint = Hint {
            client: client().wire_id(),
            sub: user().id.to_string(),
            sid: None,
        };
        let other = request(&format!("client_id={}", Id::new(NOW, [9; 10])));
        assert_eq!(other.client(Some(&hint)), Err(LogoutError::ClientMismatch));
        assert_eq!(
            request("").client(Some(&hint)),
            Ok(Some(client().wire_id()))
        );
    }
}
