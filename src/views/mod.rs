//! What people see: one askama struct per page, its template under `assets/templates`.
//! Owns: the words, the form field names, and what a page needs to be drawn.
//! Not here: where the data comes from and how an answer is sent (`server::pages`, `server::admin`).
//!
//! Every address a page links to starts with [`Page::base`], so that an issuer with a path works. Every form that
//! changes something posts the hidden field `csrf`. Field names stand in the documentation of each struct.

pub mod admin;
mod device;
mod error;
mod fields;
mod form;
mod home;
mod page;
mod password;
mod relay;
mod sign_in;
mod sign_out;

pub use device::{DeviceCode, DeviceConfirm, DeviceDone};
pub use error::{ErrorPage, TechnicalDetail};
pub use fields::{
    Area, Banner, Field, Head, Input, Listed, Messages, Nav, Number, OneOf, Problem, Refusals, Tick,
};
pub use form::{Choice, Form, capital};
pub use home::{Home, HomeApplication, HomeSession};
pub use page::{ClientFace, Hidden, Notice, Page, Tone, When};
pub use password::{NewPassword, Restore, Restored, Setup};
pub use relay::FormPost;
pub use sign_in::{
    AccountChoice, AccountChooser, Consent, Reauthenticate, ScopeLine, SignIn, scope_words,
};
pub use sign_out::{SignOut, SignedOut};
