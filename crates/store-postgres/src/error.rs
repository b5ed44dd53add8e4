//! What a failure of the driver means: for the connection, for a second attempt, for the caller.
//!
//! Nothing here may pass on a value that was sent: a message carries the server's own words and the
//! name of a constraint, never a row.

use std::error::Error as _;
use std::time::Duration;

use deadpool_postgres::PoolError;
use tokio_postgres::Error;
use tokio_postgres::error::Severity;
use valetkey_store::StoreError;

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The connection is no longer usable, or it leads to a server that takes no writes.
    Lost,
    /// The server undid the transaction for the sake of another one; the same may work again.
    Again,
    /// A constraint refused it.
    Constraint,
    /// Anything else; the connection is still good.
    Other,
}

/// A failure, sorted.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    pub(crate) error: StoreError,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure { kind: kind(&error), error: store_error(&error) }
    }
}

impl From<StoreError> for Failure {
    /// Something of our own making, such as a row that can't be read.
    fn from(error: StoreError) -> Failure {
        Failure { kind: Kind::Other, error }
    }
}

impl Failure {
    /// The server did not answer in time, so nobody knows what state the connection is in.
    pub(crate) fn silent(limit: Duration) -> Failure {
        let text = format!("PostgreSQL did not answer for {} s", limit.as_secs());
        Failure { kind: Kind::Lost, error: StoreError::Unavailable(text) }
    }

    /// The pool gave no connection; that says nothing about the state of others.
    pub(crate) fn of_pool(error: PoolError) -> Failure {
        let error = match error {
            PoolError::Backend(e) => store_error(&e),
            PoolError::Timeout(_) => StoreError::Unavailable("all connections to PostgreSQL are busy".to_owned()),
            other @ (PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_)) => {
                StoreError::Unavailable(format!("no connection to PostgreSQL: {other}"))
            }
        };
        Failure { kind: Kind::Other, error }
    }
}

/// Waits for an answer up to a limit.
pub(crate) async fn within<T>(limit: Duration, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer.map_err(Failure::from),
        Err(_) => Err(Failure::silent(limit)),
    }
}

/// Sorts a failure.
pub(crate) fn kind(error: &Error) -> Kind {
    let Some(db) = error.as_db_error() else {
        return if is_about_values(error) { Kind::Other } else { Kind::Lost };
    };
    if matches!(db.parsed_severity(), Some(Severity::Fatal | Severity::Panic)) {
        return Kind::Lost;
    }
    match db.code().code() {
        // Read only; shut down; crashed; starting up; the session was idle for too long.
        "25006" | "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => Kind::Lost,
        "40001" | "40P01" => Kind::Again,
        // The failure of a statement that was prepared for a table that has changed since.
        "0A000" if db.message().contains("cached plan") => Kind::Lost,
        code if code.starts_with("08") => Kind::Lost,
        code if code.starts_with("23") => Kind::Constraint,
        _ => Kind::Other,
    }
}

/// Whether a value or a row did not fit, which says nothing about the connection. The driver shows
/// this only in its message; any message not known to be harmless counts as a lost connection.
fn is_about_values(error: &Error) -> bool {
    let text = error.to_string();
    let harmless =
        ["error serializing", "error deserializing", "invalid column", "expected ", "query returned", "error encoding"];
    harmless.iter().any(|start| text.starts_with(start))
}

/// The same failure as an error of the port.
pub(crate) fn store_error(error: &Error) -> StoreError {
    let text = describe(error);
    let Some(db) = error.as_db_error() else {
        return match kind(error) {
            Kind::Lost => StoreError::Unavailable(text),
            Kind::Again | Kind::Constraint | Kind::Other => StoreError::Corrupt(text),
        };
    };
    match db.code().code() {
        "53100" | "58030" => StoreError::Full(text),
        "XX001" | "XX002" => StoreError::Corrupt(text),
        // No lock in time; no answer in time; out of memory or connections.
        "55P03" | "57014" | "53200" | "53300" => StoreError::Unavailable(text),
        // The server refuses this user; the operator can repair that while we wait.
        code if code.starts_with("28") || matches!(code, "3D000" | "42501") => StoreError::Unavailable(text),
        _ if kind(error) == Kind::Lost || kind(error) == Kind::Again => StoreError::Unavailable(text),
        _ => StoreError::Other(text),
    }
}

/// The words of a failure. The detail of a server's error is left out, since it may quote a row.
pub(crate) fn describe(error: &Error) -> String {
    let Some(db) = error.as_db_error() else {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            text = format!("{text}: {inner}");
            cause = inner.source();
        }
        return text;
    };
    let constraint = db.constraint().map_or(String::new(), |name| format!(", constraint {name}"));
    format!("{} (SQLSTATE {}{constraint})", db.message(), db.code().code())
}
