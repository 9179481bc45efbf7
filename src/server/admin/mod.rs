//! The admin pages, below `/admin`. Reached by administrators only (`routes`).

use super::incoming::{Incoming, Visitor};
use super::pages::failure;
use crate::types::Form;
use rouille::Response;

/// Answers what stands below `/admin`; `form` is the posted one.
pub fn answer(incoming: &Incoming<'_>, _visitor: &Visitor, _form: &Form, _fresh: bool) -> Response {
    failure::not_found(incoming)
}
