//! Doorlight's own interfaces for programs.

pub mod control;
pub mod describe;
pub mod resource;
pub mod wrong_field;
