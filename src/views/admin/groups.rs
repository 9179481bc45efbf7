//! Groups. Fields of both forms: `name`, `description`; and, when editing, `member` (several ids of people) and
//! `shown` (the ids of those who could be ticked).

use super::ListHead;
use crate::views::{Choice, Form, Page};
use askama::Template;

/// `{base}/admin/groups`.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/groups.html", config = "assets/askama.toml")]
pub struct Groups {
    /// The frame.
    pub page: Page,
    /// Search and paging.
    pub list: ListHead,
    /// The groups.
    pub rows: Vec<GroupRow>,
}

/// A group in the list.
#[derive(Debug, Clone)]
pub struct GroupRow {
    /// Part of the address `{base}/admin/groups/{id}`.
    pub id: String,
    /// Name, as applications see it.
    pub name: String,
    /// What it is for, or empty.
    pub description: String,
    /// How many people it has.
    pub members: u64,
}

/// `{base}/admin/groups/new`. `POST` to the same address with `name`, `description`, `csrf`.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/group_new.html", config = "assets/askama.toml")]
pub struct NewGroup {
    /// The frame.
    pub page: Page,
    /// What was typed.
    pub form: Form,
}

/// `{base}/admin/groups/{id}`. `POST` to the same address with `name`, `description`, `member`, `shown`, `csrf`;
/// `GET …/delete` asks, `POST …/delete` does it.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/group.html", config = "assets/askama.toml")]
pub struct Group {
    /// The frame.
    pub page: Page,
    /// The group as stored, or what was typed.
    pub form: Form,
    /// Id.
    pub id: String,
    /// Name as stored.
    pub name: String,
    /// Everybody who may be a member (those shown are set anew by the form; the others stay as they are).
    pub people: Vec<Choice>,
    /// People that the list does not show because there are too many.
    pub hidden: u64,
}
