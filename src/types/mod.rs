//! Values that are parsed once and then carry their proof: ids, secrets, times, scopes, addresses.
//! Owns: what a well-formed value is. Not here: what is stored (`model`), what is allowed (`oauth`, `identity`).

#[macro_use]
mod as_text;

pub mod appearance;
mod form;
mod given_client_id;
mod given_subject;
pub mod histogram;
mod host;
mod id;
pub mod in_words;
mod issuer;
pub mod misread;
mod redirect_uri;
mod request_id;
mod scope;
mod secret;
pub mod strict_json;
mod thumbprint;
mod time;
mod user_code;
mod username;
mod wire_client_id;

pub use form::{Form, FormError, Repeated, append_query, decode as form_decode};
pub use given_client_id::{GivenClientId, GivenClientIdError};
pub use given_subject::{GivenSubject, GivenSubjectError};
pub use histogram::{Counted, Histogram};
pub use host::{Host, HostError};
pub use id::{
    ClientId, DeliveryId, GrantId, Id, IdError, InitialTokenId, LinkId, RefreshTokenId, SessionId,
    TokenId, UserId,
};
pub use issuer::{Issuer, IssuerError};
pub use redirect_uri::{RedirectUri, RedirectUriError};
pub use request_id::{RequestId, RequestIdError};
pub use scope::{Scope, ScopeError};
pub use secret::{BearerSecret, Phc, Secret, SecretHash, TokenHash};
pub use thumbprint::{Thumbprint, ThumbprintError};
pub use time::Timestamp;
pub use user_code::{UserCode, UserCodeError};
pub use username::{GroupName, NameError, Username};
pub use wire_client_id::{DocumentUrl, WireClientId, WireClientIdError};
