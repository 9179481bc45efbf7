//! Background work, and the clock.

pub mod backup_due;
pub mod backup_folder;
pub mod backup_making;
pub mod backup_schedule;
pub mod backups;
pub mod clock;
pub mod core_dumps;
pub mod forgetting;
pub mod inspection;
pub mod logging;
pub mod logout_delivery;
pub mod mounts;
pub mod outbound;
pub mod retention;
pub mod service_manager;
pub mod timer;
