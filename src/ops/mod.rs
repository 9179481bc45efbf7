//! Background work, and the clock.

pub mod backup;
pub mod clock;
pub mod core_dumps;
pub mod forgetting;
pub mod inspection;
pub mod logging;
pub mod logout_delivery;
pub mod mounts;
pub mod outbound;
pub mod service_manager;
pub mod timer;
