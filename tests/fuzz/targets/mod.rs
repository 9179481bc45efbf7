//! The targets by name.

mod age_file;
mod chunked_body;
mod compact_jws;
mod data_file;
mod dpop;
mod foreign;
mod form;
mod jwk;
mod multipart;
mod password_hash;
mod redirect_uri;
mod request_head;
mod request_object;
mod strict_json;

/// Name and function; `tests/fuzz/seeds` has a folder of each name.
pub const ALL: &[(&str, fn(&[u8]))] = &[
    ("age_file", age_file::run),
    ("chunked_body", chunked_body::run),
    ("compact_jws", compact_jws::run),
    ("data_file", data_file::run),
    ("dpop", dpop::run),
    ("foreign_json", foreign::json),
    ("foreign_yaml", foreign::yaml),
    ("form", form::run),
    ("jwk", jwk::run),
    ("multipart", multipart::run),
    ("password_hash", password_hash::run),
    ("redirect_uri", redirect_uri::run),
    ("request_head", request_head::run),
    ("request_object", request_object::run),
    ("strict_json", strict_json::run),
];
