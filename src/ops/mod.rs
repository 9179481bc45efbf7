//! Background work, and the clock.

pub mod clock;
