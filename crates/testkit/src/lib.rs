//! What the tests of several crates share. Nothing here may reach the product.

pub mod clock;
pub mod company;
pub mod ground;
pub mod postgres;
pub mod random;
pub mod stage;
