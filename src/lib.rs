//! Doorlight: a single-binary OAuth 2.0 and OpenID Connect server.

pub mod cli;
pub mod config;
pub mod crypto;
pub mod identity;
pub mod model;
pub mod oauth;
pub mod ops;
pub mod server;
pub mod store;
pub mod types;
pub mod views;
