//! The only room that knows rouille.
//! Owns: sockets (`listener`), the route table (`routes`), the endpoints' outer halves, pages.
//! Not here: any rule of the protocol.

pub mod admin;
pub mod administration;
mod answered;
pub mod api;
pub mod bearer;
mod called_back;
pub mod certificate;
pub mod client_documents;
pub mod clients;
pub mod context;
pub mod cookies;
pub mod cors;
pub mod device_limits;
pub mod doctor;
pub mod dpop;
pub mod fetched;
pub mod forms;
pub mod guard;
pub mod guesses;
pub mod hashing;
pub mod headers;
pub mod incoming;
pub mod known_device;
pub mod listener;
pub mod logout_notices;
pub mod metrics;
pub mod multipart;
pub mod oauth;
pub mod pages;
pub mod redirect;
pub mod refusals;
pub mod registrations;
pub mod replays;
pub mod respond;
pub mod restoring;
pub mod routes;
pub mod sector_documents;
pub mod slow_secrets;
pub mod standing;
#[cfg(test)]
mod testing;
pub mod tokens;
