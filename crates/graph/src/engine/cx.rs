//! What a call works with, and what it answers.

use serde_json::{Map, Value, json};
use valetkey_domain::{AssetId, Role, UnixMs};
use valetkey_service::authz::{Allowed, Sorts};
use valetkey_service::rights::Right;
use valetkey_service::{Call, Service};

use super::input::{Input, Problem};
use super::work::Work;
use crate::protocol::envelope;

/// An answer before it is written.
#[derive(Debug)]
pub(crate) struct Answer {
    pub body: Value,
    /// The revision of a write.
    pub revision: Option<u64>,
    /// The asset of the call and its use case, for the usage headers.
    pub about: Option<(AssetId, &'static str)>,
}

impl Answer {
    pub fn of(body: Value) -> Answer {
        Answer { body, revision: None, about: None }
    }

    pub fn success(revision: u64) -> Answer {
        Answer { body: json!({ "success": true }), revision: Some(revision), about: None }
    }

    pub fn made(fields: Map<String, Value>, revision: u64) -> Answer {
        Answer { body: Value::Object(fields), revision: Some(revision), about: None }
    }
}

/// What a call works with.
#[derive(Clone, Copy)]
pub(crate) struct Cx<'a> {
    pub service: &'a Service,
    pub call: &'a Call,
    pub input: &'a Input,
    pub now: UnixMs,
    pub work: &'a Work,
}

impl<'a> Cx<'a> {
    pub fn service(&self) -> &'a Service {
        self.service
    }

    /// Fails if the call has no credential. The error is the same everywhere.
    pub fn need_token(&self) -> Result<(), Problem> {
        if self.call.is_anonymous() { Err(envelope::no_token().into()) } else { Ok(()) }
    }

    /// The live caller, of any sort. This alone doesn't count as a use of its token.
    pub fn live(&self) -> Result<Allowed, Problem> {
        self.need_token()?;
        Ok(self.service.caller(self.call)?)
    }

    pub fn is_admin(allowed: &Allowed) -> bool {
        allowed.role == Role::Admin
    }
}

/// The right to know that a node exists, for every sort of credential.
pub(crate) const VISIBLE: Right = Right { sorts: Sorts::ANY, ..valetkey_service::rights::OPEN };
