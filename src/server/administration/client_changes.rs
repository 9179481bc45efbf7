//! Changes of an application as the command line gives them: what is given replaces that setting, the rest stays. The
//! rules stand in `oauth::clients`; the page, which sends all settings at once, in `server::admin::application_form`.

use super::{Actor, OperationError, clients};
use crate::model::{
    Algorithm, Client, ClientAuthMethod, ClientKind, ConsentPolicy, GrantType, Profile, SubjectType,
};
use crate::oauth::clients::ClientEdit;
use crate::server::context::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A setting that may be there or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting<T> {
    /// It is taken away.
    Nothing,
    /// It is this.
    Is(T),
}

impl<T> From<Setting<T>> for Option<T> {
    fn from(setting: Setting<T>) -> Self {
        match setting {
            Setting::Nothing => None,
            Setting::Is(value) => Some(value),
        }
    }
}

/// What is given; `None` leaves things as they are. See [`ClientEdit`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientChanges {
    /// See [`ClientEdit`].
    pub name: Option<String>,
    /// See [`ClientEdit`].
    pub kind: Option<ClientKind>,
    /// See [`ClientEdit`].
    pub public: Option<bool>,
    /// See [`ClientEdit`].
    pub auth_method: Option<ClientAuthMethod>,
    /// See [`ClientEdit`].
    pub jwks: Option<Setting<Value>>,
    /// See [`ClientEdit`].
    pub profile: Option<Profile>,
    /// See [`ClientEdit`].
    pub redirect_uris: Option<Vec<String>>,
    /// See [`ClientEdit`].
    pub post_logout_redirect_uris: Option<Vec<String>>,
    /// See [`ClientEdit`].
    pub grants: Option<Vec<GrantType>>,
    /// See [`ClientEdit`].
    pub scope: Option<String>,
    /// See [`ClientEdit`].
    pub id_token_alg: Option<Algorithm>,
    /// See [`ClientEdit`].
    pub access_token_alg: Option<Algorithm>,
    /// See [`ClientEdit`].
    pub audiences: Option<Vec<String>>,
    /// Whether people are never asked ([`ClientEdit::consent`]).
    pub trusted: Option<bool>,
    /// See [`ClientEdit`].
    pub may_introspect: Option<bool>,
    /// See [`ClientEdit`].
    pub claims_in_id_token: Option<bool>,
    /// See [`ClientEdit`].
    pub allow_http: Option<bool>,
    /// See [`ClientEdit`].
    pub allowed_groups: Option<Vec<String>>,
    /// See [`ClientEdit`].
    pub dpop_bound_access_tokens: Option<bool>,
    /// See [`ClientEdit`].
    pub require_par: Option<bool>,
    /// See [`ClientEdit`].
    pub authorization_signed_response_alg: Option<Setting<Algorithm>>,
    /// See [`ClientEdit`].
    pub userinfo_signed_response_alg: Option<Setting<Algorithm>>,
    /// See [`ClientEdit`].
    pub claim_mappings: Option<Vec<String>>,
    /// See [`ClientEdit`].
    pub backchannel_logout_uri: Option<Setting<String>>,
    /// See [`ClientEdit`].
    pub backchannel_logout_session_required: Option<bool>,
    /// See [`ClientEdit`].
    pub frontchannel_logout_uri: Option<Setting<String>>,
    /// See [`ClientEdit`].
    pub frontchannel_logout_session_required: Option<bool>,
    /// See [`ClientEdit`].
    pub jwks_uri: Option<Setting<String>>,
    /// See [`ClientEdit`].
    pub request_uris: Option<Vec<String>>,
    /// See [`ClientEdit`].
    pub subject_type: Option<SubjectType>,
    /// See [`ClientEdit`].
    pub sector_identifier_uri: Option<Setting<String>>,
}

impl ClientChanges {
    /// The settings after the change.
    pub fn on(self, mut to: ClientEdit) -> ClientEdit {
        fn put<T>(place: &mut T, given: Option<impl Into<T>>) {
            if let Some(given) = given {
                *place = given.into();
            }
        }
        put(&mut to.name, self.name);
        put(&mut to.kind, self.kind);
        put(&mut to.public, self.public);
        put(&mut to.auth_method, self.auth_method);
        put(&mut to.jwks, self.jwks);
        put(&mut to.profile, self.profile);
        put(&mut to.redirect_uris, self.redirect_uris);
        put(
            &mut to.post_logout_redirect_uris,
            self.post_logout_redirect_uris,
        );
        if let Some(grants) = self.grants {
            to.grants = grants.into_iter().collect();
        }
        put(&mut to.scope, self.scope);
        put(&mut to.id_token_alg, self.id_token_alg);
        put(&mut to.access_token_alg, self.access_token_alg);
        put(&mut to.audiences, self.audiences);
        to.consent = match (self.trusted, to.consent) {
            (Some(true), _) => ConsentPolicy::Trusted,
            (Some(false), ConsentPolicy::Trusted) => ConsentPolicy::Once,
            (_, asked) => asked,
        };
        put(&mut to.may_introspect, self.may_introspect);
        put(&mut to.claims_in_id_token, self.claims_in_id_token);
        put(&mut to.allow_http, self.allow_http);
        put(&mut to.allowed_groups, self.allowed_groups);
        put(
            &mut to.dpop_bound_access_tokens,
            self.dpop_bound_access_tokens,
        );
        put(&mut to.require_par, self.require_par);
        put(
            &mut to.authorization_signed_response_alg,
            self.authorization_signed_response_alg,
        );
        put(
            &mut to.userinfo_signed_response_alg,
            self.userinfo_signed_response_alg,
        );
        put(&mut to.claim_mappings, self.claim_mappings);
        put(&mut to.backchannel_logout_uri, self.backchannel_logout_uri);
        put(
            &mut to.backchannel_logout_session_required,
            self.backchannel_logout_session_required,
        );
        put(
            &mut to.frontchannel_logout_uri,
            self.frontchannel_logout_uri,
        );
        put(
            &mut to.frontchannel_logout_session_required,
            self.frontchannel_logout_session_required,
        );
        put(&mut to.jwks_uri, self.jwks_uri);
        put(&mut to.request_uris, self.request_uris);
        put(&mut to.subject_type, self.subject_type);
        put(&mut to.sector_identifier_uri, self.sector_identifier_uri);
        to
    }
}

/// Changes an application. What somebody else changes in the same moment is not undone.
pub fn edit_given(
    ctx: &Context,
    name_or_id: &str,
    given: ClientChanges,
    actor: &Actor,
) -> Result<Client, OperationError> {
    let client = clients::find(ctx, name_or_id)?;
    let before = ClientEdit::of(&client);
    let seen = before.version();
    clients::edit_as_seen(ctx, client.id, &seen, given.on(before), actor)
}
