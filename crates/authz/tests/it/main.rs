//! The decision and the index, held against tables and against a naive model.

mod decision;
mod index;
mod language;
mod matrix;
mod overlay;
mod world;
