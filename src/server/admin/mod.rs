//! The admin pages, below `/admin`. Reached by administrators only (`routes`).

mod application_form;
pub mod applications;
pub mod audit;
mod desk;
pub mod groups;
pub mod keys;
mod listing;
#[cfg(test)]
mod meanwhile_tests;
pub mod overview;
pub mod people;
mod person_form;
mod recent;
mod refusal;
pub mod registration;
pub mod resources;
pub mod sessions;
#[cfg(test)]
mod testing;
pub mod try_it;
mod undelivered;

use super::incoming::{Incoming, Visitor};
use super::pages::{failure, sign_in};
use super::respond;
use crate::types::Form;
use rouille::Response;

/// Answers what stands below `/admin`; `form` is the posted one, `fresh` whether the password was asked lately.
pub fn answer(incoming: &Incoming<'_>, visitor: &Visitor, form: &Form, fresh: bool) -> Response {
    if !desk::is_post(incoming) {
        // Whoever was asked for the password at a button comes back by GET.
        if let Some(page) = page_of_button(incoming.path) {
            return respond::see_other(&sign_in::below_base(incoming, page));
        }
        // A long form is not typed only to be lost to the question for the password.
        if !fresh && has_form(incoming.path) {
            return sign_in::again_page(incoming, visitor, incoming.path);
        }
    }
    section(incoming, visitor, form).unwrap_or_else(|| failure::not_found(incoming))
}

fn section(incoming: &Incoming<'_>, visitor: &Visitor, form: &Form) -> Option<Response> {
    let below = incoming.path.strip_prefix("/admin")?;
    let below = below.strip_prefix('/').unwrap_or(below);
    let (name, _) = below.split_once('/').unwrap_or((below, ""));
    let rest = below.strip_prefix(name)?;
    Some(match name {
        "" if rest.is_empty() && !desk::is_post(incoming) => overview::show(incoming, visitor),
        "applications" => applications::answer(incoming, visitor, form, rest),
        "people" => people::answer(incoming, visitor, form, rest),
        "groups" => groups::answer(incoming, visitor, form, rest),
        "resources" => resources::answer(incoming, visitor, form, rest),
        "sessions" => sessions::answer(incoming, visitor, form, rest),
        "grants" => sessions::answer_grants(incoming, visitor, form, rest),
        "keys" => keys::answer(incoming, visitor, form, rest),
        "registration" => registration::answer(incoming, visitor, form, rest),
        "audit" => audit::answer(incoming, visitor, rest),
        "try" => try_it::answer(incoming, visitor, form, rest),
        _ => return None,
    })
}

/// Whether the page is there to change one thing: `/admin/people/{id}` and what stands below, but no list.
fn has_form(path: &str) -> bool {
    let depth = path.split('/').filter(|part| !part.is_empty()).count();
    depth > 2 && path != "/admin/audit/export" && path != "/admin/try/callback"
}

/// The page that a button without a page of its own stands on.
fn page_of_button(path: &str) -> Option<&str> {
    const BUTTONS: [&str; 4] = [
        "/secrets/rotate",
        "/secrets/remove",
        "/redirect-uris/add",
        "/link",
    ];
    if path.ends_with("/revoke") {
        return Some("/admin/sessions");
    }
    if path.starts_with("/admin/registration/") {
        return Some("/admin/registration");
    }
    if path == "/admin/keys/rotate" {
        return Some("/admin/keys");
    }
    BUTTONS.iter().find_map(|button| path.strip_suffix(button))
}

#[cfg(test)]
mod tests {
    use super::page_of_button;

    #[test]
    fn a_button_leads_back_to_its_page() {
        for (path, page) in [
            (
                "/admin/applications/a/secrets/rotate",
                Some("/admin/applications/a"),
            ),
            (
                "/admin/applications/a/redirect-uris/add",
                Some("/admin/applications/a"),
            ),
            ("/admin/people/a/link", Some("/admin/people/a")),
            ("/admin/grants/a/revoke", Some("/admin/sessions")),
            ("/admin/keys/rotate", Some("/admin/keys")),
            (
                "/admin/registration/tokens/a/remove",
                Some("/admin/registration"),
            ),
            ("/admin/people/a/password", None),
            ("/admin/applications/new", None),
        ] {
            assert_eq!(page_of_button(path), page, "{path}");
        }
    }
}
