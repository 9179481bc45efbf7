//! Who changes something and when. It stands in `model`, for applications are changed by the same hands.

pub use crate::model::Author;
