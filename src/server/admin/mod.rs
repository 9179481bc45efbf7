//! The admin pages, below `/admin`. Reached by administrators only (`routes`).

mod application_form;
pub mod applications;
pub mod audit;
mod desk;
pub mod groups;
pub mod keys;
pub mod overview;
pub mod people;
mod person_form;
mod recent;
pub mod sessions;
pub mod try_it;

use super::incoming::{Incoming, Visitor};
use super::pages::failure;
use crate::types::Form;
use rouille::Response;

/// Answers what stands below `/admin`; `form` is the posted one.
pub fn answer(incoming: &Incoming<'_>, visitor: &Visitor, form: &Form, _fresh: bool) -> Response {
    let below = |section: &str| {
        let rest = incoming.path.strip_prefix(section)?;
        (rest.is_empty() || rest.starts_with('/')).then_some(rest)
    };
    if let Some(rest) = below("/admin/applications") {
        return applications::answer(incoming, visitor, form, rest);
    }
    if let Some(rest) = below("/admin/people") {
        return people::answer(incoming, visitor, form, rest);
    }
    if let Some(rest) = below("/admin/groups") {
        return groups::answer(incoming, visitor, form, rest);
    }
    if let Some(rest) = below("/admin/sessions") {
        return sessions::answer(incoming, visitor, form, rest);
    }
    if let Some(rest) = below("/admin/grants") {
        return sessions::answer_grants(incoming, visitor, form, rest);
    }
    if let Some(rest) = below("/admin/keys") {
        return keys::answer(incoming, visitor, form, rest);
    }
    if let Some(rest) = below("/admin/audit") {
        return audit::answer(incoming, visitor, rest);
    }
    if let Some(rest) = below("/admin/try") {
        return try_it::answer(incoming, visitor, form, rest);
    }
    match (incoming.path, desk::is_post(incoming)) {
        ("/admin" | "/admin/", false) => overview::show(incoming, visitor),
        _ => failure::not_found(incoming),
    }
}
