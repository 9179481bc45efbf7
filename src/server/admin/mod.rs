//! The admin pages, below `/admin`. Reached by administrators only (`routes`).

mod application_form;
pub mod applications;
mod desk;
pub mod groups;
pub mod people;
mod person_form;
mod recent;
pub mod sessions;

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
    failure::not_found(incoming)
}
