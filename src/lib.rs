//! Doorlight: a single-binary OAuth 2.0 and OpenID Connect server.

pub mod server;
pub mod views;
