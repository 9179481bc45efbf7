//! The whole code flow of a person who is signed in: `/authorize` with the session cookie, the
//! redirect with the code, `/token`. With PKCE (RFC 7636) and the client authenticated by Basic.
//! Pushed (RFC 9126), `/par` comes before, and `/authorize` redirects to itself once.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use url::Url;

use super::Application;
use super::browser::Browser;
use crate::http::{self, Answer, string_member};
use crate::load::{Caller, Verdict};

const VERIFIER: &str = "a-benchmark-keeps-no-secrets-so-its-verifier-is-fixed";

pub struct CodeFlow {
    application: Application,
    browser: Browser,
    scope: &'static str,
    flows: u64,
    pushed: bool,
    step: Step,
    pub tokens: Tokens,
}

/// What the last flow gave.
#[derive(Default)]
pub struct Tokens {
    pub access: String,
    pub refresh: Option<String>,
}

enum Step {
    Push,
    Authorize,
    Visit { target: String },
    Redeem { code: String },
}

impl CodeFlow {
    pub fn new(application: &Application, browser: &Browser, scope: &'static str) -> Self {
        Self {
            application: application.clone(),
            browser: browser.clone(),
            scope,
            flows: 0,
            pushed: false,
            step: Step::Authorize,
            tokens: Tokens::default(),
        }
    }

    pub fn pushed(self) -> Self {
        Self {
            pushed: true,
            step: Step::Push,
            ..self
        }
    }

    fn take_pushed(&mut self, answer: &Answer<'_>) -> Option<Verdict> {
        let request_uri = string_member(answer.body, "request_uri")?;
        let fields = [
            ("client_id", self.application.client_id.as_str()),
            ("request_uri", request_uri),
        ];
        self.step = Step::Visit {
            target: format!("/authorize?{}", http::form(&fields)),
        };
        (answer.status == 201).then_some(Verdict::More)
    }

    fn take_code(&mut self, answer: &Answer<'_>) -> Option<Verdict> {
        self.browser.learn(answer);
        let link = answer.redirects_to()?;
        if !link.starts_with(&self.application.redirect_uri) {
            let own = format!("http://{}", self.application.host);
            let target = link.strip_prefix(&own).unwrap_or(link);
            let follows = self.pushed && target.starts_with("/authorize?");
            self.step = Step::Visit {
                target: target.to_owned(),
            };
            return follows.then_some(Verdict::More);
        }
        if parameter(link, "state")? != self.state() {
            return None;
        }
        self.step = Step::Redeem {
            code: parameter(link, "code")?,
        };
        Some(Verdict::More)
    }

    fn take_tokens(&mut self, answer: &Answer<'_>) -> Option<Verdict> {
        let access = string_member(answer.body, "access_token")?;
        let refresh = string_member(answer.body, "refresh_token");
        string_member(answer.body, "id_token")?;
        let refresh_asked_for = self.scope.contains("offline_access");
        if answer.status != 200
            || access == self.tokens.access
            || refresh_asked_for != refresh.is_some()
        {
            return None;
        }
        self.tokens = Tokens {
            access: access.to_owned(),
            refresh: refresh.map(str::to_owned),
        };
        self.restart();
        Some(Verdict::Done)
    }

    /// Differs in every flow, so that an answer to another one is found out.
    fn state(&self) -> String {
        format!("flow-{}", self.flows)
    }
}

impl Caller for CodeFlow {
    fn request(&mut self, out: &mut Vec<u8>) {
        let request = match &self.step {
            Step::Push => {
                self.flows += 1;
                let state = self.state();
                let parameters = parameters(&self.application, self.scope, &state);
                let headers = [("Authorization", self.application.basic.as_str())];
                http::post_form(&self.application.host, "/par", &headers, &parameters)
            }
            Step::Authorize => {
                self.flows += 1;
                let state = self.state();
                self.browser
                    .get(&authorize_target(&self.application, self.scope, &state))
            }
            Step::Visit { target } => self.browser.get(target),
            Step::Redeem { code } => http::post(
                &self.application.host,
                "/token",
                &[("Authorization", &self.application.basic)],
                &[
                    ("grant_type", "authorization_code"),
                    ("code", code),
                    ("redirect_uri", &self.application.redirect_uri),
                    ("code_verifier", VERIFIER),
                ],
            ),
        };
        out.extend_from_slice(&request);
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Verdict {
        let verdict = match self.step {
            Step::Push => self.take_pushed(answer),
            Step::Authorize | Step::Visit { .. } => self.take_code(answer),
            Step::Redeem { .. } => self.take_tokens(answer),
        };
        verdict.unwrap_or_else(|| Verdict::Wrong(answer.summary()))
    }

    fn restart(&mut self) {
        self.step = if self.pushed {
            Step::Push
        } else {
            Step::Authorize
        };
    }
}

/// The target of an authorization request.
pub fn authorize_target(application: &Application, scope: &str, state: &str) -> String {
    format!("/authorize?{}", parameters(application, scope, state))
}

fn parameters(application: &Application, scope: &str, state: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
    let fields = [
        ("response_type", "code"),
        ("client_id", &application.client_id),
        ("redirect_uri", &application.redirect_uri),
        ("scope", scope),
        ("state", state),
        ("nonce", state),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    http::form(&fields)
}

/// A query parameter of an absolute URL.
pub fn parameter(link: &str, name: &str) -> Option<String> {
    let url = Url::parse(link).ok()?;
    let (_, value) = url.query_pairs().find(|(key, _)| key == name)?;
    Some(value.into_owned())
}
