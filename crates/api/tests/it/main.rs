//! The JSON door over the memory store, with a clock and randomness of the tests' own.

mod book;
mod house;
mod sign_in;
mod story;
mod walk;
