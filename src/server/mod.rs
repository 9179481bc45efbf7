//! The only room that knows rouille.
//! Owns: sockets (`listener`), the route table, the endpoints' outer halves, pages. Not here: any rule of the protocol.

pub mod administration;
pub mod context;
pub mod hashing;
pub mod listener;
