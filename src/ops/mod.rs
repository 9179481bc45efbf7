//! Background work, and the clock.

pub mod clock;
pub mod logging;
pub mod logout_delivery;
pub mod outbound;
pub mod timer;
