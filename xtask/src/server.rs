//! Servers that run beside the tests: Valetkey's demo.
//!
//! It must never wait without a limit, and never use a server that it didn't start.

mod background;
mod demo;

pub use background::{Background, Look};
pub use demo::Demo;
