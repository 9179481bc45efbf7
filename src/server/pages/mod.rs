//! Pages for people: sign-in, permission, setup, links, the start page, and everything that went wrong.

pub mod account;
pub mod assets;
pub mod consent;
pub mod device;
pub mod failure;
pub mod frame;
pub mod home;
pub mod interaction;
pub mod link;
mod password;
pub mod restore;
pub mod setup;
pub mod sign_in;
pub mod when;
