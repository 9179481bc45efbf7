//! Styles, scripts and pictures: compiled in, with validators.

use crate::server::incoming::Incoming;
use crate::server::oauth::documents::{Document, send};
use rouille::Response;
use std::sync::OnceLock;

type Asset = (&'static str, &'static str, &'static [u8]);

const ASSETS: &[Asset] = &[
    (
        "/assets/css/doorlight.css",
        "text/css; charset=utf-8",
        include_bytes!("../../../assets/css/doorlight.css"),
    ),
    (
        "/assets/js/doorlight.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../../../assets/js/doorlight.js"),
    ),
    (
        "/assets/js/form-post.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../../../assets/js/form-post.js"),
    ),
    (
        "/assets/js/signed-out.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../../../assets/js/signed-out.js"),
    ),
    (
        "/assets/icons/favicon.svg",
        "image/svg+xml",
        include_bytes!("../../../assets/icons/favicon.svg"),
    ),
    (
        "/assets/icons/logo.svg",
        "image/svg+xml",
        include_bytes!("../../../assets/icons/logo.svg"),
    ),
];

/// The asset at that path.
pub fn find(incoming: &Incoming<'_>) -> Option<Response> {
    static DOCUMENTS: OnceLock<Vec<Document<&'static [u8]>>> = OnceLock::new();
    let documents = DOCUMENTS.get_or_init(|| {
        ASSETS
            .iter()
            .map(|(_, _, bytes)| Document::new(*bytes))
            .collect()
    });
    let place = ASSETS
        .iter()
        .position(|(path, ..)| *path == incoming.path)?;
    let (_, media, _) = ASSETS.get(place)?;
    Some(send(incoming, documents.get(place)?, media))
}
