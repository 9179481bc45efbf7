//! Resources, which the pages call APIs. Fields of both forms: `name`, `scope`, `token_seconds` (300 to 3,600), `alg` =
//! `ES256` | `RS256`, `client` and `server` (several ids of applications), `registered_clients` (`on`); `identifier` when
//! adding; `version` when editing.

use super::ListHead;
use crate::views::{Choice, Form, Page};
use askama::Template;

/// `{base}/admin/resources`.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/resources.html", config = "assets/askama.toml")]
pub struct Resources {
    /// The frame.
    pub page: Page,
    /// Search and paging.
    pub list: ListHead,
    /// The APIs.
    pub rows: Vec<ResourceRow>,
}

/// An API in the list.
#[derive(Debug, Clone)]
pub struct ResourceRow {
    /// Part of the address `{base}/admin/resources/{id}`.
    pub id: String,
    /// Name.
    pub name: String,
    /// What tokens for it say.
    pub identifier: String,
    /// How many applications may ask for it.
    pub clients: usize,
}

/// `{base}/admin/resources/new`. `POST` to the same address with the fields of this module.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/resource_new.html", config = "assets/askama.toml")]
pub struct NewResource {
    /// The frame.
    pub page: Page,
    /// The defaults, or what was typed.
    pub form: Form,
    /// Applications to choose from.
    pub applications: Vec<Choice>,
}

/// `{base}/admin/resources/{id}`. `POST` to the same address with the fields of this module; `GET …/delete` asks,
/// `POST …/delete` does it.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/resource.html", config = "assets/askama.toml")]
pub struct Resource {
    /// The frame.
    pub page: Page,
    /// The API as stored, or what was typed.
    pub form: Form,
    /// Part of the address.
    pub id: String,
    /// Name as stored.
    pub name: String,
    /// What tokens for it say.
    pub identifier: String,
    /// Applications to choose from.
    pub applications: Vec<Choice>,
}
