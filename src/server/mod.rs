//! The only room that knows rouille.

pub mod listener;
