//! The admin pages, below `/admin`: one handler for each address. Reached by administrators only: the guards stand in
//! `routes`.

mod application_form;
pub mod applications;
pub mod audit;
pub mod backup_download;
pub mod backups;
#[cfg(test)]
mod backups_tests;
pub mod desk;
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
