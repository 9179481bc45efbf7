//! Applications: the list, adding one, its settings.
//!
//! Fields of both forms (`new` and `edit`):
//! - `name`; `kind` = `web` | `spa` | `native` | `service`; `disabled` (edit only);
//! - `redirect_uris`, `post_logout_redirect_uris`, `audiences`: one a line;
//! - `scope` (several) = `openid` `profile` `email` `phone` `address` `groups` `offline_access`, and `more_scopes`
//!   separated by spaces; `grant` (several) = `authorization_code` `refresh_token` `client_credentials`
//!   `device_code` `token_exchange`;
//! - `profile` = `standard` | `strict`; `id_token_alg` = `RS256` | `ES256` | `EdDSA`; `access_token_alg` = `RS256` | `ES256`;
//!   `claims_in_id_token`; `consent` = `once` | `always` | `trusted`; `refresh` = `when_asked` | `always`;
//!   `access_token_minutes` (5 to 60); `refresh_idle_days` and `refresh_absolute_days` (1 to 3,650);
//! - `allowed_group` (several; none: everybody); `may_introspect`; `allow_http_redirect`; `allow_plain_pkce`;
//!   `dpop_bound_access_tokens`; `require_par`;
//!   `jwks` (a JSON object, or empty); `jwks_uri`; `request_uris` (lines);
//!   `authorization_signed_response_alg` = empty (as the ID token) | an
//!   algorithm; `userinfo_signed_response_alg` = empty (not signed) | an algorithm; `claim_mappings`: one a line;
//! - `backchannel_logout_uri`; `backchannel_logout_session_required`;
//! - `frontchannel_logout_uri`; `frontchannel_logout_session_required`;
//! - `subject_type` = `public` | `pairwise`; `sector_identifier_uri`;
//! - `home_url`, `logo_url`, `policy_url`, `terms_url`.
//!
//! Checkboxes send `on`. An error belongs to the field's name; for `scope` and `grant` to that name.

use super::{ListHead, Part, Refusal};
use crate::views::{Choice, Form, Page, When};
use askama::Template;

/// `{base}/admin/applications`.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/applications.html", config = "assets/askama.toml")]
pub struct Applications {
    /// The frame.
    pub page: Page,
    /// Search and paging.
    pub list: ListHead,
    /// The applications.
    pub rows: Vec<ApplicationRow>,
}

/// An application in the list.
#[derive(Debug, Clone)]
pub struct ApplicationRow {
    /// Client id, part of the address `{base}/admin/applications/{id}`.
    pub id: String,
    /// Name.
    pub name: String,
    /// Its kind in words, for example `Web application`.
    pub kind: String,
    /// Host that it returns people to, or empty.
    pub host: String,
    /// Last time that it was given a token.
    pub last_used: Option<When>,
    /// Whether it is switched off.
    pub disabled: bool,
    /// Whether it registered itself.
    pub registered: bool,
    /// Whether a document describes it.
    pub described: bool,
    /// The refusal that was the last that was heard of it, if it was one.
    pub refused: Option<RecentRefusal>,
}

/// `{base}/admin/applications/new`. `POST` to the same address with the fields of this module.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/application_new.html", config = "assets/askama.toml")]
pub struct NewApplication {
    /// The frame.
    pub page: Page,
    /// [`application_defaults`], or what was typed.
    pub form: Form,
    /// Groups to choose from.
    pub groups: Vec<Choice>,
}

impl NewApplication {
    /// Whether a fold of the form is open.
    pub fn open(&self, part: Part) -> bool {
        part.is_open(&self.form)
    }
}

/// `{base}/admin/applications/{id}`. `POST` to the same address with the fields of this module. Further forms:
/// `POST …/secrets/rotate` (`csrf`), `POST …/secrets/remove` (`secret`, `csrf`), `POST …/redirect-uris/add`
/// (`redirect_uri`, `csrf`); `GET …/delete` asks, `POST …/delete` does it.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/application.html", config = "assets/askama.toml")]
pub struct Application {
    /// The frame.
    pub page: Page,
    /// The settings as stored, or what was typed.
    pub form: Form,
    /// Groups to choose from.
    pub groups: Vec<Choice>,
    /// Client id.
    pub id: String,
    /// As it is called in requests and tokens.
    pub client_id: String,
    /// Whether a document describes it, whose name and addresses replace what is typed here.
    pub described: bool,
    /// Name as stored.
    pub name: String,
    /// Address of this server.
    pub issuer: String,
    /// Address of the discovery document.
    pub discovery: String,
    /// When it was added.
    pub created: When,
    /// Where it registered itself: when it is forgotten if nobody uses it.
    pub forgotten: Option<When>,
    /// Its live secrets, at most two, the newest first. Empty for one without.
    pub secrets: Vec<SecretRow>,
    /// Whether it has a secret at all (it runs where a secret can be kept).
    pub confidential: bool,
    /// Redirect URIs that were refused lately.
    pub refused: Vec<RefusedRedirect>,
    /// The refusal that was the last that was heard of it, if it was another one.
    pub last_refusal: Option<RecentRefusal>,
    /// Sign-outs that it is yet to be told of.
    pub undelivered: Undelivered,
}

impl Application {
    /// Whether a fold of the form is open.
    pub fn open(&self, part: Part) -> bool {
        part.is_open(&self.form)
    }
}

/// Sign-outs that an application was not told of.
#[derive(Debug, Clone, Default)]
pub struct Undelivered {
    /// How many wait.
    pub waiting: usize,
    /// How many were given up of late.
    pub given_up: usize,
    /// The latest, the newest first.
    pub rows: Vec<UndeliveredRow>,
}

/// One of them.
#[derive(Debug, Clone)]
pub struct UndeliveredRow {
    /// When the session or the permission ended.
    pub created: When,
    /// How often it was tried.
    pub attempts: u32,
    /// What became of the last attempt, or empty.
    pub problem: String,
    /// When it is tried again; none: it was given up.
    pub next: Option<When>,
}

/// What an application was refused lately.
#[derive(Debug, Clone)]
pub struct RecentRefusal {
    /// What it wanted, for example `Sign-in to an application`.
    pub what: String,
    /// Why not.
    pub refusal: Refusal,
    /// When.
    pub when: When,
}

/// A live secret. The secret itself is not known any more.
#[derive(Debug, Clone)]
pub struct SecretRow {
    /// Id for the form.
    pub id: String,
    /// When it was made.
    pub created: When,
    /// Last time it was used.
    pub last_used: Option<When>,
}

/// A redirect URI that was not on the list.
#[derive(Debug, Clone)]
pub struct RefusedRedirect {
    /// What the application sent.
    pub received: String,
    /// The registered one that comes nearest.
    pub expected: Option<String>,
    /// When it was last refused.
    pub when: When,
    /// In whose browser, if somebody was signed in there.
    pub browser_of: Option<String>,
}

/// What a new application starts with.
pub fn application_defaults() -> Form {
    Form::new()
        .with("kind", "web")
        .with_all(
            "scope",
            ["openid", "profile", "email", "groups", "offline_access"],
        )
        .with_all("grant", ["authorization_code", "refresh_token"])
        .with("profile", "standard")
        .with("id_token_alg", "RS256")
        .with("access_token_alg", "ES256")
        .with("consent", "once")
        .with("refresh", "when_asked")
        .with("subject_type", "public")
        .with("access_token_minutes", "15")
        .with("refresh_idle_days", "30")
        .with("refresh_absolute_days", "365")
}
