//! Answers as a signed JWT: JWT Secured Authorization Response Mode for OAuth 2.0 (JARM) §2.1 and §2.3.
//! Owns: what the JWT says and where it stands. Not here: the parameters (`response`), signing (the server has the keys).

use super::response::Delivery;
use crate::model::{Algorithm, Client};
use crate::types::{Issuer, Timestamp, append_query};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::time::Duration;

/// JARM §2.1 says at most ten minutes. A code lives for one; the rest is for the client's clock.
const LIFE: Duration = Duration::from_secs(300);

/// The parameter that holds the JWT (JARM §2.3).
const RESPONSE: &str = "response";

/// An answer that is to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsigned {
    algorithm: Algorithm,
    claims: Map<String, Value>,
    address: String,
    by_form: bool,
}

impl Unsigned {
    /// The answer's parameters, addressed to the client (JARM §2.1). `iss` is among them.
    pub(super) fn new(
        fields: Vec<(&'static str, Cow<'_, str>)>,
        address: &str,
        by_form: bool,
        issuer: &Issuer,
        client: &Client,
        now: Timestamp,
    ) -> Self {
        let mut claims: Map<String, Value> = fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        claims.insert("iss".to_owned(), json!(issuer.as_str()));
        claims.insert("aud".to_owned(), json!(client.wire_id()));
        claims.insert("exp".to_owned(), json!(now.plus(LIFE).secs()));
        Self {
            algorithm: client
                .authorization_signed_response_alg
                .unwrap_or(client.id_token_alg),
            claims,
            address: address.to_owned(),
            by_form,
        }
    }

    /// What to sign it with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What to sign.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The signed answer on its way.
    pub fn signed(self, jwt: String) -> Delivery {
        if self.by_form {
            Delivery::Form {
                action: self.address,
                fields: vec![(RESPONSE, jwt)],
            }
        } else {
            Delivery::Redirect(append_query(&self.address, &[(RESPONSE, Cow::Owned(jwt))]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::authorize::request::target;
    use crate::oauth::authorize::response::{Outgoing, Response};
    use crate::oauth::error::AuthorizeError;
    use crate::oauth::testing::{NOW, client};
    use crate::types::{BearerSecret, Form, Id};

    fn unsigned(client: &Client, mode: &str, code: bool) -> Unsigned {
        let form = Form::default()
            .with("redirect_uri", "https://notes.example/cb")
            .with("state", "a b&c")
            .with("response_mode", mode);
        let target = target(client, &form).unwrap();
        let answer = if code {
            Response::code(&target, &BearerSecret::new(Id::new(NOW, [1; 10]), [2; 32]))
        } else {
            Response::error(&target, AuthorizeError::Denied)
        };
        let issuer = "https://id.example".parse().unwrap();
        match answer.deliver(&issuer, client, NOW) {
            Outgoing::ToSign(unsigned) => unsigned,
            Outgoing::Ready(delivery) => panic!("{delivery:?}"),
        }
    }

    #[test]
    fn jarm_section_2_1_the_answer_is_addressed_and_ends() {
        let client = client();
        let unsigned = unsigned(&client, "jwt", true);
        let claims = unsigned.claims();
        let mut names: Vec<&str> = claims.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["aud", "code", "exp", "iss", "state"]);
        assert_eq!(claims["iss"], "https://id.example");
        assert_eq!(claims["aud"], client.id.to_string());
        assert_eq!(claims["state"], "a b&c");
        let exp = claims["exp"].as_u64().unwrap();
        assert!(exp > NOW.secs() && exp <= NOW.secs() + 600);
    }

    #[test]
    fn jarm_section_2_1_an_error_is_signed_as_well() {
        let unsigned = unsigned(&client(), "form_post.jwt", false);
        assert_eq!(unsigned.claims()["error"], "access_denied");
        assert_eq!(unsigned.claims()["state"], "a b&c");
        assert!(!unsigned.claims().contains_key("code"));
    }

    #[test]
    fn jarm_section_2_3_only_the_jwt_is_sent() {
        let by = |mode| unsigned(&client(), mode, true).signed("a.b.c".to_owned());
        let redirect = Delivery::Redirect("https://notes.example/cb?response=a.b.c".to_owned());
        assert_eq!(by("jwt"), redirect);
        assert_eq!(by("query.jwt"), redirect);
        let form = Delivery::Form {
            action: "https://notes.example/cb".to_owned(),
            fields: vec![("response", "a.b.c".to_owned())],
        };
        assert_eq!(by("form_post.jwt"), form);
    }

    #[test]
    fn jarm_section_3_the_client_chooses_the_algorithm() {
        let usual = client();
        let other = Client {
            authorization_signed_response_alg: Some(Algorithm::Es256),
            ..client()
        };
        let algorithm = |client| unsigned(client, "jwt", true).algorithm();
        assert_eq!(algorithm(&usual), usual.id_token_alg);
        assert_eq!(algorithm(&other), Algorithm::Es256);
    }
}
