//! The authorization response. RFC 6749 §4.1.2 and §4.1.2.1, RFC 9207 (`iss`), Form Post Response Mode. Signed answers:
//! `jarm`.

use super::jarm::Unsigned;
use super::request::{ResponseMode, Target};
use crate::model::Client;
use crate::oauth::error::AuthorizeError;
use crate::types::{BearerSecret, Issuer, Secret, Timestamp, append_query};
use std::borrow::Cow;

/// An answer on its way to a verified address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    target: Target,
    answer: Answer,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    Code(Secret),
    Error(AuthorizeError),
}

/// What the server does with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// 303 to this address.
    Redirect(String),
    /// A page that posts these to that address.
    Form {
        /// Where.
        action: String,
        /// Names and values.
        fields: Vec<(&'static str, String)>,
    },
}

/// An answer in its mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// It can go.
    Ready(Delivery),
    /// It is to be signed first.
    ToSign(Unsigned),
}

impl Response {
    /// With a code.
    pub fn code(target: &Target, code: &BearerSecret) -> Self {
        Self {
            target: target.clone(),
            answer: Answer::Code(code.text()),
        }
    }

    /// With an error. There is no way to make one without a verified address.
    pub fn error(target: &Target, error: AuthorizeError) -> Self {
        Self {
            target: target.clone(),
            answer: Answer::Error(error),
        }
    }

    /// The answer in its mode, with `state` as sent and `iss`.
    pub fn deliver(&self, issuer: &Issuer, client: &Client, now: Timestamp) -> Outgoing {
        let mut fields: Vec<(&'static str, Cow<'_, str>)> = match &self.answer {
            Answer::Code(code) => vec![("code", Cow::Borrowed(code.expose()))],
            Answer::Error(error) => {
                let wire = error.wire();
                vec![
                    ("error", Cow::Borrowed(wire.code)),
                    ("error_description", Cow::Borrowed(wire.description)),
                ]
            }
        };
        if let Some(state) = &self.target.state {
            fields.push(("state", Cow::Borrowed(state)));
        }
        fields.push(("iss", Cow::Borrowed(issuer.as_str())));
        let address = self.target.redirect_uri.as_str();
        match self.target.mode {
            ResponseMode::Query => {
                Outgoing::Ready(Delivery::Redirect(append_query(address, &fields)))
            }
            ResponseMode::FormPost => Outgoing::Ready(Delivery::Form {
                action: address.to_owned(),
                fields: fields
                    .into_iter()
                    .map(|(name, value)| (name, value.into_owned()))
                    .collect(),
            }),
            mode @ (ResponseMode::QueryJwt | ResponseMode::FormPostJwt) => {
                let by_form = mode == ResponseMode::FormPostJwt;
                let unsigned = Unsigned::new(fields, address, by_form, issuer, client, now);
                Outgoing::ToSign(unsigned)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::authorize::request::target;
    use crate::oauth::testing::{NOW, client};
    use crate::types::Form;

    fn deliver(extra: &str) -> Delivery {
        let form = format!("redirect_uri=https%3A%2F%2Fnotes.example%2Fcb&state=a+b%26c{extra}");
        let target = target(&client(), &Form::parse(form.as_bytes()).unwrap()).unwrap();
        let issuer = "https://id.example".parse().unwrap();
        match Response::error(&target, AuthorizeError::Denied).deliver(&issuer, &client(), NOW) {
            Outgoing::Ready(delivery) => delivery,
            Outgoing::ToSign(unsigned) => panic!("{unsigned:?}"),
        }
    }

    #[test]
    fn rfc9207_an_error_by_redirect_names_the_issuer_and_echoes_the_state() {
        let expected = "https://notes.example/cb?error=access_denied&error_description=the+user+refused\
                        &state=a+b%26c&iss=https%3A%2F%2Fid.example";
        assert_eq!(deliver(""), Delivery::Redirect(expected.to_owned()));
    }

    #[test]
    fn form_post_carries_the_same_fields() {
        let Delivery::Form { action, fields } = deliver("&response_mode=form_post") else {
            panic!()
        };
        assert_eq!(action, "https://notes.example/cb");
        assert!(fields.contains(&("state", "a b&c".to_owned())));
    }
}
