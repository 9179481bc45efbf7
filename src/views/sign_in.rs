//! Pages between an application and its answer: sign-in, password once more, choice of account, consent.
//! All carry the hidden field `continue`, opaque to the page, which says where to go on.

use super::page::initial;
use super::{ClientFace, Page};
use askama::Template;

/// Sign-in. `POST {base}/login` with `username`, `password`, `continue`, `csrf`, and the button
/// `decision=cancel` when an application asked.
#[derive(Debug, Clone, Template)]
#[template(path = "public/sign_in.html", config = "assets/askama.toml")]
pub struct SignIn {
    /// The frame.
    pub page: Page,
    /// The application that asked; none when the person came by themselves.
    pub client: Option<ClientFace>,
    /// Name to start with: what was typed, or the application's hint.
    pub username: String,
    /// What went wrong, for example `The name or the password is not right.`
    pub error: Option<String>,
    /// Seconds until another try is allowed, after too many failures.
    pub wait_seconds: Option<u64>,
    /// Where to go on.
    pub continue_to: String,
}

/// The password once more, before something is changed or because the application asks for it.
/// `POST {base}/login/again` with `password`, `continue`, `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "public/reauthenticate.html", config = "assets/askama.toml")]
pub struct Reauthenticate {
    /// The frame.
    pub page: Page,
    /// Name that the person signs in with.
    pub username: String,
    /// Why it is asked, for example `Enter your password again to make changes.`
    pub reason: String,
    /// What went wrong.
    pub error: Option<String>,
    /// Seconds until another try is allowed.
    pub wait_seconds: Option<u64>,
    /// Where to go on.
    pub continue_to: String,
}

/// Which account to go on with. `POST {base}/select-account` with the button `account` (an id, or `other`),
/// `continue`, `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "public/select_account.html", config = "assets/askama.toml")]
pub struct AccountChooser {
    /// The frame.
    pub page: Page,
    /// The application that asked.
    pub client: Option<ClientFace>,
    /// Accounts that are signed in.
    pub accounts: Vec<AccountChoice>,
    /// Where to go on.
    pub continue_to: String,
}

/// An account to choose.
#[derive(Debug, Clone)]
pub struct AccountChoice {
    /// Value of the button `account`.
    pub id: String,
    /// Full name, or the sign-in name.
    pub name: String,
    /// Sign-in name or email.
    pub detail: String,
}

impl AccountChoice {
    /// First letter of the name.
    pub fn initial(&self) -> String {
        initial(&self.name)
    }
}

/// May the application see this? `POST {base}/consent` with the button `decision` (`allow` or `deny`), `continue`,
/// `csrf`. "Not you?" posts `decision=switch`.
#[derive(Debug, Clone, Template)]
#[template(path = "public/consent.html", config = "assets/askama.toml")]
pub struct Consent {
    /// The frame.
    pub page: Page,
    /// The application that asks.
    pub client: ClientFace,
    /// Name of the person whose data it is about.
    pub person: String,
    /// What it asks for.
    pub scopes: Vec<ScopeLine>,
    /// Where to go on.
    pub continue_to: String,
}

/// One thing that an application asks for.
#[derive(Debug, Clone)]
pub struct ScopeLine {
    /// What it means in plain words.
    pub words: String,
    /// The scope itself, for those who know it.
    pub scope: String,
}

impl ScopeLine {
    /// The line for a scope; the scope's own name where we have no words for it.
    pub fn new(scope: &str) -> Self {
        let words = scope_words(scope)
            .map_or_else(|| format!("Have the permission “{scope}”"), str::to_owned);
        Self {
            words,
            scope: scope.to_owned(),
        }
    }

    /// The line for a resource that the person lets an application have.
    pub fn of_resource(name: &str, identifier: &str) -> Self {
        Self {
            words: if name == identifier {
                format!("Use {identifier} in your name")
            } else {
                format!("Use “{name}” ({identifier}) in your name")
            },
            scope: identifier.to_owned(),
        }
    }
}

/// What a standard scope means to the person who is asked.
pub fn scope_words(scope: &str) -> Option<&'static str> {
    Some(match scope {
        "openid" => "Know that it is you",
        "profile" => "See your name and the other details of your profile",
        "email" => "See your email address",
        "phone" => "See your phone number",
        "address" => "See your postal address",
        "groups" => "See which groups you belong to",
        "offline_access" => {
            "Stay connected when you are away, until you or an administrator ends it"
        }
        "doorlight:read" => "See the people, applications and events of this Doorlight",
        "doorlight:write" => "Administer this Doorlight: people, applications, keys",
        _ => return None,
    })
}
