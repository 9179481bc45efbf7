//! The protocol, PURE: plain records, `now` and random values in, a `Decision` or plain data out.
//! One file per endpoint or grant. Not here: bytes and sockets (`server`), what is stored how (`store`), people
//! (`identity`).

pub mod algorithm;
pub mod authorize;
pub mod backchannel_logout;
pub mod claim_mapping;
pub mod claims;
pub mod client_assertion;
pub mod client_auth;
pub mod clients;
pub mod device_answer;
pub mod device_authorization;
pub mod discovery;
pub mod dpop;
pub mod error;
pub mod frontchannel_logout;
pub mod id_token_hint;
pub mod introspect;
pub mod keys;
pub mod logout;
pub mod outbound_hosts;
pub mod protected_resource;
pub mod registration;
pub mod replay;
pub mod resources;
pub mod revoke;
pub mod standing;
pub mod subject;
pub mod target;
pub mod token;
pub mod userinfo;

#[cfg(test)]
pub(crate) mod testing;
