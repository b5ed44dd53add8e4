//! Calls: who says it is calling, with what, and under which trace.

use std::net::IpAddr;

use valetkey_domain::Id;

/// What a caller showed. Texts never appear in `Debug`.
#[derive(Clone)]
pub enum Credential {
    /// Nothing.
    None,
    /// The text of a token, or `APPID|SECRET`.
    Text(String),
    /// The server's own socket.
    Operator,
    /// A token by its id: a deferred effect, decided again for the token that asked for it.
    Token(Id),
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Credential::None => f.write_str("None"),
            Credential::Text(_) => f.write_str("Text(…)"),
            Credential::Operator => f.write_str("Operator"),
            Credential::Token(id) => write!(f, "Token({id})"),
        }
    }
}

/// One call. `Debug` shows neither token nor proof.
#[derive(Clone)]
pub struct Call {
    pub credential: Credential,
    /// `appsecret_proof`, if it was sent.
    pub proof: Option<String>,
    /// The `fbtrace_id` of the answer.
    pub trace: String,
    pub ip: Option<IpAddr>,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("credential", &self.credential).field("trace", &self.trace).finish_non_exhaustive()
    }
}

impl Call {
    /// A call of the operator.
    pub fn operator(trace: &str) -> Call {
        Call { credential: Credential::Operator, proof: None, trace: trace.to_owned(), ip: None }
    }

    /// A call with a token and nothing else.
    pub fn with_token(text: &str, trace: &str) -> Call {
        Call { credential: Credential::Text(text.to_owned()), proof: None, trace: trace.to_owned(), ip: None }
    }

    /// The text of the credential, if it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.credential {
            Credential::Text(text) => Some(text),
            _ => None,
        }
    }
}
