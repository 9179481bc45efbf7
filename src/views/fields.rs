//! The pieces that many pages have: the fields of forms and the frame. Each is drawn by a function of its own, so that a
//! page with thirty fields calls it thirty times and does not hold it thirty times.
//! Not here: what stands in them (`assets/templates/fields.html`), and how a page asks for one
//! (`assets/templates/ui.html`).

use super::{Form, Page};
use askama::Template;
use askama::filters::HtmlSafe;

/// What every field has.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    form: &'a Form,
    name: &'a str,
    label: &'a str,
    text: &'a str,
    tech: &'a str,
}

impl Form {
    /// A field: its name, what stands before it and below it, and what specifications call it. Empty: left out.
    pub fn field<'a>(
        &'a self,
        name: &'a str,
        label: &'a str,
        text: &'a str,
        tech: &'a str,
    ) -> Field<'a> {
        Field {
            form: self,
            name,
            label,
            text,
            tech,
        }
    }

    /// What is wrong with a field.
    pub fn problem<'a>(&'a self, name: &'a str) -> Problem<'a> {
        Problem { form: self, name }
    }

    /// One of a list of which one is chosen.
    pub fn option<'a>(&'a self, name: &'a str, value: &'a str, label: &'a str) -> Listed<'a> {
        Listed {
            form: self,
            name,
            value,
            label,
        }
    }

    /// All that is wrong, above the form.
    pub fn refusals(&self) -> Refusals<'_> {
        Refusals { form: self }
    }
}

impl<'a> Field<'a> {
    /// One line of text.
    pub fn input(
        self,
        kind: &'a str,
        autocomplete: &'a str,
        required: bool,
        autofocus: bool,
    ) -> Input<'a> {
        Input {
            field: self,
            kind,
            autocomplete,
            required,
            autofocus,
        }
    }

    /// Several lines of text.
    pub fn area(self, rows: u8, note: &'a str) -> Area<'a> {
        Area {
            field: self,
            rows,
            note,
        }
    }

    /// A number between two.
    pub fn number(self, least: &'a str, most: &'a str) -> Number<'a> {
        Number {
            field: self,
            least,
            most,
        }
    }

    /// A box to tick.
    pub fn tick(self) -> Tick<'a> {
        Tick { field: self }
    }

    /// One of several boxes or buttons of one name.
    pub fn one_of(self, kind: &'a str, value: &'a str) -> OneOf<'a> {
        OneOf {
            field: self,
            kind,
            value,
        }
    }
}

impl Page {
    /// The head of the document, up to what a page adds to it.
    pub fn head(&self) -> Head<'_> {
        Head { page: self }
    }

    /// What stands above every page: the name, and who is signed in.
    pub fn banner(&self) -> Banner<'_> {
        Banner { page: self }
    }

    /// The messages above the content.
    pub fn messages(&self) -> Messages<'_> {
        Messages { page: self }
    }

    /// The list of the admin pages, one of them marked.
    pub fn nav<'a>(&'a self, section: &'a str) -> Nav<'a> {
        Nav {
            page: self,
            section,
        }
    }
}

macro_rules! pieces {
    ($($(#[doc = $doc:literal])+ $block:literal $name:ident { $($field:ident: $type:ty),+ })+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Template)]
        #[template(path = "fields.html", block = $block, config = "assets/askama.toml")]
        pub struct $name<'a> { $($field: $type),+ }

        // Its template escapes what it shows.
        impl HtmlSafe for $name<'_> {}
    )+};
}

pieces! {
    /// Drawn by [`Field::input`].
    "input" Input { field: Field<'a>, kind: &'a str, autocomplete: &'a str, required: bool, autofocus: bool }
    /// Drawn by [`Field::area`].
    "area" Area { field: Field<'a>, rows: u8, note: &'a str }
    /// Drawn by [`Field::number`].
    "number" Number { field: Field<'a>, least: &'a str, most: &'a str }
    /// Drawn by [`Field::tick`].
    "tick" Tick { field: Field<'a> }
    /// Drawn by [`Field::one_of`].
    "one_of" OneOf { field: Field<'a>, kind: &'a str, value: &'a str }
    /// Drawn by [`Form::option`].
    "option" Listed { form: &'a Form, name: &'a str, value: &'a str, label: &'a str }
    /// Drawn by [`Form::problem`].
    "problem" Problem { form: &'a Form, name: &'a str }
    /// Drawn by [`Form::refusals`].
    "errors" Refusals { form: &'a Form }
    /// Drawn by [`Page::head`].
    "head" Head { page: &'a Page }
    /// Drawn by [`Page::banner`].
    "banner" Banner { page: &'a Page }
    /// Drawn by [`Page::messages`].
    "messages" Messages { page: &'a Page }
    /// Drawn by [`Page::nav`].
    "nav" Nav { page: &'a Page, section: &'a str }
}
