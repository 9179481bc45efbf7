//! The authorization request: first where an answer may go (`target`), then all the rest (`Request::parse`).
//! RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1.

use super::par::Unusable;
use super::pkce;
use super::redirect_uri::{Mismatch, VerifiedRedirectUri, verify};
use crate::model::{ClaimsRequest, Client, CodeChallenge, GrantType, quoted};
use crate::oauth::claims;
use crate::oauth::error::AuthorizeError;
use crate::oauth::registration::DocumentError;
use crate::oauth::target;
use crate::types::{Form, Id, Repeated, Scope, Thumbprint, WireClientId};
use std::time::Duration;

/// How the answer travels (OAuth 2.0 Multiple Response Types §2.1, Form Post Response Mode, JARM §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of a redirect.
    Query,
    /// In a form that posts itself.
    FormPost,
    /// Signed, in the query of a redirect.
    QueryJwt,
    /// Signed, in a form that posts itself.
    FormPostJwt,
}

impl ResponseMode {
    /// Every value of `response_mode`, as discovery lists them.
    pub const ALL: [(&str, Self); 5] = [
        ("query", Self::Query),
        ("form_post", Self::FormPost),
        // JARM §2.3.4: with a code, the query.
        ("jwt", Self::QueryJwt),
        ("query.jwt", Self::QueryJwt),
        ("form_post.jwt", Self::FormPostJwt),
    ];

    fn parse(text: &str) -> Option<Self> {
        let found = Self::ALL.into_iter().find(|(name, _)| *name == text);
        found.map(|(_, mode)| mode)
    }
}

/// Where an answer goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// A registered address.
    pub redirect_uri: VerifiedRedirectUri,
    /// How.
    pub mode: ResponseMode,
    /// Echoed exactly.
    pub state: Option<String>,
    /// The pushed request that the answer uses up (RFC 9126 §4).
    pub pushed: Option<Id>,
}

/// What cannot be answered by redirect, because it is not known where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoTarget {
    /// `client_id` is missing, repeated, or names no enabled client.
    Client,
    /// `client_id` is the address of a document that describes no client.
    Document(DocumentError),
    /// `redirect_uri` stands twice.
    Repeated,
    /// The redirect URI is missing or not the client's.
    RedirectUri(Mismatch),
    /// The `request_uri` names nothing that was pushed and still counts.
    Pushed(Unusable),
    /// The request object cannot be used, and nothing outside says where to answer.
    RequestObject(AuthorizeError),
}

impl NoTarget {
    /// For the audit log.
    pub fn detail(&self, client_id: &str) -> String {
        match self {
            Self::Client => format!("client_id unknown or disabled: {}", quoted(client_id)),
            Self::Document(error) => {
                format!("client document {}: {}", quoted(client_id), error.detail())
            }
            Self::Repeated => "redirect_uri is repeated".to_owned(),
            Self::RedirectUri(mismatch) => mismatch.detail(),
            Self::Pushed(Unusable::Unknown) => {
                "request_uri is unknown or was answered already".to_owned()
            }
            Self::Pushed(Unusable::ForeignClient) => {
                "request_uri was pushed by another client".to_owned()
            }
            Self::Pushed(Unusable::Expired) => "request_uri has expired".to_owned(),
            Self::RequestObject(error) => error.detail(),
        }
    }
}

/// `prompt` (OpenID Connect Core §3.1.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// Never show a page.
    pub none: bool,
    /// Ask for the password again.
    pub login: bool,
    /// Ask for permission again.
    pub consent: bool,
    /// Ask which account.
    pub select_account: bool,
}

/// A request that can be acted on once the person is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where the answer goes.
    pub target: Target,
    /// What can be granted of what was asked.
    pub scope: Scope,
    /// What the person is asked about: the scope, and the scopes of claims that are asked for by name.
    pub asked_scope: Scope,
    /// What was asked, for the audit log.
    pub raw_scope: String,
    /// PKCE.
    pub challenge: Option<CodeChallenge>,
    /// For the ID token.
    pub nonce: Option<String>,
    /// Which pages must or must not be shown.
    pub prompt: Prompt,
    /// How old a sign-in may be.
    pub max_age: Option<Duration>,
    /// A name to fill in.
    pub login_hint: Option<String>,
    /// An ID token of the person who is meant; checked by the server with the keys.
    pub id_token_hint: Option<String>,
    /// Claims by name.
    pub claims: ClaimsRequest,
    /// Resources (RFC 8707).
    pub resources: Vec<String>,
    /// The key that the code will be bound to (RFC 9449 §10).
    pub dpop_jkt: Option<Thumbprint>,
}

/// The `client_id` of a request. Read first: without it there is nobody to answer.
pub fn client_id(form: &Form) -> Result<WireClientId, NoTarget> {
    form.one("client_id")
        .ok()
        .flatten()
        .and_then(|id| id.parse().ok())
        .ok_or(NoTarget::Client)
}

/// Where an answer to this client may go.
pub fn target(client: &Client, form: &Form) -> Result<Target, NoTarget> {
    if client.disabled {
        return Err(NoTarget::Client);
    }
    let requested = form.one("redirect_uri").map_err(|_| NoTarget::Repeated)?;
    let openid = form
        .all("scope")
        .any(|scope| scope.split(' ').any(|token| token == "openid"));
    let redirect_uri = verify(client, requested, openid).map_err(NoTarget::RedirectUri)?;
    let mode = form.one("response_mode").ok().flatten();
    let mode = mode
        .and_then(ResponseMode::parse)
        .unwrap_or(ResponseMode::Query);
    // A repeated state belongs to nobody: it is not echoed.
    let state = form.one("state").ok().flatten().map(str::to_owned);
    Ok(Target {
        redirect_uri,
        mode,
        state,
        pushed: None,
    })
}

/// Parameters that have a meaning here and may stand once (RFC 6749 §3.1). `resource` may stand often.
const SINGLE: &[&str] = &[
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "prompt",
    "max_age",
    "login_hint",
    "id_token_hint",
    "acr_values",
    "claims",
    "ui_locales",
    "claims_locales",
    "display",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
    "registration",
    "dpop_jkt",
];

/// Whether a parameter has a meaning here.
pub fn is_parameter(name: &str) -> bool {
    SINGLE.contains(&name) || matches!(name, "client_id" | "redirect_uri" | "resource")
}

/// The value of a parameter that may stand once.
pub fn once<'f>(form: &'f Form, name: &str) -> Result<Option<&'f str>, AuthorizeError> {
    form.one(name)
        .map_err(|Repeated(name)| AuthorizeError::RepeatedParameter(name))
}

/// That none of them stands twice.
pub fn nothing_twice(form: &Form) -> Result<(), AuthorizeError> {
    SINGLE
        .iter()
        .try_for_each(|name| once(form, name).map(drop))
}

/// The parameters that have a meaning here.
pub fn known(form: &Form) -> Form {
    let pairs = form.pairs().filter(|(name, _)| is_parameter(name));
    Form::from_pairs(
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    )
}

/// In bytes. It is kept with the code; clients send a random value or a hash of one.
const LONGEST_NONCE: usize = 1_000;

impl Request {
    /// Reads the rest of the request.
    pub fn parse(
        target: Target,
        client: &Client,
        form: &Form,
    ) -> Result<Self, (Target, AuthorizeError)> {
        Self::read(&target, client, form).map_err(|error| (target, error))
    }

    fn read(target: &Target, client: &Client, form: &Form) -> Result<Self, AuthorizeError> {
        let one = |name: &str| once(form, name);
        nothing_twice(form)?;
        match one("response_type")? {
            Some("code") => {}
            Some(_) => return Err(AuthorizeError::UnsupportedResponseType),
            None => return Err(AuthorizeError::BadParameter("response_type")),
        }
        if one("response_mode")?.is_some_and(|mode| ResponseMode::parse(mode).is_none()) {
            return Err(AuthorizeError::BadParameter("response_mode"));
        }
        if one("request_uri")?.is_some() {
            return Err(AuthorizeError::RequestUri);
        }
        if one("registration")?.is_some() {
            return Err(AuthorizeError::Registration);
        }
        if !client.grants.contains(&GrantType::AuthorizationCode) {
            return Err(AuthorizeError::ClientMayNotAuthorize);
        }
        let challenge = pkce::challenge(
            client,
            one("code_challenge")?,
            one("code_challenge_method")?,
        )?;
        let raw_scope = one("scope")?.unwrap_or_default().to_owned();
        let scope = scope(client, &raw_scope)?;
        let prompt = prompt(one("prompt")?.unwrap_or_default())?;
        let max_age = match one("max_age")? {
            Some(text) => Some(
                text.parse()
                    .map_err(|_| AuthorizeError::BadParameter("max_age"))?,
            ),
            None => None,
        };
        let claims = match one("claims")? {
            Some(text) => {
                claims::parse_request(text).ok_or(AuthorizeError::BadParameter("claims"))?
            }
            None => ClaimsRequest::default(),
        };
        let (claims, implied) = claims::within(claims, &client.scope);
        let asked_scope = scope.joined_with(&implied);
        // RFC 8707 §2.1.
        let resources =
            target::asked(client, form.all("resource")).ok_or(AuthorizeError::Resource)?;
        let dpop_jkt = one("dpop_jkt")?
            .map(str::parse)
            .transpose()
            .map_err(|_| AuthorizeError::BadParameter("dpop_jkt"))?;
        let text = |name: &str| one(name).map(|value| value.map(str::to_owned));
        let nonce = text("nonce")?;
        if nonce
            .as_ref()
            .is_some_and(|nonce| nonce.len() > LONGEST_NONCE)
        {
            return Err(AuthorizeError::BadParameter("nonce"));
        }
        Ok(Self {
            target: target.clone(),
            scope,
            asked_scope,
            raw_scope,
            challenge,
            nonce,
            prompt,
            max_age: max_age.map(Duration::from_secs),
            login_hint: text("login_hint")?,
            id_token_hint: text("id_token_hint")?,
            claims,
            resources,
            dpop_jkt,
        })
    }
}

/// Scopes that are not understood are ignored (OpenID Connect Core §3.1.2.1); none at all means what the client is
/// registered for (RFC 6749 §3.3), without lasting access.
pub(in crate::oauth) fn scope(client: &Client, raw: &str) -> Result<Scope, AuthorizeError> {
    let asked: Scope = raw
        .parse()
        .map_err(|_| AuthorizeError::BadParameter("scope"))?;
    let granted = if asked.is_empty() {
        client.scope.without("offline_access").without("openid")
    } else {
        asked.common_with(&client.scope)
    };
    if granted.is_empty() && !asked.is_empty() {
        Err(AuthorizeError::NoScope)
    } else {
        Ok(granted)
    }
}

fn prompt(text: &str) -> Result<Prompt, AuthorizeError> {
    let mut prompt = Prompt::default();
    let mut others = false;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match word {
            "none" => prompt.none = true,
            "login" => prompt.login = true,
            "consent" => prompt.consent = true,
            "select_account" => prompt.select_account = true,
            _ => {}
        }
        others |= word != "none";
    }
    if prompt.none && others {
        Err(AuthorizeError::BadParameter("prompt"))
    } else {
        Ok(prompt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::client;

    const GOOD: &str =
        "response_type=code&redirect_uri=https%3A%2F%2Fnotes.example%2Fcb&scope=openid&state=s";

    fn parse(client: &Client, extra: &str) -> Result<Request, AuthorizeError> {
        let form = Form::parse(format!("{GOOD}&{extra}").as_bytes()).unwrap();
        let target = target(client, &form).unwrap();
        Request::parse(target, client, &form).map_err(|(_, error)| error)
    }

    #[test]
    fn what_must_be_accepted_causes_no_error_by_its_presence() {
        for extra in [
            "display=page",
            "ui_locales=de",
            "claims_locales=de",
            "acr_values=1+2",
            "login_hint=alice",
            "unknown=1",
            "unknown=1&unknown=2",
            "id_token_hint=nonsense",
            "max_age=0",
            "prompt=login+consent",
            "prompt=create",
            "claims=%7B%22userinfo%22%3A%7B%22email%22%3Anull%7D%7D",
            "nonce=n",
            "response_mode=form_post",
            "response_mode=jwt",
        ] {
            assert!(parse(&client(), extra).is_ok(), "{extra}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        use AuthorizeError::*;
        for (extra, error) in [
            ("state=t", RepeatedParameter("state".to_owned())),
            ("nonce=1&nonce=2", RepeatedParameter("nonce".to_owned())),
            (
                "response_type=token",
                RepeatedParameter("response_type".to_owned()),
            ),
            ("response_mode=fragment", BadParameter("response_mode")),
            ("response_mode=fragment.jwt", BadParameter("response_mode")),
            ("prompt=none+login", BadParameter("prompt")),
            ("max_age=-1", BadParameter("max_age")),
            ("max_age=x", BadParameter("max_age")),
            ("claims=1", BadParameter("claims")),
            ("request_uri=https%3A%2F%2Fa", RequestUri),
            ("registration=%7B%7D", Registration),
            ("resource=https%3A%2F%2Fapi", Resource),
        ] {
            assert_eq!(parse(&client(), extra).unwrap_err(), error, "{extra}");
        }
    }

    #[test]
    fn response_types_other_than_code_do_not_exist() {
        let client = client();
        for (form, error) in [
            (
                "redirect_uri=https%3A%2F%2Fnotes.example%2Fcb",
                AuthorizeError::BadParameter("response_type"),
            ),
            (
                "redirect_uri=https%3A%2F%2Fnotes.example%2Fcb&response_type=id_token",
                AuthorizeError::UnsupportedResponseType,
            ),
        ] {
            let form = Form::parse(form.as_bytes()).unwrap();
            let target = target(&client, &form).unwrap();
            assert_eq!(Request::parse(target, &client, &form).unwrap_err().1, error);
        }
    }

    #[test]
    fn the_state_is_echoed_exactly_and_a_repeated_one_is_not() {
        let client = client();
        let long = "x".repeat(2_000);
        let uri = "redirect_uri=https%3A%2F%2Fnotes.example%2Fcb";
        let form = Form::parse(format!("{uri}&state={long}").as_bytes()).unwrap();
        assert_eq!(target(&client, &form).unwrap().state, Some(long));
        let form = Form::parse(format!("{uri}&state=a&state=b").as_bytes()).unwrap();
        assert_eq!(target(&client, &form).unwrap().state, None);
    }

    #[test]
    fn a_bad_client_or_redirect_uri_has_no_target() {
        let form = Form::parse(b"client_id=x&client_id=y").unwrap();
        assert_eq!(client_id(&form), Err(NoTarget::Client));
        let form = Form::parse(b"redirect_uri=a&redirect_uri=b").unwrap();
        assert_eq!(target(&client(), &form), Err(NoTarget::Repeated));
        let disabled = Client {
            disabled: true,
            ..client()
        };
        let form = Form::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(target(&disabled, &form), Err(NoTarget::Client));
    }

    #[test]
    fn scopes_are_narrowed_to_the_clients() {
        assert_eq!(
            scope(&client(), "openid email api").unwrap().to_string(),
            "email openid"
        );
        assert_eq!(
            scope(&client(), "").unwrap().to_string(),
            "email groups profile"
        );
        assert_eq!(scope(&client(), "api"), Err(AuthorizeError::NoScope));
        assert_eq!(
            scope(&client(), "a\"b"),
            Err(AuthorizeError::BadParameter("scope"))
        );
    }
}
