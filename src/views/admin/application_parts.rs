//! The folds of an application's form, and which of them are open: those that hold what somebody set, and those
//! that hold what is wrong. Works without scripts, since the server draws them so.
//!
//! Not here: the fields themselves (`assets/templates/admin/application_more.html`). A field that is added there is
//! added here: a test of the pages fails for one that an error would leave hidden.

use super::application_defaults;
use crate::views::Form;
use std::collections::BTreeSet;

/// A fold of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Who may use it.
    Users,
    /// Facts it is told.
    Facts,
    /// Signing in.
    SigningIn,
    /// Signing out.
    SigningOut,
    /// Tokens.
    Tokens,
    /// Keys and strictness.
    Keys,
    /// What people see.
    Seen,
}

impl Part {
    /// The names of its fields.
    fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Users => &["allowed_group", "consent"],
            Self::Facts => &[
                "scope",
                "claims_in_id_token",
                "claim_mappings",
                "subject_type",
                "sector_identifier_uri",
            ],
            Self::SigningIn => &["grant", "allow_http_redirect"],
            Self::SigningOut => &[
                "post_logout_redirect_uris",
                "backchannel_logout_uri",
                "backchannel_logout_session_required",
                "frontchannel_logout_uri",
                "frontchannel_logout_session_required",
            ],
            Self::Tokens => &[
                "refresh",
                "access_token_minutes",
                "refresh_idle_days",
                "refresh_absolute_days",
                "more_scopes",
                "audiences",
                "may_introspect",
            ],
            Self::Keys => &[
                "profile",
                "dpop_bound_access_tokens",
                "require_par",
                "allow_plain_pkce",
                "jwks",
                "jwks_uri",
                "request_uris",
                "id_token_alg",
                "access_token_alg",
                "authorization_signed_response_alg",
                "userinfo_signed_response_alg",
            ],
            Self::Seen => &["home_url", "logo_url", "policy_url", "terms_url"],
        }
    }

    /// Whether it holds something that is not as it usually is, or that is wrong.
    pub fn is_open(self, form: &Form) -> bool {
        let usual = usual(form.value("kind"));
        self.fields()
            .iter()
            .any(|name| form.error(name).is_some() || set(form, name) != set(&usual, name))
    }
}

/// What an application of this kind starts with: a service needs nothing that is about people.
fn usual(kind: &str) -> Form {
    let usual = application_defaults();
    match kind {
        "service" => usual
            .with_all::<String>("scope", [])
            .with("grant", "client_credentials"),
        _ => usual,
    }
}

/// The values that count. A browser sends an empty field as an empty value, and boxes in the order of the page.
fn set<'a>(form: &'a Form, name: &str) -> BTreeSet<&'a str> {
    let values = form.values(name).iter().map(|value| value.trim());
    values.filter(|value| !value.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTS: [Part; 7] = [
        Part::Users,
        Part::Facts,
        Part::SigningIn,
        Part::SigningOut,
        Part::Tokens,
        Part::Keys,
        Part::Seen,
    ];

    fn open(form: &Form) -> Vec<Part> {
        let parts = PARTS.into_iter();
        parts.filter(|part| part.is_open(form)).collect()
    }

    #[test]
    fn a_form_as_it_starts_has_every_fold_closed() {
        assert_eq!(open(&application_defaults()), []);
        let sent = application_defaults()
            .with("home_url", "")
            .with("claim_mappings", " \r\n");
        assert_eq!(open(&sent), []);
        let service = Form::new()
            .with("kind", "service")
            .with("grant", "client_credentials")
            .with("subject_type", "public")
            .with("profile", "standard")
            .with("id_token_alg", "RS256")
            .with("access_token_alg", "ES256")
            .with("consent", "once")
            .with("refresh", "when_asked")
            .with("access_token_minutes", "15")
            .with("refresh_idle_days", "30")
            .with("refresh_absolute_days", "365");
        assert_eq!(open(&service), []);
    }

    #[test]
    fn what_somebody_set_is_not_behind_a_closed_fold() {
        for (name, value, part) in [
            ("consent", "trusted", Part::Users),
            ("scope", "openid", Part::Facts),
            ("allow_http_redirect", "on", Part::SigningIn),
            ("frontchannel_logout_uri", "https://a", Part::SigningOut),
            ("access_token_minutes", "5", Part::Tokens),
            ("profile", "strict", Part::Keys),
            ("home_url", "https://a", Part::Seen),
        ] {
            let form = application_defaults().with(name, value);
            assert_eq!(open(&form), [part], "{name}");
        }
    }

    #[test]
    fn what_is_wrong_is_not_behind_a_closed_fold() {
        for part in PARTS {
            for name in part.fields() {
                let mut form = application_defaults();
                form.refuse(name, "No.");
                assert_eq!(open(&form), [part], "{name}");
            }
        }
    }
}
