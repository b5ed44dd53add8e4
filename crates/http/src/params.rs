//! The parameters of a request, from its query, a form, a multipart body or a JSON object, with or
//! without a content type. It must never guess: contradictory or unreadable parameters are an error
//! that names the field. The only field whose meaning it knows is `access_token`.

mod error;
mod reader;
mod set;

use bytes::Bytes;

use crate::limits::ParamLimits;

pub use error::{ParamError, ParamFault};
pub use set::{ACCESS_TOKEN, Params, Source, Upload};

impl Params {
    /// Reads query and body. Without a content type a body is a form, or JSON
    /// if it begins with a brace; so is one of `text/plain`.
    pub async fn read(
        query: &str,
        content_type: Option<&str>,
        body: &Bytes,
        limits: &ParamLimits,
    ) -> Result<Self, ParamError> {
        let mut reader = reader::Reader::new(limits);
        reader.form(query.as_bytes(), Source::Query)?;
        if !body.is_empty() {
            match reader::Shape::of(content_type, body)? {
                reader::Shape::Form => reader.form(body, Source::Form)?,
                reader::Shape::Json => reader.json(body)?,
                reader::Shape::Multipart(boundary) => reader.multipart(boundary, body).await?,
            }
        }
        Ok(reader.finish())
    }

    /// Reads the query of a request that has no body.
    pub fn from_query(query: &str, limits: &ParamLimits) -> Result<Self, ParamError> {
        let mut reader = reader::Reader::new(limits);
        reader.form(query.as_bytes(), Source::Query)?;
        Ok(reader.finish())
    }
}

#[cfg(test)]
mod tests;
