//! "Try it": a sign-in through Doorlight's own public addresses, with everything that an application gets to see.

use crate::views::Page;
use askama::Template;

/// `{base}/admin/try`. `POST` to the same address (`csrf`, `scope` several) starts the round trip.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/try.html", config = "assets/askama.toml")]
pub struct TryIt {
    /// The frame.
    pub page: Page,
    /// What went wrong in the last try, if anything did.
    pub error: Option<String>,
}

/// What came back.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/try_result.html", config = "assets/askama.toml")]
pub struct TryResult {
    /// The frame.
    pub page: Page,
    /// The ID token.
    pub id_token: DecodedToken,
    /// The access token.
    pub access_token: DecodedToken,
    /// The answer of `/userinfo`, as indented JSON.
    pub userinfo: String,
    /// What the token endpoint said besides: type, lifetime, scope; as indented JSON without tokens.
    pub token_answer: String,
}

/// A token, decoded.
#[derive(Debug, Clone)]
pub struct DecodedToken {
    /// Its header, as indented JSON.
    pub header: String,
    /// Its claims, as indented JSON.
    pub claims: String,
    /// Its signature.
    pub signature: SignatureCheck,
}

/// Whether a signature fits a published key.
#[derive(Debug, Clone)]
pub struct SignatureCheck {
    /// Whether it does.
    pub valid: bool,
    /// Key id.
    pub kid: String,
    /// Algorithm.
    pub alg: String,
}
