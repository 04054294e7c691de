//! The cases for a [`Store`](crate::Store).

mod expiry;
mod lives;
mod publishing;
mod reading;
mod rivals;
mod staging;

pub use expiry::*;
pub use lives::*;
pub use publishing::*;
pub use reading::*;
pub use rivals::*;
pub use staging::*;
