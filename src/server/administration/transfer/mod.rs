//! Moving in and out: the house as a document, and documents of other servers.
//! Owns: what leaves in an export, and what an import may do. Not here: the whole file (`store::backup`), the
//! verbs (`cli::export`, `cli::import`).

pub mod document;
pub mod export;
mod flat;
pub mod foreign;
pub mod import;
pub mod plan;
pub mod report;

#[cfg(test)]
mod transfer_tests;
