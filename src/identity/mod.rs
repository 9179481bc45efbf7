//! People, PURE: who may sign in, when a session holds, what an administrator may change about a person.
//! Not here: the protocol (`oauth`), pages and cookies (`server`).

pub mod access;
pub mod account;
pub mod arrival;
pub mod author;
pub mod enrolment;
pub mod groups;
pub mod people;
pub mod session;
pub mod throttle;
pub mod validate;

#[cfg(test)]
pub(crate) mod testing;
