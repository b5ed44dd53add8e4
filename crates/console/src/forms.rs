//! What forms have in common: reading names and choices, and turning a refusal into words beside the
//! field that it is about.

use valetkey_domain::refusal::Class;
use valetkey_domain::{Name, Purpose, Refusal, Role, Words};

use crate::failure::Failure;
use crate::view::parts::FieldError;
use crate::web::form::Form;

/// Reads a name.
///
/// # Errors
/// The refusal that names the field.
pub fn name(form: &Form, field: &str) -> Result<Name, Refusal> {
    let text = form.text(field).ok_or_else(|| Refusal::required(field))?;
    Name::parse(text).map_err(|e| Refusal::invalid(field, "a name").with_note(&format!("the name {}", e.message())))
}

/// Reads a role; without one it is EMPLOYEE.
pub fn role(form: &Form) -> Role {
    form.text("role").and_then(Role::parse).unwrap_or(Role::Employee)
}

/// What was wrong with what was sent, for the page that shows the form again.
///
/// # Errors
/// The refusal itself, if it isn't about what was sent.
pub fn errors(refusal: Refusal) -> Result<Vec<FieldError>, Failure> {
    let is_about_input = match refusal.reason.class() {
        Class::Input | Class::Wider | Class::State | Class::Rate => true,
        Class::Credential
        | Class::Proof
        | Class::Absent
        | Class::Right
        | Class::Away
        | Class::Unsettled
        | Class::Fault => false,
    };
    if !is_about_input {
        return Err(refusal.into());
    }
    let text = refusal.sentence(&Words::default()).text();
    // A list's item is blamed as the whole field.
    let field = refusal.field.as_deref().and_then(|field| field.split('[').next()).unwrap_or_default();
    Ok(vec![FieldError { field: field.to_owned(), text }])
}

/// One thing that is wrong.
pub fn error(field: &str, text: impl Into<String>) -> Vec<FieldError> {
    vec![FieldError { field: field.to_owned(), text: text.into() }]
}

/// Reads a purpose or a description; `None` if nothing was typed.
///
/// # Errors
/// The refusal that names the field.
pub fn purpose(form: &Form, field: &str) -> Result<Option<Purpose>, Refusal> {
    let Some(text) = form.text(field) else { return Ok(None) };
    Purpose::parse(text)
        .map(Some)
        .map_err(|e| Refusal::invalid(field, "a short text").with_note(&format!("the text {}", e.message())))
}
