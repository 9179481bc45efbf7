//! One-time links.

use super::failure;
use crate::server::incoming::Incoming;
use rouille::Response;

/// GET.
pub fn show(incoming: &Incoming<'_>) -> Response {
    failure::link_closed(incoming)
}

/// POST.
pub fn handle(incoming: &Incoming<'_>) -> Response {
    failure::link_closed(incoming)
}
