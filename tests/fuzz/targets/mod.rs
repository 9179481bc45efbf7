//! The targets by name.

mod chunked_body;
mod form;
mod password_hash;
mod redirect_uri;
mod request_head;
mod strict_json;

/// Name and function; `tests/fuzz/seeds` has a folder of each name.
pub const ALL: &[(&str, fn(&[u8]))] = &[
    ("chunked_body", chunked_body::run),
    ("form", form::run),
    ("password_hash", password_hash::run),
    ("redirect_uri", redirect_uri::run),
    ("request_head", request_head::run),
    ("strict_json", strict_json::run),
];
