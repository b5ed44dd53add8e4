//! What the Graph dialect looks like on the wire, as pure functions: reading paths, fields, values,
//! cursors and batches, and writing lists and errors. Nothing here may do I/O, read a clock, use
//! randomness, or know a store. Everything is total: hostile input gives a typed error, never a
//! panic.

pub mod batch;
pub mod cursor;
pub mod envelope;
pub mod etag;
pub mod fields;
pub mod paging;
pub mod text;
pub mod times;
pub mod value;
pub mod version;
