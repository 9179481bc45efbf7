//! Backups of each day, into the folder that is set.
//! Owns: when one is due (`due`), that there is one at a time and that what became of it is recorded (`schedule`), how it is
//! written and checked (`making`), what it is called (`file_name`), which older ones are kept (`retention`) and how the
//! others leave the folder (`folder`). Not here: the copy itself (`store::backup`) and its encryption
//! (`store::encrypted`), what is set (`model::backups`) and who may set it (`server::administration::backups`).

pub mod due;
pub mod file_name;
pub mod folder;
pub mod making;
pub mod retention;
pub mod schedule;
