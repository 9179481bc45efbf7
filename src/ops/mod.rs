//! Background work, and the clock.

pub mod clock;
pub mod outbound;
pub mod timer;
