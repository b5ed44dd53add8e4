//! What every page needs of HTTP: the address of this console, cookies, forms, the check of an
//! unsafe request's origin, and the headers of every reply. Nothing here may know a page, or read
//! anything of a business.

pub mod address;
pub mod cookie;
pub mod form;
pub mod origin;
pub mod reply;
pub mod statics;
