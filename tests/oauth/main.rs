//! Every endpoint of the protocol through a real server: what a client sees on the wire.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

#[path = "../world/mod.rs"]
mod world;

mod api;
mod api_addresses;
mod authorize;
mod backchannel_logout;
mod bad_input;
mod claims;
mod client_assertion;
mod client_documents;
mod client_documents_refused;
mod device;
mod discovery;
mod dpop;
mod exchange;
mod fetched;
mod fetched_bad_input;
mod fetched_https;
mod frontchannel_logout;
mod jarm;
mod logout;
mod pairwise;
mod par;
mod prover;
mod receiver;
mod refresh;
mod registration;
mod registration_bad_input;
mod request_object;
mod resources;
mod resources_of_strangers;
mod revoke;
mod sector;
mod session_ends;
mod signed_userinfo;
mod site;
mod token;
mod userinfo;
