//! What an application is told of people under names of its own. Not here: how it is written and read
//! (`oauth::claim_mapping`).

use crate::types::GroupName;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Names that the protocols give a meaning: RFC 7519 §4.1, RFC 7662 §2.2, RFC 7800 §3.1, RFC 8417 §2.2, RFC 8693 §4,
/// RFC 9068 §2.2, RFC 9396 §9, OpenID Connect Core §2, §3.3.2.11, §5.6.2, Front-Channel Logout §3. No claim of a person
/// or an application may take one.
pub const PROTOCOL_CLAIMS: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nbf",
    "jti",
    "nonce",
    "sid",
    "acr",
    "amr",
    "auth_time",
    "at_hash",
    "c_hash",
    "s_hash",
    "azp",
    "client_id",
    "scope",
    "cnf",
    "act",
    "may_act",
    "origins",
    "events",
    "sub_id",
    "authorization_details",
    "active",
    "token_type",
    "_claim_names",
    "_claim_sources",
];

/// One claim of an application's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClaimMapping {
    /// Its name; none of [`PROTOCOL_CLAIMS`].
    pub claim: String,
    /// Where its value comes from.
    pub source: ClaimSource,
    /// Whether it stands in access tokens as well.
    #[serde(default)]
    pub access_token: bool,
}

impl Eq for ClaimMapping {}

/// Where the value of a claim comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimSource {
    /// The same for everybody.
    Constant(Value),
    /// Another claim of the person (OpenID Connect Core §5.1, or `groups`).
    Field(String),
    /// Whether the person is in a group.
    Group {
        /// Which.
        group: GroupName,
        /// For its members.
        member: Value,
        /// For everybody else; `None`: the claim is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        otherwise: Option<Value>,
    },
}
