//! What pages show, as plain structs; each page is one struct with its template. Handlers fill them.
//! A view must never decide anything, ask the service, or put text on a page unescaped.

pub mod access;
pub mod activity;
pub mod app;
pub mod apps;
pub mod asset;
pub mod assign;
pub mod business;
pub mod confirm;
pub mod content;
pub mod failure;
pub mod partner;
pub mod parts;
pub mod person;
pub mod refusal;
pub mod revoke;
pub mod search;
pub mod security;
pub mod share;
pub mod shell;
pub mod sign_in;
pub mod system_user;
pub mod terms;
pub mod token;
pub mod tokens;
pub mod you;
