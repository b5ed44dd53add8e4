//! The Graph door, from request bytes to reply bytes, over the memory store.

mod bad_input;
mod documents;
mod house;
mod matrix;
mod story;
